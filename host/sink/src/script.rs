//! The script of a server, in TOML.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use toml::{Table, Value};
use zeroize::Zeroizing;

use crate::auth::SinkMechanism;
use crate::reply::WireReply;
use crate::rules::{Moment, ReplyRule, duration};

/// Script of a server: what it offers, demands, limits and answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Script {
    /// Name in the greeting and in the reply to EHLO.
    #[serde(default = "hostname")]
    pub(crate) hostname: String,
    #[serde(default)]
    pub(crate) protocol: SinkProtocol,
    #[serde(default)]
    pub(crate) ehlo: EhloScript,
    #[serde(default)]
    pub(crate) tls: TlsScript,
    #[serde(default)]
    pub(crate) auth: AuthScript,
    #[serde(default)]
    pub(crate) limits: LimitsScript,
    pub(crate) greylist: Option<Greylisting>,
    #[serde(default)]
    pub(crate) pace: SinkPace,
    /// Rules, the first that answers wins.
    #[serde(default)]
    pub(crate) on: Vec<ReplyRule>,
    /// Replies of a service by name, for rules.
    #[serde(default)]
    pub(crate) refusal: Vec<ServiceRefusal>,
}

/// Error of reading a script.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The file cannot be read.
    #[error("cannot read the script {}: {source}", file.display())]
    Read {
        /// File as given.
        file: PathBuf,
        /// Cause.
        source: gatepost_files::FileError,
    },
    /// The file is no script.
    #[error("the script {} is wrong: {source}", file.display())]
    Form {
        /// File as given.
        file: PathBuf,
        /// Cause, with its place.
        source: toml::de::Error,
    },
    /// A rule is incomplete.
    #[error("rule {rule} of the script is wrong: {problem}")]
    Rule {
        /// Number of the rule, from 1.
        rule: usize,
        /// Problem, with what to do.
        problem: String,
    },
    /// TLS without a certificate.
    #[error("the script speaks TLS: give a certificate and its key")]
    Certificate,
    /// The file of the dialogue cannot be made.
    #[error("cannot write the dialogue: {0}")]
    Dialogue(#[from] io::Error),
}

/// Protocol of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SinkProtocol {
    #[default]
    Smtp,
    /// LMTP (RFC 2033): LHLO, and a reply for each recipient.
    Lmtp,
}

/// Offer of extensions; those of STARTTLS and AUTH are added from their own tables.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct EhloScript {
    /// Lines as they are offered, such as `SIZE 1000000`.
    #[serde(default = "extensions")]
    pub(crate) extensions: Vec<String>,
    /// Other lines under TLS.
    pub(crate) under_tls: Option<Vec<String>>,
}

impl Default for EhloScript {
    fn default() -> Self {
        Self {
            extensions: extensions(),
            under_tls: None,
        }
    }
}

/// TLS of the server.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct TlsScript {
    pub(crate) mode: SinkTls,
    /// MAIL gets 530 5.7.0 in plaintext.
    pub(crate) required: bool,
    /// Fault of the handshake.
    pub(crate) fault: Option<TlsFault>,
}

impl TlsScript {
    pub(crate) fn needs_certificate(&self) -> bool {
        self.mode != SinkTls::None && self.fault.is_none()
    }
}

/// Way in which a session comes under TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SinkTls {
    #[default]
    None,
    Starttls,
    Implicit,
}

/// Fault in the place of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TlsFault {
    /// The connection is closed after the client's first octets.
    Drop,
    /// The answer is not TLS.
    Garbage,
    /// The server refuses with the alert `handshake_failure`.
    Alert,
    /// The server refuses with the alert `protocol_version`, as one that speaks old versions alone.
    Version,
    /// There is no answer.
    Hang,
}

/// AUTH of the server.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct AuthScript {
    pub(crate) mechanisms: Vec<SinkMechanism>,
    /// Names that are offered behind them, and not understood.
    pub(crate) others: Vec<String>,
    /// MAIL gets 530 5.7.0 before AUTH.
    pub(crate) required: bool,
    /// AUTH is offered in plaintext, too.
    pub(crate) in_clear: bool,
    /// Octets of an AUTH line with CRLF; a longer one gets 500 5.5.2.
    pub(crate) line: Option<usize>,
    pub(crate) users: Vec<SinkUser>,
    /// Reply to a wrong password or token.
    pub(crate) refusal: Option<WireReply>,
    /// Challenge to a wrong token, in JSON.
    pub(crate) error: Option<String>,
}

/// User of the server, with a password, a token or both.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SinkUser {
    pub(crate) name: String,
    pub(crate) password: Option<ScriptSecret>,
    pub(crate) token: Option<ScriptSecret>,
}

/// Password or token; not shown, and wiped when dropped.
#[derive(Clone)]
pub(crate) struct ScriptSecret(Zeroizing<String>);

impl ScriptSecret {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ScriptSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScriptSecret(..)")
    }
}

impl<'de> Deserialize<'de> for ScriptSecret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Zeroizing::new(text)))
    }
}

/// Limits of the server.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct LimitsScript {
    /// Connections at once; a further one is refused by its greeting.
    pub(crate) connections: Option<Limit>,
    /// Messages of a connection; the next MAIL is refused.
    pub(crate) messages_per_connection: Option<Limit>,
    /// Messages within 60 seconds, over all connections; the next one is refused at its end.
    pub(crate) messages_per_minute: Option<Limit>,
    /// Recipients of a transaction; the next RCPT is refused.
    pub(crate) recipients: Option<Limit>,
    /// Recipient domains of a transaction; a RCPT of a further one is refused.
    pub(crate) recipient_domains: Option<Limit>,
}

/// Limit, with a reply of its own if the usual one is not wanted.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Limit {
    Number(u64),
    WithReply { most: u64, reply: WireReply },
}

impl Limit {
    /// Returns the reply to one more, if there are as many as may be.
    pub(crate) fn reached(
        limit: Option<&Self>,
        count: u64,
        usual: &WireReply,
    ) -> Option<WireReply> {
        match limit? {
            Self::Number(most) => (count >= *most).then(|| usual.clone()),
            Self::WithReply { most, reply } => (count >= *most).then(|| reply.clone()),
        }
    }
}

/// Greylisting: the first tries of a client with a sender and a recipient are refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Greylisting {
    /// Tries that are refused, if `period` is not given.
    #[serde(default = "one")]
    pub(crate) tries: u64,
    /// Time from the first try for which all are refused.
    #[serde(default, deserialize_with = "duration")]
    pub(crate) period: Option<Duration>,
    pub(crate) reply: Option<WireReply>,
}

/// Pace of all replies.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct SinkPace {
    /// Wait before each reply.
    #[serde(deserialize_with = "duration")]
    pub(crate) delay: Option<Duration>,
    /// Wait after each octet of a reply.
    #[serde(deserialize_with = "duration")]
    pub(crate) octet_delay: Option<Duration>,
}

/// Documented refusal of a service, by its name.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ServiceRefusal {
    pub(crate) name: String,
    pub(crate) command: Moment,
    pub(crate) reply: WireReply,
    /// Meaning of the reply, for the profile that is tested against it.
    #[serde(rename = "class")]
    _class: RefusalClass,
}

/// Meaning of a refusal, as the profiles of services have it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RefusalClass {
    Quota,
    SenderMailbox,
    SetUp,
    Temporary,
    Recipient,
    Message,
}

impl Default for Script {
    fn default() -> Self {
        Table::new()
            .try_into()
            .unwrap_or_else(|_| unreachable!("no key of a script is required"))
    }
}

impl Script {
    /// Reads a script. If it names the replies of a service (`profile-replies`), a file relative to
    /// the script's, whose ending `.toml` may be left out, it goes over that script: its tables and
    /// keys replace those of the service, and its rules come before them.
    ///
    /// # Errors
    /// Any [`ScriptError`], for either file.
    pub fn read(file: &Path) -> Result<Self, ScriptError> {
        let mut own = table(file)?;
        let merged = match own.remove("profile-replies") {
            Some(Value::String(name)) => {
                let mut service = file.with_file_name(name);
                if service
                    .extension()
                    .is_none_or(|extension| extension != "toml")
                {
                    service.as_mut_os_string().push(".toml");
                }
                let mut merged = table(&service)?;
                lay_over(&mut merged, own);
                merged
            }
            _ => own,
        };
        let script = merged.try_into().map_err(|source| ScriptError::Form {
            file: file.to_owned(),
            source,
        })?;
        Self::resolved(script)
    }

    /// Reads a script without a service.
    ///
    /// # Errors
    /// The text is no script.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let script = toml::from_str(text).map_err(|source| ScriptError::Form {
            file: PathBuf::from("(text)"),
            source,
        })?;
        Self::resolved(script)
    }

    /// Gives rules the replies of the refusals that they name, and checks them.
    fn resolved(mut self) -> Result<Self, ScriptError> {
        for (at, rule) in self.on.iter_mut().enumerate() {
            let wrong = |problem: String| ScriptError::Rule {
                rule: at + 1,
                problem,
            };
            if let Some(name) = &rule.refusal {
                let refusal = self.refusal.iter().find(|refusal| refusal.name == *name);
                let Some(refusal) = refusal else {
                    return Err(wrong(format!("there is no refusal `{name}`")));
                };
                rule.command.get_or_insert(refusal.command);
                rule.reply.get_or_insert_with(|| refusal.reply.clone());
            }
            if rule.command.is_none() {
                let problem = "say at which `command` it answers, or name a `refusal`";
                return Err(wrong(problem.to_owned()));
            }
            if rule.command == Some(Moment::Content) && rule.reply.is_some() {
                let problem = "a server does not reply to a line of a message: use `MESSAGE`";
                return Err(wrong(problem.to_owned()));
            }
        }
        Ok(self)
    }
}

fn table(file: &Path) -> Result<Table, ScriptError> {
    let text = gatepost_files::read_text(file, gatepost_files::SETTINGS).map_err(|source| {
        ScriptError::Read {
            file: file.to_owned(),
            source,
        }
    })?;
    toml::from_str(&text).map_err(|source| ScriptError::Form {
        file: file.to_owned(),
        source,
    })
}

/// Lays a table over another: tables are merged, lists of rules and refusals joined, and anything
/// else replaced.
fn lay_over(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (Some(Value::Array(below)), Value::Array(mut above))
                if key == "on" || key == "refusal" =>
            {
                above.append(below);
                *below = above;
            }
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

fn hostname() -> String {
    "sink.gatepost.invalid".to_owned()
}

fn extensions() -> Vec<String> {
    let usual = [
        "PIPELINING",
        "8BITMIME",
        "ENHANCEDSTATUSCODES",
        "SIZE 1073741824",
    ];
    usual.map(str::to_owned).to_vec()
}

fn one() -> u64 {
    1
}
