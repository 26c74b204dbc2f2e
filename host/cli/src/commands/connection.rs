//! `gatepost connection`.

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use gatepost_config::SecretSource;
use gatepost_connections::{
    Authorization, ConnectionDraft, ConnectionName, ConnectionState, ConnectionTrouble,
    RefusedTest, Secret, Serves,
};
use gatepost_model::TlsMode;
use gatepost_operations::authorizations::{
    AuthorizationProgress, AuthorizeConnection, AwaitAuthorization,
};
use gatepost_operations::connections::{
    AddConnection, ConnectionDetails, ConnectionSummary, ConnectionTest, GivenSecret,
    ListConnections, RemoveConnection, SetConnection, ShowConnection, TestConnection,
};
use gatepost_operations::switching::SetCredential;
use gatepost_terminal::escape;
use serde::de::DeserializeOwned;

use super::answer::{Row, done, list};
use super::operate::{Ask, Target};
use super::{exit, output, port};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a connection of an account.
    Add(ConnectionSettings),
    /// Change a connection of an account; what is not named stays.
    Set(ConnectionSettings),
    /// Change the password of several connections in one go. The new one is tried at their servers
    /// before it holds.
    SetCredential(SetCredentialArgs),
    /// List connections with their states, the site's too.
    List(Ask<ListConnections>),
    /// Show a connection: its settings without its secrets, its state and what to do about it.
    Show(Ask<ShowConnection>),
    /// Open a session by a connection, show the dialogue, and end it.
    Test(Ask<TestConnection>),
    /// Have a person authorize a connection that logs in by a refresh token: show a page and a code,
    /// and wait for the consent.
    Authorize(Ask<AuthorizeConnection>),
    /// Remove a connection of an account.
    Remove(Ask<RemoveConnection>),
}

/// Arguments of `add` and `set`. Secrets come from files or standard input, never from arguments,
/// which every user of the machine can see.
#[derive(Debug, Args)]
pub(super) struct ConnectionSettings {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    #[arg(long)]
    account: String,
    /// Name of the connection.
    name: ConnectionName,
    /// TOML file of settings, with the keys of [connection.NAME] in the configuration.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Profile of the service.
    #[arg(long)]
    profile: Option<String>,
    /// Server.
    #[arg(long)]
    host: Option<String>,
    /// TCP port.
    #[arg(long, value_parser = port::parse)]
    port: Option<u16>,
    /// Use of TLS: implicit, required, opportunistic or none.
    #[arg(long, value_parser = parse_tls)]
    tls: Option<TlsMode>,
    /// User.
    #[arg(long)]
    user: Option<String>,
    /// File of the password; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// File of the OAuth client's secret; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// File of the refresh token; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    refresh_token_file: Option<PathBuf>,
    /// File of the key for signed assertions; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    private_key_file: Option<PathBuf>,
    /// File of the authorities that vouch for the server, as PEM, in place of the public ones; `-` for
    /// standard input.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Pool of egress addresses.
    #[arg(long, value_name = "POOL")]
    egress: Option<String>,
    /// Sender whose mail leaves through it: an address, `@` and a domain, or `brand NAME`. Several
    /// may be named; they take the place of the former ones.
    #[arg(long, value_name = "SENDER")]
    serves: Vec<Serves>,
}

/// Arguments of `set-credential`.
#[derive(Debug, Args)]
pub(super) struct SetCredentialArgs {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    #[arg(long)]
    account: String,
    /// Names of the connections.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<ConnectionName>,
    /// User; each keeps its own if there is none.
    #[arg(long)]
    user: Option<String>,
    /// File of the password; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
}

fn parse_tls(word: &str) -> Result<TlsMode, String> {
    let parsed = serde_json::from_value(word.into());
    parsed.map_err(|_| "a use of TLS is implicit, required, opportunistic or none".to_owned())
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::Add(settings) => {
            let (target, account, name, settings) = settings.read()?;
            let request = AddConnection {
                account,
                name,
                settings,
            };
            print_details(&target.call(request).await?, target.json)
        }
        Command::Set(settings) => {
            let (target, account, name, settings) = settings.read()?;
            let request = SetConnection {
                account,
                name,
                settings,
            };
            print_details(&target.call(request).await?, target.json)
        }
        Command::SetCredential(args) => set_credential(args).await,
        Command::List(ask) => list(ask, "there are no connections").await,
        Command::Show(ask) => {
            let json = ask.target.json;
            print_details(&ask.answer().await?, json)
        }
        Command::Test(ask) => {
            let test = ask.target.call_relay(ask.request).await?;
            print_test(&test, ask.target.json)
        }
        Command::Authorize(ask) => authorize(ask).await,
        Command::Remove(ask) => done(ask, "removed").await,
    }
}

/// Changes the password of several connections, and shows each.
async fn set_credential(args: SetCredentialArgs) -> miette::Result<ExitCode> {
    let SetCredentialArgs {
        target,
        account,
        names,
        user,
        password_file,
    } = args;
    let password = secret_source(password_file)?.read();
    let password = password.map_err(|error| miette::miette!("password: {error}"))?;
    let request = SetCredential {
        account,
        names,
        user,
        password: GivenSecret::new(&password),
    };
    for details in target.call_relay(request).await? {
        print_details(&details, target.json)?;
    }
    Ok(exit(true))
}

/// Returns the source of a secret: a file, or standard input for `-`.
pub(super) fn secret_source(path: PathBuf) -> miette::Result<SecretSource> {
    Ok(match path.as_os_str() == "-" {
        true => SecretSource::Text(from_standard_input()?),
        false => SecretSource::File(path),
    })
}

/// Has the relay authorize a connection, and shows the progress.
async fn authorize(ask: Ask<AuthorizeConnection>) -> miette::Result<ExitCode> {
    let target = ask.target;
    let mut shown = None;
    let mut progress = target.call_relay(ask.request).await?;
    loop {
        let is_new = shown.as_ref() != Some(&progress);
        match target.json {
            true if is_new => output::print_json([&progress])?,
            true => {}
            false => output::print(progress_text(&progress, is_new))?,
        }
        let AuthorizationProgress::Waiting { id, .. } = progress else {
            return Ok(exit(true));
        };
        shown = Some(progress);
        progress = target.call_relay(AwaitAuthorization { id }).await?;
    }
}

pub(super) fn progress_text(progress: &AuthorizationProgress, is_new: bool) -> String {
    match progress {
        AuthorizationProgress::Waiting {
            page, code, until, ..
        } if is_new => {
            let (page, code) = (escape::line(page), escape::line(code));
            format!(
                "open this page in a browser:  {page}\nand enter this code there:    {code}\n\
                 waiting for the consent until {until}"
            )
        }
        AuthorizationProgress::Waiting { until, .. } => {
            format!(
                "still waiting: the code ends {}",
                output::time_until(*until)
            )
        }
        AuthorizationProgress::Authorized { expires: Some(at) } => {
            format!("authorized; the refresh token expires on {at}")
        }
        AuthorizationProgress::Authorized { expires: None } => {
            "authorized; the service does not say when the refresh token expires".to_owned()
        }
    }
}

impl ConnectionSettings {
    /// Reads the settings and the secrets.
    fn read(
        self,
    ) -> miette::Result<(Target, String, ConnectionName, ConnectionDraft<GivenSecret>)> {
        let file = self.settings.as_deref().map(settings_file).transpose()?;
        let mut draft = file.unwrap_or_default();
        draft.profile = self.profile.or(draft.profile);
        draft.host = self.host.or(draft.host);
        draft.port = self.port.or(draft.port);
        draft.tls = self.tls.or(draft.tls);
        draft.user = self.user.or(draft.user);
        draft.egress = self.egress.or(draft.egress);
        if !self.serves.is_empty() {
            draft.serves = Some(self.serves);
        }
        for (named, secret) in [
            (self.ca, &mut draft.ca),
            (self.password_file, &mut draft.password),
            (self.client_secret_file, &mut draft.client_secret),
            (self.refresh_token_file, &mut draft.refresh_token),
            (self.private_key_file, &mut draft.private_key),
        ] {
            if let Some(path) = named {
                *secret = Some(secret_source(path)?);
            }
        }
        Ok((self.target, self.account, self.name, with_secrets(draft)?))
    }
}

/// Longest input that is read of a secret.
const LONGEST_INPUT: u64 = 64 << 10;

fn from_standard_input() -> miette::Result<Secret> {
    let input = std::io::stdin();
    if input.is_terminal() {
        return Err(miette::miette!(
            help = "pipe it in, as in `pass show outlook | gatepost connection add …`",
            "a secret that is typed would be shown on the terminal"
        ));
    }
    let mut text = String::with_capacity(4096);
    let read = input.lock().take(LONGEST_INPUT).read_to_string(&mut text);
    read.map_err(super::report)?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

/// Reads a TOML file of settings, and the secrets that it names.
pub(super) fn read_settings(path: &Path) -> miette::Result<ConnectionDraft<GivenSecret>> {
    with_secrets(settings_file(path)?)
}

fn with_secrets(
    draft: ConnectionDraft<SecretSource>,
) -> miette::Result<ConnectionDraft<GivenSecret>> {
    draft.with_secrets(|key, source| match source.read() {
        Ok(secret) => Ok(GivenSecret::new(&secret)),
        Err(error) => Err(miette::miette!("{key}: {error}")),
    })
}

fn settings_file(path: &Path) -> miette::Result<ConnectionDraft<SecretSource>> {
    toml_file(path)
}

/// Reads settings from a TOML file.
pub(super) fn toml_file<T: DeserializeOwned>(path: &Path) -> miette::Result<T> {
    let text = gatepost_files::read_text(path, gatepost_files::SETTINGS).map_err(super::report)?;
    toml::from_str(&text)
        .map_err(|error| miette::miette!("{}: {}", path.display(), error.message()))
}

fn serves_text(serves: &[Serves]) -> String {
    let texts: Vec<_> = serves.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

fn status_text(status: &ConnectionState, refused_test: Option<&RefusedTest>) -> String {
    match status {
        ConnectionState::Working => match refused_test {
            Some(refused) => format!("refused at its test of {}", refused.at),
            None => "working".to_owned(),
        },
        ConnectionState::Paused(trouble) | ConnectionState::Broken(trouble) => {
            let next = output::time_until(trouble.next_probe);
            format!("{}, tried again {next}", status.word())
        }
    }
}

impl Row for ConnectionSummary {
    const HEADER: &[&str] = &[
        "NAME", "ACCOUNT", "SERVER", "PROFILE", "SERVES", "STATE", "REASON",
    ];

    fn cells(&self) -> Vec<String> {
        let words = |trouble: &ConnectionTrouble| output::shorten(&trouble.words);
        let mut reason = self.status.trouble().map(words).unwrap_or_default();
        if let Some(refused) = self.refused_test.as_ref().filter(|_| reason.is_empty()) {
            reason = output::shorten(&refused.words);
        }
        for (what, at) in [
            ("secret", self.secret_expires_soon),
            ("authorization", self.authorization_expires_soon),
        ] {
            if let Some(at) = at.filter(|_| reason.is_empty()) {
                reason = format!("its {what} expires on {at}");
            }
        }
        vec![
            self.name.to_string(),
            self.account
                .clone()
                .unwrap_or_else(|| "the site".to_owned()),
            self.server.clone(),
            self.profile.clone(),
            serves_text(&self.serves),
            status_text(&self.status, self.refused_test.as_ref()),
            reason,
        ]
    }
}

fn print_details(details: &ConnectionDetails, json: bool) -> miette::Result<ExitCode> {
    match json {
        true => output::print_json([details])?,
        false => output::print(in_words(details))?,
    }
    Ok(exit(true))
}

fn print_test(test: &ConnectionTest, json: bool) -> miette::Result<ExitCode> {
    if json {
        output::print_json([test])?;
        return Ok(exit(test.meaning.is_none()));
    }
    for line in &test.dialogue {
        output::print(escape::line(line))?;
    }
    output::print(match (&test.meaning, test.refused_at) {
        (Some(meaning), Some(stage)) => {
            let words = escape::line(test.words.as_deref().unwrap_or_default());
            format!("refused at {stage}: {words}\nadvice: {}", meaning.advice)
        }
        _ => "the session was opened: the connection works".to_owned(),
    })?;
    Ok(exit(test.meaning.is_none()))
}

fn in_words(details: &ConnectionDetails) -> String {
    let settings = &details.settings;
    let mut lines = Vec::new();
    let mut line = |key: &str, value: String| lines.push(format!("{key:<15}{value}"));
    line("connection", settings.name.to_string());
    line(
        "account",
        details
            .account
            .clone()
            .unwrap_or_else(|| "the site".to_owned()),
    );
    let refused_test = details.refused_test.as_ref();
    line("state", status_text(&details.status, refused_test));
    if let Some(refused) = refused_test.filter(|_| details.status.trouble().is_none()) {
        line("stage", refused.stage.to_string());
        line("refused with", refused.words.clone());
        line("advice", refused.advice.clone());
    }
    if let Some(trouble) = details.status.trouble() {
        line("since", trouble.since.to_string());
        line("stage", trouble.stage.to_string());
        line("server said", trouble.words.clone());
        line("advice", trouble.advice.clone());
    }
    line("server", settings.server());
    line("profile", settings.profile.clone());
    let tls = serde_json::to_value(settings.tls);
    let tls = tls.ok().and_then(|tls| tls.as_str().map(str::to_owned));
    line("tls", tls.unwrap_or_default());
    let mechanisms: Vec<_> = settings.mechanisms.iter().map(|one| one.word()).collect();
    if !mechanisms.is_empty() {
        line("mechanisms", mechanisms.join(", "));
    }
    if let gatepost_connections::ServerCredential::Password { user, .. } = &settings.credential {
        line("user", user.clone());
    }
    for secret in &details.secrets {
        line(
            secret,
            match details.changed {
                Some(at) => format!("set on {at}, or before"),
                None => "set in the configuration".to_owned(),
            },
        );
    }
    if settings.logs_in_by_refresh_token() {
        let soon = details.authorization_expires_soon.is_some();
        line(
            "authorized",
            match details.authorization {
                None => "no: run `gatepost connection authorize`".to_owned(),
                Some(Authorization { expires: None }) => "yes".to_owned(),
                Some(Authorization { expires: Some(at) }) if soon => {
                    format!("until {at}: run `gatepost connection authorize`")
                }
                Some(Authorization { expires: Some(at) }) => format!("until {at}"),
            },
        );
    }
    if let Some(at) = settings.secret_expires {
        let soon = if details.secret_expires_soon.is_some() {
            ": set a new one"
        } else {
            ""
        };
        line("expires", format!("{at}{soon}"));
    }
    if !settings.serves.is_empty() {
        line("serves", serves_text(&settings.serves));
    }
    if let Some(pool) = &settings.egress {
        line("egress", pool.clone());
    }
    let limits: Vec<_> = settings
        .limits
        .all()
        .map(|(key, most)| format!("{key} {most}"))
        .collect();
    if !limits.is_empty() {
        let each = if settings.limits.per_mailbox {
            ", for each mailbox"
        } else {
            ""
        };
        line("limits", format!("{}{each}", limits.join(", ")));
    }
    for (key, messages, recipients) in [
        (
            "this hour",
            details.messages_this_hour,
            details.recipients_this_hour,
        ),
        (
            "in a day",
            details.messages_in_a_day,
            details.recipients_in_a_day,
        ),
    ] {
        if messages > 0 {
            line(
                key,
                format!("{messages} messages to {recipients} recipients"),
            );
        }
    }
    if let Some(at) = details.last_used {
        line("last used", at.to_string());
    }
    lines.join("\n")
}
