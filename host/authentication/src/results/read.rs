//! Reads Authentication-Results tolerantly (RFC 8601 section 2.2): comments, quoted strings, white
//! space and case do not hide anything.
//!
//! Two readers use it: the server, which removes fields that claim to be its own
//! ([`claims_authserv_id`]), and ARC, whose sets carry the same results.

use gatepost_message::domain_to_ascii;

use crate::Authentication;

/// How many results of one field are read.
const MOST_CLAIMS: usize = 100;

/// One field, read.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// Whose results they are; none where it cannot be told.
    pub(crate) authserv_id: Option<String>,
    claims: Vec<Claim>,
}

/// One result.
#[derive(Debug)]
pub(crate) struct Claim {
    /// In lower case.
    method: String,
    pub(crate) result: Authentication,
    /// As they stand there, with names in lower case: `header.d` and its value.
    properties: Vec<(String, String)>,
}

impl Claim {
    /// The first property of that name.
    pub(crate) fn property(&self, name: &str) -> Option<&str> {
        self.properties
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Results {
    /// Reads what stands after the colon.
    pub(crate) fn parse(body: &str) -> Self {
        let tokens = Tokens::of(body);
        let mut parts = tokens.list.split(|token| *token == Token::Mark(';'));
        let authserv_id = match parts.next() {
            Some([Token::Word(id), ..]) if tokens.whole => Some(id.clone()),
            _ => None,
        };
        Self {
            authserv_id,
            claims: parts.filter_map(claim).take(MOST_CLAIMS).collect(),
        }
    }

    /// The results of a method, such as `dkim`.
    pub(crate) fn of(&self, method: &str) -> impl Iterator<Item = &Claim> {
        self.claims
            .iter()
            .filter(move |claim| claim.method == method)
    }
}

/// Whether a field of that body might be taken for one that `authserv_id` wrote (RFC 8601 section
/// 5): it goes unless it is, strictly, another's.
///
/// It is another's where one host name stands in front that is not ours, as a word or in quotes,
/// and behind it nothing but a version, comments and folds, up to the semicolon or the end (section
/// 2.2); and where ours stands nowhere that a reader which splits at commas, semicolons or lines
/// would look for such a name. Whatever else it is, nobody who means well writes it so, and nobody
/// knows what another reader makes of it.
pub fn claims_authserv_id(body: &str, authserv_id: &str) -> bool {
    let ours = normal(authserv_id);
    let is_ours = |name: &str| normal(name) == ours;
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

/// The authserv-id of a field, where it has exactly one, which is a host name, and the field is
/// whole: no comment and no quoted string without its end, no control character.
fn only_authserv_id(body: &str) -> Option<&str> {
    let odd = |c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\n');
    if body.contains(odd) || !Tokens::of(body).whole {
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
    // A version is a number of its own.
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

/// What stands behind comments, white space and folds; `None` where a comment has no end.
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

/// A host name as it is compared.
fn normal(name: &str) -> String {
    let ascii = domain_to_ascii(name).unwrap_or_else(|| name.to_owned());
    ascii.trim_end_matches('.').to_ascii_lowercase()
}

/// `method[/version] = result` and then `ptype.property = value`, or `reason = value`.
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
        // `hardfail` is what some write for SPF.
        "fail" | "hardfail" => Authentication::Fail,
        "softfail" => Authentication::SoftFail,
        "policy" => Authentication::Policy,
        "temperror" => Authentication::TempError,
        "permerror" => Authentication::PermError,
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
    /// Every comment and quoted string has its end.
    whole: bool,
}

impl Tokens {
    fn of(body: &str) -> Self {
        let mut list = Vec::new();
        let mut whole = true;
        // What stands together without white space is one word, quotes in it or not.
        let mut word: Option<String> = None;
        let mut characters = body.chars();
        while let Some(character) = characters.next() {
            match character {
                '(' => {
                    list.extend(word.take().map(Token::Word));
                    whole &= skip_comment(&mut characters);
                }
                '"' => whole &= quoted(&mut characters, word.get_or_insert_default()),
                ';' | '=' => {
                    list.extend(word.take().map(Token::Word));
                    list.push(Token::Mark(character));
                }
                // It separates a version from a method, and is an ordinary character in a value.
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
        Self { list, whole }
    }
}

fn in_value(list: &[Token]) -> bool {
    matches!(list.last(), Some(Token::Mark('=')))
}

/// Past the end of a comment, which may hold others; false where there is none.
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

/// Past the end of a quoted string, into `word`; false where there is none.
fn quoted(characters: &mut std::str::Chars<'_>, word: &mut String) -> bool {
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
    fn a_forged_field_is_found_however_it_is_spelt() {
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
    fn the_fields_of_others_are_theirs() {
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
        fn any_text_is_read(text in "\\PC*|[()\"\\\\;=/ a-z.\r\n]*") {
            let _ = Results::parse(&text);
            let _ = claims_authserv_id(&text, "mx.example");
        }

        #[test]
        fn ours_is_found_behind_any_comment(
            comment in "[a-z ;=\"]{0,20}",
            white in "[ \t]{0,3}|\r\n ",
            rest in "[a-z=. ]{0,20}",
        ) {
            let body = format!("{white}({comment}){white}mX.example{white};{rest}");
            prop_assert!(claims_authserv_id(&body, "mx.EXAMPLE"));
        }

        /// Whoever takes out what has no meaning of its own and reads the front of any part: if it
        /// finds our name, the field does not stay.
        #[test]
        fn no_lax_reader_finds_ours_in_what_stays(
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
