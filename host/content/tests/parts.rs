//! A message with parts of every kind.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use gatepost_content::{Attachment, AttachmentDisposition, MessageContent, NamedAddress};
use gatepost_message::Message;

const MESSAGE: &str = "From: =?utf-8?q?Ann_M=C3=BCller?= <ann@sender.example>\r\n\
To: help@desk.example, \"Desk, The\" <desk@desk.example>\r\n\
Cc: bob@sender.example\r\n\
Reply-To: <answers@sender.example>\r\n\
Subject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n  again\r\n\
Date: Mon, 3 Feb 2025 10:15:00 +0100\r\n\
Message-ID: <3@sender.example>\r\n\
In-Reply-To: <2@desk.example>\r\n\
References: <1@sender.example>\r\n <2@desk.example>\r\n\
MIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=outer\r\n\
\r\n\
--outer\r\n\
Content-Type: multipart/related; boundary=inner\r\n\
\r\n\
--inner\r\n\
Content-Type: multipart/alternative; boundary=both\r\n\
\r\n\
--both\r\n\
Content-Type: text/plain; charset=iso-8859-1\r\n\
Content-Transfer-Encoding: quoted-printable\r\n\
\r\n\
It works.=20\r\nGr=FC=DFe\r\n\r\nOn 3 Feb 2025, at 09:00, Desk <help@desk.example> wrote:\r\n> Does it?\r\n\
--both\r\n\
Content-Type: text/html; charset=utf-8\r\n\
\r\n\
<p>It works. <img src=\"cid:logo@sender.example\"></p>\r\n\
--both--\r\n\
--inner\r\n\
Content-Type: image/png; name=\"../logo.png\"\r\n\
Content-ID: <logo@sender.example>\r\n\
Content-Disposition: inline\r\n\
Content-Transfer-Encoding: base64\r\n\
\r\n\
iVBORw0KGgo=\r\n\
--inner--\r\n\
--outer\r\n\
Content-Type: text/csv; charset=utf-8\r\n\
Content-Disposition: attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.csv\r\n\
Content-Transfer-Encoding: quoted-printable\r\n\
\r\n\
a;b=3D1\r\n\
--outer\r\n\
Content-Type: message/rfc822\r\n\
\r\n\
Subject: inside\r\n\
\r\n\
text inside\r\n\
--outer--\r\n";

fn content(octets: &Bytes) -> (Message, MessageContent) {
    let message = Message::from_bytes(octets.clone());
    let content = MessageContent::of(&message, octets);
    (message, content)
}

fn octets(attachment: &Attachment, message: &Message) -> Vec<u8> {
    let pieces: Vec<_> = attachment
        .pieces(message)
        .collect::<Result<_, _>>()
        .unwrap();
    pieces.concat()
}

fn named(name: &str, address: &str) -> NamedAddress {
    let name = (!name.is_empty()).then(|| name.to_owned());
    NamedAddress {
        name,
        address: address.to_owned(),
    }
}

#[test]
fn texts_and_addresses_are_decoded() {
    let (_, content) = content(&Bytes::from_static(MESSAGE.as_bytes()));
    assert_eq!(content.subject.as_deref(), Some("Grüße again"));
    assert_eq!(content.date.as_deref(), Some("2025-02-03T10:15:00+01:00"));
    assert_eq!(content.from, [named("Ann Müller", "ann@sender.example")]);
    let to = [
        named("", "help@desk.example"),
        named("Desk, The", "desk@desk.example"),
    ];
    assert_eq!(content.to, to);
    assert_eq!(content.cc, [named("", "bob@sender.example")]);
    assert_eq!(content.reply_to, [named("", "answers@sender.example")]);
    assert_eq!(content.in_reply_to, ["<2@desk.example>"]);
    assert_eq!(
        content.references,
        ["<1@sender.example>", "<2@desk.example>"]
    );
    assert!(content.text.unwrap().starts_with("It works. \r\nGrüße\r\n"));
    assert!(content.html.unwrap().contains("cid:logo@sender.example"));
    assert_eq!(content.reply.as_deref(), Some("It works.\nGrüße"));
    assert!(content.is_complete);
}

#[test]
fn attachments_are_described_and_decoded() {
    let (message, content) = content(&Bytes::from_static(MESSAGE.as_bytes()));
    let found: Vec<_> = (content.attachments.iter())
        .map(|one| {
            (
                one.name.as_str(),
                one.media_type.as_str(),
                one.disposition,
                octets(one, &message),
            )
        })
        .collect();
    let (beside, within) = (
        AttachmentDisposition::Attachment,
        AttachmentDisposition::Inline,
    );
    let due = [
        (
            "logo.png",
            "image/png",
            within,
            b"\x89PNG\r\n\x1a\n".to_vec(),
        ),
        ("Größe.csv", "text/csv", beside, b"a;b=1".to_vec()),
        (
            "attachment-3.eml",
            "message/rfc822",
            beside,
            b"Subject: inside\r\n\r\ntext inside".to_vec(),
        ),
    ];
    assert_eq!(found, due);
    assert_eq!(
        content.attachments[0].content_id.as_deref(),
        Some("logo@sender.example")
    );
    for one in &content.attachments {
        assert_eq!(one.size, octets(one, &message).len() as u64);
    }
    // sha256sum of the eight octets of a PNG's signature.
    let digest = "4c4b6a3be1314ab86138bef4314dde022e600960d8689a2c8f8631802d20dab6";
    assert_eq!(content.attachments[0].sha256, digest);
}

/// HTML alone gives text, too.
#[test]
fn html_alone_gives_text() {
    let octets = Bytes::from_static(
        b"Content-Type: text/html\r\n\r\n<p>Yes.</p><blockquote>Really?</blockquote>\r\n",
    );
    let (_, content) = content(&octets);
    assert_eq!(content.text.as_deref(), Some("Yes.\n\n> Really?"));
    assert_eq!(content.reply.as_deref(), Some("Yes."));
}
