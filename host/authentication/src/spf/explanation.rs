//! What a domain says to whom it refuses (RFC 7208 section 6.2).

use super::evaluate::{Check, Explained};
use super::macros::{Letter, MacroString, Place};
use crate::Dns;

/// The most octets of an explanation that are repeated: what one line of a reply has room for
/// (RFC 5321 section 4.5.3.1.5).
const LONGEST: usize = 500;

impl<D: Dns> Check<'_, D> {
    /// The explanation; none if there is anything wrong with it, for the result is what counts. Its
    /// look-ups are no terms', and are not counted (section 4.6.4).
    ///
    /// It is somebody else's text: only printable ASCII is repeated.
    pub(super) async fn explanation(&mut self, wanted: &Explained) -> Option<String> {
        let name = self.said_of(&wanted.by.0, &wanted.domain).await;
        let name = wanted.by.target(&self.values(&wanted.domain, &name))?;
        let found = self.dns.txt(&name).await.ok()?;
        let [text] = found.records() else {
            return None;
        };
        let text = str::from_utf8(text).ok()?;
        let text = MacroString::parse(text, Place::Explanation)?;
        let validated = self.said_of(&text, &wanted.domain).await;
        let text = text.expand(&self.values(&wanted.domain, &validated))?;
        let printable = text.bytes().all(|octet| (b' '..=b'~').contains(&octet));
        (printable && !text.is_empty() && text.len() <= LONGEST).then_some(text)
    }

    /// What `%{p}` is, where the text uses it; a limit that it would break makes it `unknown`.
    async fn said_of(&mut self, text: &MacroString, domain: &str) -> String {
        match text.uses(Letter::Validated) {
            true => match self.validated().await {
                Ok(validated) => validated.for_domain(domain),
                Err(_) => "unknown".to_owned(),
            },
            false => String::new(),
        }
    }
}
