//! SPF: whether a domain lets an address send mail in its name (RFC 7208).
//!
//! A domain says in a TXT record whose addresses may use it, as a list of terms; [`check`] looks
//! the record up, reads it (`record`), and goes through the terms until one matches the client
//! (`evaluate`). Terms may name further domains, some made of the message's own data (`macros`,
//! `expand`), so a stranger's record decides what is looked up here: their number is bounded
//! (`limits`), and so is the time they take. A domain that refuses may say why (`explanation`).
//!
//! The mechanism `ptr` and `%{p}` are evaluated as the RFC says (`validated`), deprecated or not.
//! What a mail program of the future may publish is left alone: an unknown modifier has to be
//! well-formed, and means nothing.

mod evaluate;
mod expand;
mod explanation;
mod limits;
mod macros;
mod network;
mod record;
mod validated;

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::{Authentication, Dns, SpfFact};
use evaluate::{Check, Verdict};
use record::Qualifier;

/// Who sends, and who wants to know.
#[derive(Debug, Clone, Copy)]
pub struct SpfClient<'a> {
    /// The client's address. One of IPv4 in IPv6 counts as of IPv4 (RFC 7208 section 5).
    pub address: IpAddr,
    /// The argument of EHLO or HELO.
    pub helo: &'a str,
    /// Our own name, which an explanation may mention (`%{r}`).
    pub receiver: &'a str,
}

/// In whose name (RFC 7208 section 2).
#[derive(Debug, Clone, Copy)]
pub enum SpfIdentity<'a> {
    /// The name in EHLO or HELO (section 2.3).
    Helo,
    /// The reverse-path, without angle brackets. For the null one, which is empty, it is
    /// `postmaster` at the name in EHLO or HELO (section 2.4).
    MailFrom(&'a str),
}

/// The sender as the rules and the macros see it.
#[derive(Debug, Clone)]
struct Sender {
    /// As it was given; `postmaster` where there is none (section 4.3).
    local: String,
    /// In A-labels and lower case.
    domain: String,
}

/// The function `check_host()` of RFC 7208 section 4: may this client use this identity?
///
/// It asks at most ten terms' worth of questions (section 4.6.4) and takes at most `within`, of
/// which the RFC wants 20 seconds at least; past that, the result is `temperror`. An explanation
/// that takes longer than what is left of it is done without.
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
    let mut check = Check::new(dns, client, &sender);
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
        Ok(Err(stop)) => (stop.result(), Some(stop.to_string())),
        Err(_) => (
            Authentication::TempError,
            Some(format!("no result within {within:?}")),
        ),
    };
    SpfFact {
        result,
        domain: sender.domain,
        reason,
    }
}

impl Verdict {
    /// Section 4.6.2.
    fn result(&self) -> Authentication {
        match self.qualifier {
            Qualifier::Pass => Authentication::Pass,
            Qualifier::Fail => Authentication::Fail,
            Qualifier::SoftFail => Authentication::SoftFail,
            Qualifier::Neutral => Authentication::Neutral,
        }
    }
}

impl Sender {
    /// The sender of an identity; none if it has no domain that could publish anything: it is
    /// malformed, an address literal or a single label (section 4.3).
    fn of(identity: SpfIdentity<'_>, helo: &str) -> Option<Self> {
        let (local, domain) = match identity {
            SpfIdentity::Helo | SpfIdentity::MailFrom("") => ("", helo),
            SpfIdentity::MailFrom(path) => path.rsplit_once('@')?,
        };
        let domain = gatepost_message::domain_to_ascii(domain)?.to_ascii_lowercase();
        let domain = domain.strip_suffix('.').unwrap_or(&domain);
        let hostname = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
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
