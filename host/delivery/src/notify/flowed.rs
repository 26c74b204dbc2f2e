//! Text for people as text/plain; format=flowed (RFC 3676): a line that ends with a space continues
//! on the next, so that each mail reader breaks paragraphs to fit its window.

use textwrap::{Options, WordSplitter};

/// Columns of a line; a longer word has a line of its own.
const WIDTH: usize = 72;

/// Formats text: each line becomes a paragraph, or a quotation if it begins with `>`. Repeated
/// empty lines become one, and those at the ends are removed.
pub(super) fn flowed(text: &str) -> String {
    let mut out = String::new();
    let mut gap = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            gap = !out.is_empty();
            continue;
        }
        if std::mem::take(&mut gap) {
            out.push_str("\r\n");
        }
        match line.strip_prefix('>') {
            Some(quoted) => paragraph(&mut out, "> ", quoted.trim()),
            None => paragraph(&mut out, "", line),
        }
    }
    out
}

fn paragraph(out: &mut String, quote: &str, text: &str) {
    let options = Options::new(WIDTH - quote.len())
        .break_words(false)
        .word_splitter(WordSplitter::NoHyphenation);
    let lines = textwrap::wrap(text, options);
    for (at, line) in lines.iter().enumerate() {
        out.push_str(quote);
        // RFC 3676 section 4.4: lines that could be taken for a quotation, or mangled on the way,
        // are stuffed.
        if quote.is_empty() && (line.starts_with('>') || line.starts_with("From ")) {
            out.push(' ');
        }
        out.push_str(line);
        out.push_str(if at + 1 < lines.len() {
            " \r\n"
        } else {
            "\r\n"
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_becomes_a_flowed_paragraph() {
        let words = "word ".repeat(20);
        let flowed = flowed(&format!("\n\n{words}\n\n\n\nFrom here\n  > {words}\n\n"));
        let expected = [
            "word word word word word word word word word word word word word word ",
            "word word word word word word",
            "",
            " From here",
            "> word word word word word word word word word word word word word word ",
            "> word word word word word word",
            "",
        ];
        assert_eq!(flowed, expected.join("\r\n"));
    }

    #[test]
    fn long_words_are_not_broken() {
        let long = "x-".repeat(200);
        assert_eq!(flowed(&long), format!("{long}\r\n"));
    }
}
