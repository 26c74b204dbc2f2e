//! The outcome of each dialogue, which the suite states in prose beside the steps.

use test_support::Taken;

use super::player::Stage;
use crate::{MESSAGE, trace_field_and_rest};

/// The header section that the suite's messages have.
const HEAD: &str = "From: <a@sender.example>\r\nTo: <user@desk.example>\r\nSubject: t\r\n\r\n";

/// The body with which the message of a dialogue arrives.
fn body(dialogue: &str) -> Option<String> {
    let body = match dialogue {
        "basic-delivery" | "split-bytes" => "hello\r\n".to_owned(),
        "dot-unstuff" => ".a\r\n..\r\n.\r\nb\r\n".to_owned(),
        "line-998" => format!("{}\r\n", "x".repeat(998)),
        "size-lie" => "0123456789\r\n".repeat(100_000),
        "8bitmime" => "\u{e4}\r\n".to_owned(),
        "bdat-one" => "x\r\n".to_owned(),
        "bdat-two-chunks" => "abcd\r\n".to_owned(),
        "bdat-zero-last" => "ab\r\n".to_owned(),
        "bdat-dot-line" => ".\r\n..\r\n".to_owned(),
        // What claims to be ours is gone, and all else is as it was.
        "forged-authentication-results" => "x\r\n".to_owned(),
        // One message, with all that was sent in it, or none.
        "smuggle-vt" => "one\u{b}.\r\nMAIL FROM:<evil@sender.example>\r\n\
             RCPT TO:<user@desk.example>\r\nDATA\r\n\
             From: <evil@sender.example>\r\nSubject: smuggled\r\n\r\ntwo\r\n"
            .to_owned(),
        _ => return None,
    };
    Some(body)
}

/// Dialogues whose last reply refuses, with code, where that is certain, and enhanced code. The
/// session survives.
const REFUSED: &[(&str, Option<u16>, &str)] = &[
    // Judged in time: a policy that had failed would have delayed it. header-guard refuses more
    // fields than it reads.
    ("header-100k-lines", Some(550), "5.6.0"),
    ("header-10MB", None, "5.3.4"),
    // Not a line over 998 octets is relayed.
    ("line-100k", None, "5.6.0"),
    // header-guard takes no header section that is none.
    ("no-header-body-separator", None, "5.6.0"),
    // Neither of the two speaks for the message.
    ("two-from", Some(550), "5.7.1"),
    ("command-1M", None, "5.5.2"),
];

/// Answered "2.0.0 OK" if the connection is in step.
const NOOP: (&str, u16) = ("NOOP", 250);
const NO_DATA: (&str, u16) = ("DATA", 503);
const NO_MAIL: (&str, u16) = ("MAIL FROM:<a@sender.example>", 503);
const LOGGED_IN: (&str, u16) = ("MAIL FROM:<user@desk.example>", 250);
const NOT_LOGGED_IN: (&str, u16) = ("MAIL FROM:<user@desk.example>", 530);

/// Dialogues after which these commands are answered with these codes; after NOOP, the connection
/// is in step.
const FOLLOWED: &[(&str, &[(&str, u16)])] = &[
    (
        "bdat-without-rcpt bdat-bad-rcpt-pipelined",
        &[NOOP, NO_DATA],
    ),
    // Neither half of the line was a command.
    ("bare-lf-command header-cr-injection", &[NOOP, NO_MAIL]),
    ("open-relay", &[NO_DATA]),
    ("starttls-state-reset", &[NO_MAIL, NOOP]),
    (
        "auth-plain-initial auth-plain-challenge auth-twice",
        &[LOGGED_IN],
    ),
    ("auth-cancel auth-bad-base64 auth-authzid", &[NOT_LOGGED_IN]),
    // The steps say it all; the session must have survived them.
    (
        "command-512 pipeline-all-rcpt-bad auth-in-transaction nul-in-command local-part-65 \
         size-param rcpt-before-mail data-before-rcpt nested-mail rset-clears ehlo-clears vrfy \
         unknown-command helo-no-arg mail-space-variants mail-unknown-param body-bad \
         utf8-without-smtputf8 utf8-invalid starttls-arg dsn-notify-never-combined smtputf8",
        &[NOOP],
    ),
];

/// Checks what came of a dialogue. Every dialogue that is played stands in one of the tables, or in
/// [`check_by_itself`].
pub fn check(stage: &mut Stage<'_>) {
    if let Some(body) = body(stage.id) {
        stage.arrived(&body);
    } else if let Some((id, code, enhanced)) = REFUSED.iter().find(|row| row.0 == stage.id) {
        assert_eq!(stage.last().enhanced(), Some(*enhanced), "{id}");
        assert!(code.is_none_or(|code| stage.last().code == code), "{id}");
        stage.goes_on();
    } else if let Some((_, commands)) = FOLLOWED
        .iter()
        .find(|row| row.0.split(' ').any(|id| id == stage.id))
    {
        for (command, code) in *commands {
            let reply = stage.client.command(command, *code);
            if *command == "NOOP" {
                assert_eq!(reply.text(), "2.0.0 OK", "{}", stage.id);
            }
        }
    } else {
        check_by_itself(stage);
    }
}

/// Checks a dialogue of which more has to be said.
fn check_by_itself(stage: &mut Stage<'_>) {
    match stage.id {
        // Repaired, it may go on by DATA; what follows is a command again.
        "bdat-smuggle" => {
            stage.arrived_repaired();
            stage.goes_on();
            stage.client.command("DATA", 503);
        }
        "bdat-after-data" => {
            // The transaction stands, and its message is what came in chunks.
            stage.play(">>bdat LAST y\\r\\n");
            stage.play("< 250");
            stage.arrived("x\r\ny\r\n");
        }
        // What may be octets of a chunk is not run as commands.
        "bdat-huge" | "bdat-negative" | "bdat-not-last-then-quit" => assert!(stage.client.closed()),
        "pipeline-full" => {
            let taken = stage.take();
            assert_eq!(
                taken.to,
                ["user@desk.example", "nobody-unknown@desk.example"]
            );
        }
        "pipeline-after-dot" => {
            let queued = stage.replies.len() - 4;
            stage.replies.truncate(queued + 1);
            stage.arrived("p\r\n");
        }
        "empty-message" => {
            let arrived = stage.take().bytes();
            let (_, rest) = trace_field_and_rest(&arrived);
            assert_eq!(rest, b"");
        }
        "bare-cr-in-data" | "nul-in-data" => stage.arrived_repaired(),
        id if id.starts_with("smuggle-") => stage.arrived_repaired(),
        "http-on-smtp" => assert!(stage.closed || stage.client.closed()),
        "early-talker" => {
            stage.client.expect(250);
            stage.client.expect(250);
        }
        "rcpt-100" => assert_eq!(stage.sends_message().to, ["user@desk.example"]),
        "rcpt-over-limit" => stage.recipients_over_limit(),
        "dsn-notify" => {
            stage.sends_message();
        }
        "null-sender" => assert_eq!(stage.sends_message().from, ""),
        "postmaster-no-domain" => {
            // Of the first domain, since the relay has no mailboxes.
            let to = stage.sends_message().to.concat();
            assert!(to.eq_ignore_ascii_case("postmaster@desk.example"), "{to}");
        }
        id if id.starts_with("relay-") => {
            if stage.last().code == 250 {
                let to = stage.sends_message().to.concat();
                assert!(to.ends_with("@desk.example"), "{id}: {to}");
            } else {
                stage.client.command("DATA", 503);
            }
        }
        "starttls-injection" => {
            // What was injected set no sender, and the first reply under TLS was NOOP's.
            assert_eq!(stage.last().text(), "2.0.0 OK");
            stage.client.command("RCPT TO:<user@desk.example>", 503);
        }
        "starttls-twice" => {
            let after_tls = &stage.replies[stage.replies.len() - 2];
            assert!(
                !after_tls.lines.contains(&"STARTTLS".to_owned()),
                "{after_tls:?}"
            );
        }
        "auth-not-offered-plaintext" => {
            let ehlo = stage.replies[1].text();
            assert!(!ehlo.contains("AUTH"), "{ehlo}");
        }
        "auth-empty-initial" => {
            // A user without a name is asked for the password, too, and is nobody.
            assert_eq!(stage.last().code, 334);
            stage.play("> c2VjcmV0");
            stage.play("< 501|535");
            stage.client.command("MAIL FROM:<user@desk.example>", 530);
        }
        "auth-wrong" => {
            let unknown = stage.client.command("AUTH PLAIN AG5vYm9keQBzZWNyZXQ=", 535);
            assert_eq!(unknown, *stage.last());
            stage.client.command("MAIL FROM:<user@desk.example>", 530);
        }
        "auth-line-12288" => {
            // Read to its end and understood to be no base64.
            assert_eq!(stage.last().code, 501, "{:?}", stage.last());
            stage.client.command("MAIL FROM:<user@desk.example>", 530);
        }
        id => panic!("nothing is said of what must come of {id}"),
    }
}

impl Stage<'_> {
    /// The message that the last reply was about, and no other, is the next to arrive.
    fn take(&self) -> Taken {
        let reply = self.last();
        assert_eq!(reply.code, 250, "{}: {reply:?}", self.id);
        let id = reply.transaction();
        let taken = self.sink.take();
        let arrived = taken.bytes();
        let (field, _) = trace_field_and_rest(&arrived);
        assert!(
            field.contains(&id),
            "{}: {id} was due, not {field}",
            self.id
        );
        taken
    }

    /// Asserts that the message has the suite's header section and this body.
    fn arrived(&mut self, body: &str) {
        let queued = self.replies.iter().rposition(|reply| reply.code == 250);
        self.replies.truncate(queued.unwrap() + 1);
        let taken = self.take();
        assert_eq!(taken.from, "a@sender.example", "{}", self.id);
        let arrived = taken.bytes();
        let (_, rest) = trace_field_and_rest(&arrived);
        let sent = [HEAD, body].concat();
        assert!(
            rest == sent.as_bytes(),
            "{}: {}",
            self.id,
            String::from_utf8_lossy(rest)
        );
    }

    /// Of 2000 recipients, the first 1000 are accepted, and a message arrives.
    fn recipients_over_limit(&mut self) {
        let first = self.last().code;
        let others = (1..2000).map(|_| self.client.reply().unwrap());
        let (mut codes, mut enhanced) = (vec![first], Vec::new());
        for reply in others {
            codes.push(reply.code);
            enhanced.push(reply.enhanced().unwrap().to_owned());
        }
        assert!(codes[..1000].iter().all(|code| *code == 250));
        assert!(codes[1000..].iter().all(|code| *code == 452));
        assert!(enhanced[1000..].iter().all(|code| code == "4.5.3"));
        assert_eq!(self.sends_message().to, ["user@desk.example"]);
    }

    /// Ends the transaction in hand with a message, which arrives.
    fn sends_message(&mut self) -> Taken {
        self.client.command("DATA", 354);
        self.client.send(MESSAGE).unwrap();
        self.replies.push(self.client.command(".", 250));
        self.take()
    }

    /// Asserts that the message is of the first sender, and has no stray octet any more.
    fn arrived_repaired(&mut self) {
        let queued = self.replies.iter().rposition(|reply| reply.code == 250);
        self.replies.truncate(queued.unwrap() + 1);
        let taken = self.take();
        assert_eq!(taken.from, "a@sender.example", "{}", self.id);
        let text = taken.text().replace("\r\n", "");
        assert!(!text.contains(['\r', '\n', '\0']), "{}: {text:?}", self.id);
    }

    /// The connection is in step: what is said next is answered next.
    fn goes_on(&mut self) {
        let reply = self.client.command("NOOP", 250);
        assert_eq!(reply.text(), "2.0.0 OK", "{}", self.id);
    }
}
