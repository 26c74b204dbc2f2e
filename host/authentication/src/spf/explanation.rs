//! Explanations: a domain's text for a client that it refuses (RFC 7208 section 6.2).

use super::evaluate::{ExplanationSource, SpfCheck};
use super::macros::{Letter, MacroString, Usage};
use gatepost_dns::Dns;

/// Length limit of an explanation in bytes: it has to fit into one line of a reply (RFC 5321
/// section 4.5.3.1.5).
const MAX_EXPLANATION: usize = 500;

impl<D: Dns> SpfCheck<'_, D> {
    /// Looks up the explanation; `None` if anything is wrong with it, since the result does not
    /// depend on it. Its look-ups are not those of terms, and are not counted (section 4.6.4).
    ///
    /// It is a stranger's text: only printable ASCII is accepted.
    pub(super) async fn explanation(&mut self, wanted: &ExplanationSource) -> Option<String> {
        let validated = self
            .validated_or_unknown(&wanted.by.0, &wanted.domain)
            .await;
        let name = wanted.by.target(&self.values(&wanted.domain, &validated))?;
        let found = self.dns.txt(&name).await.ok()?;
        let [text] = found.records() else {
            return None;
        };
        let text = str::from_utf8(text).ok()?;
        let text = MacroString::parse(text, Usage::Explanation)?;
        let validated = self.validated_or_unknown(&text, &wanted.domain).await;
        let text = text.expand(&self.values(&wanted.domain, &validated))?;
        let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        (printable && !text.is_empty() && text.len() <= MAX_EXPLANATION).then_some(text)
    }

    /// Returns the value of `%{p}` if the text uses it; `unknown` if its look-ups exceed a limit.
    async fn validated_or_unknown(&mut self, text: &MacroString, domain: &str) -> String {
        match text.uses(Letter::Validated) {
            true => match self.validated().await {
                Ok(validated) => validated.for_domain(domain),
                Err(_) => "unknown".to_owned(),
            },
            false => String::new(),
        }
    }
}
