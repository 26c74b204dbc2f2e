//! What is written about a connection, in a configuration or in a command, and how it becomes one.

use gatepost_message::Address;
use gatepost_message::{Domain, Millis};
use gatepost_model::TlsMode;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};

use crate::{
    ClientCertificate, Connection, ConnectionLimits, ConnectionName, Ehlo, Oauth, OauthGrant,
    Period, PinnedKey, Profile, SaslMechanism, Secret, ServerCredential, ServerTrust, Serves,
    TokenUser,
};

/// Settings of a connection as they are written. The profile has those that are left out. `S` is
/// the form of a secret: the secret itself, or the place from which the configuration has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ConnectionDraft<S = Secret> {
    /// Name of the profile.
    pub profile: Option<String>,
    /// Domain name or address of the server.
    pub host: Option<String>,
    /// TCP port.
    pub port: Option<u16>,
    /// Use of TLS.
    pub tls: Option<TlsMode>,
    /// Authorities that vouch for the server, in PEM, in place of the public ones.
    pub ca: Option<S>,
    /// Keys that the server may have, whoever vouches for it.
    pub pinned_keys: Option<Vec<PinnedKey>>,
    /// Certificate that the relay shows, in PEM.
    pub client_certificate: Option<S>,
    /// Its private key, in PEM.
    pub client_key: Option<S>,
    /// SASL mechanisms in order of preference.
    pub mechanisms: Option<Vec<SaslMechanism>>,
    /// User; with OAuth, the user of every session in place of the message's mailbox.
    pub user: Option<String>,
    /// Password.
    pub password: Option<S>,
    /// Grant by which tokens are got, in place of a password.
    pub grant: Option<GrantKind>,
    /// URL of the token endpoint.
    pub token_url: Option<String>,
    /// URL of the device authorization endpoint.
    pub device_url: Option<String>,
    /// Id of the OAuth client.
    pub client_id: Option<String>,
    /// Secret of the OAuth client.
    pub client_secret: Option<S>,
    /// Refresh token.
    pub refresh_token: Option<S>,
    /// Private key for signed assertions, in PEM.
    pub private_key: Option<S>,
    /// Scopes that are asked for.
    pub scopes: Option<Vec<String>>,
    /// Known end of the life of the secret.
    pub secret_expires: Option<String>,
    /// Argument of EHLO: a domain name, or `sender-domain`.
    pub ehlo: Option<String>,
    /// Pool of egress addresses.
    pub egress: Option<String>,
    /// Limits of what the server takes.
    pub limits: Option<ConnectionLimits>,
    /// Waits between attempts.
    pub retry: Option<Vec<Period>>,
    /// Waits between probes while the connection is in trouble.
    pub probe: Option<Vec<Period>>,
    /// Time after which a message is given up.
    pub expiry: Option<Period>,
    /// Time after which the sender gets a delay notice.
    pub delay_notice: Option<Period>,
    /// Time after which mail of a broken connection leaves by the default address and route.
    pub fall_back_after: Option<Period>,
    /// Address in whose name it leaves then.
    pub fall_back_as: Option<Address>,
    /// Senders whose mail leaves through it.
    pub serves: Option<Vec<Serves>>,
}

/// Kind of an OAuth grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GrantKind {
    /// Client credentials.
    ClientCredentials,
    /// Refresh token.
    RefreshToken,
    /// Signed assertion.
    JwtBearer,
}

/// Reason why a draft makes no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {help}")]
pub struct DraftProblem {
    /// Key that is wrong, or lacks.
    pub key: &'static str,
    /// Description of the problem.
    pub message: String,
    /// Advice.
    pub help: String,
}

impl<S> Default for ConnectionDraft<S> {
    fn default() -> Self {
        Self {
            profile: None,
            host: None,
            port: None,
            tls: None,
            ca: None,
            pinned_keys: None,
            client_certificate: None,
            client_key: None,
            mechanisms: None,
            user: None,
            password: None,
            grant: None,
            token_url: None,
            device_url: None,
            client_id: None,
            client_secret: None,
            refresh_token: None,
            private_key: None,
            scopes: None,
            secret_expires: None,
            ehlo: None,
            egress: None,
            limits: None,
            retry: None,
            probe: None,
            expiry: None,
            delay_notice: None,
            fall_back_after: None,
            fall_back_as: None,
            serves: None,
        }
    }
}

impl<S> ConnectionDraft<S> {
    /// Returns the draft with its secrets in another form.
    ///
    /// # Errors
    /// The first error of `each`, which is given a key and its secret.
    pub fn with_secrets<T, E>(
        self,
        mut each: impl FnMut(&'static str, S) -> Result<T, E>,
    ) -> Result<ConnectionDraft<T>, E> {
        let mut map = |key, secret: Option<S>| secret.map(|secret| each(key, secret)).transpose();
        Ok(ConnectionDraft {
            ca: map("ca", self.ca)?,
            client_certificate: map("client-certificate", self.client_certificate)?,
            client_key: map("client-key", self.client_key)?,
            password: map("password", self.password)?,
            client_secret: map("client-secret", self.client_secret)?,
            refresh_token: map("refresh-token", self.refresh_token)?,
            private_key: map("private-key", self.private_key)?,
            profile: self.profile,
            host: self.host,
            port: self.port,
            tls: self.tls,
            pinned_keys: self.pinned_keys,
            mechanisms: self.mechanisms,
            user: self.user,
            grant: self.grant,
            token_url: self.token_url,
            device_url: self.device_url,
            client_id: self.client_id,
            scopes: self.scopes,
            secret_expires: self.secret_expires,
            ehlo: self.ehlo,
            egress: self.egress,
            limits: self.limits,
            retry: self.retry,
            probe: self.probe,
            expiry: self.expiry,
            delay_notice: self.delay_notice,
            fall_back_after: self.fall_back_after,
            fall_back_as: self.fall_back_as,
            serves: self.serves,
        })
    }
}

impl ConnectionDraft {
    /// Returns the draft that makes this connection again, with its secrets.
    pub fn of(connection: &Connection) -> Self {
        let mut draft = Self {
            profile: Some(connection.profile.clone()),
            host: Some(connection.host.clone()),
            port: Some(connection.port),
            tls: Some(connection.tls),
            mechanisms: Some(connection.mechanisms.clone()),
            ehlo: match &connection.ehlo {
                Ehlo::Hostname => Some(HOSTNAME.to_owned()),
                Ehlo::SenderDomain => Some(SENDER_DOMAIN.to_owned()),
                Ehlo::Name(name) => Some(name.as_str().to_owned()),
            },
            egress: connection.egress.clone(),
            limits: Some(connection.limits),
            retry: connection.retry.clone(),
            probe: connection.probe.clone(),
            expiry: connection.expiry,
            delay_notice: connection.delay_notice,
            fall_back_after: connection.fall_back_after,
            fall_back_as: connection.fall_back_as.clone(),
            serves: Some(connection.serves.clone()),
            secret_expires: connection.secret_expires.map(|at| at.to_string()),
            ..Self::default()
        };
        match &connection.trust {
            ServerTrust::Public => {}
            ServerTrust::Authority(pem) => draft.ca = Some(Secret::new(pem.as_str())),
            ServerTrust::Pinned(keys) => draft.pinned_keys = Some(keys.clone()),
        }
        if let Some(client) = &connection.client_certificate {
            draft.client_certificate = Some(Secret::new(client.certificate.as_str()));
            draft.client_key = Some(client.key.clone());
        }
        match &connection.credential {
            ServerCredential::None => {}
            ServerCredential::Password { user, password } => {
                draft.user = Some(user.clone());
                draft.password = Some(password.clone());
            }
            ServerCredential::Oauth(oauth) => {
                draft.token_url = Some(oauth.token_url.clone());
                draft.client_id = Some(oauth.client_id.clone());
                draft.scopes = Some(oauth.scopes.clone());
                if let TokenUser::Fixed(user) = &oauth.user {
                    draft.user = Some(user.clone());
                }
                draft.grant = Some(match &oauth.grant {
                    OauthGrant::ClientCredentials { client_secret } => {
                        draft.client_secret = Some(client_secret.clone());
                        GrantKind::ClientCredentials
                    }
                    OauthGrant::RefreshToken {
                        client_secret,
                        refresh_token,
                        device_url,
                    } => {
                        draft.device_url = device_url.clone();
                        draft.client_secret = client_secret.clone();
                        draft.refresh_token = refresh_token.clone();
                        GrantKind::RefreshToken
                    }
                    OauthGrant::JwtBearer { private_key } => {
                        draft.private_key = Some(private_key.clone());
                        GrantKind::JwtBearer
                    }
                });
            }
        }
        draft
    }

    /// Returns this draft, and where it says nothing what `former` says. A new kind of credential
    /// or of trust takes the place of the former one whole.
    #[must_use]
    pub fn over(self, mut former: Self) -> Self {
        let has_password = self.password.is_some();
        if has_password && former.grant.is_some()
            || self.grant.is_some_and(|g| former.grant != Some(g))
        {
            former.user = None;
            former.password = None;
            former.grant = None;
            former.token_url = None;
            former.device_url = None;
            former.client_id = None;
            former.client_secret = None;
            former.refresh_token = None;
            former.private_key = None;
            former.scopes = None;
            former.mechanisms = None;
        }
        if self.ca.is_some() || self.pinned_keys.is_some() {
            former.ca = None;
            former.pinned_keys = None;
        }
        let gives_secret = has_password
            || self.client_secret.is_some()
            || self.refresh_token.is_some()
            || self.private_key.is_some();
        if gives_secret {
            former.secret_expires = None;
        }
        Self {
            profile: self.profile.or(former.profile),
            host: self.host.or(former.host),
            port: self.port.or(former.port),
            tls: self.tls.or(former.tls),
            ca: self.ca.or(former.ca),
            pinned_keys: self.pinned_keys.or(former.pinned_keys),
            client_certificate: self.client_certificate.or(former.client_certificate),
            client_key: self.client_key.or(former.client_key),
            mechanisms: self.mechanisms.or(former.mechanisms),
            user: self.user.or(former.user),
            password: self.password.or(former.password),
            grant: self.grant.or(former.grant),
            token_url: self.token_url.or(former.token_url),
            device_url: self.device_url.or(former.device_url),
            client_id: self.client_id.or(former.client_id),
            client_secret: self.client_secret.or(former.client_secret),
            refresh_token: self.refresh_token.or(former.refresh_token),
            private_key: self.private_key.or(former.private_key),
            scopes: self.scopes.or(former.scopes),
            secret_expires: self.secret_expires.or(former.secret_expires),
            ehlo: self.ehlo.or(former.ehlo),
            egress: self.egress.or(former.egress),
            limits: match (self.limits, former.limits) {
                (Some(new), Some(old)) => Some(new.or(old)),
                (new, old) => new.or(old),
            },
            retry: self.retry.or(former.retry),
            probe: self.probe.or(former.probe),
            expiry: self.expiry.or(former.expiry),
            delay_notice: self.delay_notice.or(former.delay_notice),
            fall_back_after: self.fall_back_after.or(former.fall_back_after),
            fall_back_as: self.fall_back_as.or(former.fall_back_as),
            serves: self.serves.or(former.serves),
        }
    }

    /// Makes the connection of this name, with the defaults of a profile.
    ///
    /// # Errors
    /// Every problem of the draft.
    pub fn complete(
        self,
        name: ConnectionName,
        profile: &Profile,
    ) -> Result<Connection, Vec<DraftProblem>> {
        let mut problems = Problems::default();
        let tls = self.tls.unwrap_or(profile.tls);
        let port = self.port.unwrap_or(match self.tls {
            Some(TlsMode::Implicit) if profile.tls != TlsMode::Implicit => 465,
            _ => profile.port,
        });
        problems.unless(
            port != 0,
            "port",
            "the port is 0",
            "write the server's port, such as 587",
        );
        let host = self
            .host
            .or_else(|| profile.host.clone())
            .unwrap_or_default();
        let is_host = host.parse::<Domain>().is_ok() || host.parse::<std::net::IpAddr>().is_ok();
        problems.unless(
            is_host,
            "host",
            match host.is_empty() {
                true => "the host is missing, and the profile has none".to_owned(),
                false => format!("`{}` is neither a domain name nor an address", shown(&host)),
            },
            "write the server's name, such as \"smtp.example.org\"",
        );
        let is_encrypted = matches!(tls, TlsMode::Required | TlsMode::Implicit);

        let trust = ServerTrust::of(self.ca, self.pinned_keys).unwrap_or_else(|problem| {
            problems.0.push(problem);
            ServerTrust::Public
        });
        problems.unless(
            is_encrypted || trust == ServerTrust::Public,
            if matches!(trust, ServerTrust::Pinned(_)) {
                "pinned-keys"
            } else {
                "ca"
            },
            "the server's certificate is not checked with this tls",
            "set tls = \"required\" or \"implicit\", or leave the certificates out",
        );
        let client_certificate = problems.client(self.client_certificate, self.client_key);

        let named = self.mechanisms.is_some();
        let mut mechanisms = self
            .mechanisms
            .unwrap_or_else(|| profile.mechanisms.clone());
        problems.unless(
            mechanisms.len() <= MOST_MECHANISMS,
            "mechanisms",
            "there are more mechanisms than exist",
            "name each once",
        );
        let written = WrittenCredential {
            user: self.user,
            password: self.password,
            grant: self.grant,
            token_url: self.token_url,
            device_url: self.device_url,
            client_id: self.client_id,
            client_secret: self.client_secret,
            refresh_token: self.refresh_token,
            private_key: self.private_key,
            scopes: self.scopes,
        };
        let credential = problems.credential(written, profile);
        let by_token = matches!(credential, ServerCredential::Oauth(_));
        if credential == ServerCredential::None {
            mechanisms.clear();
        } else {
            if !named {
                mechanisms.retain(|mechanism| mechanism.takes_token() == by_token);
            }
            problems.unless(
                mechanisms
                    .iter()
                    .any(|mechanism| mechanism.takes_token() == by_token),
                "mechanisms",
                match by_token {
                    true => "no mechanism takes a token",
                    false => "no mechanism takes a password",
                },
                match by_token {
                    true => "name \"xoauth2\" or \"oauthbearer\", or give a password",
                    false => "name \"plain\", \"login\" or \"scram-sha-256\", or an OAuth grant",
                },
            );
            problems.unless(
                is_encrypted,
                "tls",
                "a credential would go over a connection that may not be encrypted",
                "set tls = \"required\" or \"implicit\"",
            );
        }

        let limits = self.limits.unwrap_or_default().or(profile.limits);
        problems.limits(&limits);
        for (key, period) in [
            ("expiry", self.expiry),
            ("delay-notice", self.delay_notice),
            ("fall-back-after", self.fall_back_after),
        ] {
            problems.unless(
                period.is_none_or(|period| !period.0.is_zero()),
                key,
                format!("{key} is 0"),
                "leave it out for the relay's own",
            );
        }
        problems.unless(
            self.fall_back_after.is_some() == self.fall_back_as.is_some(),
            "fall-back-after",
            "mail falls back after a time and as an address, and one of them is missing",
            "give both, `fall-back-after` and `fall-back-as`, or none",
        );
        problems.waits("retry", self.retry.as_deref());
        problems.waits("probe", self.probe.as_deref());
        let serves = self.serves.unwrap_or_default();
        problems.unless(
            serves.len() <= Serves::MOST,
            "serves",
            "it serves too many senders",
            "name at most 100 addresses, brands and domains",
        );
        let ehlo = problems.ehlo(self.ehlo, profile);
        if let Some(pool) = &self.egress {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            problems.unless(
                (1..=64).contains(&pool.len()) && pool.chars().all(plain),
                "egress",
                format!("`{}` names no pool", shown(pool)),
                "name a pool of [egress.NAME]",
            );
        }
        let secret_expires = self.secret_expires.and_then(|text| {
            let date = text
                .parse()
                .or_else(|_| format!("{text}T00:00:00Z").parse::<Millis>());
            if date.is_err() {
                problems.add(
                    "secret-expires",
                    format!("`{}` is no date", shown(&text)),
                    "write a date, such as \"2027-01-31\"",
                );
            }
            date.ok()
        });
        let connection = Connection {
            name,
            profile: profile.name.clone(),
            host,
            port,
            tls,
            trust,
            client_certificate,
            mechanisms,
            credential,
            ehlo,
            egress: self.egress,
            limits,
            retry: self.retry,
            probe: self.probe,
            expiry: self.expiry,
            delay_notice: self.delay_notice,
            fall_back_after: self.fall_back_after,
            fall_back_as: self.fall_back_as,
            serves,
            secret_expires,
        };
        match problems.0.is_empty() {
            true => Ok(connection),
            false => Err(problems.0),
        }
    }
}

/// Word for the domain that a message leaves from, as argument of EHLO.
const SENDER_DOMAIN: &str = "sender-domain";

/// Word for the relay's own name, as argument of EHLO.
const HOSTNAME: &str = "hostname";

const MOST_MECHANISMS: usize = 6;
const MOST_WAITS: usize = 100;
const MOST_SCOPES: usize = 20;
const MOST_PINNED_KEYS: usize = 10;

/// Longest user, id, URL or scope, in octets.
const LONGEST_TEXT: usize = 1_000;

/// Returns true if nobody can listen in on requests to a URL: by https, or on this machine.
fn is_confidential(url: &str) -> bool {
    ["https://", "http://127.0.0.1:", "http://[::1]:"]
        .iter()
        .any(|start| url.starts_with(start))
}

/// Returns the beginning of a text from outside, for a sentence about it.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

/// Keys of a draft that make the credential.
struct WrittenCredential {
    user: Option<String>,
    password: Option<Secret>,
    grant: Option<GrantKind>,
    token_url: Option<String>,
    device_url: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    refresh_token: Option<Secret>,
    private_key: Option<Secret>,
    scopes: Option<Vec<String>>,
}

impl ServerTrust {
    /// Returns the trust that is written as authorities in PEM, or as pinned keys, or not at all.
    ///
    /// # Errors
    /// Neither can be used, or both are given.
    pub fn of(ca: Option<Secret>, pinned: Option<Vec<PinnedKey>>) -> Result<Self, DraftProblem> {
        let problem = |key, message: &str, help: &str| DraftProblem {
            key,
            message: message.to_owned(),
            help: help.to_owned(),
        };
        match (ca, pinned) {
            (None, None) => Ok(Self::Public),
            (Some(ca), None) => {
                let pem = ca.reveal();
                let certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
                let certificates: Result<Vec<_>, _> = certificates.collect();
                let holds_some = certificates.is_ok_and(|found| !found.is_empty());
                match holds_some && pem.len() <= Secret::LONGEST * 4 {
                    true => Ok(Self::Authority(pem.to_owned())),
                    false => Err(problem(
                        "ca",
                        "the authorities are no certificates in PEM",
                        "write ca = { file = \"certificate.pem\" } for a file, or the PEM itself between \
                         triple quotes, with at least one certificate, 64 KiB at most",
                    )),
                }
            }
            (None, Some(keys)) => match (1..=MOST_PINNED_KEYS).contains(&keys.len()) {
                true => Ok(Self::Pinned(keys)),
                false => Err(problem(
                    "pinned-keys",
                    "there are no pinned keys, or too many",
                    "write 1 to 10 keys: the present one and those that will follow",
                )),
            },
            (Some(_), Some(_)) => Err(problem(
                "pinned-keys",
                "authorities and pinned keys are both given",
                "choose one",
            )),
        }
    }
}

#[derive(Default)]
struct Problems(Vec<DraftProblem>);

impl Problems {
    fn add(&mut self, key: &'static str, message: impl Into<String>, help: impl Into<String>) {
        self.0.push(DraftProblem {
            key,
            message: message.into(),
            help: help.into(),
        });
    }

    fn unless(
        &mut self,
        fits: bool,
        key: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if !fits {
            self.add(key, message, help);
        }
    }

    fn waits(&mut self, key: &'static str, waits: Option<&[Period]>) {
        let fits = waits.is_none_or(|waits| {
            (1..=MOST_WAITS).contains(&waits.len()) && waits.iter().all(|wait| !wait.0.is_zero())
        });
        self.unless(
            fits,
            key,
            format!("{key} has no waits, too many, or one of 0"),
            "write 1 to 100 waits, such as [\"1m\", \"5m\"]",
        );
    }

    fn client(
        &mut self,
        certificate: Option<Secret>,
        key: Option<Secret>,
    ) -> Option<ClientCertificate> {
        let (certificate, key) = match (certificate, key) {
            (None, None) => return None,
            (Some(certificate), Some(key)) => (certificate, key),
            (Some(_), None) => {
                self.add(
                    "client-key",
                    "the client certificate has no key",
                    "give client-key, too",
                );
                return None;
            }
            (None, Some(_)) => {
                self.add(
                    "client-certificate",
                    "there is a client key and no certificate",
                    "give client-certificate, too",
                );
                return None;
            }
        };
        let pem = certificate.reveal().as_bytes();
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let holds_some = chain.is_ok_and(|chain| !chain.is_empty());
        self.unless(
            holds_some && pem.len() <= Secret::LONGEST * 4,
            "client-certificate",
            "the client certificate is not in PEM",
            "give the certificate and its chain in PEM",
        );
        self.key("client-key", &key);
        Some(ClientCertificate {
            certificate: certificate.reveal().to_owned(),
            key,
        })
    }

    fn key(&mut self, name: &'static str, key: &Secret) {
        let fits = key.reveal().len() <= Secret::LONGEST
            && PrivateKeyDer::from_pem_slice(key.reveal().as_bytes()).is_ok();
        self.unless(
            fits,
            name,
            "the key is no private key in PEM",
            "give it in PEM, unencrypted",
        );
    }

    fn text(&mut self, key: &'static str, text: &str) {
        let fits = (1..=LONGEST_TEXT).contains(&text.len()) && !text.chars().any(char::is_control);
        self.unless(
            fits,
            key,
            format!("{key} is empty, too long, or has a control character"),
            "write 1 to 1000 octets",
        );
    }

    fn secret(&mut self, key: &'static str, secret: &Secret) {
        let text = secret.reveal();
        let fits = (1..=Secret::LONGEST).contains(&text.len())
            && !text.chars().any(|c| matches!(c, '\0' | '\r' | '\n'));
        self.unless(
            fits,
            key,
            format!("{key} is empty, too long, or has a line break"),
            "give it on one line, at most 16 KiB",
        );
    }

    fn credential(&mut self, written: WrittenCredential, profile: &Profile) -> ServerCredential {
        let Some(grant) = written.grant else {
            for (key, given) in [
                ("token-url", written.token_url.is_some()),
                ("device-url", written.device_url.is_some()),
                ("client-id", written.client_id.is_some()),
                ("client-secret", written.client_secret.is_some()),
                ("refresh-token", written.refresh_token.is_some()),
                ("private-key", written.private_key.is_some()),
                ("scopes", written.scopes.is_some()),
            ] {
                self.unless(
                    !given,
                    key,
                    format!("{key} is given and no grant"),
                    "write grant = \"client-credentials\", \"refresh-token\" or \"jwt-bearer\"",
                );
            }
            return match (written.user, written.password) {
                (None, None) => ServerCredential::None,
                (Some(user), Some(password)) => {
                    self.text("user", &user);
                    self.secret("password", &password);
                    ServerCredential::Password { user, password }
                }
                (Some(_), None) => {
                    self.add(
                        "password",
                        "the user has no password",
                        "give it, or a grant",
                    );
                    ServerCredential::None
                }
                (None, Some(_)) => {
                    self.add("user", "there is a password and no user", "write the user");
                    ServerCredential::None
                }
            };
        };
        self.unless(
            written.password.is_none(),
            "password",
            "a password and a grant are both given",
            "leave one of them out",
        );
        self.oauth(grant, written, profile)
    }

    fn oauth(
        &mut self,
        grant: GrantKind,
        written: WrittenCredential,
        profile: &Profile,
    ) -> ServerCredential {
        let mut needed = |key, text: Option<String>| {
            let text = text.unwrap_or_default();
            self.text(key, &text);
            text
        };
        let token_url = needed(
            "token-url",
            written.token_url.or_else(|| profile.token_url.clone()),
        );
        let client_id = needed("client-id", written.client_id);
        let given_device_url = written.device_url.is_some();
        let of_profile = || profile.device_url.clone();
        let device_url = written.device_url.or_else(of_profile);
        if let Some(device_url) = &device_url {
            self.text("device-url", device_url);
        }
        for (key, url) in [
            ("token-url", Some(&token_url)),
            ("device-url", device_url.as_ref()),
        ] {
            self.unless(
                url.is_none_or(|url| is_confidential(url)),
                key,
                "the token server is not reached by https",
                "write a URL that begins with https://",
            );
        }
        self.unless(
            grant == GrantKind::RefreshToken || !given_device_url,
            "device-url",
            "nobody has to authorize a connection with this grant",
            "leave it out, or write grant = \"refresh-token\"",
        );
        let scopes = written.scopes.unwrap_or_else(|| profile.scopes.clone());
        self.unless(
            scopes.len() <= MOST_SCOPES,
            "scopes",
            "there are too many scopes",
            "write at most 20",
        );
        for scope in &scopes {
            self.text("scopes", scope);
        }
        if let Some(user) = &written.user {
            self.text("user", user);
        }
        for (key, secret) in [
            ("client-secret", &written.client_secret),
            ("refresh-token", &written.refresh_token),
        ] {
            if let Some(secret) = secret {
                self.secret(key, secret);
            }
        }
        let mut missing = |key: &'static str, secret: Option<Secret>| {
            self.unless(
                secret.is_some(),
                key,
                format!("{key} is missing"),
                "the grant needs it",
            );
            secret.unwrap_or_else(|| Secret::new(""))
        };
        let grant = match grant {
            GrantKind::ClientCredentials => OauthGrant::ClientCredentials {
                client_secret: missing("client-secret", written.client_secret),
            },
            GrantKind::RefreshToken => OauthGrant::RefreshToken {
                client_secret: written.client_secret,
                refresh_token: written.refresh_token,
                device_url,
            },
            GrantKind::JwtBearer => {
                let private_key = missing("private-key", written.private_key);
                self.key("private-key", &private_key);
                OauthGrant::JwtBearer { private_key }
            }
        };
        ServerCredential::Oauth(Box::new(Oauth {
            grant,
            token_url,
            client_id,
            scopes,
            user: written.user.map_or(TokenUser::Mailbox, TokenUser::Fixed),
        }))
    }

    fn limits(&mut self, limits: &ConnectionLimits) {
        for (key, limit) in limits.all() {
            self.unless(
                limit > 0,
                "limits",
                format!("{key} is 0, so nothing could leave"),
                "leave it out for no limit",
            );
        }
        self.unless(
            limits
                .messages_a_minute
                .is_none_or(|most| most <= ConnectionLimits::MOST_A_MINUTE),
            "limits",
            "messages-a-minute is over 60000",
            "leave it out for no limit",
        );
    }

    fn ehlo(&mut self, written: Option<String>, profile: &Profile) -> Ehlo {
        match written.as_deref() {
            None => profile.ehlo.clone(),
            Some(HOSTNAME) => Ehlo::Hostname,
            Some(SENDER_DOMAIN) => Ehlo::SenderDomain,
            Some(name) => match name.parse::<Domain>() {
                Ok(domain) => Ehlo::Name(domain),
                Err(_) => {
                    self.add(
                        "ehlo",
                        format!("`{}` is no domain name", shown(name)),
                        "write a domain name, \"hostname\" or \"sender-domain\"",
                    );
                    Ehlo::Hostname
                }
            },
        }
    }
}
