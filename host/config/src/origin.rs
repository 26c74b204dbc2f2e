//! Message authentication: its limits, and the fields that tell downstream about its results.

use std::str::FromStr;
use std::time::Duration;

use gatepost_authentication::{Boundary, PartialBody, Settings};
use gatepost_dns::ResolverSettings;
use gatepost_message::{FieldError, FieldName};
use serde::{Deserialize, Deserializer, de};

use super::{Domain, units};

/// Resolver of the relay.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Dns {
    /// Recursive name servers; those of `/etc/resolv.conf` if empty.
    pub servers: Vec<NameServer>,
    /// Time-out of one attempt of a query.
    #[serde(deserialize_with = "units::duration")]
    pub timeout: Duration,
    /// Number of attempts of a query.
    pub attempts: u8,
    /// Maximum number of queries at a time.
    pub concurrent: usize,
    /// Maximum number of cached answers.
    pub cache: u64,
}

/// Name server, as it is written in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameServer(gatepost_dns::NameServer);

impl FromStr for NameServer {
    type Err = gatepost_dns::InvalidServer;

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
    /// Returns the settings in the terms of the resolver.
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

/// Limits of message authentication, and the name under which results are reported.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Authentication {
    /// Identifier in Authentication-Results (RFC 8601 section 2.5); the relay's host name if
    /// absent.
    pub authserv_id: Option<Domain>,
    /// Maximum number of DKIM signatures that are verified.
    pub signatures: usize,
    /// Maximum number of field names in one signature.
    pub signed_fields: usize,
    /// Maximum number of keys looked up for one message.
    pub keys: usize,
    /// Maximum number of author domains that are evaluated.
    pub authors: usize,
    /// Maximum number of DNS queries for one message.
    pub questions: usize,
    /// Maximum number of queries for names of one organisation, without those for DMARC.
    pub questions_per_domain: usize,
    /// Maximum time of all look-ups for one message together.
    #[serde(deserialize_with = "units::duration")]
    pub time: Duration,
    /// Method of DMARC to find an organisational domain.
    pub organization: Organization,
    /// True if a DKIM signature of a part of the body may pass.
    pub partial_body: bool,
}

/// Method of DMARC to find an organisational domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Organization {
    /// Tree walk in the DNS (RFC 9989 section 4.10).
    #[default]
    TreeWalk,
    /// Public suffix list (RFC 7489 section 3.2).
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
    /// Returns the settings in the terms of the verifier.
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

/// Names of the fields in which the relay and its policies tell downstream about a message. Fields
/// of these names are removed from inbound mail.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct VerdictFields {
    /// Field of the tags.
    pub tags: Name,
    /// Field of the reasons that policies gave; may be left out.
    pub reasons: Optional,
    /// Field of the authentication results in short.
    pub auth: Name,
    /// Field of the requester that a policy named.
    pub requester: Name,
    /// Field of the recipients that get no mail, because a policy found them to be partners.
    pub partners: Name,
    /// Field of the class of message that a policy named.
    pub class: Name,
    /// Field in which an application gives the trigger.
    pub trigger: Name,
    /// Field of the recipients in the envelope.
    pub original_recipient: Name,
    /// Field of the transaction of the account's message that an inbound message answers.
    pub in_reply_to_transaction: Name,
    /// Field in which the application hands in text with a submission; it never leaves the relay.
    pub metadata: Name,
}

/// Name of a field, as it is written in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(pub FieldName);

impl TryFrom<String> for Name {
    type Error = FieldError;

    fn try_from(name: String) -> Result<Self, FieldError> {
        FieldName::new(&name).map(Self)
    }
}

/// Name of a field that may be left out. Fields of this name are removed from inbound mail in any
/// case.
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

/// Default name of the field with the reasons.
const REASONS: &str = "X-Gatepost-Reasons";

impl TryFrom<NameOrNot> for Optional {
    type Error = FieldError;

    fn try_from(given: NameOrNot) -> Result<Self, FieldError> {
        let (name, written) = match given {
            NameOrNot::Written(written) => (FieldName::new(REASONS)?, written),
            NameOrNot::Name(name) => (FieldName::new(&name)?, true),
        };
        Ok(Self { name, written })
    }
}

impl Optional {
    /// Returns the name, whether or not the field is written.
    pub fn name(&self) -> &FieldName {
        &self.name
    }

    /// Returns the name if the field is written.
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
            in_reply_to_transaction: name("X-Gatepost-In-Reply-To-Transaction"),
            metadata: name("X-Gatepost-Metadata"),
        }
    }
}

impl VerdictFields {
    /// Returns all names with their keys.
    pub fn named(&self) -> [(&'static str, &FieldName); 10] {
        [
            ("tags", &self.tags.0),
            ("reasons", &self.reasons.name),
            ("auth", &self.auth.0),
            ("requester", &self.requester.0),
            ("partners", &self.partners.0),
            ("class", &self.class.0),
            ("trigger", &self.trigger.0),
            ("original-recipient", &self.original_recipient.0),
            ("in-reply-to-transaction", &self.in_reply_to_transaction.0),
            ("metadata", &self.metadata.0),
        ]
    }
}
