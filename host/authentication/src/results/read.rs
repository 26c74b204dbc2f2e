//! Tolerant reading of Authentication-Results (RFC 8601 section 2.2): comments, quoted strings,
//! white space and case hide nothing.
//!
//! The relay uses it to remove fields that claim its own authserv-id ([`claims_authserv_id`]), and
//! ARC uses it for the results in its sets.

use gatepost_message::domain_to_ascii;

use crate::Authentication;

/// Number of results of one field that are read.
const MAX_CLAIMS: usize = 100;

/// Contents of one field.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// Authserv-id; `None` if it cannot be read.
    pub(crate) authserv_id: Option<String>,
    claims: Vec<Claim>,
}

/// One result of a field.
#[derive(Debug)]
pub(crate) struct Claim {
    /// Name of the method, in lower case.
    method: String,
    pub(crate) result: Authentication,
    /// Properties, such as `header.d`, with their values; the names are in lower case.
    properties: Vec<(String, String)>,
}

impl Claim {
    /// Returns the first property of this name.
    pub(crate) fn property(&self, name: &str) -> Option<&str> {
        self.properties
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Results {
    /// Reads a field's body.
    pub(crate) fn parse(body: &str) -> Self {
        let tokens = Tokens::of(body);
        let mut parts = tokens.list.split(|token| *token == Token::Mark(';'));
        let authserv_id = match parts.next() {
            Some([Token::Word(id), ..]) if tokens.complete => Some(id.clone()),
            _ => None,
        };
        Self {
            authserv_id,
            claims: parts.filter_map(claim).take(MAX_CLAIMS).collect(),
        }
    }

    /// Returns the results of a method, such as `dkim`.
    pub(crate) fn of(&self, method: &str) -> impl Iterator<Item = &Claim> {
        self.claims
            .iter()
            .filter(move |claim| claim.method == method)
    }
}

/// Returns true if a reader might take a field with this body for one that `authserv_id` wrote: it
/// has to be removed (RFC 8601 section 5), unless it is strictly another server's.
///
/// A field is another server's under two conditions. It begins with one host name, as a word or in
/// quotes, that is not `authserv_id`, and nothing but a version, comments and folds stands between
/// that name and the semicolon or the end (section 2.2). And `authserv_id` stands nowhere that a
/// reader which splits at commas, semicolons or lines would look for the name. No honest server
/// writes any other form, and other readers may understand it differently.
pub fn claims_authserv_id(body: &str, authserv_id: &str) -> bool {
    let ours = normalized(authserv_id);
    let is_ours = |name: &str| normalized(name) == ours;
    let first = |part: &str| {
        let part = after_cfws(part).unwrap_or(part).trim();
        let word = part
            .split(|c: char| c.is_whitespace() || matches!(c, '(' | '/'))
            .next();
        is_ours(word.unwrap_or_default().trim_matches(['"', '<', '>', '\'']))
    };
    match only_authserv_id(body) {
        Some(name) if !is_ours(name) => body.split([';', ',', '\n']).skip(1).any(first),
        _ => true,
    }
}

/// Returns the authserv-id of a field if it has exactly one, which is a host name, and the field is
/// complete: no comment and no quoted string without its end, no control character.
fn only_authserv_id(body: &str) -> Option<&str> {
    let odd = |c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\n');
    if body.contains(odd) || !Tokens::of(body).complete {
        return None;
    }
    let rest = after_cfws(body)?;
    let (name, rest) = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => {
            let end = rest.find(|c: char| c.is_ascii() && !is_of_host(c));
            rest.split_at(end.unwrap_or(rest.len()))
        }
    };
    let labels = name.strip_suffix('.').unwrap_or(name);
    let is_host = labels.split('.').all(|label| !label.is_empty())
        && name.chars().all(|c| !c.is_ascii() || is_of_host(c))
        && domain_to_ascii(labels).is_some();
    let behind = after_cfws(rest)?;
    // A version is a separate number.
    let digits = behind.trim_start_matches(|c: char| c.is_ascii_digit());
    let behind = match digits.len() < behind.len() && behind.len() < rest.len() {
        true => after_cfws(digits)?,
        false => behind,
    };
    let ends = behind.is_empty() || behind.starts_with(';');
    (is_host && ends).then_some(name)
}

fn is_of_host(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

/// Returns the text behind comments, white space and folds; `None` if a comment has no end.
fn after_cfws(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    loop {
        let rest = characters.as_str();
        match characters.next() {
            Some('(') if skip_comment(&mut characters) => {}
            Some('(') => return None,
            Some(' ' | '\t' | '\r' | '\n') => {}
            _ => return Some(rest),
        }
    }
}

/// Returns the form of a host name in which it is compared.
fn normalized(name: &str) -> String {
    let ascii = domain_to_ascii(name).unwrap_or_else(|| name.to_owned());
    ascii.trim_end_matches('.').to_ascii_lowercase()
}

/// Reads `method[/version] = result`, then any `ptype.property = value` and `reason = value`.
fn claim(tokens: &[Token]) -> Option<Claim> {
    let [Token::Word(method), rest @ ..] = tokens else {
        return None;
    };
    let rest = match rest {
        [Token::Mark('/'), Token::Word(_), rest @ ..] => rest,
        rest => rest,
    };
    let [Token::Mark('='), Token::Word(result), rest @ ..] = rest else {
        return None;
    };
    let mut properties = Vec::new();
    let mut rest = rest;
    while let [first, others @ ..] = rest {
        if let (Token::Word(name), [Token::Mark('='), Token::Word(value), after @ ..]) =
            (first, others)
        {
            properties.push((name.to_ascii_lowercase(), value.clone()));
            rest = after;
        } else {
            rest = others;
        }
    }
    Some(Claim {
        method: method.to_ascii_lowercase(),
        result: result_named(result)?,
        properties,
    })
}

fn result_named(word: &str) -> Option<Authentication> {
    Some(match word.to_ascii_lowercase().as_str() {
        "none" => Authentication::None,
        "neutral" => Authentication::Neutral,
        "pass" => Authentication::Pass,
        // Some servers write `hardfail` for SPF.
        "fail" | "hardfail" => Authentication::Fail,
        "softfail" => Authentication::Softfail,
        "policy" => Authentication::Policy,
        "temperror" => Authentication::Temperror,
        "permerror" => Authentication::Permerror,
        _ => return None,
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    /// `;`, `=` or `/`.
    Mark(char),
}

struct Tokens {
    list: Vec<Token>,
    /// True if every comment and quoted string has its end.
    complete: bool,
}

impl Tokens {
    fn of(body: &str) -> Self {
        let mut list = Vec::new();
        let mut complete = true;
        // Characters without white space between them are one word, even with quotes.
        let mut word: Option<String> = None;
        let mut characters = body.chars();
        while let Some(character) = characters.next() {
            match character {
                '(' => {
                    list.extend(word.take().map(Token::Word));
                    complete &= skip_comment(&mut characters);
                }
                '"' => complete &= read_quoted(&mut characters, word.get_or_insert_default()),
                ';' | '=' => {
                    list.extend(word.take().map(Token::Word));
                    list.push(Token::Mark(character));
                }
                // A slash separates a version from a method; in a value it is ordinary.
                '/' if !in_value(&list) => {
                    list.extend(word.take().map(Token::Word));
                    list.push(Token::Mark('/'));
                }
                white if white.is_whitespace() || white.is_control() => {
                    list.extend(word.take().map(Token::Word));
                }
                '\\' => word.get_or_insert_default().extend(characters.next()),
                other => word.get_or_insert_default().push(other),
            }
        }
        list.extend(word.map(Token::Word));
        Self { list, complete }
    }
}

fn in_value(list: &[Token]) -> bool {
    matches!(list.last(), Some(Token::Mark('=')))
}

/// Skips to the end of a comment, which may be nested; false if it has no end.
fn skip_comment(characters: &mut std::str::Chars<'_>) -> bool {
    let mut depth = 1;
    while let Some(character) = characters.next() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            '\\' => {
                characters.next();
            }
            _ => {}
        }
        if depth == 0 {
            return true;
        }
    }
    false
}

/// Appends a quoted string to `word`; false if it has no end.
fn read_quoted(characters: &mut std::str::Chars<'_>, word: &mut String) -> bool {
    while let Some(character) = characters.next() {
        match character {
            '"' => return true,
            '\\' => word.extend(characters.next()),
            '\r' | '\n' => {}
            other => word.push(other),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_field_that_any_reader_may_take_for_ours_claims_our_id() {
        for forged in [
            "mx.desk.example; dmarc=pass",
            "MX.Desk.Example;dmarc=pass",
            " (a (nested) comment; other.example) mx.desk.example 1; dmarc=pass",
            "\"mx.desk.example\"; dmarc=pass",
            "\"mx.desk\\.example\" ; dmarc=pass",
            "\r\n\tmx.desk.example.\r\n ; dmarc=pass",
            "mx.desk.example/1; dmarc=pass",
            "mx.desk.example",
            "ｍｘ.desk.example; dmarc=pass",
            "mx.\"desk\".example; dmarc=pass",
            "other.example mx.desk.example; dmarc=pass",
            "(never closed mx.desk.example; dmarc=pass",
            "\"never closed; dmarc=pass",
            "; dmarc=pass",
            "",
            "mx.desk(c).example; dmarc=pass",
            "mx.desk.\r\n example; dmarc=pass",
            "mx . desk . example; dmarc=pass",
            "\"mx.desk\"\r\n \".example\"; dmarc=pass",
            "<mx.desk.example>; dmarc=pass",
            "x.example; none, mx.desk.example; dmarc=pass",
            "x.example; none,\r\n (c) \"mx.desk.example\" 1; dmarc=pass",
            "x.example; none; mx.desk.example; dmarc=pass",
            "x.example; none\r\n mx.desk.example; dmarc=pass",
            "x.example, mx.desk.example; dmarc=pass",
            "x.example\u{c}mx.desk.example; dmarc=pass",
            "=?utf-8?q?mx.desk.example?=; dmarc=pass",
            "mx。desk。example; dmarc=pass",
            "mx\u{ad}.desk.example; dmarc=pass",
            "spf=pass smtp.mailfrom=x.example",
            "x.example 1 2; dmarc=pass",
            "x..example; dmarc=pass",
        ] {
            assert!(claims_authserv_id(forged, "mx.desk.example"), "{forged:?}");
        }
    }

    #[test]
    fn a_field_of_another_server_does_not_claim_our_id() {
        for other in [
            "mx.other.example; dmarc=pass",
            "amx.desk.example; dmarc=pass",
            "mx.desk.example.other; dmarc=pass",
            "mx.other.example; spf=pass smtp.helo=mx.desk.example",
            "mx.other.example (not mx.desk.example); none",
            "(of) \"mx.other.example\" (it is) 1 (first); dmarc=pass, spf=pass",
            "\r\n\tmx.other.example. 1;\r\n\tspf=pass (mx.desk.example: it may) a.b=c",
            "mx.other.example",
            "b\u{fc}cher.example; none",
        ] {
            assert!(!claims_authserv_id(other, "mx.desk.example"), "{other:?}");
        }
    }

    #[test]
    fn results_are_read_through_comments_and_quotes() {
        let results = Results::parse(
            "mx.example 1; SPF=pass (good) smtp.mailfrom=a@b.example;\r\n dkim/1 = fail \
             reason=\"no; good\" header.d=D.example header.b=ab/cd; dkim=pass header.i=@e.example; \
             dmarc=bestguesspass header.from=x; dmarc=pass (p=none) header.from=b.example",
        );
        assert_eq!(results.authserv_id.as_deref(), Some("mx.example"));
        let spf = results.of("spf").next().unwrap();
        assert_eq!(spf.result, Authentication::Pass);
        assert_eq!(spf.property("smtp.mailfrom"), Some("a@b.example"));
        let dkim: Vec<_> = results.of("dkim").collect();
        assert_eq!(dkim[0].property("header.d"), Some("D.example"));
        assert_eq!(dkim[0].property("header.b"), Some("ab/cd"));
        assert_eq!(dkim[0].property("reason"), Some("no; good"));
        assert_eq!(dkim[1].result, Authentication::Pass);
        let dmarc = results.of("dmarc").next().unwrap();
        assert_eq!(dmarc.property("header.from"), Some("b.example"));
    }

    proptest! {
        #[test]
        fn reading_any_text_does_not_panic(text in "\\PC*|[()\"\\\\;=/ a-z.\r\n]*") {
            let _ = Results::parse(&text);
            let _ = claims_authserv_id(&text, "mx.example");
        }

        #[test]
        fn our_id_is_found_behind_any_comment(
            comment in "[a-z ;=\"]{0,20}",
            white in "[ \t]{0,3}|\r\n ",
            rest in "[a-z=. ]{0,20}",
        ) {
            let body = format!("{white}({comment}){white}mX.example{white};{rest}");
            prop_assert!(claims_authserv_id(&body, "mx.EXAMPLE"));
        }

        /// Models readers that drop all other characters and look at the front of any part: if
        /// such a reader finds our id, the field is not kept.
        #[test]
        fn no_lax_reader_finds_our_id_in_a_kept_field(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("mx.example".to_owned()),
                    proptest::sample::select(&[
                        "mx", ".", "example", "(c)", "(", ")", "\"", "\\", "<", ">", ";", ",",
                        " ", "\r\n ", "1", "/", "=", "x.other", "spf=pass", "\u{b}", "\u{200b}",
                    ][..]).prop_map(str::to_owned),
                ],
                0..8,
            ),
        ) {
            let body = parts.concat();
            let squeezed = |text: &str| -> String {
                text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect()
            };
            let without_comments = body.replace("(c)", "");
            for text in [&body, &without_comments] {
                let front = text.split(';').next().map(squeezed).unwrap_or_default();
                if front == "mx.example" {
                    prop_assert!(claims_authserv_id(&body, "mx.example"), "{body:?}");
                }
                for part in text.split([';', ',', '\n']) {
                    if part.trim() == "mx.example" {
                        prop_assert!(claims_authserv_id(&body, "mx.example"), "{body:?}");
                    }
                }
            }
        }
    }
}
