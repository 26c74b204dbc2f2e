//! Conversion for a server that accepts no lines of more than 998 octets keeps the contents.

use gatepost_message::{LongLines, Needs, Unconvertible, convert};
use mail_parser::{Message, MessageParser, PartType};
use proptest::prelude::*;

const SHORT: Needs = Needs {
    ascii: false,
    short_lines: true,
    despite_signatures: false,
};

fn short(raw: &str) -> String {
    let out = convert(raw.as_bytes(), SHORT).unwrap();
    assert!(!LongLines::are_in(&out));
    String::from_utf8(out).unwrap()
}

fn refused(raw: &str) -> Unconvertible {
    convert(raw.as_bytes(), SHORT).unwrap_err()
}

/// Returns the decoded contents of all parts, and the unfolded Subject.
fn contents(raw: &[u8]) -> Vec<String> {
    fn collect(message: &Message<'_>, said: &mut Vec<String>) {
        for part in &message.parts {
            match &part.body {
                PartType::Text(text) | PartType::Html(text) => {
                    said.push(text.replace("\r\n", "\n"))
                }
                PartType::Binary(octets) | PartType::InlineBinary(octets) => {
                    said.push(octets.escape_ascii().to_string());
                }
                PartType::Message(inner) => collect(inner, said),
                PartType::Multipart(_) => {}
            }
        }
    }
    let message = MessageParser::new().parse(raw).unwrap();
    let mut found = Vec::new();
    collect(&message, &mut found);
    found.extend(message.subject().map(str::to_owned));
    found
}

#[test]
fn a_long_line_of_text_becomes_quoted_printable_with_the_same_contents() {
    let html = format!("<p>{}</p>", "one line and 5 = 5, ".repeat(300));
    let raw =
        format!("Subject: s\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n{html}\r\n");
    let out = short(&raw);
    assert!(
        out.contains("Content-Transfer-Encoding: quoted-printable\r\n"),
        "{out}"
    );
    assert_eq!(contents(out.as_bytes()), contents(raw.as_bytes()));
}

#[test]
fn only_the_part_with_a_long_line_is_encoded_and_8_bit_octets_stay() {
    let long = "x".repeat(2000);
    let raw = format!(
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nGrüße\r\n\
         --b\r\nContent-Type: application/x\r\n\r\n{long}\r\n--b--\r\n"
    );
    let out = short(&raw);
    assert!(out.contains("\r\n\r\nGrüße\r\n--b"));
    assert!(out.contains("Content-Transfer-Encoding: 8bit\r\n"));
    assert!(out.contains("Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n"));
    assert_eq!(contents(out.as_bytes()), contents(raw.as_bytes()));
    // If both conversions are needed, both are done.
    let both = Needs {
        ascii: true,
        ..SHORT
    };
    let out = convert(raw.as_bytes(), both).unwrap();
    assert!(out.is_ascii() && !LongLines::are_in(&out));
    assert_eq!(contents(&out), contents(raw.as_bytes()));
}

#[test]
fn encoded_contents_are_split_into_lines() {
    let base64 = "QUJD".repeat(700);
    let quoted = "=C3=BC="
        .replace("=\u{0}", "")
        .trim_end_matches('=')
        .repeat(400);
    for (encoding, body) in [("base64", base64), ("Quoted-Printable", quoted)] {
        let raw = format!(
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\nAAAA\r\n"
        );
        let out = short(&raw);
        assert_eq!(
            contents(out.as_bytes()),
            contents(raw.as_bytes()),
            "{encoding}"
        );
        assert!(out.ends_with("\r\nAAAA\r\n"));
    }
}

#[test]
fn long_fields_are_folded_where_allowed() {
    let references: String = (0..60)
        .map(|n| format!(" <{n:030}@sender.example>"))
        .collect();
    let addresses: Vec<_> = (0..100).map(|n| format!("a{n}@sender.example")).collect();
    let raw = format!(
        "References:{references}\r\nTo: {}\r\nSubject: s\r\n\r\nbody\r\n",
        addresses.join(",")
    );
    let out = short(&raw);
    let parsed = MessageParser::new().parse(out.as_bytes()).unwrap();
    assert_eq!(parsed.references().as_text_list().unwrap().len(), 60);
    assert_eq!(parsed.to().unwrap().iter().count(), 100);
    assert!(out.ends_with("\r\nSubject: s\r\n\r\nbody\r\n"));
    assert_eq!(
        out.replace("\r\n", "").replace(' ', ""),
        raw.replace("\r\n", "").replace(' ', "")
    );
    // A long word cannot be folded, and nothing may be inserted into text.
    let word = "x".repeat(1500);
    assert_eq!(
        refused(&format!("Subject: {word}\r\n\r\n")),
        Unconvertible::Header
    );
    assert_eq!(
        refused(&format!("Subject: {}\r\n\r\n", "a,".repeat(700))),
        Unconvertible::Header
    );
    assert_eq!(
        refused(&format!("To: \"{}\"\r\n\r\n", "a,".repeat(700))),
        Unconvertible::Header
    );
}

#[test]
fn signed_contents_are_converted_only_despite_signatures() {
    let long = "x".repeat(2000);
    let raw = format!("DKIM-Signature: v=1\r\nSubject: s\r\n\r\n{long}\r\n");
    assert_eq!(refused(&raw), Unconvertible::Signed);
    let despite = Needs {
        despite_signatures: true,
        ..SHORT
    };
    let out = convert(raw.as_bytes(), despite).unwrap();
    assert!(!LongLines::are_in(&out));
    assert_eq!(contents(&out), contents(raw.as_bytes()));
    // A message without a long line is not changed.
    let raw = "DKIM-Signature: v=1\r\n\r\nshort\r\n";
    assert_eq!(short(raw), raw);
}

#[test]
fn contents_that_cannot_be_converted_are_refused() {
    let long = "x".repeat(2000);
    for raw in [
        format!("Content-Type: message/delivery-status\r\n\r\nX: {long}\r\n"),
        format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n{long}\r\n--b\r\n\r\na\r\n--b--\r\n"
        ),
        format!("Content-Type: multipart/mixed\r\n\r\n{long}\r\n"),
        format!("Content-Transfer-Encoding: x-uuencode\r\n\r\n{long}\r\n"),
    ] {
        assert_eq!(refused(&raw), Unconvertible::Structure, "{}", &raw[..60]);
    }
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,30}",
        ("[ -~]{1,20}", 50..200usize).prop_map(|(text, count)| text.repeat(count)),
        (Just("ü."), 400..900usize).prop_map(|(text, count)| text.repeat(count)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn converted_messages_have_short_lines_and_the_same_contents(
        lines in prop::collection::vec(line(), 0..6),
        kind in prop::sample::select(&["text/plain; charset=utf-8", "text/html; charset=utf-8", "application/x"][..]),
        ascii in any::<bool>(),
    ) {
        let body = lines.join("\r\n");
        prop_assume!(!body.contains("--b"));
        let raw = format!(
            "MIME-Version: 1.0\r\nSubject: {}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
             --b\r\nContent-Type: {kind}\r\n\r\n{body}\r\n--b--\r\n",
            "word ".repeat(lines.len() * 60).trim_end()
        );
        let needs = Needs { ascii, ..SHORT };
        let out = convert(raw.as_bytes(), needs).unwrap();
        prop_assert!(!LongLines::are_in(&out));
        prop_assert!(!ascii || out.is_ascii());
        prop_assert_eq!(contents(&out), contents(raw.as_bytes()));
        prop_assert_eq!(convert(&out, needs).unwrap(), out);
    }

    #[test]
    fn any_octets_are_converted_or_refused(octets in prop::collection::vec(prop_oneof![
        Just(b"\r\n".to_vec()), Just(b"--b".to_vec()), Just(b"Content-Type: multipart/mixed; boundary=b".to_vec()),
        Just(b"Content-Transfer-Encoding: base64".to_vec()), Just(b"To: a,\"b".to_vec()),
        Just(b"x".repeat(1200)), Just(b" y".repeat(700)), Just(b"=".repeat(1100)),
    ], 0..20)) {
        let raw = octets.concat();
        if let Ok(out) = convert(&raw, SHORT) {
            prop_assert!(!LongLines::are_in(&out));
        }
    }
}
