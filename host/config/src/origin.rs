//! How it is found out where a message came from, and how that is told downstream.

use std::str::FromStr;
use std::time::Duration;

use gatepost_authentication::{Boundary, PartialBody, ResolverSettings, Settings};
use gatepost_message::{FieldError, FieldName};
use serde::{Deserialize, Deserializer, de};

use super::{Domain, units};

/// Whom the relay asks what the DNS says of a message's origin.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Dns {
    /// Recursive name servers; those of `/etc/resolv.conf` where none is given.
    pub servers: Vec<NameServer>,
    /// How long one attempt at a question may take.
    #[serde(deserialize_with = "units::duration")]
    pub timeout: Duration,
    /// How often a question is put before it is given up.
    pub attempts: u8,
    /// How many questions may be open at once.
    pub concurrent: usize,
    /// How many answers are kept.
    pub cache: u64,
}

/// A name server as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameServer(gatepost_authentication::NameServer);

impl FromStr for NameServer {
    type Err = gatepost_authentication::InvalidServer;

    fn from_str(server: &str) -> Result<Self, Self::Err> {
        server.parse().map(Self)
    }
}

impl<'de> Deserialize<'de> for NameServer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl Default for Dns {
    fn default() -> Self {
        let settings = ResolverSettings::default();
        Self {
            servers: Vec::new(),
            timeout: settings.timeout,
            attempts: settings.attempts,
            concurrent: settings.concurrent,
            cache: settings.cache,
        }
    }
}

impl Dns {
    /// The same in the resolver's terms.
    pub fn settings(&self) -> ResolverSettings {
        ResolverSettings {
            servers: self.servers.iter().map(|server| server.0).collect(),
            timeout: self.timeout,
            attempts: self.attempts,
            concurrent: self.concurrent,
            cache: self.cache,
        }
    }
}

/// How facts about a message's origin are gathered, and in whose name they are told.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Authentication {
    /// Who vouches in Authentication-Results (RFC 8601 section 2.5); the relay's hostname when
    /// absent.
    pub authserv_id: Option<Domain>,
    /// DKIM signatures that are looked at.
    pub signatures: usize,
    /// Names of fields in one signature.
    pub signed_fields: usize,
    /// Keys looked up for one message.
    pub keys: usize,
    /// Domains of authors that are judged.
    pub authors: usize,
    /// Questions to the DNS for one message.
    pub questions: usize,
    /// Those about the names of one organisation, DMARC's apart.
    pub questions_per_domain: usize,
    /// How long all look-ups for one message may take together.
    #[serde(deserialize_with = "units::duration")]
    pub time: Duration,
    /// How DMARC finds an organisational domain.
    pub organization: Organization,
    /// Whether a DKIM signature of a part of the body may pass.
    pub partial_body: bool,
}

/// How DMARC finds an organisational domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Organization {
    /// By the DNS (RFC 9989 section 4.10).
    #[default]
    TreeWalk,
    /// By the public suffix list (RFC 7489 section 3.2).
    PublicSuffixList,
}

impl Default for Authentication {
    fn default() -> Self {
        let Settings { limits, .. } = Settings::default();
        Self {
            authserv_id: None,
            signatures: limits.signatures,
            signed_fields: limits.signed_fields,
            keys: limits.keys,
            authors: limits.authors,
            questions: limits.questions,
            questions_per_domain: limits.questions_of_one,
            time: limits.time,
            organization: Organization::default(),
            partial_body: false,
        }
    }
}

impl Authentication {
    /// The same in the terms of who gathers.
    pub fn settings(&self) -> Settings {
        Settings {
            limits: gatepost_authentication::Limits {
                signatures: self.signatures,
                signed_fields: self.signed_fields,
                keys: self.keys,
                authors: self.authors,
                questions: self.questions,
                questions_of_one: self.questions_per_domain,
                time: self.time,
            },
            boundary: match self.organization {
                Organization::TreeWalk => Boundary::TreeWalk,
                Organization::PublicSuffixList => Boundary::PublicSuffixList,
            },
            partial_body: match self.partial_body {
                true => PartialBody::Accept,
                false => PartialBody::Refuse,
            },
        }
    }
}

/// The names of the fields in which the relay and its policies tell those downstream what they
/// made of a message. None of them is believed of inbound mail.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct VerdictFields {
    /// The tags.
    pub tags: Name,
    /// The reasons that policies gave, unless they are not to be told.
    pub reasons: Optional,
    /// What was gathered, in short.
    pub auth: Name,
    /// Who asks, where a policy says so.
    pub requester: Name,
    /// Who of those addressed will not be written to, where a policy says so.
    pub partners: Name,
    /// What kind of message it is, where a policy says so.
    pub class: Name,
    /// By what an application says why it sends.
    pub trigger: Name,
    /// To whom the envelope was addressed.
    pub original_recipient: Name,
}

/// The name of a field as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(pub FieldName);

impl TryFrom<String> for Name {
    type Error = FieldError;

    fn try_from(name: String) -> Result<Self, FieldError> {
        FieldName::new(&name).map(Self)
    }
}

/// The name of a field that may be left out. What comes under its name from outside goes all the
/// same.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "NameOrNot")]
pub struct Optional {
    name: FieldName,
    written: bool,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a field's name, or false")]
enum NameOrNot {
    Written(bool),
    Name(String),
}

/// The name of the field with the reasons.
const REASONS: &str = "X-Gatepost-Reasons";

impl TryFrom<NameOrNot> for Optional {
    type Error = FieldError;

    fn try_from(said: NameOrNot) -> Result<Self, FieldError> {
        let (name, written) = match said {
            NameOrNot::Written(written) => (FieldName::new(REASONS)?, written),
            NameOrNot::Name(name) => (FieldName::new(&name)?, true),
        };
        Ok(Self { name, written })
    }
}

impl Optional {
    /// The name, be it written or not.
    pub fn name(&self) -> &FieldName {
        &self.name
    }

    /// The name, where the field is written.
    pub fn written(&self) -> Option<&FieldName> {
        self.written.then_some(&self.name)
    }
}

impl Default for VerdictFields {
    fn default() -> Self {
        let name = |name| match FieldName::new(name) {
            Ok(name) => Name(name),
            Err(error) => unreachable!("the names are tested: {error}"),
        };
        Self {
            tags: name("X-Gatepost-Tags"),
            reasons: Optional {
                name: name(REASONS).0,
                written: true,
            },
            auth: name("X-Gatepost-Auth"),
            requester: name("X-Gatepost-Requester"),
            partners: name("X-Gatepost-Partners"),
            class: name("X-Gatepost-Class"),
            trigger: name("X-Gatepost-Trigger"),
            original_recipient: name("X-Gatepost-Original-Recipient"),
        }
    }
}

impl VerdictFields {
    /// Each with its key.
    pub fn named(&self) -> [(&'static str, &FieldName); 8] {
        [
            ("tags", &self.tags.0),
            ("reasons", &self.reasons.name),
            ("auth", &self.auth.0),
            ("requester", &self.requester.0),
            ("partners", &self.partners.0),
            ("class", &self.class.0),
            ("trigger", &self.trigger.0),
            ("original-recipient", &self.original_recipient.0),
        ]
    }
}
