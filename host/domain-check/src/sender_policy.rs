//! SPF: whether a domain lets our addresses send, and what its record makes receivers look up.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::join_all;
use gatepost_authentication::spf::{
    self, MOST_TERMS, MOST_VOID, SpfClient, SpfIdentity, SpfSurvey,
};
use gatepost_authentication::{Authentication, SpfFact};
use gatepost_dns::Dns;

use crate::report::{Finding, Outlook, OutlookKind, Standing, Topic, shown};
use crate::subject::Site;
use crate::zone_line;

/// Time for one check of SPF, as RFC 7208 section 4.6.4 wants it.
const WITHIN: Duration = Duration::from_secs(20);

/// Longest record that is completed for pasting.
const LONGEST_PASTED: usize = 2000;

/// Result for each address from which mail may come.
pub(crate) type Results = Vec<(IpAddr, SpfFact)>;

/// Checks if each of these addresses may send mail of a domain.
pub(crate) async fn results(
    dns: &impl Dns,
    hostname: &str,
    domain: &str,
    addresses: &[IpAddr],
) -> Results {
    let path = format!("postmaster@{domain}");
    let path = path.as_str();
    let checks = addresses.iter().map(|address| async move {
        let client = SpfClient {
            address: *address,
            helo: hostname,
            receiver: hostname,
        };
        let fact = spf::check(dns, &client, SpfIdentity::MailFrom(path), WITHIN).await;
        (*address, fact)
    });
    join_all(checks).await
}

/// Returns the worst result: the address is not ours to choose. The default if no address is known.
pub(crate) fn worst(results: &Results) -> SpfFact {
    let rank = |fact: &SpfFact| match fact.result {
        Authentication::Pass => 0,
        Authentication::Temperror => 1,
        _ => 2,
    };
    let facts = results.iter().map(|(_, fact)| fact);
    facts
        .max_by_key(|fact| rank(fact))
        .cloned()
        .unwrap_or_default()
}

/// Returns what outsiders see of SPF, for each address.
pub(crate) fn outlooks(domain: &str, results: &Results) -> Vec<Outlook> {
    let outlook = |one: &(IpAddr, SpfFact)| Outlook {
        kind: OutlookKind::Spf,
        result: one.1.result.word().to_owned(),
        sentence: format!("SPF of {domain}: {}", reasons(&[one])),
    };
    results.iter().map(outlook).collect()
}

/// Record that a domain should have.
pub(crate) enum Wanted {
    /// One that includes the site's, beside what the customer has.
    Include,
    /// One that includes the site's, and nothing else.
    IncludeAlone,
    /// The site's own.
    Addresses,
}

impl Wanted {
    fn text(&self, site: &Site) -> String {
        let include = &site.spf_include;
        match self {
            Self::Include => format!("v=spf1 mx include:{include} ~all"),
            Self::IncludeAlone => format!("v=spf1 include:{include} -all"),
            Self::Addresses => site.spf_text(),
        }
    }
}

/// Compares the SPF record of a domain with our addresses.
pub(crate) async fn compare(
    dns: &impl Dns,
    site: &Site,
    topic: Topic,
    domain: &str,
    wanted: &Wanted,
    results: &Results,
) -> Finding {
    let sought = match wanted {
        Wanted::Addresses => "an SPF record that names the addresses mail leaves from".to_owned(),
        _ => format!("an SPF record with include:{}", site.spf_include),
    };
    let finding = Finding::new(topic, domain, sought);
    let found = match dns.txt(domain).await {
        Ok(found) => found,
        Err(unavailable) => return finding.unanswered(&unavailable),
    };
    let records = found.records().iter().filter(|text| spf::is_record(text));
    let records: Vec<&[u8]> = records.map(|text| &**text).collect();
    let finding = finding.found(&records);
    if site.addresses.is_empty() {
        return finding.is(
            Standing::Unanswered,
            "it is not known from which addresses mail leaves: set own-addresses in [mx]",
        );
    }
    let failing = results
        .iter()
        .filter(|(_, fact)| fact.result != Authentication::Pass);
    let failing: Vec<_> = failing.collect();
    if failing.is_empty() {
        let named = results.iter().map(|(address, _)| address.to_string());
        let words = format!("lets {} send", named.collect::<Vec<_>>().join(", "));
        return finding.is(Standing::Right, words);
    }
    let is_unanswered = |(_, fact): &&(IpAddr, SpfFact)| fact.result == Authentication::Temperror;
    if failing.iter().all(is_unanswered) {
        return finding.is(Standing::Unanswered, reasons(&failing));
    }
    let line = |text: &str| [zone_line::txt(domain, text)];
    let record = match records.as_slice() {
        [] => {
            let words = match wanted {
                Wanted::Include => {
                    "there is no SPF record; name your other servers in front of ~all, too"
                }
                _ => "there is no SPF record",
            };
            let finding = finding.is(Standing::Missing, words);
            return finding.paste(line(&wanted.text(site)));
        }
        [record] => *record,
        _ => {
            return finding.is(
                Standing::Differs,
                "there are several SPF records, which counts as an error: make one of them",
            );
        }
    };
    let words = reasons(&failing);
    let is_own = matches!(wanted, Wanted::Addresses);
    if !is_own && includes(dns, site, domain, record).await {
        let words = format!(
            "{words}; it includes {}, whose own record has to name these addresses",
            site.spf_include
        );
        let own = zone_line::txt(&site.spf_include, &site.spf_text());
        return finding.is(Standing::Differs, words).paste([own]);
    }
    let finding = finding.is(Standing::Differs, words);
    match wanted {
        Wanted::Addresses => finding.paste(line(&wanted.text(site))),
        _ => finding
            .paste(completed(record, &site.spf_include).map(|text| zone_line::txt(domain, &text))),
    }
}

/// Returns the results for addresses in words.
fn reasons(results: &[&(IpAddr, SpfFact)]) -> String {
    let reasons = results.iter().map(|(address, fact)| {
        let reason = fact.reason.as_deref().unwrap_or_default();
        let reason = match reason {
            "" => String::new(),
            reason => format!(" ({})", shown(reason.as_bytes())),
        };
        format!("{} for {address}{reason}", fact.result.word())
    });
    reasons.collect::<Vec<_>>().join(", ")
}

/// Returns true if the record of a domain, or one that it names, includes the site's, which may
/// have no record.
async fn includes(dns: &impl Dns, site: &Site, domain: &str, record: &[u8]) -> bool {
    let include = format!("include:{}", site.spf_include);
    let text = String::from_utf8_lossy(record).to_ascii_lowercase();
    let mut terms = text.split(' ');
    if terms.any(|term| term.trim_start_matches('+') == include) {
        return true;
    }
    let surveyed = spf::survey(dns, domain).await;
    surveyed.is_ok_and(|of| of.domains.contains(&site.spf_include))
}

/// Returns a record with an `include` in front of its terms: a term behind `all` has no effect.
/// `None` if it cannot be pasted.
fn completed(record: &[u8], include: &str) -> Option<String> {
    let text = str::from_utf8(record).ok()?;
    let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let (version, terms) = text.split_at_checked("v=spf1".len())?;
    (is_plain && text.len() <= LONGEST_PASTED)
        .then(|| format!("{version} include:{include}{terms}"))
}

/// Compares the look-ups that a domain's record causes with those that a check allows; `None` if
/// the domain has no record. If the site's record is to be included, says whether there is room.
pub(crate) async fn compare_look_ups(
    dns: &impl Dns,
    site: &Site,
    domain: &str,
    is_to_include: bool,
) -> Option<Finding> {
    let sought = format!("at most {MOST_TERMS} terms that ask the DNS, {MOST_VOID} void look-ups");
    let finding = Finding::new(Topic::SpfLookUps, domain, sought);
    let counted = match spf::survey(dns, domain).await {
        Ok(counted) if counted.domains.is_empty() && counted.faults.is_empty() => return None,
        Ok(counted) => counted,
        Err(unavailable) => return Some(finding.unanswered(&unavailable)),
    };
    let mut words = count(&counted);
    let faults = counted.faults.iter().map(|fault| shown(fault.as_bytes()));
    for fault in faults.take(3) {
        words = format!("{words}; {fault}");
    }
    let is_right = counted.is_within_limits() && counted.faults.is_empty();
    if !is_right {
        let words = format!("{words}: receivers answer with an error (permerror)");
        return Some(finding.is(Standing::Differs, words));
    }
    if is_to_include && let Ok(own) = spf::survey(dns, &site.spf_include).await {
        let with = counted.terms + 1 + own.terms;
        if with > MOST_TERMS {
            words = format!(
                "{words}; with include:{} it would have {with}: take others out first",
                site.spf_include
            );
        }
    }
    Some(finding.is(Standing::Right, words))
}

fn count(counted: &SpfSurvey) -> String {
    let void = counted.void.iter().max().copied().unwrap_or_default();
    match counted.is_cut {
        true => format!("more than {} terms ask the DNS", counted.terms),
        false => format!(
            "{} terms ask the DNS, {void} look-ups are void",
            counted.terms
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_include_stands_in_front_of_the_other_terms() {
        let with = |record: &str| completed(record.as_bytes(), "_spf.desk.example");
        assert_eq!(
            with("v=spf1 a mx -all").as_deref(),
            Some("v=spf1 include:_spf.desk.example a mx -all")
        );
        assert_eq!(
            with("V=SPF1").as_deref(),
            Some("V=SPF1 include:_spf.desk.example")
        );
        assert_eq!(with("v=spf1 a\u{e9} -all"), None);
        assert_eq!(with("v=spf1 \n -all"), None);
        assert_eq!(with(&format!("v=spf1 {}", "a ".repeat(2000))), None);
    }
}
