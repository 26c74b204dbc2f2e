//! MTA-STS: whether the policy of a domain covers its servers (RFC 8461).

use std::future::Future;

use gatepost_dns::Dns;
use gatepost_mx::{FetchError, Mode, PolicyFetcher, StsPolicy, published_policy};

use crate::report::{Finding, Standing, Topic, shown};
use crate::zone_line;

/// Source of policies: the world, by HTTPS.
pub trait PolicySource: Send + Sync {
    /// Returns the policy of a domain, in A-labels.
    fn policy(&self, domain: &str) -> impl Future<Output = Result<StsPolicy, FetchError>> + Send;
}

impl PolicySource for PolicyFetcher {
    async fn policy(&self, domain: &str) -> Result<StsPolicy, FetchError> {
        self.fetch(domain).await
    }
}

/// Compares the policy of a domain with its MX records; `None` if it announces no policy.
pub(crate) async fn compare(
    dns: &impl Dns,
    policies: &impl PolicySource,
    domain: &str,
) -> Option<Finding> {
    let name = format!("_mta-sts.{domain}");
    let finding = Finding::new(
        Topic::MtaSts,
        &name,
        "a policy that names every server of the MX",
    );
    let (announced, exchanges) = match tokio::try_join!(dns.txt(&name), dns.mx(domain)) {
        Ok(found) => found,
        Err(unavailable) => return Some(finding.unanswered(&unavailable).needed_if(false)),
    };
    let records = announced.records();
    if !records.iter().any(|record| record.starts_with(b"v=STSv1")) {
        return None;
    }
    let finding = finding.found(records);
    if published_policy(records).is_none() {
        let words = "the record announces no policy: there has to be one, with an id";
        let line = zone_line::txt(&name, "v=STSv1; id=1;");
        return Some(
            finding
                .is(Standing::Differs, words)
                .needed_if(false)
                .paste([line]),
        );
    }
    let policy = match policies.policy(domain).await {
        Ok(policy) => policy,
        Err(error) => {
            let standing = match &error {
                FetchError::Timeout | FetchError::Http(_) => Standing::Unanswered,
                _ => Standing::Differs,
            };
            let words = format!("the policy is announced, and cannot be fetched: {error}");
            let words = shown(words.as_bytes());
            return Some(finding.is(standing, words).needed_if(false));
        }
    };
    Some(covered(
        finding,
        &policy,
        exchanges.records().iter().map(|one| &*one.host),
        domain,
    ))
}

/// Compares a policy with the servers of a domain.
fn covered<'a>(
    finding: Finding,
    policy: &StsPolicy,
    servers: impl Iterator<Item = &'a str>,
    domain: &str,
) -> Finding {
    let mut servers: Vec<&str> = servers.filter(|host| !host.is_empty()).collect();
    if servers.is_empty() {
        servers.push(domain);
    }
    let mode = match policy.mode {
        Mode::Enforce => "enforce",
        Mode::Testing => "testing",
        Mode::None => "none",
    };
    servers.retain(|host| !policy.allows(host));
    if servers.is_empty() || policy.mode == Mode::None {
        return finding.is(Standing::Right, format!("mode {mode}"));
    }
    let is_enforced = policy.mode == Mode::Enforce;
    let consequence = match is_enforced {
        true => "they get no mail from servers that heed it",
        false => "they would get no mail if it were enforced",
    };
    let lines: Vec<_> = servers.iter().map(|host| format!("mx: {host}")).collect();
    let words = format!(
        "mode {mode}; the policy does not name {}: {consequence}; it lacks the lines {}",
        servers.join(", "),
        lines.join(", ")
    );
    let words = shown(words.as_bytes());
    finding.is(Standing::Differs, words).needed_if(is_enforced)
}
