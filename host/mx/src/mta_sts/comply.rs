//! Servers that comply with a policy (RFC 8461 sections 4 and 5).

use std::sync::Arc;

use super::known::KnownPolicy;
use super::policy::Mode;
use crate::{Candidate, NoRoute, Required, SessionTls};

/// Most servers that the log names.
const LOGGED: usize = 5;

type Servers = Vec<(u16, Candidate)>;

/// Returns the servers that a policy leaves, with the TLS that they need, and a word for the metric.
pub(super) fn comply(
    known: &Arc<KnownPolicy>,
    servers: Servers,
) -> (Result<Servers, NoRoute>, &'static str) {
    let (domain, policy) = (known.domain.as_str(), &known.policy);
    let others: Vec<&str> = servers
        .iter()
        .map(|(_, candidate)| candidate.host.as_str())
        .filter(|host| !policy.allows(host))
        .take(LOGGED)
        .collect();
    match policy.mode {
        Mode::None => (Ok(servers), "none"),
        Mode::Testing if others.is_empty() => (Ok(servers), "testing"),
        Mode::Testing => {
            tracing::warn!(domain, servers = ?others, "servers are not in the MTA-STS policy, which is in mode testing");
            (Ok(servers), "testing-mismatch")
        }
        Mode::Enforce => {
            if !others.is_empty() {
                tracing::warn!(domain, servers = ?others, "servers are not in the MTA-STS policy, and get no mail");
            }
            match enforced(known, servers) {
                servers if servers.is_empty() => {
                    (Err(NoRoute::MtaSts(domain.to_owned())), "mismatch")
                }
                servers => (Ok(servers), "enforce"),
            }
        }
    }
}

fn enforced(known: &KnownPolicy, mut servers: Servers) -> Servers {
    servers.retain(|(_, candidate)| known.policy.allows(&candidate.host));
    for (_, candidate) in &mut servers {
        candidate.tls = SessionTls::Verified {
            name: candidate.host.clone(),
            required: Required::MtaSts {
                domain: known.domain.clone(),
                id: known.id.clone().into(),
            },
        };
    }
    servers
}
