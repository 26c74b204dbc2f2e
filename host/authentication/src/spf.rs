//! SPF: the permission of an address to send mail in a domain's name (RFC 7208).
//!
//! A domain publishes a TXT record with a list of terms that name the addresses allowed to use it.
//! [`check`] looks the record up, reads it (`record`), and goes through the terms until one matches
//! the client (`evaluate`). Terms may name further domains, some made of the message's own data
//! (`macros`, `expand`). So a stranger's record decides what is looked up: the number of look-ups
//! is bounded (`limits`), and so is their time. A domain that refuses may explain it
//! (`explanation`). [`survey()`] counts what a record may cause, whoever is checked.
//!
//! The mechanism `ptr` and `%{p}` are evaluated as the RFC says (`validated`), although they are
//! deprecated. An unknown modifier has to be well-formed and has no effect.

mod evaluate;
mod expand;
mod explanation;
mod limits;
mod macros;
mod network;
mod record;
mod survey;
mod validated;

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::{Authentication, SpfFact};
use evaluate::{SpfCheck, SpfVerdict};
use gatepost_dns::Dns;
use record::Qualifier;
pub use record::is_record;
pub use survey::{MOST_TERMS, MOST_VOID, SpfSurvey, survey};

/// Client that sends, and receiver that checks.
#[derive(Debug, Clone, Copy)]
pub struct SpfClient<'a> {
    /// Client's address. An IPv4-mapped IPv6 address counts as IPv4 (RFC 7208 section 5).
    pub address: IpAddr,
    /// Argument of EHLO or HELO.
    pub helo: &'a str,
    /// Relay's own name, which an explanation may contain (`%{r}`).
    pub receiver: &'a str,
}

/// Identity to check (RFC 7208 section 2).
#[derive(Debug, Clone, Copy)]
pub enum SpfIdentity<'a> {
    /// Name in EHLO or HELO (section 2.3).
    Helo,
    /// Reverse-path, without angle brackets. The null reverse-path is empty and stands for
    /// `postmaster` at the name in EHLO or HELO (section 2.4).
    MailFrom(&'a str),
}

/// Sender as the rules and the macros see it.
#[derive(Debug, Clone)]
struct Sender {
    /// Local part as given; `postmaster` if there is none (section 4.3).
    local: String,
    /// Domain in lower-case A-labels.
    domain: String,
}

/// Checks if this client may use this identity: `check_host()` of RFC 7208 section 4.
///
/// It evaluates at most ten terms that ask the DNS (section 4.6.4) and takes at most `within`, for
/// which the RFC wants 20 seconds or more. Beyond that, the result is `temperror`. An explanation
/// that does not arrive in the rest of that time is left out.
pub async fn check(
    dns: &impl Dns,
    client: &SpfClient<'_>,
    identity: SpfIdentity<'_>,
    within: Duration,
) -> SpfFact {
    let Some(sender) = Sender::of(identity, client.helo) else {
        return SpfFact::default();
    };
    let deadline = Instant::now() + within;
    let mut check = SpfCheck::new(dns, client, &sender);
    let evaluated = timeout_at(deadline, check.host(sender.domain.clone())).await;
    let (result, reason) = match evaluated {
        Ok(Ok(Some(verdict))) => {
            let refused = verdict.qualifier == Qualifier::Fail;
            let explanation = match &verdict.explanation {
                Some(wanted) if refused => timeout_at(deadline, check.explanation(wanted)).await,
                _ => Ok(None),
            };
            (verdict.result(), explanation.unwrap_or(None))
        }
        Ok(Ok(None)) => (Authentication::None, None),
        Ok(Err(error)) => (error.result(), Some(error.to_string())),
        Err(_) => (
            Authentication::Temperror,
            Some(format!("no result within {within:?}")),
        ),
    };
    SpfFact {
        result,
        domain: sender.domain,
        reason,
    }
}

impl SpfVerdict {
    /// Returns the result of the qualifier (section 4.6.2).
    fn result(&self) -> Authentication {
        match self.qualifier {
            Qualifier::Pass => Authentication::Pass,
            Qualifier::Fail => Authentication::Fail,
            Qualifier::SoftFail => Authentication::Softfail,
            Qualifier::Neutral => Authentication::Neutral,
        }
    }
}

impl Sender {
    /// Returns the sender of an identity; `None` if its domain cannot publish anything: it is
    /// malformed, an address literal or a single label (section 4.3).
    fn of(identity: SpfIdentity<'_>, helo: &str) -> Option<Self> {
        let (local, domain) = match identity {
            SpfIdentity::Helo | SpfIdentity::MailFrom("") => ("", helo),
            SpfIdentity::MailFrom(path) => path.rsplit_once('@')?,
        };
        let domain = gatepost_message::domain_to_ascii(domain)?.to_ascii_lowercase();
        let domain = domain.strip_suffix('.').unwrap_or(&domain);
        let hostname = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !domain.bytes().all(hostname) || !expand::is_name(domain) || !domain.contains('.') {
            return None;
        }
        Some(Self {
            local: if local.is_empty() {
                "postmaster"
            } else {
                local
            }
            .to_owned(),
            domain: domain.to_owned(),
        })
    }
}
