//! `gatepost init`: a first configuration, an empty store with its keys, and on request a
//! certificate. Nothing that exists is touched.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use gatepost_config::{Config, Domain};
use gatepost_directory::{ApiScope, Name};
use gatepost_files::Owner;
use gatepost_message::Millis;
use gatepost_operations::{Runtime, ShownOnce};
use gatepost_spool::{SpoolSettings, SqliteSpool};
use miette::{Context as _, IntoDiagnostic as _};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{exit, output};

/// Text of the configuration. A word between two `@` stands for what differs from site to site.
const CONFIGURATION: &str = include_str!("init/gatepost.toml");

/// Text of the listener for submission.
const SUBMISSION: &str = include_str!("init/submission.toml");

/// Write a first configuration, and make an empty store with its keys.
///
/// What is there is never overwritten. Root gives the store to the owner of its folder, where that
/// exists and is empty, or of the folder around it.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Name of this machine in mail, such as mx.desk.example.
    #[arg(long)]
    hostname: Domain,
    /// Folder of the configuration; made if it does not exist.
    #[arg(long, value_name = "DIR", default_value = "/etc/gatepost")]
    dir: PathBuf,
    /// Folder of the store.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/gatepost")]
    store: PathBuf,
    /// PEM file of the certificate for TLS, with its chain.
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// PEM file of the certificate's private key.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// Make a certificate that signs itself, to try things out: other servers trust none such.
    #[arg(long, conflicts_with = "certificate")]
    self_signed: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Paths of what was made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Made {
    configuration: PathBuf,
    store: PathBuf,
    key_ring: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<PathBuf>,
    tls: bool,
    /// Token that may do everything by the HTTP API, shown this once.
    token: ShownOnce,
}

/// Certificate that the configuration names.
struct NamedCertificate {
    certificate: PathBuf,
    key: PathBuf,
}

pub(super) fn run(init: Init) -> miette::Result<ExitCode> {
    let dir = std::path::absolute(&init.dir).into_diagnostic()?;
    let store = std::path::absolute(&init.store).into_diagnostic()?;
    let named = match (&init.certificate, &init.key) {
        (Some(certificate), Some(key)) => Some(NamedCertificate {
            certificate: std::path::absolute(certificate).into_diagnostic()?,
            key: std::path::absolute(key).into_diagnostic()?,
        }),
        _ => init.self_signed.then(|| NamedCertificate {
            certificate: dir.join("certificate.pem"),
            key: dir.join("key.pem"),
        }),
    };
    let path = dir.join("gatepost.toml");
    refuse_existing(&path, &store, named.as_ref().filter(|_| init.self_signed))?;
    let text = configuration(&init.hostname, &store, named.as_ref());
    let config = Config::parse(&text, &path, &dir)?;
    // The certificate is read once more when the configuration is checked, with a better error.
    for file in named.iter().flat_map(|of| [&of.certificate, &of.key]) {
        if !init.self_signed {
            File::open(file)
                .into_diagnostic()
                .wrap_err_with(|| format!("cannot read {}", file.display()))?;
        }
    }

    let owner = Owner::of(&store);
    let token = make_store(&config, owner)?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(&dir)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot make {}", dir.display()))?;
    if let Some(of) = named.as_ref().filter(|_| init.self_signed) {
        let made = rcgen::generate_simple_self_signed([init.hostname.as_ascii().to_owned()]);
        let made = made
            .into_diagnostic()
            .wrap_err("cannot make a certificate")?;
        let key = Zeroizing::new(made.signing_key.serialize_pem());
        write(&of.certificate, &made.cert.pem(), owner)?;
        write(&of.key, &key, owner)?;
    }
    write(&path, &text, owner)?;
    let made = Made {
        key_ring: config.directory.settings(&store).key_ring,
        configuration: path,
        store,
        tls: named.is_some(),
        token,
        certificate: named
            .filter(|_| init.self_signed)
            .map(|named| named.certificate),
    };
    match init.json {
        true => output::print_json([&made])?,
        false => output::print(in_words(&made))?,
    }
    Ok(exit(true))
}

/// Refuses to go on where anything that would be made exists.
fn refuse_existing(
    configuration: &Path,
    store: &Path,
    certificate: Option<&NamedCertificate>,
) -> miette::Result<()> {
    let mut found = Vec::new();
    let files = certificate.map(|of| [&*of.certificate, &*of.key]);
    for path in [configuration]
        .into_iter()
        .chain(files.into_iter().flatten())
    {
        if fs::symlink_metadata(path).is_ok() {
            found.push(format!("{} exists", path.display()));
        }
    }
    match fs::read_dir(store).map(|mut entries| entries.next().is_some()) {
        Ok(true) => found.push(format!("{} is not empty", store.display())),
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            found.push(format!("{} cannot be read: {error}", store.display()));
        }
        _ => {}
    }
    match found.is_empty() {
        true => Ok(()),
        false => Err(miette::miette!(
            help = "name other folders with --dir and --store, or move these away",
            "{}; nothing was made",
            found.join(", ")
        )),
    }
}

/// Returns the text of the configuration.
fn configuration(
    hostname: &Domain,
    store: &Path,
    certificate: Option<&NamedCertificate>,
) -> String {
    let quoted = |path: &Path| toml::Value::from(path.to_string_lossy().into_owned()).to_string();
    let (tls, mx_tls, submission) = match certificate {
        Some(of) => {
            let (certificate, key) = (quoted(&of.certificate), quoted(&of.key));
            let about = "# The certificate for the hostname, with its chain, and its private key.";
            let tls = format!("{about}\n[tls]\ncertificate = {certificate}\nkey = {key}\n");
            (tls, "tls = \"starttls\"", SUBMISSION.to_owned())
        }
        None => {
            let about = "# CHANGE: get a certificate for the hostname, name its files here, and take \
                         away the `# ` here and\n# before the listener \"submission\"; then let the \
                         listener \"mx\" have tls = \"starttls\".";
            let tls = "[tls]\ncertificate = \"certificate.pem\"\nkey = \"key.pem\"\n";
            let tls = format!("{about}\n{}", commented(tls));
            (tls, "tls = \"none\"", commented(SUBMISSION))
        }
    };
    let hostname = toml::Value::from(hostname.as_ascii().to_owned()).to_string();
    CONFIGURATION
        .replace("@HOSTNAME@", &hostname)
        .replace("@STORE@", &quoted(store))
        .replace("@TLS@", &tls)
        .replace("@MX-TLS@", mx_tls)
        .replace("@SUBMISSION@", &submission)
}

/// Puts every line that is no comment into one.
fn commented(text: &str) -> String {
    let lines = text.lines().map(|line| match line.starts_with('#') {
        true => format!("{line}\n"),
        false => format!("# {line}\n"),
    });
    lines.collect()
}

/// Makes the store as a first start would, with its key ring, and returns the first token.
fn make_store(config: &Config, owner: Option<Owner>) -> miette::Result<ShownOnce> {
    let store = &config.relay.store;
    let mut settings = SpoolSettings::new(store).with_min_free(config.relay.min_free);
    settings.fatal = gatepost_operations::fatal();
    drop(SqliteSpool::open(settings).into_diagnostic()?);
    let runtime = Runtime::open(config).into_diagnostic()?;
    let name: Name = "first administrator".parse().into_diagnostic()?;
    let (scope, now) = (ApiScope::Administer, Millis::now());
    let added = (runtime.directory).add_api_token(None, scope, name, now, None);
    let (_, presented) = added.into_diagnostic()?;
    drop(runtime);
    if let Some(owner) = owner {
        let given = owner.give_all(store).into_diagnostic();
        given.wrap_err_with(|| format!("cannot give {} to the relay", store.display()))?;
    }
    Ok(presented.reveal().into())
}

/// Writes a new file that the relay may read, and nobody else.
fn write(path: &Path, text: &str, owner: Option<Owner>) -> miette::Result<()> {
    let mode = if owner.is_some() { 0o640 } else { 0o600 };
    let mut options = File::options();
    let written = options
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| owner.map_or(Ok(()), |owner| owner.share(path)))
        .and_then(|()| gatepost_files::sync_folder(path));
    written
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write {}", path.display()))
}

fn in_words(made: &Made) -> String {
    let mut lines = vec![
        format!("configuration  {}", made.configuration.display()),
        format!("store          {}", made.store.display()),
        format!(
            "key ring       {} (what is encrypted is lost without it)",
            made.key_ring.display()
        ),
    ];
    if let Some(certificate) = &made.certificate {
        lines.push(format!(
            "certificate    {} (self-signed: other servers do not trust it)",
            certificate.display()
        ));
    }
    if !made.tls {
        lines.push(
            "no certificate: no TLS, and no listener for submission, until one is named".to_owned(),
        );
    }
    lines.push(format!(
        "token          {} (for the HTTP API; it may do everything, and is shown this once)",
        made.token.reveal()
    ));
    lines.push(format!(
        "Look at what is marked CHANGE, then:\n  gatepost config check --config {path}\n  \
         gatepost serve --config {path}",
        path = made.configuration.display()
    ));
    lines.join("\n")
}
