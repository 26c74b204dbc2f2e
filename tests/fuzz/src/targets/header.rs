//! Header sections and their edits.

use bytes::Bytes;
use gatepost_message::{Edit, FieldBody, FieldName, Message};

use crate::Target;

/// Messages whose header section is read and edited.
pub const TARGET: Target = Target {
    name: "header",
    rule: "an edit changes the fields that it names and no other octet",
    seeds: || {
        [
            "From: a@b.example\r\nSubject: one\r\n two\r\nX-A: 1\r\nx-a: 2\r\n\r\nbody\r\n",
            " folded\r\nReceived: x\r\n\r\n\r\n",
            "no field\r\nSubject : spaced\r\n: none\r\nX-A:\r\n",
            "X-A: only a header section",
            "\r\nonly a body",
            "",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
    },
    words: &[
        b"\r\n",
        b"\r",
        b"\n",
        b":",
        b" ",
        b"\t",
        b"X-A: ",
        b"x-a:",
        b"Subject:",
        b"\r\n\r\n",
        b"\0",
        b"\xe9",
        b"\x0c",
    ],
    suite: 10_000,
    check,
};

fn check(input: &[u8]) {
    let message = Message::from_bytes(Bytes::copy_from_slice(input));
    assert_eq!(octets(&message), input, "read and written again");
    let (Ok(name), Ok(other), Ok(body)) = (
        FieldName::new("X-A"),
        FieldName::new("X-New"),
        FieldBody::new("new"),
    ) else {
        return;
    };
    let edits = [
        Edit::Add {
            name: other.clone(),
            body: body.clone(),
        },
        Edit::Set {
            name: name.clone(),
            body,
        },
        Edit::Remove { name },
    ];
    for edit in &edits {
        let edited = message.edited(std::slice::from_ref(edit));
        assert_eq!(body_of(&edited), body_of(&message), "{edit:?}");
        let untouched = |message: &Message| -> Vec<Vec<u8>> {
            let others = message
                .fields()
                .filter(|field| !field.is(edit.name().as_str()));
            others.map(|field| field.raw().to_vec()).collect()
        };
        assert_eq!(untouched(&edited), untouched(&message), "{edit:?}");
        let wanted = match edit {
            Edit::Add { name, .. } => message.count(name.as_str()) + 1,
            Edit::Set { .. } => 1,
            Edit::Remove { .. } => 0,
        };
        assert_eq!(edited.count(edit.name().as_str()), wanted, "{edit:?}");
        // Whoever reads what was written finds the same.
        let again = Message::from_bytes(Bytes::from(octets(&edited)));
        assert_eq!(again.count(edit.name().as_str()), wanted, "{edit:?}");
        assert_eq!(body_of(&again), body_of(&message), "{edit:?}");
    }
}

fn octets(message: &Message) -> Vec<u8> {
    message
        .to_bytes()
        .map(|octets| octets.to_vec())
        .unwrap_or_default()
}

fn body_of(message: &Message) -> Vec<u8> {
    octets(message).split_off(message.head().len())
}
