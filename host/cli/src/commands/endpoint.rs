//! `gatepost endpoint`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use gatepost_config::SecretSource;
use gatepost_directory::{EndpointName, EndpointScope, EndpointSettings};
use gatepost_operations::connections::GivenSecret;
use gatepost_operations::endpoints::{
    AddEndpoint, EndpointDetails, EndpointSummary, EndpointTrouble, IssuedEndpoint, ListEndpoints,
    RemoveEndpoint, RetireEndpointSecret, RotateEndpointSecret, SetEndpoint, ShowEndpoint,
};
use gatepost_terminal::escape;

use super::answer::{Row, done, list};
use super::connection::secret_source;
use super::operate::{Ask, Target};
use super::{exit, output};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add an endpoint that gets inbound mail of an account. Without a secret one is made, and shown
    /// this once.
    Add(EndpointArgs),
    /// Change an endpoint of an account; what is not named stays.
    Set(EndpointArgs),
    /// List endpoints of accounts.
    List(Ask<ListEndpoints>),
    /// Show an endpoint: its settings without its secrets, and why its mail waits.
    Show(Ask<ShowEndpoint>),
    /// Give an endpoint a second secret, which signs beside the present one. One that is made is shown
    /// this once.
    RotateSecret(RotateArgs),
    /// Retire the older of the two secrets of an endpoint.
    RetireSecret(Ask<RetireEndpointSecret>),
    /// Remove an endpoint of an account. Mail that waits for it goes the way that its recipients then
    /// have.
    Remove(Ask<RemoveEndpoint>),
}

/// Arguments of `add` and `set`. Secrets come from files or standard input, never from arguments,
/// which every user of the machine can see.
#[derive(Debug, Args)]
pub(super) struct EndpointArgs {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    #[arg(long)]
    account: String,
    /// Name of the endpoint.
    name: EndpointName,
    /// Recipients whose mail it gets: `account`, `brand NAME`, or a support address. A new one is for
    /// the whole account.
    #[arg(long = "for", value_name = "RECIPIENTS")]
    scope: Option<EndpointScope>,
    /// TOML file of settings, with the keys of [endpoint.NAME] in the configuration.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// URL that takes the messages.
    #[arg(long)]
    url: Option<String>,
    /// Form of the request: multipart, raw or json.
    #[arg(long)]
    form: Option<String>,
    /// Way of attachments in the form json: multipart, url or none.
    #[arg(long)]
    attachments: Option<String>,
    /// Preset, in place of a form.
    #[arg(long)]
    preset: Option<String>,
    /// User of a preset's HTTP authentication.
    #[arg(long)]
    user: Option<String>,
    /// File of a preset's key; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Group of a preset.
    #[arg(long)]
    group: Option<String>,
    /// File of the secret that signs; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// File of the authorities that vouch for the server, as PEM, in place of the public ones.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Longest time of a request, in seconds.
    #[arg(long, value_name = "SECONDS")]
    timeout_seconds: Option<u64>,
    /// Most recipients of one request.
    #[arg(long, value_name = "NUMBER")]
    recipients: Option<usize>,
}

/// Arguments of `rotate-secret`.
#[derive(Debug, Args)]
pub(super) struct RotateArgs {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    #[arg(long)]
    account: String,
    /// Name of the endpoint.
    name: EndpointName,
    /// File of the secret; `-` for standard input. Without it, one is made.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::Add(args) => {
            let settings = args.settings()?;
            let request = AddEndpoint {
                account: args.account,
                name: args.name,
                scope: args.scope.unwrap_or(EndpointScope::Account),
                settings,
            };
            print_issued(&args.target.call(request).await?, args.target.json)
        }
        Command::Set(args) => {
            let settings = args.settings()?;
            let request = SetEndpoint {
                account: args.account,
                name: args.name,
                scope: args.scope,
                settings,
            };
            print_issued(&args.target.call(request).await?, args.target.json)
        }
        Command::List(ask) => list(ask, "there are no endpoints").await,
        Command::Show(ask) => {
            let json = ask.target.json;
            print_details(&ask.answer().await?, json)
        }
        Command::RotateSecret(args) => {
            let secret = args.secret_file.map(secret).transpose()?;
            let request = RotateEndpointSecret {
                account: args.account,
                name: args.name,
                secret,
            };
            print_issued(&args.target.call(request).await?, args.target.json)
        }
        Command::RetireSecret(ask) => {
            let json = ask.target.json;
            print_details(&ask.answer().await?, json)
        }
        Command::Remove(ask) => done(ask, "removed").await,
    }
}

impl EndpointArgs {
    /// Reads the settings and the secrets.
    fn settings(&self) -> miette::Result<EndpointSettings<GivenSecret>> {
        let file: Option<EndpointSettings<SecretSource>> =
            (self.settings.as_deref().map(super::connection::toml_file)).transpose()?;
        let mut draft = file.unwrap_or_default();
        draft.url = self.url.clone().or(draft.url);
        draft.form = self.form.clone().or(draft.form);
        draft.attachments = self.attachments.clone().or(draft.attachments);
        draft.preset = self.preset.clone().or(draft.preset);
        draft.user = self.user.clone().or(draft.user);
        draft.group = self.group.clone().or(draft.group);
        draft.timeout_seconds = self.timeout_seconds.or(draft.timeout_seconds);
        draft.recipients = self.recipients.or(draft.recipients);
        if let Some(path) = self.api_key_file.clone() {
            draft.api_key = Some(secret_source(path)?);
        }
        if let Some(path) = self.secret_file.clone() {
            draft.secrets = Some(vec![secret_source(path)?]);
        }
        if let Some(path) = &self.ca {
            let text = gatepost_files::read_text(path, gatepost_files::SETTINGS);
            draft.ca = Some(text.map_err(super::report)?);
        }
        draft.try_with_secrets(|source| match source.read() {
            Ok(secret) => Ok(GivenSecret::new(&secret)),
            Err(error) => Err(miette::miette!("secret: {error}")),
        })
    }
}

fn secret(path: PathBuf) -> miette::Result<GivenSecret> {
    let secret = secret_source(path)?.read();
    let secret = secret.map_err(|error| miette::miette!("secret: {error}"))?;
    Ok(GivenSecret::new(&secret))
}

impl Row for EndpointSummary {
    const HEADER: &[&str] = &["NAME", "ACCOUNT", "FOR", "URL", "STATE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.to_string(),
            self.account.to_string(),
            self.scope.to_string(),
            self.url.clone(),
            state(self.trouble.as_ref()),
        ]
    }
}

fn state(trouble: Option<&EndpointTrouble>) -> String {
    match trouble {
        Some(trouble) => format!("mail waits since {}: {}", trouble.at, trouble.reply),
        None => "open".to_owned(),
    }
}

fn print_details(details: &EndpointDetails, json: bool) -> miette::Result<ExitCode> {
    match json {
        true => output::print_json([details])?,
        false => output::print(in_words(details))?,
    }
    Ok(exit(true))
}

fn print_issued(issued: &IssuedEndpoint, json: bool) -> miette::Result<ExitCode> {
    if json {
        output::print_json([issued])?;
        return Ok(exit(true));
    }
    output::print(in_words(&issued.endpoint))?;
    if let Some(secret) = &issued.secret {
        output::print(format!(
            "secret         {}\nIt is shown this once. The application checks the signature of \
             each request by it.",
            secret.reveal()
        ))?;
    }
    Ok(exit(true))
}

fn in_words(details: &EndpointDetails) -> String {
    let settings = &details.settings;
    let mut lines = Vec::new();
    let mut line =
        |key: &str, value: String| lines.push(format!("{key:<15}{}", escape::line(&value)));
    line("endpoint", details.name.to_string());
    line("account", details.account.to_string());
    line("for", details.scope.to_string());
    line("state", state(details.trouble.as_ref()));
    line("changed", details.changed.to_string());
    let texts = [
        ("url", &settings.url),
        ("form", &settings.form),
        ("attachments", &settings.attachments),
        ("preset", &settings.preset),
        ("user", &settings.user),
        ("group", &settings.group),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            line(key, text.clone());
        }
    }
    if settings.ca.is_some() {
        line("ca", "authorities of its own".to_owned());
    }
    if let Some(keys) = &settings.pinned_keys {
        line("pinned-keys", keys.join(", "));
    }
    if settings.api_key.is_some() {
        line("api-key", "set".to_owned());
    }
    match settings.secrets.as_ref().map_or(0, Vec::len) {
        0 => {}
        1 => line("secrets", "one signs".to_owned()),
        _ => line(
            "secrets",
            "two sign: retire the older one when the application has the newer".to_owned(),
        ),
    }
    let numbers = [
        (
            "timeout",
            settings.timeout_seconds.map(|of| format!("{of} s")),
        ),
        ("recipients", settings.recipients.map(|of| of.to_string())),
        ("failing", settings.failing.as_ref().map(|of| joined(of))),
        (
            "retry",
            settings.retry_seconds.as_ref().map(|of| joined(of)),
        ),
    ];
    for (key, text) in numbers {
        if let Some(text) = text {
            line(key, text);
        }
    }
    lines.join("\n")
}

fn joined(numbers: &[impl ToString]) -> String {
    let texts: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    texts.join(", ")
}
