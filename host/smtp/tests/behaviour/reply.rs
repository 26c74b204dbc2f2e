//! Replies: their rules and their form on the wire.

use bytes::BytesMut;
use gatepost_smtp::{EnhancedCode, Reply, ReplyError};

fn wire(reply: &Reply) -> String {
    let mut out = BytesMut::new();
    reply.write_to(&mut out);
    String::from_utf8(out.to_vec()).unwrap()
}

#[test]
fn enhanced_codes_follow_their_grammar() {
    for good in ["2.0.0", "4.7.26", "5.999.999"] {
        assert_eq!(good.parse::<EnhancedCode>().unwrap().to_string(), good);
    }
    for bad in [
        "", "5", "5.7", "5.7.1.2", "3.0.0", "5.07.1", "5.7.1000", "5.+7.1", "5..1", "5.7.1 ",
    ] {
        assert_eq!(
            bad.parse::<EnhancedCode>(),
            Err(ReplyError::Enhanced(bad.into()))
        );
    }
}

#[test]
fn code_and_enhanced_code_must_agree() {
    let enhanced = "4.7.1".parse().unwrap();
    assert_eq!(
        Reply::checked(550, Some(enhanced), "x"),
        Err(ReplyError::Class {
            code: 550,
            enhanced
        })
    );
    assert_eq!(Reply::checked(600, None, "x"), Err(ReplyError::Code(600)));
    assert_eq!(Reply::checked(199, None, "x"), Err(ReplyError::Code(199)));
    assert!(Reply::new(451, "4.7.1", "x").is_transient());
    assert!(Reply::new(550, "5.7.1", "x").is_permanent());
    assert!(Reply::new(250, "2.0.0", "x").is_positive());
}

#[test]
fn no_text_can_end_a_line_or_begin_a_reply() {
    let reply = Reply::new(550, "5.7.1", "no\r\n250 yes\rand\0more\u{85}ü");
    assert_eq!(
        wire(&reply),
        "550-5.7.1 no\r\n550 5.7.1 250 yes and more ?\r\n"
    );
    assert_eq!(reply.to_string(), "550 5.7.1 no 250 yes and more ü");
    assert_eq!(wire(&reply.with_text("")), "550 5.7.1 \r\n");
}

#[test]
fn lines_are_wrapped_and_their_number_bounded() {
    let reply = Reply::new(550, "5.7.1", "word ".repeat(1000));
    let long = Reply::new(550, "5.7.1", "ü".repeat(1000));
    for line in wire(&reply)
        .split_inclusive("\r\n")
        .chain(wire(&long).split_inclusive("\r\n"))
    {
        assert!(line.len() <= 512 && line.starts_with("550"));
    }
    assert_eq!(reply.text(), "word ".repeat(1000).trim_end());
    assert_eq!(long.lines().concat(), "ü".repeat(1000));
    assert!(Reply::new(550, "5.7.1", "x\n".repeat(10_000)).lines().len() <= 100);
}

#[test]
fn reading_json_enforces_the_rules_of_replies() {
    let reply = Reply::new(550, "5.7.1", "one\ntwo");
    let json = serde_json::to_string(&reply).unwrap();
    assert_eq!(
        json,
        r#"{"code":550,"enhanced":"5.7.1","lines":["one","two"]}"#
    );
    assert_eq!(serde_json::from_str::<Reply>(&json).unwrap(), reply);
    for bad in [
        r#"{"code":50,"enhanced":null,"lines":["x"]}"#,
        r#"{"code":550,"enhanced":"4.7.1","lines":["x"]}"#,
        r#"{"code":550,"enhanced":"5.7","lines":["x"]}"#,
    ] {
        assert!(serde_json::from_str::<Reply>(bad).is_err(), "{bad}");
    }
    let injected: Reply = serde_json::from_str(r#"{"code":250,"lines":["a\r\n550 b"]}"#).unwrap();
    assert_eq!(wire(&injected), "250-a\r\n250 550 b\r\n");
}
