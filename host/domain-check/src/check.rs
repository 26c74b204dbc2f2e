//! One check: all comparisons, side by side.

use gatepost_dns::Dns;

use crate::bounded::BoundedDns;
use crate::mta_sts::PolicySource;
use crate::outlook::{ByMx, through_smart_host};
use crate::report::{Finding, Outlook, OutlookKind, Report, Standing, Topic};
use crate::sender_policy::{Results, Wanted, compare_look_ups, results, worst};
use crate::subject::{CheckedDomain, DefaultAddress, Relation, Site, WayIn};
use crate::{
    author_policy, exchanges, keys, mta_sts, ownership, return_path, reverse, sender_policy,
};

/// Most smart hosts that are looked at.
const MOST_SMART_HOSTS: usize = 4;

/// Compares the DNS of a domain with what its mail needs.
pub async fn check(
    dns: &impl Dns,
    policies: &impl PolicySource,
    site: &Site,
    checked: &CheckedDomain,
) -> Report {
    let dns = &BoundedDns::new(dns);
    let domain = checked.domain.as_ascii();
    let (to_us, dmarc, keys, own, of_path) = tokio::join!(
        ways_in(dns, site, checked),
        author_policy::compare(dns, site, domain),
        keys::compare(dns, checked),
        sent_by_us(dns, site, Some(domain)),
        sent_by_us(dns, site, path_of(checked)),
    );
    let paths = [worst(&of_path), worst(&own)];
    let (by_mx, outside, site_names, tls) = tokio::join!(
        ByMx::foresee(dns, site, domain, &keys.signers, &paths),
        outlooks(dns, site, checked, &keys.signers),
        of_site(dns, site),
        mta_sts::compare(dns, policies, domain),
    );
    let uses_mx = checked.by_mx;
    // Either of the two is enough.
    let needs_proof = uses_mx && !by_mx.is_aligned();
    let is_unanswered = |one: &Finding| one.standing == Standing::Unanswered;
    let no_answer = keys.findings.iter().any(is_unanswered);
    let mut findings = to_us;
    findings.extend(spf(dns, site, checked, &own, needs_proof).await);
    if uses_mx || !checked.keys.is_empty() {
        findings.extend(
            keys.findings
                .into_iter()
                .map(|one| one.needed_if(needs_proof)),
        );
    }
    findings.push(dmarc);
    if uses_mx {
        findings.push(by_mx.alignment(no_answer));
    }
    if let Some(path) = checked
        .return_path
        .as_ref()
        .filter(|path| path.domain != checked.domain)
    {
        let compared = return_path::compare(dns, site, path, &of_path).await;
        findings.extend(compared.into_iter().map(|one| one.needed_if(uses_mx)));
    }
    findings.extend(tls);
    findings.extend(site_names.into_iter().map(|one| {
        let is_advice = one.topic == Topic::SiteSpf;
        one.needed_if(uses_mx && !is_advice)
    }));
    let mut seen = sender_policy::outlooks(domain, &own);
    if uses_mx {
        seen.push(by_mx.outlook(OutlookKind::Mx, "mail from our servers"));
    }
    seen.extend(outside);
    Report {
        domain: domain.to_owned(),
        findings,
        outside: seen,
    }
}

/// Compares what brings mail of the domain to us.
async fn ways_in(dns: &impl Dns, site: &Site, checked: &CheckedDomain) -> Vec<Finding> {
    let name = checked.domain.as_ascii();
    match &checked.relation {
        Relation::Own => vec![exchanges::lead_here(dns, site, Topic::Mx, name).await],
        Relation::Connected {
            tokens,
            is_verified,
            way_in,
            native,
        } => {
            let native = native.as_ascii();
            let (owned, servers, target) = tokio::join!(
                ownership(dns, &checked.domain, tokens),
                exchanges::of_customer(dns, site, name, *way_in),
                exchanges::lead_here(dns, site, Topic::Forwarding, native),
            );
            let mut findings = vec![owned.needed_if(!is_verified), servers];
            if *way_in == WayIn::Forwarded {
                findings.push(target);
            }
            findings
        }
    }
}

/// Compares the SPF record of the domain, and counts its look-ups.
async fn spf(
    dns: &impl Dns,
    site: &Site,
    checked: &CheckedDomain,
    own: &Results,
    needed: bool,
) -> Vec<Finding> {
    let domain = checked.domain.as_ascii();
    let mut findings = Vec::new();
    let mut is_to_include = false;
    // Through a smart host, SPF has to name that service and not us.
    if checked.by_mx {
        let wanted = match checked.relation {
            Relation::Connected { .. } => Wanted::Include,
            Relation::Own => Wanted::IncludeAlone,
        };
        let compared = sender_policy::compare(dns, site, Topic::Spf, domain, &wanted, own).await;
        is_to_include = !compared.paste.is_empty();
        findings.push(compared);
    }
    findings.extend(compare_look_ups(dns, site, domain, is_to_include).await);
    findings
        .into_iter()
        .map(|one| one.needed_if(needed))
        .collect()
}

/// Compares the names of the site, and the SPF record that customers include.
async fn of_site(dns: &impl Dns, site: &Site) -> Vec<Finding> {
    let include = site.spf_include.as_str();
    let results = sent_by_us(dns, site, Some(include)).await;
    let (mut findings, spf) = tokio::join!(
        reverse::compare(dns, site),
        sender_policy::compare(
            dns,
            site,
            Topic::SiteSpf,
            include,
            &Wanted::Addresses,
            &results
        ),
    );
    findings.push(spf);
    findings
}

/// Returns what outsiders make of mail that leaves by a smart host, or from the default address.
async fn outlooks(
    dns: &impl Dns,
    site: &Site,
    checked: &CheckedDomain,
    signers: &[String],
) -> Vec<Outlook> {
    let mut outlooks = Vec::new();
    let domain = checked.domain.as_ascii();
    for host in checked.smart_hosts.iter().take(MOST_SMART_HOSTS) {
        outlooks.push(through_smart_host(dns, site, domain, signers, host).await);
    }
    if let Some(default) = &checked.default {
        outlooks.push(from_default(dns, site, default).await);
    }
    outlooks
}

async fn from_default(dns: &impl Dns, site: &Site, default: &DefaultAddress) -> Outlook {
    if default.address.is_none() {
        let account = &default.account;
        return Outlook {
            kind: OutlookKind::DefaultAddress,
            result: "unknown".to_owned(),
            sentence: format!(
                "mail that cannot leave in the domain's name waits: the account has no default \
                 address; `gatepost account set-default-address {account} ADDRESS` names one"
            ),
        };
    }
    let domain = default.domain.as_ascii();
    let path = default.return_path.as_ref().map(|of| of.as_ascii());
    let (signers, of_path, own) = tokio::join!(
        keys::published(dns, &default.keys),
        sent_by_us(dns, site, path),
        sent_by_us(dns, site, Some(domain)),
    );
    let paths = [worst(&of_path), worst(&own)];
    let judged = ByMx::foresee(dns, site, domain, &signers, &paths).await;
    let mail = format!("mail from the default address, at {domain},");
    judged.outlook(OutlookKind::DefaultAddress, &mail)
}

fn path_of(checked: &CheckedDomain) -> Option<&str> {
    checked
        .return_path
        .as_ref()
        .map(|path| path.domain.as_ascii())
}

/// Checks by SPF if our addresses may send mail of a domain.
async fn sent_by_us(dns: &impl Dns, site: &Site, domain: Option<&str>) -> Results {
    match domain {
        Some(domain) => results(dns, &site.hostname, domain, site.checked_addresses()).await,
        None => Results::new(),
    }
}
