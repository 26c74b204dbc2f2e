//! Text for people as text/plain; format=flowed (RFC 3676): a line that ends with a space goes on
//! in the next, so that each mail reader breaks paragraphs as its window wants.

use textwrap::{Options, WordSplitter};

/// Columns of a line; a longer word stands alone.
const WIDTH: usize = 72;

/// Each line of `text` becomes a paragraph, or a quotation where it begins with `>`. Empty lines
/// that follow each other become one, and those at the ends go.
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
        // Section 4.4: what could be taken for a quotation, or mangled on the way, is stuffed.
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
    fn a_line_is_a_paragraph_and_flows() {
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
    fn words_are_never_broken() {
        let long = "x-".repeat(200);
        assert_eq!(flowed(&long), format!("{long}\r\n"));
    }
}
