//! Nothing personal survives, equal stays equal, and the form stays.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_message::Message;
use mail_parser::MessageParser;
use proptest::prelude::*;

use super::StandIns;

/// A word that no stand-in and no word of the protocols has in it.
fn word() -> impl Strategy<Value = String> {
    "[qzwjkv]{5,9}"
}

/// Words of one message, each in a place of its own.
fn words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::btree_set(word(), 14).prop_map(|words| words.into_iter().collect())
}

/// A message that has each of the words in several places.
fn message(words: &[String]) -> String {
    let [
        name,
        other,
        local,
        tag,
        host,
        domain,
        their,
        id,
        subject,
        text,
        html,
        file,
        boundary,
        selector,
    ] = words
    else {
        panic!("{words:?}");
    };
    let encoded = STANDARD.encode(format!("{text} {name} é {local}@{domain}.com"));
    let in_word = STANDARD.encode(other);
    format!(
        "Return-Path: <{local}+{tag}@{domain}.com>\r\n\
         Received: from {host}.{domain}.com ({host}.{domain}.com [198.18.7.9])\r\n\
         \tby mx.{their}.co.uk with ESMTPS id {id}123\r\n\
         \tfor <{other}@{their}.co.uk>; Mon, 30 Nov 2026 10:20:30 +0000\r\n\
         DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d={domain}.com;\r\n\
         \ts={selector}; h=From:To:Subject; bh={id}{text}=; b={text}{id}\r\n\
         \t{subject}==\r\n\
         From: {name} {other} <{local}@{domain}.com>\r\n\
         To: \"{other}, {name}\" <{other}@{their}.co.uk>, =?utf-8?B?{in_word}?= <{name}@{domain}.com>,\r\n\
         \t{text}@{their}.co.uk ({name})\r\n\
         Cc: undisclosed-recipients:;\r\n\
         Subject: Re: {subject} {name}\r\n\
         Thread-Topic: =?utf-8?Q?{subject}_{text}?=\r\n\
         Message-ID: <{id}.{local}@{host}.{domain}.com>\r\n\
         In-Reply-To: <{id}.{local}@{host}.{domain}.com>\r\n\
         Auto-Submitted: auto-replied\r\n\
         X-Auto-Response-Suppress: All\r\n\
         List-Id: {name} <{text}.{domain}.com>\r\n\
         X-Note: {name} of {host}.{domain}.com, http://{domain}.com/{file}?{tag}=1\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\
         \r\n\
         {text}\r\n\
         --{boundary}\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: base64\r\n\
         \r\n\
         {encoded}\r\n\
         --{boundary}\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\
         \r\n\
         {text}=C3=A9 {na}=\r\n{me} =3D\r\n\
         --{boundary}\r\n\
         Content-Type: text/html\r\n\
         \r\n\
         <p class=\"{html}\">{name} &nbsp;&amp; <a href=\"http://{domain}.com/{html}\">{html}</a></p>\r\n\
         --{boundary}\r\n\
         Content-Type: message/delivery-status\r\n\
         \r\n\
         Reporting-MTA: dns; {host}.{domain}.com\r\n\
         \r\n\
         Final-Recipient: rfc822; {local}@{domain}.com\r\n\
         Status: 5.1.1\r\n\
         --{boundary}\r\n\
         Content-Type: message/rfc822\r\n\
         \r\n\
         From: {local}@{domain}.com\r\n\
         Subject: {subject}\r\n\
         \r\n\
         {text}\r\n\
         --{boundary}\r\n\
         Content-Type: application/pdf; name=\"{file}.pdf\"\r\n\
         Content-Disposition: attachment; filename*=utf-8''{file}.pdf\r\n\
         Content-Transfer-Encoding: base64\r\n\
         \r\n\
         {encoded}\r\n\
         --{boundary}--\r\n\
         {text}\r\n",
        na = &name[..2],
        me = &name[2..],
    )
}

fn replaced(message: &str) -> (StandIns, String) {
    let mut stand_ins = StandIns::default();
    stand_ins.learn(message.as_bytes());
    let octets = stand_ins.message(message.as_bytes());
    (stand_ins, String::from_utf8(octets).unwrap())
}

fn parts(message: &str) -> usize {
    MessageParser::default()
        .parse(message)
        .map_or(0, |message| message.parts.len())
}

/// Returns all texts of a message, decoded.
fn decoded(message: &str) -> String {
    let parsed = MessageParser::default().parse(message).unwrap();
    let parts = parsed.parts.iter();
    parts
        .filter_map(|part| part.text_contents().map(str::to_owned))
        .collect::<Vec<_>>()
        .join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_word_of_the_message_survives(words in words()) {
        let original = message(&words);
        let (_, after) = replaced(&original);
        let decoded = decoded(&after).to_lowercase();
        let lower = after.to_lowercase();
        for word in &words {
            prop_assert!(!lower.contains(word.as_str()), "{} in {}", word, after);
            prop_assert!(!decoded.contains(word.as_str()), "{} in {}", word, decoded);
        }
        prop_assert!(!after.contains("198.18.7.9"), "{}", after);
    }

    #[test]
    fn fields_and_parts_stay(words in words()) {
        let original = message(&words);
        let (_, after) = replaced(&original);
        let names = |message: &str| {
            let message = Message::from_bytes(message.to_owned().into());
            message.fields().map(|field| field.name().into_owned()).collect::<Vec<_>>()
        };
        prop_assert_eq!(names(&after), names(&original));
        prop_assert_eq!(parts(&after), parts(&original));
        prop_assert!(parts(&after) > 6);
        for kept in [
            "Auto-Submitted: auto-replied\r\n",
            "X-Auto-Response-Suppress: All\r\n",
            "Subject: Re: ",
            "Cc: undisclosed-recipients:;\r\n",
            "; Mon, 30 Nov 2026 10:20:30 +0000\r\n",
            "h=From:To:Subject;",
            ".pdf\r\n",
            "Status: 5.1.1\r\n",
            "<p ",
            "&nbsp;&amp; <a ",
        ] {
            prop_assert!(after.contains(kept), "{} in {}", kept, after);
        }
    }

    #[test]
    fn the_same_has_the_same_stand_in_everywhere(words in words()) {
        let (mut stand_ins, after) = replaced(&message(&words));
        let (local, domain) = (&words[2], &words[5]);
        let address = stand_ins.address(&format!("{local}@{domain}.com"));
        let at_end = format!(" {address}\r\n");
        prop_assert_eq!(after.matches(&at_end).count(), 2, "{} {}", address, after);
        let in_brackets = format!("<{address}>");
        prop_assert!(after.contains(&in_brackets), "{}", after);
        let upper = format!("{}@{}.COM", local.to_uppercase(), domain.to_uppercase());
        prop_assert_eq!(stand_ins.address(&upper), address.clone());
        let (person, domain) = address.split_once('@').unwrap();
        let (with_tag, signed) = (format!("<{person}+"), format!("d={domain};"));
        prop_assert!(after.contains(&with_tag) && after.contains(&signed), "{}", after);
        let message = Message::from_bytes(after.clone().into());
        prop_assert_eq!(message.header("Message-ID"), message.header("In-Reply-To"));
        let key = format!("out {}@{}.com", words[2], words[5]);
        prop_assert_eq!(stand_ins.text(&key), format!("out {address}"));
    }

    #[test]
    fn different_things_have_different_stand_ins(
        locals in prop::collection::btree_set("[a-z0-9]{1,12}", 20),
        ids in prop::collection::btree_set("[A-Za-z0-9.]{1,4}", 40),
    ) {
        let mut stand_ins = StandIns::default();
        let addresses: std::collections::BTreeSet<_> = locals
            .iter()
            .map(|local| stand_ins.address(&format!("{local}@{}.example.org", local.len())))
            .collect();
        prop_assert_eq!(addresses.len(), locals.len());
        let replaced: std::collections::BTreeSet<_> =
            ids.iter().map(|id| stand_ins.message_id(&format!("{id}@sender.example"))).collect();
        prop_assert_eq!(replaced.len(), ids.len());
    }

    #[test]
    fn octets_of_any_kind_are_replaced_without_a_panic(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut stand_ins = StandIns::default();
        stand_ins.learn(&octets);
        stand_ins.message(&octets);
        let message = [b"To: ".as_slice(), &octets, b"\r\nContent-Type: multipart/x; boundary=", &octets].concat();
        stand_ins.message(&message);
    }

    #[test]
    fn texts_of_any_kind_are_replaced_without_a_panic(text in "[a-z@<>(),;:=\"\\\\\\[\\]./ +é\u{130}-]{0,60}") {
        let mut stand_ins = StandIns::default();
        for name in ["From", "Message-ID", "Subject", "DKIM-Signature", "Content-Type", "X-Any"] {
            stand_ins.message(format!("{name}: {text}\r\n\r\n").as_bytes());
        }
        stand_ins.text(&text);
        stand_ins.address(&text);
    }
}

#[test]
fn forms_of_local_parts_stay() {
    let mut stand_ins = StandIns::of_account(Some("desk.acme.com"), Some("acme-7"));
    for (address, expected) in [
        ("ann@sender.org", "person1@domain1.example"),
        (
            "MAILER-DAEMON@mx1.sender.org",
            "MAILER-DAEMON@mx1.domain1.example",
        ),
        ("no-reply@sender.org", "no-reply@domain1.example"),
        (
            "owner-gardening@sender.org",
            "owner-person2@domain1.example",
        ),
        (
            "gardening-request@sender.org",
            "person2-request@domain1.example",
        ),
        ("help@desk.acme.com", "help@host1.desk.example"),
        ("help+42@acme.com", "help+00@desk.example"),
        (
            "prvs=12345abcde=ann@sender.org",
            "prvs=00000xxxxx=person1@domain1.example",
        ),
        (
            "SRS0=abcd=xy=sender.org=ann@forward.net",
            "SRS0=xxxx=xx=domain1.example=person1@domain2.example",
        ),
        (
            "bounces+ann=sender.org@list.net",
            "bounces+person1=domain1.example@domain3.example",
        ),
        ("ann@[192.168.3.4]", "person3@[192.0.2.1]"),
    ] {
        assert_eq!(stand_ins.address(address), expected, "{address}");
    }
    assert_eq!(stand_ins.account("acme-7"), "acme");
    assert_eq!(stand_ins.account("beta-7"), "account1");
}

#[test]
fn settings_keep_their_words() {
    let mut stand_ins = StandIns::default();
    let text = "send to ann@sender.org, sender.org and 203.0.113.7 or 10.2.0.0/16";
    let expected = "send to person1@domain1.example, domain1.example and 192.0.2.1 or 192.0.2.2/32";
    assert_eq!(stand_ins.text(text), expected);
    stand_ins.ip("10.2.3.4".parse().unwrap());
    assert_eq!(stand_ins.text("10.2.0.0/15"), "192.0.2.2/32");
    assert_eq!(stand_ins.text("tag"), "tag");
}

#[test]
fn an_id_keeps_its_form() {
    let mut stand_ins = StandIns::default();
    let id = "019b7780-4a3f-7b21-9f00-c0ffee123456.abcdefghij";
    let stand_in = stand_ins.id(id);
    assert_eq!(stand_in.len(), id.len());
    assert_ne!(stand_in, stand_ins.id(&id.replace("4a3f", "4a3e")));
    assert_eq!(stand_in, stand_ins.id(id));
    let uuid = stand_in.split('.').next().unwrap();
    let parsed: Result<gatepost_message::TransactionId, _> = uuid.parse();
    assert!(parsed.is_ok(), "{stand_in}");
}

#[test]
fn subjects_of_programs_keep_their_beginning() {
    let mut stand_ins = StandIns::default();
    for (subject, expected) in [
        ("Re: AW: Printer 12", "Re: AW: xxxxxxx 00"),
        ("Automatic reply: Printer", "Automatic reply: xxxxxxx"),
        ("Out of office until Monday", "Out of office xxxxx xxxxxx"),
        ("Reading is fun", "xxxxxxx xx xxx"),
        ("Read the manual", "xxxx xxx xxxxxx"),
    ] {
        let message = stand_ins.message(format!("Subject: {subject}\r\n").as_bytes());
        let message = String::from_utf8(message).unwrap();
        assert_eq!(message, format!("Subject: {expected}\r\n"));
    }
}
