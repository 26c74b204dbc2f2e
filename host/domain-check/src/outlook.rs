//! What an outsider makes of mail of a domain, on each way out.

use gatepost_authentication::{Authentication, DmarcFact, DmarcPolicy, SpfFact};
use gatepost_dns::{Dns, Unavailable};

use crate::author_policy::judge;
use crate::exchanges::addresses;
use crate::report::{Finding, Outlook, OutlookKind, Standing, Topic, shown};
use crate::sender_policy;
use crate::subject::Site;

/// Most addresses of a smart host that are looked at.
const MOST_ADDRESSES: usize = 4;

/// Judgement on mail of a domain that leaves from our servers.
pub(crate) struct ByMx {
    author: String,
    fact: DmarcFact,
    /// Domain whose SPF was judged.
    path: String,
    /// Reason why SPF could not be judged.
    unanswered: Option<String>,
}

impl ByMx {
    /// Foresees the judgement: with the return path, and if that proves nothing, with the author's
    /// own domain in the reverse-path, as the relay then sends it.
    pub(crate) async fn foresee(
        dns: &impl Dns,
        site: &Site,
        author: &str,
        signers: &[String],
        paths: &[SpfFact],
    ) -> Self {
        let mut judged = Self {
            author: author.to_owned(),
            fact: judge(dns, site, author, signers, &SpfFact::default()).await,
            path: String::new(),
            unanswered: None,
        };
        for spf in paths {
            if judged.is_aligned() {
                break;
            }
            if spf.result == Authentication::Temperror {
                judged.unanswered.clone_from(&spf.reason);
            }
            judged.path.clone_from(&spf.domain);
            judged.fact = judge(dns, site, author, signers, spf).await;
        }
        judged
    }

    /// Returns true if DKIM or SPF proves the author's domain.
    pub(crate) fn is_aligned(&self) -> bool {
        self.fact.alignment.dkim || self.fact.alignment.spf
    }

    /// Returns the comparison with what mail needs. `no_answer` says that the record of some key
    /// could not be looked up.
    pub(crate) fn alignment(&self, no_answer: bool) -> Finding {
        let sought = "DKIM or SPF that proves the domain in mail from our servers";
        let finding = Finding::new(Topic::Alignment, &self.author, sought);
        let is_uncertain = no_answer || self.fact.result == Authentication::Temperror;
        match &self.unanswered {
            _ if self.is_aligned() => finding.is(Standing::Right, self.proof()),
            Some(reason) => finding.is(Standing::Unanswered, shown(reason.as_bytes())),
            None if is_uncertain => finding.is(Standing::Unanswered, ""),
            None => finding.is(Standing::Differs, "neither proves it"),
        }
    }

    fn proof(&self) -> String {
        match self.fact.alignment.dkim {
            true => "our signature proves it".to_owned(),
            false => format!("SPF of {} proves it", self.path),
        }
    }

    /// Returns the judgement in a sentence about `mail`.
    pub(crate) fn outlook(&self, kind: OutlookKind, mail: &str) -> Outlook {
        let fact = &self.fact;
        let sentence = match (fact.result, fact.applied) {
            (Authentication::Pass, _) => format!("{mail} passes DMARC: {}", self.proof()),
            (Authentication::Fail, applied) => {
                let asked = match applied {
                    Some(DmarcPolicy::Reject) => "refuse it",
                    Some(DmarcPolicy::Quarantine) => "put it into quarantine",
                    _ => "take it all the same",
                };
                format!("{mail} fails DMARC, and the domain asks receivers to {asked}")
            }
            (Authentication::None, _) if self.is_aligned() => {
                format!("{mail} meets no DMARC policy; {}", self.proof())
            }
            (Authentication::None, _) => {
                format!("{mail} meets no DMARC policy, and nothing proves its domain")
            }
            (result, _) => {
                let reason = fact.reason.as_deref().unwrap_or_default();
                let reason = shown(reason.as_bytes());
                format!("{mail} gets {} from DMARC: {reason}", result.word())
            }
        };
        Outlook {
            kind,
            result: fact.result.word().to_owned(),
            sentence,
        }
    }
}

/// Foresees the judgement on mail through a customer's smart host. Whether that signs, and from
/// which addresses its mail leaves, is not known here.
pub(crate) async fn through_smart_host(
    dns: &impl Dns,
    site: &Site,
    author: &str,
    signers: &[String],
    host: &str,
) -> Outlook {
    let outlook = |result: &str, sentence: String| Outlook {
        kind: OutlookKind::SmartHost,
        result: result.to_owned(),
        sentence,
    };
    let mail = format!("mail through the smart host {host}");
    if signers.iter().any(|signer| signer == author) {
        let sentence =
            format!("{mail} passes DMARC: our signature proves it, if the host keeps it");
        return outlook(Authentication::Pass.word(), sentence);
    }
    let named = match named_address(dns, author, host).await {
        Ok(named) => named,
        Err(unavailable) => {
            let why = shown(unavailable.why.as_bytes());
            let sentence = format!("{mail} cannot be judged: no answer about {host}: {why}");
            return outlook("unknown", sentence);
        }
    };
    match named {
        Some(spf) => {
            let judged = ByMx::foresee(dns, site, author, signers, &[spf]).await;
            let from = format!("{mail}, if it leaves from the address of the host,");
            judged.outlook(OutlookKind::SmartHost, &from)
        }
        None => {
            let sentence = format!(
                "{mail} is proved by that service alone: SPF of {author} does not let the address \
                 of the host send, so the service has to sign for the domain, or send from another \
                 address"
            );
            outlook("unknown", sentence)
        }
    }
}

/// Returns the result of SPF for the address of a host that may send in a domain's name.
async fn named_address(
    dns: &impl Dns,
    author: &str,
    host: &str,
) -> Result<Option<SpfFact>, Unavailable> {
    let mut found = match host.parse() {
        Ok(address) => vec![address],
        Err(_) => addresses(dns, host).await?,
    };
    found.truncate(MOST_ADDRESSES);
    let results = sender_policy::results(dns, host, author, &found).await;
    let mut facts = results.into_iter().map(|(_, fact)| fact);
    Ok(facts.find(|fact| fact.result == Authentication::Pass))
}
