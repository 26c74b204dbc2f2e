use bytes::Bytes;
use gatepost_message::Message;
use gatepost_replay::DecisionChange;
use gatepost_smtp::Reply;

use super::*;

const HEAD: &str = "From: Ann <ann@sender.example>\r\nTo: help@desk.example\r\n";

fn accepted(fields: &str) -> Replayed {
    let message = format!("{HEAD}{fields}\r\nHello!\r\n");
    Replayed {
        ended: Ended::Judged("accept", None),
        reply: None,
        class: None,
        tags: vec!["suppress-automatic".to_owned()],
        message: Some(Message::from_bytes(Bytes::from(message))),
        refused: Vec::new(),
        recipients: vec![(
            "help@desk.example".parse().unwrap(),
            RecipientDisposition::Delivered,
        )],
        effects: Vec::new(),
        report_suppressed: false,
        judgements: Vec::new(),
        unknown: Vec::new(),
        trail: Default::default(),
    }
}

fn refused() -> Replayed {
    let reply = Reply::new(554, "5.7.1", "Programs are not taken here");
    Replayed {
        ended: Ended::Refused(reply.clone()),
        reply: Some(reply),
        recipients: Vec::new(),
        ..accepted("")
    }
}

fn compared(old: Replayed, new: Replayed, kinds: &[DifferenceKind]) -> Compared {
    let change = |kind: &DifferenceKind| DecisionChange {
        kind: *kind,
        what: "another".to_owned(),
    };
    Compared {
        old,
        new,
        old_lacks_body: false,
        new_lacks_body: false,
        changes: kinds.iter().map(change).collect(),
    }
}

fn line<'a>(text: &'a str, name: &str) -> &'a str {
    let mut lines = text.lines();
    lines
        .find(|line| line.get(2..).is_some_and(|line| line.starts_with(name)))
        .unwrap_or_default()
}

#[test]
fn what_is_alike_stands_there_once_and_stars_are_those_of_the_summary() {
    let kinds = [DifferenceKind::Verdict, DifferenceKind::Reply];
    let text = side_by_side(&compared(accepted(""), refused(), &kinds), 100);
    for fact in ["verdict", "reply"] {
        assert!(line(&text, fact).starts_with("* "), "{text}");
    }
    assert!(line(&text, "reply").contains("accepted   "), "{text}");
    // The summary does not count it: the verdict says it already.
    assert!(line(&text, "recipients").starts_with("  "), "{text}");
    assert_eq!(text.matches("From: Ann").count(), 1, "{text}");
    assert_eq!(text.matches("suppress-automatic").count(), 1, "{text}");
    // What neither side has is not told of.
    assert_eq!(line(&text, "class"), "", "{text}");
}

#[test]
fn a_changed_header_section_is_a_diff_of_its_fields() {
    let (old, new) = (
        accepted("X-Version: one\r\n"),
        accepted("X-Version: two\r\n"),
    );
    let text = side_by_side(&compared(old, new, &[DifferenceKind::Edits]), 100);
    assert!(line(&text, "header section").starts_with("* "), "{text}");
    assert!(text.contains("-X-Version: one"), "{text}");
    assert!(text.contains("+X-Version: two"), "{text}");
    assert_eq!(text.matches("To: help@desk").count(), 1, "{text}");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let long = format!(
        "X-Long: {}\r\nX-Words: {}\r\n",
        "x".repeat(300),
        "word ".repeat(60)
    );
    let mut new = accepted(&long);
    new.tags = vec!["t".repeat(200)];
    for width in [60, 100, 173] {
        let kinds = [DifferenceKind::Edits, DifferenceKind::Tags];
        let text = side_by_side(&compared(accepted(""), new.clone(), &kinds), width);
        for line in text.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
            assert!(!line.contains("\\n"), "{line}");
        }
        let joined: String = text.split_whitespace().collect();
        assert!(joined.contains(&"x".repeat(300)), "{text}");
    }
}

#[test]
fn a_side_without_the_body_has_no_verdict() {
    let fault = Replayed {
        ended: Ended::Refused(Reply::new(451, "4.3.0", "Try again later")),
        ..refused()
    };
    let one = Compared {
        new_lacks_body: true,
        ..compared(accepted(""), fault.clone(), &[])
    };
    let text = side_by_side(&one, 200);
    assert!(!text.contains('*') && !text.contains("451"), "{text}");
    assert!(line(&text, "verdict").contains("accept "), "{text}");
    assert!(
        line(&text, "verdict").contains(NOT_COMPARED.split(" (").next().unwrap()),
        "{text}"
    );
    let json = in_json(&one);
    assert_eq!(json["compared"], false);
    assert_eq!(json["new"]["verdict"], NOT_COMPARED);
    assert_eq!(json["old"]["verdict"], "accept");

    let both = Compared {
        old_lacks_body: true,
        ..one
    };
    let text = side_by_side(&both, 200);
    assert_eq!(text.matches("not compared").count(), 1, "{text}");
}
