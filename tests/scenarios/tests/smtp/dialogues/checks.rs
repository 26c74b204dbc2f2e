//! What must come of each dialogue. The suite says it in prose, beside the steps.

use test_support::Taken;

use super::player::Stage;
use crate::{MESSAGE, trace_field_and_rest};

/// The header section that the suite's messages have.
const HEAD: &str = "From: <a@sender.example>\r\nTo: <user@desk.example>\r\nSubject: t\r\n\r\n";

/// Every dialogue that is played stands here.
pub fn check(stage: &mut Stage<'_>) {
    match stage.id {
        "basic-delivery" | "split-bytes" => stage.arrived("hello\r\n"),
        "dot-unstuff" => stage.arrived(".a\r\n..\r\n.\r\nb\r\n"),
        "line-998" => stage.arrived(&format!("{}\r\n", "x".repeat(998))),
        "size-lie" => stage.arrived(&"0123456789\r\n".repeat(100_000)),
        "8bitmime" => stage.arrived("\u{e4}\r\n"),
        "bdat-one" => stage.arrived("x\r\n"),
        "bdat-two-chunks" => stage.arrived("abcd\r\n"),
        "bdat-zero-last" => stage.arrived("ab\r\n"),
        "bdat-dot-line" => stage.arrived(".\r\n..\r\n"),
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
        "bdat-without-rcpt" | "bdat-bad-rcpt-pipelined" => {
            stage.goes_on();
            stage.client.command("DATA", 503);
        }
        // What may be octets of a chunk is not run as commands.
        "bdat-huge" | "bdat-negative" => assert!(stage.client.closed()),
        "bdat-not-last-then-quit" => assert!(stage.client.closed()),
        "pipeline-full" => {
            let taken = stage.take();
            assert_eq!(taken.to, ["user@desk.example", "nobody-unknown@desk.example"]);
        }
        "pipeline-after-dot" => {
            let queued = stage.replies.len() - 4;
            stage.replies.truncate(queued + 1);
            stage.arrived("p\r\n");
        }

        // Judged in time: a policy that had failed would have delayed it. header-guard refuses more
        // fields than it reads.
        "header-100k-lines" => {
            assert_eq!(stage.last().code, 550);
            assert_eq!(stage.last().enhanced(), Some("5.6.0"));
            stage.goes_on();
        }
        "header-10MB" => {
            assert_eq!(stage.last().enhanced(), Some("5.3.4"));
            stage.goes_on();
        }
        // Not a line over 998 octets is relayed.
        "line-100k" => {
            assert_eq!(stage.last().enhanced(), Some("5.6.0"));
            stage.goes_on();
        }

        // header-guard takes no header section that is none.
        "no-header-body-separator" => {
            assert_eq!(stage.last().enhanced(), Some("5.6.0"));
            stage.goes_on();
        }
        "empty-message" => {
            let arrived = stage.take().bytes();
            let (_, rest) = trace_field_and_rest(&arrived);
            assert_eq!(rest, b"");
        }

        // What claims to be ours is gone, and all else is as it was.
        "forged-authentication-results" => stage.arrived("x\r\n"),

        // Neither of the two speaks for the message.
        "two-from" => {
            assert_eq!(stage.last().code, 550);
            assert_eq!(stage.last().enhanced(), Some("5.7.1"));
            stage.goes_on();
        }

        // One message, with all that was sent in it, or none.
        "smuggle-vt" => stage.arrived(
            "one\u{b}.\r\nMAIL FROM:<evil@sender.example>\r\nRCPT TO:<user@desk.example>\r\nDATA\r\n\
             From: <evil@sender.example>\r\nSubject: smuggled\r\n\r\ntwo\r\n",
        ),
        "bare-cr-in-data" | "nul-in-data" => stage.arrived_repaired(),
        id if id.starts_with("smuggle-") => stage.arrived_repaired(),
        "bare-lf-command" | "header-cr-injection" => {
            // Neither half of the line was a command.
            stage.client.command("NOOP", 250);
            stage.client.command("MAIL FROM:<a@sender.example>", 503);
        }
        "http-on-smtp" => assert!(stage.closed || stage.client.closed()),
        "early-talker" => {
            stage.client.expect(250);
            stage.client.expect(250);
        }

        "command-512" => stage.goes_on(),
        "command-1M" => {
            assert_eq!(stage.last().enhanced(), Some("5.5.2"));
            stage.goes_on();
        }

        "rcpt-100" => assert_eq!(stage.sends_message().to, ["user@desk.example"]),
        "rcpt-over-limit" => {
            let first = stage.last().code;
            let others = (1..2000).map(|_| stage.client.reply().unwrap());
            let (mut codes, mut enhanced) = (vec![first], Vec::new());
            for reply in others {
                codes.push(reply.code);
                enhanced.push(reply.enhanced().unwrap().to_owned());
            }
            assert!(codes[..1000].iter().all(|code| *code == 250));
            assert!(codes[1000..].iter().all(|code| *code == 452));
            assert!(enhanced[1000..].iter().all(|code| code == "4.5.3"));
            assert_eq!(stage.sends_message().to, ["user@desk.example"]);
        }
        "dsn-notify" => {
            stage.sends_message();
        }
        "null-sender" => assert_eq!(stage.sends_message().from, ""),
        "postmaster-no-domain" => {
            // Of the first domain, since the relay has no mailboxes.
            let to = stage.sends_message().to.concat();
            assert!(to.eq_ignore_ascii_case("postmaster@desk.example"), "{to}");
        }

        "open-relay" => {
            stage.client.command("DATA", 503);
        }
        id if id.starts_with("relay-") => {
            if stage.last().code == 250 {
                let to = stage.sends_message().to.concat();
                assert!(to.ends_with("@desk.example"), "{id}: {to}");
            } else {
                stage.client.command("DATA", 503);
            }
        }
        "pipeline-all-rcpt-bad" => stage.goes_on(),

        "starttls-injection" => {
            // What was injected set no sender, and the first reply under TLS was NOOP's.
            assert_eq!(stage.last().text(), "2.0.0 OK");
            stage.client.command("RCPT TO:<user@desk.example>", 503);
        }
        "starttls-state-reset" => {
            stage.client.command("MAIL FROM:<a@sender.example>", 503);
            stage.goes_on();
        }
        "starttls-twice" => {
            let after_tls = &stage.replies[stage.replies.len() - 2];
            assert!(!after_tls.lines.contains(&"STARTTLS".to_owned()), "{after_tls:?}");
        }

        "auth-not-offered-plaintext" => {
            let ehlo = stage.replies[1].text();
            assert!(!ehlo.contains("AUTH"), "{ehlo}");
        }
        "auth-plain-initial" | "auth-plain-challenge" | "auth-twice" => {
            stage.client.command("MAIL FROM:<user@desk.example>", 250);
        }
        "auth-in-transaction" => stage.goes_on(),
        "auth-cancel" | "auth-bad-base64" | "auth-authzid" => {
            stage.client.command("MAIL FROM:<user@desk.example>", 530);
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

        // The steps say it all; the session must have survived them.
        "nul-in-command" | "local-part-65" | "size-param" | "rcpt-before-mail"
        | "data-before-rcpt" | "nested-mail" | "rset-clears" | "ehlo-clears" | "vrfy"
        | "unknown-command" | "helo-no-arg" | "mail-space-variants" | "mail-unknown-param"
        | "body-bad" | "utf8-without-smtputf8" | "utf8-invalid" | "starttls-arg"
        | "dsn-notify-never-combined" | "smtputf8" => {
            stage.goes_on();
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
