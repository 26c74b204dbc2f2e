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

#[cfg(test)]
mod tests {
    use gatepost_message::Millis;

    use super::*;
    use crate::{PolicyId, StsPolicy};

    fn result(mode: &str, hosts: &[&str], servers: &[&str]) -> (Vec<String>, &'static str) {
        let hosts: String = hosts.iter().map(|host| format!("mx: {host}\n")).collect();
        let text = format!("version: STSv1\nmode: {mode}\nmax_age: 60\n{hosts}");
        let known = Arc::new(KnownPolicy {
            domain: "a.example".to_owned(),
            id: PolicyId::try_from("1".to_owned()).unwrap(),
            fetched: Millis(0),
            used: Millis(0),
            policy: StsPolicy::parse(text.as_bytes()).unwrap(),
        });
        let servers = servers.iter().map(|host| {
            let candidate = Candidate {
                host: (*host).to_owned(),
                addresses: Vec::new(),
                tls: SessionTls::Opportunistic,
            };
            (10, candidate)
        });
        let (left, word) = comply(&known, servers.collect());
        let left = left.unwrap_or_default().into_iter();
        (left.map(|(_, candidate)| candidate.host).collect(), word)
    }

    #[test]
    fn each_result_is_counted_by_a_word() {
        let both = ["mx1.example", "mx2.example"];
        for (mode, hosts, left, word) in [
            ("none", &[][..], &both[..], "none"),
            ("testing", &["*.example"], &both, "testing"),
            ("testing", &["mx1.example"], &both, "testing-mismatch"),
            ("enforce", &["*.example"], &both, "enforce"),
            ("enforce", &["mx1.example"], &both[..1], "enforce"),
            ("enforce", &["mx3.example"], &[], "mismatch"),
        ] {
            let (servers, counted) = result(mode, hosts, &both);
            assert_eq!(servers, left, "{mode} {hosts:?}");
            assert_eq!(counted, word, "{mode} {hosts:?}");
        }
    }
}
