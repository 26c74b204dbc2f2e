//! The text of a configuration without its secrets, as problems show it.
//!
//! A problem is shown with its line and those beside it, and any of them may hold a password. The
//! text may be broken, so this does not need it to be TOML: it goes over keys and values and puts
//! asterisks in the place of each octet of a secret. Nothing moves.

use super::changes::is_secret;

/// Deepest nesting of values that is followed; what is deeper is hidden.
const DEEPEST: usize = 32;

/// Returns the text with all secrets masked. It has the same length, and the same lines.
pub(super) fn masked(text: &str) -> String {
    let mut scan = Scan {
        text: text.as_bytes(),
        at: 0,
        out: text.as_bytes().to_vec(),
    };
    scan.document();
    // Only whole characters were replaced, each octet of them by an asterisk.
    String::from_utf8(scan.out).unwrap_or_default()
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    out: Vec<u8>,
}

impl Scan<'_> {
    fn document(&mut self) {
        // True while the table itself is secret, with all keys in it.
        let mut is_secret_table = false;
        while let Some(octet) = self.next_token() {
            if octet == b'[' {
                let header = self.at;
                self.skip_line();
                is_secret_table = is_secret(&self.between(header, self.at));
                continue;
            }
            let key = self.at;
            match self.find_on_line(b'=') {
                Some(equals) => {
                    let is_secret = is_secret_table || is_secret(&self.between(key, equals));
                    self.at = equals + 1;
                    self.value(is_secret, 0);
                    self.rest_of_line(is_secret);
                }
                // No key with a value: hide what may have become of one.
                None => {
                    self.skip_line();
                    if is_secret_table || is_secret(&self.between(key, self.at)) {
                        self.hide(key, self.at);
                    }
                }
            }
        }
    }

    /// Goes over a value.
    fn value(&mut self, is_secret: bool, depth: usize) {
        self.skip(b" \t");
        let Some(octet) = self.peek() else { return };
        match octet {
            b'"' | b'\'' => self.string(octet, is_secret),
            b'[' | b'{' if depth == DEEPEST => {
                self.hide(self.at, self.text.len());
                self.at = self.text.len();
            }
            b'[' => {
                self.at += 1;
                while let Some(octet) = self.next_item() {
                    if octet == b']' {
                        self.at += 1;
                        return;
                    }
                    self.value(is_secret, depth + 1);
                }
            }
            b'{' => {
                self.at += 1;
                while let Some(octet) = self.next_item() {
                    if octet == b'}' {
                        self.at += 1;
                        return;
                    }
                    let key = self.at;
                    let Some(equals) = self.find_on_line(b'=') else {
                        let rest = is_secret;
                        return self.rest_of_line(rest);
                    };
                    let name = self.between(key, equals);
                    self.at = equals + 1;
                    // A secret that stands elsewhere.
                    let is_place = matches!(name.trim(), "file" | "env");
                    let is_secret = is_secret && !is_place || self::is_secret(&name);
                    self.value(is_secret, depth + 1);
                }
            }
            _ => {
                let begin = self.at;
                let ends = |octet: u8| matches!(octet, b',' | b']' | b'}' | b'#' | b'\n');
                while self.peek().is_some_and(|octet| !ends(octet)) {
                    self.at += 1;
                }
                // An item that is nothing would be found for ever.
                if self.at == begin {
                    self.at += 1;
                }
                if is_secret {
                    self.hide(begin, self.at);
                }
            }
        }
    }

    /// Goes over a string, which may lack its end.
    fn string(&mut self, quote: u8, is_secret: bool) {
        let long = [quote; 3];
        let is_long = self.text[self.at..].starts_with(&long);
        self.at += if is_long { 3 } else { 1 };
        let begin = self.at;
        while let Some(octet) = self.peek() {
            let is_end = match is_long {
                true => self.text[self.at..].starts_with(&long),
                false => octet == quote || octet == b'\n',
            };
            if is_end {
                break;
            }
            let is_escape = octet == b'\\' && quote == b'"';
            self.at = (self.at + if is_escape { 2 } else { 1 }).min(self.text.len());
        }
        let end = self.at;
        match is_secret {
            true => self.hide(begin, end),
            false => self.hide_in_url(begin, end),
        }
        if self.peek() != Some(b'\n') {
            self.at = (end + if is_long { 3 } else { 1 }).min(self.text.len());
        }
    }

    /// Hides user information and query of a URL.
    fn hide_in_url(&mut self, begin: usize, end: usize) {
        let text = self.between(begin, end);
        let Some(scheme) = text.find("://") else {
            return;
        };
        let host = scheme + "://".len();
        let query = text[host..].find('?').map(|at| host + at + 1);
        let authority = text[host..]
            .find(['/', '?'])
            .map_or(text.len(), |at| host + at);
        if let Some(at) = text[host..authority].rfind('@') {
            self.hide(begin + host, begin + host + at);
        }
        if let Some(query) = query {
            self.hide(begin + query, end);
        }
    }

    /// Goes to the end of the line behind a value.
    fn rest_of_line(&mut self, is_secret: bool) {
        let begin = self.at;
        self.skip_line();
        let rest = self.between(begin, self.at);
        if is_secret || self::is_secret(&rest) {
            self.hide(begin, self.at);
        }
    }

    /// Goes to the next thing that is neither white space nor a comment.
    fn next_token(&mut self) -> Option<u8> {
        loop {
            self.skip(b" \t\r\n");
            match self.peek()? {
                b'#' => self.rest_of_line(false),
                octet => return Some(octet),
            }
        }
    }

    /// Goes to the next item of an array or of an inline table, or to its end.
    fn next_item(&mut self) -> Option<u8> {
        loop {
            match self.next_token()? {
                b',' => self.at += 1,
                octet => return Some(octet),
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip(&mut self, octets: &[u8]) {
        while self.peek().is_some_and(|octet| octets.contains(&octet)) {
            self.at += 1;
        }
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|octet| octet != b'\n') {
            self.at += 1;
        }
    }

    fn find_on_line(&self, wanted: u8) -> Option<usize> {
        let rest = self.text.get(self.at..)?;
        let line = rest.split(|octet| *octet == b'\n').next()?;
        let at = line.iter().position(|octet| *octet == wanted)?;
        Some(self.at + at)
    }

    fn between(&self, begin: usize, end: usize) -> String {
        String::from_utf8_lossy(&self.text[begin..end]).into_owned()
    }

    fn hide(&mut self, begin: usize, end: usize) {
        for octet in &mut self.out[begin..end] {
            if !matches!(octet, b'\n' | b'\r' | b' ' | b'\t') {
                *octet = b'*';
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_hidden_and_all_else_is_shown() {
        for (text, shown) in [
            ("password = \"hush\"", "password = \"****\""),
            (
                "password = 'hush' # old: hush",
                "password = '****' * **** ****",
            ),
            ("password = \"hu\\\"sh\"", "password = \"******\""),
            ("password = \"hush", "password = \"****"),
            ("password \"hush\"", "******** ******"),
            ("password = 1234", "password = ****"),
            ("# password = \"hush\"", "* ******** * ******"),
            ("name = \"hush\"", "name = \"hush\""),
            (
                "users = [{ name = \"a\", password = \"hush\" }]",
                "users = [{ name = \"a\", password = \"****\" }]",
            ),
            (
                "secrets = [\"one\", { file = \"two\" }, { env = \"T\" }]\nname = \"n\"",
                "secrets = [\"***\", { file = \"two\" }, { env = \"T\" }]\nname = \"n\"",
            ),
            (
                "secrets = [\n  \"one\", # it\n  \"two\",\n]\nname = \"n\"",
                "secrets = [\n  \"***\", # it\n  \"***\",\n]\nname = \"n\"",
            ),
            (
                "private-key = \"\"\"\nab\ncd\n\"\"\"\nname = \"n\"",
                "private-key = \"\"\"\n**\n**\n\"\"\"\nname = \"n\"",
            ),
            (
                "[otlp.headers]\nx = \"hush\"\n[relay]\nx = \"y\"",
                "[otlp.headers]\nx = \"****\"\n[relay]\nx = \"y\"",
            ),
            (
                "url = \"https://me:hush@host/a?b=c\"",
                "url = \"https://*******@host/a?***\"",
            ),
            (
                "password = \"h\u{fc}sh\"\r\nx = 1",
                "password = \"*****\"\r\nx = 1",
            ),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    proptest! {
        #[test]
        fn any_text_keeps_its_length_and_its_lines(
            text in "(password|url|a)?[ =\\[\\]{},#'\"\\\\\n\r?@:/.a1é]{0,60}",
        ) {
            let masked = masked(&text);
            prop_assert_eq!(masked.len(), text.len());
            let lines = |text: &str| -> Vec<usize> {
                text.match_indices('\n').map(|(at, _)| at).collect()
            };
            prop_assert_eq!(lines(&masked), lines(&text));
        }
    }
}
