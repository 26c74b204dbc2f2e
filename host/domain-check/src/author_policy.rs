//! DMARC: the policy of a domain for mail that nothing proves.

use gatepost_authentication::{
    Authentication, DmarcFact, SpfFact, foresee_alignment, organizational_domain_by_list,
};
use gatepost_dns::Dns;

use crate::report::{Finding, Standing, Topic, shown};
use crate::subject::Site;
use crate::zone_line;

/// Foresees the judgement on mail of a domain that is signed for these domains, with this result of
/// SPF.
pub(crate) async fn judge(
    dns: &impl Dns,
    site: &Site,
    author: &str,
    signers: &[String],
    spf: &SpfFact,
) -> DmarcFact {
    let signers: Vec<&str> = signers.iter().map(String::as_str).collect();
    foresee_alignment(dns, author, &signers, site.boundary, spf).await
}

/// Compares the policy record of a domain: it is advice, since mail that is aligned needs none.
pub(crate) async fn compare(dns: &impl Dns, site: &Site, domain: &str) -> Finding {
    let name = format!("_dmarc.{domain}");
    let sought = "a DMARC record of the domain, or of the domain above it";
    let mut finding = Finding::new(Topic::Dmarc, &name, sought).needed_if(false);
    let above = organizational_domain_by_list(domain).map(|of| format!("_dmarc.{of}"));
    for name in [Some(name.clone()), above].into_iter().flatten() {
        match dns.txt(&name).await {
            Err(unavailable) => return finding.unanswered(&unavailable),
            Ok(found) if !found.records().is_empty() => {
                finding = Finding {
                    name,
                    ..finding.found(found.records())
                };
                break;
            }
            Ok(_) => {}
        }
    }
    let fact = judge(dns, site, domain, &[domain.to_owned()], &SpfFact::default()).await;
    let reason = fact
        .reason
        .as_deref()
        .map(|reason| shown(reason.as_bytes()));
    match (fact.result, fact.policy, reason) {
        (Authentication::Temperror, _, reason) => {
            finding.is(Standing::Unanswered, reason.unwrap_or_default())
        }
        (_, Some(policy), _) => finding.is(
            Standing::Right,
            format!("the policy for mail that nothing proves: {}", policy.word()),
        ),
        (_, None, Some(reason)) => finding.is(Standing::Differs, reason),
        (_, None, None) => {
            let text = format!("v=DMARC1; p=none; rua=mailto:postmaster@{domain}");
            let words = "there is no DMARC record, which large receivers ask for";
            finding
                .is(Standing::Missing, words)
                .paste([zone_line::txt(&name, &text)])
        }
    }
}
