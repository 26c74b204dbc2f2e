//! A connection: where it leads, how it is secured, and what it may carry.

use std::fmt;
use std::str::FromStr;

use gatepost_message::{Address, Domain, Millis};
use gatepost_model::TlsMode;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{ConnectionName, Period, Secret};

/// Named way out, complete and valid.
/// [`ConnectionDraft::complete`](crate::ConnectionDraft::complete) makes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Connection {
    /// Name.
    pub name: ConnectionName,
    /// Name of the profile whose defaults and reply classes it has.
    pub profile: String,
    /// Domain name, or address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Use of TLS.
    pub tls: TlsMode,
    /// Certificates that the server may have.
    pub trust: ServerTrust,
    /// Certificate that the relay shows to the server.
    pub client_certificate: Option<ClientCertificate>,
    /// SASL mechanisms in order of preference.
    pub mechanisms: Vec<SaslMechanism>,
    /// Credential for the server.
    pub credential: ServerCredential,
    /// Argument of EHLO.
    pub ehlo: Ehlo,
    /// Pool of egress addresses; none for any address of the machine.
    pub egress: Option<String>,
    /// Limits of what the server takes.
    pub limits: ConnectionLimits,
    /// Waits between attempts, in place of the relay's.
    pub retry: Option<Vec<Period>>,
    /// Waits between probes while it is in trouble, in place of the usual ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Vec<Period>>,
    /// Time after which a message that cannot be delivered is given up, in place of the relay's.
    pub expiry: Option<Period>,
    /// Time after acceptance at which the sender gets a delay notice, in place of the relay's.
    pub delay_notice: Option<Period>,
    /// Time after which mail of a broken connection leaves by the default address and route.
    /// Without one it is held until the connection works.
    pub fall_back_after: Option<Period>,
    /// Address of the account in whose name mail leaves then.
    #[serde(default)]
    pub fall_back_as: Option<Address>,
    /// Senders whose mail leaves through it.
    pub serves: Vec<Serves>,
    /// Known end of the secret's life.
    pub secret_expires: Option<Millis>,
}

/// Certificates that a server may have.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ServerTrust {
    /// Those that a public authority vouches for.
    #[default]
    Public,
    /// Those that one of these authorities vouches for, in PEM.
    Authority(String),
    /// Those with one of these keys, whoever vouches for them.
    Pinned(Vec<PinnedKey>),
}

/// SHA-256 of a SubjectPublicKeyInfo, written in base64 (RFC 7469 section 2.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct PinnedKey(pub [u8; 32]);

impl TryFrom<String> for PinnedKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let encoded = text.strip_prefix("sha256/").unwrap_or(&text);
        let decoded = STANDARD.decode(encoded).ok();
        decoded
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| {
                "a pinned key is the SHA-256 of the server's public key in base64, 44 characters"
                    .to_owned()
            })
    }
}

impl fmt::Display for PinnedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        write!(f, "sha256/{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PinnedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<PinnedKey> for String {
    fn from(key: PinnedKey) -> Self {
        key.to_string()
    }
}

/// Certificate with its key, which the relay shows to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClientCertificate {
    /// Certificate and its chain, in PEM.
    pub certificate: String,
    /// Private key, in PEM.
    pub key: Secret,
}

/// SASL mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SaslMechanism {
    /// PLAIN (RFC 4616).
    Plain,
    /// LOGIN, which has no standard and is common.
    Login,
    /// SCRAM-SHA-256 (RFC 7677).
    #[serde(rename = "scram-sha-256")]
    ScramSha256,
    /// SCRAM-SHA-256-PLUS, bound to the TLS channel.
    #[serde(rename = "scram-sha-256-plus")]
    ScramSha256Plus,
    /// XOAUTH2 of Google and Microsoft.
    Xoauth2,
    /// OAUTHBEARER (RFC 7628).
    Oauthbearer,
}

impl SaslMechanism {
    /// Returns true if it takes a token in place of a password.
    pub fn takes_token(self) -> bool {
        matches!(self, Self::Xoauth2 | Self::Oauthbearer)
    }

    /// Returns the name in SMTP.
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::Xoauth2 => "XOAUTH2",
            Self::Oauthbearer => "OAUTHBEARER",
        }
    }
}

/// Credential for a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServerCredential {
    /// No log-in: the server knows the relay by its address or its certificate.
    None,
    /// User and password.
    Password {
        /// User.
        user: String,
        /// Password.
        password: Secret,
    },
    /// Tokens of an OAuth server.
    Oauth(Box<Oauth>),
}

/// Access to the tokens of an OAuth server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Oauth {
    /// Grant, with its secret.
    pub grant: OauthGrant,
    /// URL of the token endpoint.
    pub token_url: String,
    /// Id of the client.
    pub client_id: String,
    /// Scopes that are asked for.
    pub scopes: Vec<String>,
    /// User of the session.
    pub user: TokenUser,
}

/// Grant by which a token is got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum OauthGrant {
    /// Client credentials (RFC 6749 section 4.4).
    ClientCredentials {
        /// Secret of the client.
        client_secret: Secret,
    },
    /// Refresh token (RFC 6749 section 6). The device flow gets the first one.
    RefreshToken {
        /// Secret of the client, where it has one.
        client_secret: Option<Secret>,
        /// Refresh token; none until one is set.
        refresh_token: Option<Secret>,
        /// URL of the device authorization endpoint (RFC 8628), where the service has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device_url: Option<String>,
    },
    /// Signed assertion (RFC 7523).
    JwtBearer {
        /// Private key, in PEM.
        private_key: Secret,
    },
}

/// User of a session that begins with a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TokenUser {
    /// Mailbox that the message leaves from.
    Mailbox,
    /// This user, whatever the message.
    Fixed(String),
}

/// Argument of EHLO.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ehlo {
    /// Host name of the relay.
    #[default]
    Hostname,
    /// Domain that the message leaves from.
    SenderDomain,
    /// This name.
    Name(Domain),
}

/// Limits of what a server takes. A limit that is absent does not exist.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ConnectionLimits {
    /// Sessions at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<u32>,
    /// Messages in one session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_connection: Option<u32>,
    /// Messages within any minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_a_minute: Option<u32>,
    /// Messages within any 24 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_a_day: Option<u32>,
    /// Recipients within any 24 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients_a_day: Option<u32>,
    /// True if the limits of a minute and of a day hold for each mailbox that mail leaves from.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub per_mailbox: bool,
    /// Recipients of a transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients: Option<u32>,
    /// Domains among the recipients of a transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_domains: Option<u32>,
}

impl ConnectionLimits {
    /// Greatest limit of messages a minute: each message of the last minute is remembered.
    pub const MOST_A_MINUTE: u32 = 60_000;

    /// Returns each limit that is set, with its key.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, u32)> {
        [
            ("connections", self.connections),
            ("messages-per-connection", self.messages_per_connection),
            ("messages-a-minute", self.messages_a_minute),
            ("messages-a-day", self.messages_a_day),
            ("recipients-a-day", self.recipients_a_day),
            ("recipients", self.recipients),
            ("recipient-domains", self.recipient_domains),
        ]
        .into_iter()
        .filter_map(|(key, limit)| Some((key, limit?)))
    }

    /// Returns these limits, and where one is absent that of `others`.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            connections: self.connections.or(others.connections),
            messages_per_connection: self
                .messages_per_connection
                .or(others.messages_per_connection),
            messages_a_minute: self.messages_a_minute.or(others.messages_a_minute),
            messages_a_day: self.messages_a_day.or(others.messages_a_day),
            recipients_a_day: self.recipients_a_day.or(others.recipients_a_day),
            per_mailbox: self.per_mailbox || others.per_mailbox,
            recipients: self.recipients.or(others.recipients),
            recipient_domains: self.recipient_domains.or(others.recipient_domains),
        }
    }
}

/// Senders whose mail leaves through a connection. The most specific one wins: an address before a
/// brand, a brand before a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub enum Serves {
    /// One address.
    Address(Address),
    /// The addresses of a brand.
    Brand(String),
    /// The addresses of a domain.
    Domain(Domain),
}

impl Serves {
    /// Most senders of one connection.
    pub const MOST: usize = 100;

    /// Returns how specific it is for a sender: 3 for the address, 2 for the brand, 1 for the
    /// domain; `None` if it does not serve it.
    pub fn rank(&self, sender: &Address, brand: Option<&str>) -> Option<u8> {
        match self {
            Self::Address(address) => {
                let same = address.local().eq_ignore_ascii_case(sender.local())
                    && same_domain(address.domain(), sender.domain());
                same.then_some(3)
            }
            Self::Brand(name) => (brand == Some(name)).then_some(2),
            Self::Domain(domain) => same_domain(domain.as_ascii(), sender.domain()).then_some(1),
        }
    }
}

fn same_domain(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    one.parse::<Domain>()
        .is_ok_and(|domain| domain.matches(other))
}

impl FromStr for Serves {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "write an address, @ and a domain, or `brand` and its name";
        let shown: String = text.chars().take(100).collect();
        if let Some(domain) = text.strip_prefix('@') {
            return (domain.parse().map(Self::Domain))
                .map_err(|error| format!("`{shown}` names no domain: {error}; {form}"));
        }
        if let Some(brand) = text.strip_prefix("brand ") {
            let brand = brand.trim();
            let fits =
                (1..=100).contains(&brand.chars().count()) && !brand.chars().any(char::is_control);
            return match fits {
                true => Ok(Self::Brand(brand.to_owned())),
                false => Err(format!("`{shown}` names no brand; {form}")),
            };
        }
        (Address::parse(text).map(Self::Address))
            .map_err(|error| format!("`{shown}` is no address: {error}; {form}"))
    }
}

impl TryFrom<String> for Serves {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Serves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Brand(name) => write!(f, "brand {name}"),
            Self::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}

impl From<Serves> for String {
    fn from(serves: Serves) -> Self {
        serves.to_string()
    }
}

/// Connection with its secrets in plain, which it wipes.
#[derive(Serialize, Deserialize)]
struct Plaintext {
    connection: Connection,
    /// Secrets, each with its key.
    secrets: Vec<(String, String)>,
}

impl Drop for Plaintext {
    fn drop(&mut self) {
        for (_, secret) in &mut self.secrets {
            secret.zeroize();
        }
    }
}

impl Connection {
    /// Returns each secret that is set, with its key.
    pub fn secrets(&mut self) -> Vec<(&'static str, &mut Secret)> {
        let mut found = Vec::new();
        if let Some(client) = &mut self.client_certificate {
            found.push(("client-key", &mut client.key));
        }
        match &mut self.credential {
            ServerCredential::None => {}
            ServerCredential::Password { password, .. } => found.push(("password", password)),
            ServerCredential::Oauth(oauth) => match &mut oauth.grant {
                OauthGrant::ClientCredentials { client_secret } => {
                    found.push(("client-secret", client_secret));
                }
                OauthGrant::RefreshToken {
                    client_secret,
                    refresh_token,
                    device_url: _,
                } => {
                    found.extend(
                        client_secret
                            .as_mut()
                            .map(|secret| ("client-secret", secret)),
                    );
                    found.extend(refresh_token.as_mut().map(|token| ("refresh-token", token)));
                }
                OauthGrant::JwtBearer { private_key } => found.push(("private-key", private_key)),
            },
        }
        found
    }

    /// Returns the keys of the secrets that are set.
    pub fn secret_names(&self) -> Vec<&'static str> {
        let mut copy = self.clone();
        copy.secrets().into_iter().map(|(key, _)| key).collect()
    }

    /// Returns the connection with a mask in the place of each secret, for answers to operators.
    #[must_use]
    pub fn without_secrets(mut self) -> Self {
        for (_, secret) in self.secrets() {
            *secret = Secret::new(Secret::MASK);
        }
        self
    }

    /// Returns all of it with its secrets in plain, to be encrypted.
    pub fn to_plaintext(&self) -> Zeroizing<Vec<u8>> {
        let mut connection = self.clone();
        let secrets = connection.secrets().into_iter();
        let secrets = secrets
            .map(|(key, secret)| (key.to_owned(), secret.reveal().to_owned()))
            .collect();
        let plaintext = Plaintext {
            connection,
            secrets,
        };
        Zeroizing::new(serde_json::to_vec(&plaintext).unwrap_or_default())
    }

    /// Reads what [`Connection::to_plaintext`] has written; `None` if it is damaged.
    pub fn from_plaintext(bytes: &[u8]) -> Option<Self> {
        let mut plaintext: Plaintext = serde_json::from_slice(bytes).ok()?;
        let mut connection = plaintext.connection.clone();
        let mut stored = plaintext.secrets.iter_mut();
        for (key, secret) in connection.secrets() {
            let (name, text) = stored.next()?;
            if name != key {
                return None;
            }
            *secret = Secret::new(text.as_str());
        }
        Some(connection)
    }

    /// Returns true if it logs in by tokens that it gets for a refresh token.
    pub fn logs_in_by_refresh_token(&self) -> bool {
        match &self.credential {
            ServerCredential::Oauth(oauth) => {
                matches!(oauth.grant, OauthGrant::RefreshToken { .. })
            }
            _ => false,
        }
    }

    /// Returns true if a refresh token of this connection is good for the other one, too.
    pub fn shares_authorization(&self, other: &Self) -> bool {
        let parts = |of: &Self| match &of.credential {
            ServerCredential::Oauth(oauth) => match &oauth.grant {
                OauthGrant::RefreshToken { refresh_token, .. } => Some((
                    oauth.token_url.clone(),
                    oauth.client_id.clone(),
                    oauth.scopes.clone(),
                    refresh_token.clone(),
                )),
                _ => None,
            },
            _ => None,
        };
        parts(self).is_some_and(|own| Some(own) == parts(other))
    }

    /// Returns a number that differs when the connection differs in anything but its secrets.
    pub fn fingerprint(&self) -> u64 {
        let shown = serde_json::to_vec(self).unwrap_or_default();
        let digest = Sha256::digest(shown);
        digest
            .iter()
            .take(8)
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// Returns server and port, such as `smtp.office365.com:587`.
    pub fn server(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}
