//! Parameters after a path (RFC 5321 section 4.1.2).

use std::collections::HashSet;

use crate::reply::Reply;

/// One parameter: `esmtp-keyword ["=" esmtp-value]`.
#[derive(Debug)]
pub(super) struct Parameter<'a> {
    /// Keyword in upper case.
    pub(super) keyword: String,
    /// Value: printable, without spaces and `=`; it may hold the characters outside ASCII of
    /// RFC 6531 section 3.3.
    pub(super) value: Option<&'a str>,
}

/// Reads all parameters after a path. No keyword may be given twice.
pub(super) fn parse(after_path: &[u8]) -> Result<Vec<Parameter<'_>>, Reply> {
    let mut seen = HashSet::new();
    let words = after_path.split(|&b| b == b' ').filter(|p| !p.is_empty());
    words
        .map(|word| {
            let parameter = Parameter::parse(word)
                .ok_or_else(|| malformed("Parameters are KEYWORD or KEYWORD=value"))?;
            let Parameter { keyword, .. } = &parameter;
            match seen.insert(keyword.clone()) {
                true => Ok(parameter),
                false => Err(malformed(&format!("{keyword} is given twice"))),
            }
        })
        .collect()
}

impl<'a> Parameter<'a> {
    fn parse(word: &'a [u8]) -> Option<Self> {
        let word = str::from_utf8(word).ok()?;
        let (keyword, value) = match word.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (word, None),
        };
        let is_keyword = (1..=40).contains(&keyword.len())
            && !keyword.starts_with('-')
            && keyword
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let is_allowed = |c: char| c != '=' && (c.is_ascii_graphic() || !c.is_ascii());
        let is_value = value.is_none_or(|value| !value.is_empty() && value.chars().all(is_allowed));
        (is_keyword && is_value).then(|| Self {
            keyword: keyword.to_ascii_uppercase(),
            value,
        })
    }
}

pub(super) fn malformed(why: &str) -> Reply {
    Reply::new(501, "5.5.4", why)
}

pub(super) fn unknown(keyword: &str) -> Reply {
    Reply::new(
        555,
        "5.5.4",
        format!("Parameter {keyword} is not supported here"),
    )
}
