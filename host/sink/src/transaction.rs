//! MAIL and RCPT: their paths and parameters.

use crate::reply::WireReply;
use crate::store::PartialMessage;

/// Extension that each parameter needs.
const PARAMETERS: [(&str, &str); 9] = [
    ("SIZE", "SIZE"),
    ("BODY", "8BITMIME"),
    ("SMTPUTF8", "SMTPUTF8"),
    ("RET", "DSN"),
    ("ENVID", "DSN"),
    ("NOTIFY", "DSN"),
    ("ORCPT", "DSN"),
    ("AUTH", "AUTH"),
    ("REQUIRETLS", "REQUIRETLS"),
];

/// Transaction in hand.
#[derive(Default)]
pub(crate) struct SinkTransaction {
    pub(crate) mail: PathCommand,
    pub(crate) recipients: Vec<PathCommand>,
    /// Message, once its first octet has come.
    pub(crate) content: Option<PartialMessage>,
    pub(crate) size: u64,
    pub(crate) eight_bit: bool,
    pub(crate) chunked: bool,
}

impl SinkTransaction {
    /// Returns the reverse-path and the recipients, for rules.
    pub(crate) fn subjects(&self) -> Vec<&str> {
        let recipients = self.recipients.iter().map(|to| to.path.as_str());
        std::iter::once(self.mail.path.as_str())
            .chain(recipients)
            .collect()
    }
}

/// Path and parameters of MAIL or RCPT.
#[derive(Debug, Default, Clone)]
pub(crate) struct PathCommand {
    /// Path without angle brackets; empty for the null one.
    pub(crate) path: String,
    pub(crate) parameters: Vec<String>,
}

impl PathCommand {
    /// Reads the arguments behind MAIL or RCPT: `FROM:<path> parameters`.
    pub(crate) fn parse(arguments: &str, word: &str) -> Option<Self> {
        let (found, rest) = arguments.split_at_checked(word.len())?;
        let rest = rest.strip_prefix(':')?.trim_start().strip_prefix('<')?;
        // A quoted local part may hold the bracket.
        let end = rest
            .find("> ")
            .or_else(|| rest.strip_suffix('>').map(str::len))?;
        found.eq_ignore_ascii_case(word).then(|| Self {
            path: rest[..end].to_owned(),
            parameters: rest[end + 1..]
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        })
    }

    /// Returns the value of a parameter.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find_map(|parameter| {
            let (found, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// Returns the parameters of these names as they were given.
    pub(crate) fn only(&self, names: &[&str]) -> String {
        let wanted = |parameter: &&String| {
            let name = parameter.split('=').next().unwrap_or_default();
            names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
        };
        let found: Vec<_> = self
            .parameters
            .iter()
            .filter(wanted)
            .map(String::as_str)
            .collect();
        found.join(" ")
    }

    /// Returns the reply to a parameter that no offered extension allows (RFC 5321 section
    /// 4.1.1.11).
    pub(crate) fn unknown(&self, offered: &[String]) -> Option<WireReply> {
        let is_offered = |extension: &str| {
            let words = |line: &String| line.split([' ', '=']).next().map(str::to_owned);
            let mut names = offered.iter().filter_map(words);
            names.any(|name| name.eq_ignore_ascii_case(extension))
        };
        let is_known = |parameter: &&String| {
            let name = parameter.split('=').next().unwrap_or_default();
            let entry = PARAMETERS
                .iter()
                .find(|(of, _)| of.eq_ignore_ascii_case(name));
            entry.is_some_and(|(_, extension)| is_offered(extension))
        };
        let unknown = self.parameters.iter().find(|p| !is_known(p))?;
        let text = format!("5.5.4 {unknown} is of no extension that was offered");
        Some(WireReply::of(555, &text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_parameters_are_read() {
        let mail = PathCommand::parse("FROM:<\"a>b\"@x.example> SIZE=5 BODY=8BITMIME", "FROM");
        let mail = mail.unwrap();
        assert_eq!(mail.path, "\"a>b\"@x.example");
        assert_eq!(mail.value("size"), Some("5"));
        assert_eq!(mail.only(&["BODY", "RET"]), "BODY=8BITMIME");
        assert_eq!(PathCommand::parse("from: <>", "FROM").unwrap().path, "");
        for wrong in ["", "FROM", "FROM:x", "TO:<x>", "FROM:<x"] {
            assert!(PathCommand::parse(wrong, "FROM").is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_parameter_needs_its_extension() {
        let mail = PathCommand::parse("FROM:<> BODY=8BITMIME", "FROM").unwrap();
        assert!(mail.unknown(&["8BITMIME".to_owned()]).is_none());
        assert_eq!(mail.unknown(&["SIZE 10".to_owned()]).unwrap().code(), 555);
    }
}
