//! Plain words for enhanced codes: the reason of a failure, and advice.

use std::collections::BTreeMap;

use gatepost_smtp::Reply;
use serde::Deserialize;

/// Reason and advice for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    pub(super) why: String,
    pub(super) advice: String,
}

/// Reasons of one language, by `subject.detail`, by `subject`, and `other`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Reasons(BTreeMap<String, Reason>);

impl Reasons {
    /// Reads a file of reasons.
    ///
    /// # Errors
    /// A sentence that describes the fault, and its octet, if that is known.
    pub(super) fn parse(text: &str) -> Result<Self, (String, Option<usize>)> {
        let reasons: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map(|span| span.start);
            (error.message().to_owned(), at)
        })?;
        match reasons.0.keys().find(|key| !is_key(key)) {
            Some(key) => Err((
                format!(
                    "`{key}` is not a key of reasons: write subject.detail as in \"1.1\", a subject alone as in \"1\", or other"
                ),
                text.find(key.as_str()),
            )),
            None => Ok(reasons),
        }
    }

    /// Returns an empty set.
    pub(super) const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Merges two sets; entries of this one take precedence.
    pub(super) fn over(mut self, others: &Self) -> Self {
        for (key, reason) in &others.0 {
            self.0.entry(key.clone()).or_insert_with(|| reason.clone());
        }
        self
    }

    /// Returns the reason for a reply.
    pub(super) fn of(&self, reply: &Reply) -> Reason {
        let keys = reply.enhanced().map(|code| {
            let subject = code.subject();
            [format!("{subject}.{}", code.detail()), subject.to_string()]
        });
        let keys = keys.iter().flatten().map(String::as_str).chain(["other"]);
        keys.filter_map(|key| self.0.get(key))
            .next()
            .cloned()
            .unwrap_or_default()
    }
}

fn is_key(key: &str) -> bool {
    let number = |part: &str| {
        (1..=3).contains(&part.len()) && part.bytes().all(|octet| octet.is_ascii_digit())
    };
    match key.split_once('.') {
        Some((subject, detail)) => number(subject) && number(detail),
        None => key == "other" || number(key),
    }
}

#[cfg(test)]
impl Reasons {
    pub(super) fn keys(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_reason_is_chosen() {
        let reasons = Reasons::parse(
            "[other]\nwhy = 'o'\nadvice = ''\n['1']\nwhy = 's'\nadvice = ''\n['1.1']\nwhy = 'd'\nadvice = ''",
        )
        .expect("valid");
        let why = |code: &'static str| reasons.of(&Reply::new(550, code, "")).why;
        assert_eq!(why("5.1.1"), "d");
        assert_eq!(why("5.1.9"), "s");
        assert_eq!(why("5.7.1"), "o");
        let bare = Reply::checked(550, None, "no").expect("valid");
        assert_eq!(reasons.of(&bare).why, "o");
    }

    #[test]
    fn keys_of_reasons_are_codes_without_their_class() {
        let wrong = Reasons::parse("['5.1.1']\nwhy = ''\nadvice = ''").expect_err("a class");
        assert!(wrong.0.contains("`5.1.1`"), "{wrong:?}");
        let wrong = Reasons::parse("['1.1']\nwhy = ''\nadvise = ''").expect_err("a slip");
        assert!(wrong.0.contains("`advise`"), "{wrong:?}");
    }
}
