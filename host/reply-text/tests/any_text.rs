//! Properties that hold for any text and any HTML.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use gatepost_reply_text::{READ_LIMIT, reply, reply_of_html, text_of_html};
use proptest::prelude::*;
use rustix::time::{ClockId, clock_gettime};

/// Lines that rules look for, and others.
fn text() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "",
        " ",
        "> quoted",
        ">",
        "On Mon, Feb 3, 2025 at 10:15 AM Ann <a@b.example> wrote:",
        "wrote:",
        "-- ",
        "--",
        "Sent from my iPhone",
        "________________",
        "From: Ann",
        "Sent: Monday 10:15",
        "To: Bob",
        "Subject: x",
        "-----Original Message-----",
        "Begin forwarded message:",
        "Disclaimer: nothing",
        "\u{200b}",
        "Von: Ann",
        "İ: ʼ:",
        "answer",
    ]);
    let line = prop_oneof![4 => known.prop_map(str::to_owned), 1 => "\\PC{0,40}"];
    prop::collection::vec(line, 0..30).prop_map(|lines| lines.join("\n"))
}

/// Pieces of HTML, whole and broken.
fn html() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "<p>",
        "</p>",
        "<div>",
        "</div>",
        "<blockquote>",
        "</blockquote>",
        "<div class=gmail_signature>",
        "<div id='divRplyFwdMsg'>",
        "<table>",
        "<tr><td>",
        "</table>",
        "<a href=\"x>y\">",
        "<",
        "<!--",
        "-->",
        "<br>",
        "<ul><li>",
        "text",
        "&nbsp;",
        "&#x0;",
        "<b",
        "</",
        "<style>",
        "<div style='display:none'>",
        "<select>",
        "<svg>",
        "<head>",
        "<title>",
        "<pre>",
        "\0",
        "é",
    ]);
    let piece = prop_oneof![6 => known.prop_map(str::to_owned), 1 => "\\PC{0,10}"];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|sign| {
        sign.is_whitespace() || "\u{200b}\u{feff}\u{200e}\u{200f}\u{2060}\u{ad}".contains(sign)
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: proptest::test_runner::RngSeed::Fixed(7),
        failure_persistence: None,
        ..ProptestConfig::with_cases(2_000)
    })]

    #[test]
    fn a_reply_consists_of_lines_of_the_text(text in text()) {
        let found = reply(&text);
        for line in found.lines() {
            prop_assert!(line.is_empty() || text.lines().any(|one| one.trim_end().starts_with(line)), "{line:?}");
        }
        prop_assert!(found.len() <= 2 * text.len());
    }

    #[test]
    fn where_something_is_written_something_is_returned(text in "[\\PC\n]{0,200}") {
        prop_assert!(is_blank(&text) || !reply(&text).is_empty(), "{text:?}");
    }

    #[test]
    fn known_lines_leave_something(text in text()) {
        prop_assert!(is_blank(&text) || !reply(&text).is_empty(), "{text:?}");
    }

    #[test]
    fn a_text_that_html_has_gives_a_reply(html in html()) {
        prop_assert!(is_blank(&text_of_html(&html)) || !reply_of_html(&html).is_empty(), "{html:?}");
    }
}

/// Repeats a piece up to the limit of what is read.
fn filled(piece: &str) -> String {
    piece.repeat(READ_LIMIT / piece.len())
}

/// Time of the processor that this thread has taken: other processes do not count.
fn processor() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap(),
    )
}

/// Forms that are slow for readers whose time grows faster than the text.
#[test]
fn the_longest_texts_take_seconds_at_most() {
    for piece in [
        "a:\n",
        "1 @:\n",
        "From: x\n",
        "x: ",
        "On 1:11 wrote:\n",
        "> \n",
        "-- \n",
        "--\n\n",
        "\n",
        "1:11 @ ",
        "Disclaimer\n\n",
        "wrote wrote wrote wrote:\n1:11 wrote\n",
    ] {
        let text = filled(piece);
        let began = processor();
        reply(&text);
        let time = processor() - began;
        assert!(time < Duration::from_secs(10), "{piece:?}: {time:?}");
    }
}

#[test]
fn hostile_html_takes_seconds_at_most() {
    for piece in [
        "<div>",
        "<p>",
        "<blockquote>a<br>",
        "<ul><li>",
        "<table><tr><td>",
        "<b id=1>",
        "<hr>",
        "<",
        "<!--",
        "&",
        "<div></x>",
        "<div><object></div>",
        "<a a b c d e f ",
        "<p><b><i><p>x",
        "<font><p>",
        "<select><option>",
        "x<br>",
        "<pre>",
        "<div style=\"display:none\">",
        "</div>",
        "<o:p>",
        "a ",
        "aaaa",
        "<td>",
        "<h1>",
        "\t",
        "é",
        "<ol start=9999999><li>x",
    ] {
        let began = processor();
        let html = filled(piece);
        assert!(text_of_html(&html).len() <= 40 * READ_LIMIT, "{piece:?}");
        reply_of_html(&html);
        let time = processor() - began;
        assert!(time < Duration::from_secs(20), "{piece:?}: {time:?}");
    }
}

#[test]
fn more_than_the_limit_is_not_read() {
    let text = format!("{}\nlast", "é\n".repeat(READ_LIMIT));
    assert!(!reply(&text).contains("last"));
    assert!(!text_of_html(&text).contains("last"));
}
