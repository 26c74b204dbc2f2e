//! Edits change the named fields and nothing else, and cannot inject anything.

use std::time::{Duration, Instant};

use bytes::Bytes;
use gatepost_message::{Edit, FieldBody, FieldError, FieldName, Message};
use proptest::prelude::*;

fn add(name: &str, body: &str) -> Edit {
    Edit::Add {
        name: FieldName::new(name).unwrap(),
        body: FieldBody::new(body).unwrap(),
    }
}

fn remove(name: &str) -> Edit {
    Edit::Remove {
        name: FieldName::new(name).unwrap(),
    }
}

fn set(name: &str, body: &str) -> Edit {
    Edit::Set {
        name: FieldName::new(name).unwrap(),
        body: FieldBody::new(body).unwrap(),
    }
}

/// Returns the message after the edits, as text.
fn edited(raw: &'static str, edits: &[Edit]) -> String {
    let message = Message::from_bytes(Bytes::from_static(raw.as_bytes())).edited(edits);
    String::from_utf8(message.to_bytes().unwrap().into()).unwrap()
}

const MAIL: &str = "A: 1\r\nb : 2\r\n folded\r\nC: 3\nB: 4\r\n\r\nB: body\r\n";

#[test]
fn a_field_is_added_on_top() {
    assert_eq!(
        edited(MAIL, &[add("X", "1"), add("Y", "2\r\n folded")]),
        format!("Y: 2\r\n folded\r\nX: 1\r\n{MAIL}")
    );
}

#[test]
fn every_field_of_a_name_is_removed() {
    assert_eq!(
        edited(MAIL, &[remove("B")]),
        "A: 1\r\nC: 3\n\r\nB: body\r\n"
    );
    assert_eq!(edited(MAIL, &[remove("X")]), MAIL);
}

#[test]
fn the_first_of_a_name_is_set_in_its_place() {
    assert_eq!(
        edited(MAIL, &[set("B", "new")]),
        "A: 1\r\nB: new\r\nC: 3\n\r\nB: body\r\n"
    );
    assert_eq!(
        edited(MAIL, &[set("X", "new")]),
        format!("X: new\r\n{MAIL}")
    );
    assert_eq!(
        edited(MAIL, &[add("B", "top"), add("X", "0"), set("b", "new")]),
        "X: 0\r\nb: new\r\nA: 1\r\nC: 3\n\r\nB: body\r\n"
    );
    assert_eq!(
        edited(MAIL, &[remove("B"), set("B", "new")]),
        "B: new\r\nA: 1\r\nC: 3\n\r\nB: body\r\n"
    );
}

#[test]
fn a_body_does_not_become_header() {
    assert_eq!(edited("junk", &[add("X", "1")]), "X: 1\r\n\r\njunk");
    assert_eq!(edited("\r\nB: 1", &[add("X", "1")]), "X: 1\r\n\r\nB: 1");
    assert_eq!(
        edited("A: 1\r\njunk", &[add("X", "1")]),
        "X: 1\r\nA: 1\r\njunk"
    );
    assert_eq!(edited("A: 1", &[add("X", "1")]), "X: 1\r\nA: 1");
    assert_eq!(edited("A: 1", &[set("A", "2")]), "A: 2\r\n");
    assert_eq!(edited("", &[add("X", "1")]), "X: 1\r\n");
    assert_eq!(edited("junk", &[add("X", "1"), remove("X")]), "junk");
}

#[test]
fn no_line_of_a_sender_continues_our_field() {
    assert_eq!(
        edited(" x\r\nA: 1\r\n\r\n", &[add("X", "1")]),
        " x\r\nX: 1\r\nA: 1\r\n\r\n"
    );
    assert_eq!(
        edited(" A: 1\r\n\r\n", &[set("A", "1")]),
        " A: 1\r\nA: 1\r\n\r\n"
    );
    assert_eq!(edited(" x", &[add("X", "1")]), " x\r\nX: 1\r\n");
    assert_eq!(edited(" x", &[remove("X")]), " x");
}

#[test]
fn malformed_names_and_bodies_are_refused() {
    use FieldError::*;
    for (name, error) in [
        ("", NameLength(0)),
        ("a b", NameCharacter(' ')),
        ("a:", NameCharacter(':')),
        ("a\r\nb", NameCharacter('\r')),
        ("é", NameCharacter('é')),
    ] {
        assert_eq!(FieldName::new(name), Err(error));
    }
    assert!(FieldName::new(&"n".repeat(76)).is_ok());
    assert_eq!(FieldName::new(&"n".repeat(77)), Err(NameLength(77)));
    assert_eq!(
        FieldName::new("dkim-SIGNATURE"),
        FieldName::new("DKIM-Signature")
    );

    for body in ["", "plain", "\tone\r\n two\r\n\tthree", "\r\n one", "Grüße"] {
        assert_eq!(FieldBody::new(body).unwrap().as_str(), body);
    }
    for (body, error) in [
        ("a\r\nB: c", BodyFold),
        ("a\r\n\r\nbody", BodyFold),
        ("a\r\n", BodyFold),
        ("a\r\n \r\n b", BodyBlankLine),
        ("a\r\n \t", BodyBlankLine),
        ("a\nB: c", BodyControl('\n')),
        ("a\rB: c", BodyControl('\r')),
        ("a\r\r\n b", BodyControl('\r')),
        ("a\n b", BodyControl('\n')),
        ("a\0b", BodyControl('\0')),
        ("a\u{2028}b", BodyControl('\u{2028}')),
        ("a\u{85}b", BodyControl('\u{85}')),
    ] {
        assert_eq!(FieldBody::new(body), Err(error), "{body:?}");
    }

    let first = "x".repeat(920);
    assert!(FieldBody::new(&format!("{first}\r\n {}", "x".repeat(997))).is_ok());
    assert_eq!(
        FieldBody::new(&format!("{first}x")),
        Err(BodyLine(921, 920))
    );
    assert_eq!(
        FieldBody::new(&format!("a\r\n {}", "x".repeat(998))),
        Err(BodyLine(999, 998))
    );
    let longest = format!("abc{}", "\r\n x".repeat((FieldBody::MAX_LENGTH - 3) / 4));
    assert!(FieldBody::new(&longest).is_ok());
    assert_eq!(
        FieldBody::new(&format!("{longest}xx")),
        Err(BodyLength(FieldBody::MAX_LENGTH + 1))
    );
}

#[test]
fn edits_are_read_and_written_as_json() {
    let edits = vec![add("A", "1"), remove("B"), set("C", "3")];
    let json = serde_json::to_string(&edits).unwrap();
    assert_eq!(
        json,
        r#"[{"add":{"name":"A","body":"1"}},{"remove":{"name":"B"}},{"set":{"name":"C","body":"3"}}]"#
    );
    assert_eq!(serde_json::from_str::<Vec<Edit>>(&json).unwrap(), edits);
    assert!(serde_json::from_str::<Edit>(r#"{"add":{"name":"A","body":"1\r\nB: 2"}}"#).is_err());
}

#[test]
fn many_edits_on_many_fields_take_linear_time() {
    let began = Instant::now();
    let raw: String = (0..100_000).map(|n| format!("N{n}: {n}\r\n")).collect();
    let message = Message::from_bytes(Bytes::from(raw + "\r\nbody"));
    let edits: Vec<_> = (0..100_000)
        .map(|n| set(&format!("n{}", n + 50_000), "new"))
        .collect();
    let edited = message.edited(&edits);
    assert_eq!(edited.fields().len(), 150_000);
    assert_eq!(edited.header("N149999").unwrap(), "new");
    assert_eq!(edited.header("N49999").unwrap(), "49999");
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
}

/// Generates few names, so that edits and fields share them.
fn name() -> impl Strategy<Value = String> {
    "[AaBbX]"
}

fn body() -> impl Strategy<Value = FieldBody> {
    "[a: ]{0,3}(\r\n [a:]{1,3}){0,2}".prop_map(|text| FieldBody::new(&text).unwrap())
}

fn edit() -> impl Strategy<Value = Edit> {
    let field = || {
        (
            name().prop_map(|name| FieldName::new(&name).unwrap()),
            body(),
        )
    };
    prop_oneof![
        field().prop_map(|(name, body)| Edit::Add { name, body }),
        field().prop_map(|(name, _)| Edit::Remove { name }),
        field().prop_map(|(name, body)| Edit::Set { name, body }),
    ]
}

/// Generates messages whose header section is well formed, odd, cut short or absent.
fn mail() -> impl Strategy<Value = String> {
    (
        "( a:?\r?\n){0,2}",
        proptest::collection::vec("[AaBbCc] ?:[a: ]{0,3}(\r?\n[ \t][a ]{0,3}){0,2}\r?\n", 0..6),
        prop_oneof![
            Just(String::new()),
            Just("C: cut short".to_owned()),
            "\r?\n(A: 1\r\n| ?junk|)",
            "junk(\r\nA: 1\r\n|)",
        ],
    )
        .prop_map(|(preamble, fields, end)| preamble + &fields.concat() + &end)
}

/// Applies the edits one by one to a list of fields: a slow and simple model.
fn one_by_one(message: &Message, edits: &[Edit]) -> Vec<u8> {
    let mut fields: Vec<(String, Vec<u8>)> = message
        .fields()
        .map(|field| (field.name().to_lowercase(), field.raw().to_vec()))
        .collect();
    let whole = message.to_bytes().unwrap();
    let preamble: usize = whole[..message.head().len()]
        .split_inclusive(|octet| *octet == b'\n')
        .take_while(|line| line.starts_with(b" "))
        .map(<[u8]>::len)
        .sum();
    let end = preamble + fields.iter().map(|(_, raw)| raw.len()).sum::<usize>();
    let bare = message.head().is_empty() && message.size() > 0;
    for edit in edits {
        let name = edit.name().as_str().to_lowercase();
        let first = fields.iter().position(|(other, _)| *other == name);
        let new = |body: &FieldBody| {
            let raw = format!("{}: {body}\r\n", edit.name());
            (name.clone(), raw.into_bytes())
        };
        match edit {
            Edit::Add { body, .. } => fields.insert(0, new(body)),
            Edit::Remove { .. } => fields.retain(|(other, _)| *other != name),
            Edit::Set { body, .. } => {
                fields.retain(|(other, _)| *other != name);
                fields.insert(first.unwrap_or(0), new(body));
            }
        }
    }
    let mut raw = whole[..preamble].to_vec();
    raw.extend(fields.iter().flat_map(|(_, raw)| raw.clone()));
    if bare && !raw.is_empty() {
        raw.extend_from_slice(b"\r\n");
    }
    raw.extend_from_slice(&whole[end..]);
    raw
}

proptest! {
    #[test]
    fn edits_have_the_same_result_as_one_by_one(
        raw in mail(),
        edits in proptest::collection::vec(edit(), 0..8),
    ) {
        let message = Message::from_bytes(raw.into());
        let edited = message.edited(&edits);
        let octets = edited.to_bytes().unwrap();
        prop_assert_eq!(octets.escape_ascii().to_string(), one_by_one(&message, &edits).escape_ascii().to_string());
        // The octets written read back as the same two parts.
        let again = Message::from_bytes(octets);
        prop_assert_eq!(again.head(), edited.head());
        prop_assert_eq!(again.body().len(), message.body().len());
    }

    #[test]
    fn any_octets_can_be_edited(raw: Vec<u8>, edits in proptest::collection::vec(edit(), 0..8)) {
        let message = Message::from_bytes(raw.into());
        let octets = message.edited(&edits).to_bytes().unwrap();
        let body = message.body().len() as usize;
        prop_assert!(octets.ends_with(&message.to_bytes().unwrap()[message.head().len()..]));
        prop_assert!(octets.len() >= body);
    }

    #[test]
    fn adding_and_removing_a_field_restores_the_message(raw in mail(), body in body()) {
        let message = Message::from_bytes(raw.into());
        prop_assume!(!message.head().is_empty() || message.size() == 0);
        let name = FieldName::new("New").unwrap();
        let there = message.edited(&[Edit::Add { name: name.clone(), body }]);
        prop_assert_eq!(there.count("new"), 1);
        let back = there.edited(&[Edit::Remove { name }]);
        prop_assert_eq!(back.to_bytes().unwrap(), message.to_bytes().unwrap());
    }

    #[test]
    fn no_body_injects_anything(
        text in prop_oneof!["[\r\n\t :a\0\u{85}\u{2028}é]{0,12}", any::<String>()],
        name in "[!-9;-~]{1,76}",
        place in any::<bool>(),
    ) {
        let Ok(body) = FieldBody::new(&text) else { return Ok(()) };
        let name = FieldName::new(&name).unwrap();
        prop_assume!(name != FieldName::new("From").unwrap());
        let edit = match place {
            true => Edit::Add { name: name.clone(), body },
            false => Edit::Set { name: name.clone(), body },
        };
        let message = Message::from_bytes(Bytes::from_static(b"From: a@b\r\n\r\nbody"));
        let octets = message.edited(&[edit]).to_bytes().unwrap();
        // Lines as the strictest and the most tolerant reader see them.
        for line in octets.split(|octet| matches!(octet, b'\r' | b'\n')) {
            prop_assert!(line.len() <= 998);
        }
        let again = Message::from_bytes(octets);
        prop_assert_eq!(again.fields().len(), 2);
        prop_assert_eq!(again.count(name.as_str()), 1);
        let unfolded = text.replace("\r\n", "");
        prop_assert_eq!(again.header(name.as_str()).unwrap(), unfolded.trim_ascii());
        prop_assert_eq!(again.body().len(), 4);
    }
}
