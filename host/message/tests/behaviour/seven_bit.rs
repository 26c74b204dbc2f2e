//! Conversion for a server without 8BITMIME keeps the contents.

use gatepost_message::{Unconvertible, seven_bit};
use mail_parser::{Message, MessageParser, PartType};
use proptest::prelude::*;

fn converted(raw: &str) -> String {
    let out = seven_bit(raw.as_bytes()).unwrap();
    String::from_utf8(out).unwrap()
}

fn refused(raw: &str) -> Unconvertible {
    seven_bit(raw.as_bytes()).unwrap_err()
}

#[test]
fn a_plain_text_becomes_quoted_printable_and_mime() {
    assert_eq!(
        converted("Subject: s\r\n\r\nGrüße = 1 \r\n.\r\n--not a boundary\r\n"),
        "Subject: s\r\nContent-Transfer-Encoding: quoted-printable\r\nMIME-Version: 1.0\r\n\r\n\
         Gr=C3=BC=C3=9Fe =3D 1=20\r\n.\r\n=2D-not a boundary\r\n"
    );
}

#[test]
fn mostly_non_ascii_text_becomes_base64() {
    let raw = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
               Content-Transfer-Encoding: 8BIT\r\nSubject: s\r\n\r\nこんにちは\r\n";
    assert_eq!(
        converted(raw),
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: base64\r\nSubject: s\r\n\r\n44GT44KT44Gr44Gh44GvDQo=\r\n"
    );
}

#[test]
fn only_leaves_with_8_bit_octets_are_encoded_and_the_rest_is_unchanged() {
    let raw = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"b (1)\"\r\n\
        Content-Transfer-Encoding: 8bit\r\n\r\nThis is a preamble.\r\n\
        --b (1)  \r\nContent-Type: text/plain\r\n\r\nplain  \r\n--b (1)\r\n\r\nä\r\n\
        --b (1)\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nö\
        \r\n--b (1)\r\nContent-Type: image/png\r\n\r\nü-\r\n--b (1)--\r\nepilogue\r\n";
    assert_eq!(
        converted(raw),
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"b (1)\"\r\n\
        Content-Transfer-Encoding: 7bit\r\n\r\nThis is a preamble.\r\n\
        --b (1)  \r\nContent-Type: text/plain\r\n\r\nplain  \r\n--b (1)\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A4\r\n\
        --b (1)\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\
        Content-Transfer-Encoding: quoted-printable\r\nMIME-Version: 1.0\r\n\r\n=C3=B6\
        \r\n--b (1)\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n\
        w7wt\r\n--b (1)--\r\nepilogue\r\n"
    );
}

#[test]
fn signed_contents_are_not_converted() {
    for head in [
        "DKIM-Signature: v=1\r\n",
        "ARC-Seal: i=1\r\n",
        "Content-Type: multipart/signed; boundary=b\r\n",
        "Content-Type: multipart/encrypted; boundary=b\r\n",
        "Content-Type: application/pkcs7-mime\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/signed; boundary=c\r\n",
        "Content-Type: message/rfc822\r\n\r\ndkim-signature: v=1\r\n",
    ] {
        assert_eq!(
            refused(&format!("{head}\r\nä\r\n")),
            Unconvertible::Signed,
            "{head}"
        );
    }
    // A signature that covers no changed part does not matter.
    let raw = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
        Content-Type: multipart/signed; boundary=c\r\n\r\n--c--\r\n--b\r\n\r\nä\r\n--b--\r\n";
    assert!(converted(raw).contains("boundary=c\r\n\r\n--c--\r\n--b\r\n"));
}

#[test]
fn contents_of_unclear_structure_are_not_converted() {
    assert_eq!(refused("Subject: ä\r\n\r\nx"), Unconvertible::Header);
    for raw in [
        "Content-Transfer-Encoding: base64\r\n\r\nä",
        "Content-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: 8bit\r\n\r\nä",
        "Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nä",
        "Content-Type: multipart/mixed\r\n\r\nä",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\nä\r\n--b\r\n\r\nx\r\n--b--\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\nä",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\nnothing but ä",
        "Content-Type: message/global\r\n\r\nSubject: ä\r\n\r\nx",
        "Content-Type: message/partial\r\n\r\nä",
    ] {
        assert_eq!(refused(raw), Unconvertible::Structure, "{raw}");
    }
}

/// Generates a leaf, a multipart or an enclosed message, with its header section.
fn part() -> impl Strategy<Value = String> {
    let text = "([ -~]|ä|☃|=|\t|\r\n|--|\\.){0,200}";
    let kind = prop::sample::select(vec![
        "Content-Type: text/plain; charset=utf-8\r\n",
        "Content-Type: text/html\r\nContent-Transfer-Encoding: 8bit\r\n",
        "Content-Type: application/octet-stream\r\n",
        "Content-Transfer-Encoding: binary\r\nContent-Type: image/png\r\n",
    ]);
    let leaf = (kind, text).prop_map(|(kind, text)| format!("{kind}\r\n{text}"));
    leaf.prop_recursive(3, 12, 4, |inner| {
        let multipart = (prop::collection::vec(inner.clone(), 1..4), "[a-z]{8}").prop_map(
            |(parts, boundary)| {
                let parts: String = parts
                    .iter()
                    .map(|part| format!("--{boundary}\r\n{part}\r\n"))
                    .collect();
                format!(
                    "Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n\
                     preamble\r\n{parts}--{boundary}--\r\n"
                )
            },
        );
        let message = inner.prop_map(|part| {
            format!("Content-Type: message/rfc822\r\n\r\nSubject: s\r\nMIME-Version: 1.0\r\n{part}")
        });
        prop_oneof![multipart, message]
    })
}

/// Collects the decoded contents of the leaves, in order. Line ends become one octet, as the parser
/// makes them when it decodes quoted-printable.
fn leaves(message: &Message<'_>, found: &mut Vec<Vec<u8>>) {
    for part in &message.parts {
        match &part.body {
            PartType::Text(text) | PartType::Html(text) => {
                found.push(text.replace("\r\n", "\n").into_bytes());
            }
            PartType::Binary(octets) | PartType::InlineBinary(octets) => {
                found.push(octets.to_vec());
            }
            PartType::Message(inner) => leaves(inner, found),
            PartType::Multipart(_) => {}
        }
    }
}

/// Returns the leaves of a message by the parser; `None` if an assertion of its own fails, as for a
/// message in a message at the end of a multipart.
fn read_back(raw: &[u8]) -> Option<Vec<Vec<u8>>> {
    let read = || {
        let mut found = Vec::new();
        leaves(&MessageParser::new().parse(raw).unwrap(), &mut found);
        found
    };
    std::panic::catch_unwind(read).ok()
}

proptest! {
    #[test]
    fn conversion_to_ascii_and_short_lines_keeps_the_contents(part in part()) {
        let raw = format!("Subject: s\r\nMIME-Version: 1.0\r\n{part}");
        let out = seven_bit(raw.as_bytes()).unwrap();
        prop_assert!(out.is_ascii());
        let text = str::from_utf8(&out).unwrap();
        let longest = raw.lines().filter(|line| line.is_ascii()).map(str::len).max();
        let most = longest.unwrap_or(0).max(76);
        prop_assert!(text.lines().all(|line| line.len() <= most));
        if let Some(before) = read_back(raw.as_bytes()) {
            prop_assert_eq!(Some(before), read_back(&out));
        }
        // A message in ASCII is not changed.
        prop_assert_eq!(seven_bit(&out).unwrap(), out);
    }

    #[test]
    fn any_octets_are_converted_to_ascii_or_refused(raw in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(out) = seven_bit(&raw) {
            prop_assert!(out.is_ascii());
        }
    }
}
