//! Commands of the server's side: their order and their effects (RFC 5321 sections 4.1 and 4.1.4).

use std::sync::Arc;

use super::{Helo, Session, State, auth_line_too_long};
use crate::reply::Reply;
use crate::server::command::{self, Verb};
use crate::server::data::Decoder;
use crate::server::line::{FirstWord, Line};
use crate::server::{Abort, Ask, AuthOffer, Event, StartTls, auth, envelope, revoked};

impl Session {
    /// Handles one command line.
    pub(super) fn command_line(&mut self, line: Line) {
        let (verb, arguments) = match &line {
            Line::Whole(line) => Verb::split(line),
            Line::TooLong(_) | Line::Stray(_) => (Verb::Unknown, &b""[..]),
        };
        let first_word = match &line {
            Line::Whole(line) => FirstWord::of(line),
            Line::TooLong(first_word) | Line::Stray(first_word) => *first_word,
        };
        if let Some(reply) = self.over_limit(verb) {
            return self.say(&reply);
        }
        match verb {
            Verb::Mail => {
                // Until the owner accepts it.
                self.behind_refusal = self.transaction.is_none();
                self.recipients_named = 0;
            }
            Verb::Recipient | Verb::Data | Verb::Chunk => {}
            _ => self.behind_refusal = false,
        }
        if !self.exempt_from_idle_limit(verb) {
            self.idle_commands += 1;
        }
        match line {
            Line::Whole(_) if verb == Verb::Chunk => self.chunk(arguments),
            // Whatever is wrong with the line, and even if BDAT is only the beginning of its first
            // word: the octets of a chunk may come next.
            _ if first_word == FirstWord::Chunk => self.malformed_chunk(),
            Line::TooLong(FirstWord::Auth) => self.say(&auth_line_too_long()),
            Line::TooLong(_) => self.say(&Reply::new(500, "5.5.2", "Command line is too long")),
            Line::Stray(_) => self.say(&stray_octet()),
            Line::Whole(_) => match self.out_of_sequence(verb) {
                // A command pipelined behind a refused MAIL is no error of its own (RFC 2920
                // section 3.1).
                Some(reply) if self.behind_refusal && verb != Verb::Mail => {
                    self.recipients_named += usize::from(verb == Verb::Recipient);
                    self.write(&reply);
                }
                Some(reply) => self.say(&reply),
                None if verb.takes_no_arguments() && !arguments.is_empty() => {
                    self.say(&Reply::new(501, "5.5.4", "This command takes no argument"));
                }
                None => self.command(verb, arguments),
            },
        }
    }

    /// Returns true if the command does not count towards `idle_commands`: BDAT after an accepted
    /// recipient; RCPT after an accepted one; and RCPT behind a refused MAIL, up to
    /// `limits.recipients`, so that a client that pipelines gets to read that refusal.
    fn exempt_from_idle_limit(&self, verb: Verb) -> bool {
        let in_bounds = self.recipients_named < self.settings.limits.recipients;
        verb == Verb::Chunk && self.recipients() > 0
            || verb == Verb::Recipient
                && (self.recipients() > 0 || self.behind_refusal && in_bounds)
    }

    /// Returns the 421 that ends the session, unless the command is QUIT: a limit is exceeded, the
    /// credential is revoked, or the last message had a doubtful end.
    fn over_limit(&self, verb: Verb) -> Option<Reply> {
        let limits = &self.settings.limits;
        match verb {
            Verb::Quit => None,
            _ if self.revoked => Some(revoked()),
            _ if self.doubtful => Some(Reply::new(
                421,
                "4.7.0",
                "The message before had a stray octet at its end, closing",
            )),
            _ if self.errors >= limits.errors => {
                Some(Reply::new(421, "4.7.0", "Too many errors, closing"))
            }
            _ if self.idle_commands >= limits.idle_commands => Some(Reply::new(
                421,
                "4.7.0",
                "Too many commands without a message, closing",
            )),
            _ => None,
        }
    }

    /// Returns the reply to a command that cannot come now (RFC 5321 section 4.1.4).
    pub(super) fn out_of_sequence(&self, verb: Verb) -> Option<Reply> {
        let settings = &self.settings;
        let sequence = |text: &str| Some(Reply::new(503, "5.5.1", text));
        let exempt = matches!(verb, Verb::Noop | Verb::Ehlo | Verb::StartTls | Verb::Quit);
        if self.refused && verb != Verb::Quit {
            return sequence("No service for you here: only QUIT is heard");
        }
        // RFC 3207 section 4.
        if settings.start_tls == StartTls::Required && self.tls.is_none() && !exempt {
            return Some(Reply::new(530, "5.7.0", "Say STARTTLS first"));
        }
        match verb {
            Verb::Xclient | Verb::Xforward => self.refuses_proxied(verb),
            Verb::Mail if self.helo.is_none() => sequence("Say EHLO first"),
            Verb::Mail if settings.auth == AuthOffer::Required && self.user.is_none() => {
                Some(Reply::new(530, "5.7.0", "Authenticate first"))
            }
            Verb::Mail if self.transaction.is_some() => {
                sequence("Sender is already given; RSET begins anew")
            }
            Verb::Recipient | Verb::Data | Verb::Chunk if self.transaction.is_none() => {
                sequence("Say MAIL first")
            }
            // RFC 3030 section 2.
            Verb::Recipient | Verb::Data if self.chunked().is_some() => {
                sequence("A chunk has come: go on with BDAT, or RSET begins anew")
            }
            Verb::Data | Verb::Chunk if self.recipients() == 0 => {
                sequence("No recipient was accepted")
            }
            Verb::StartTls if self.tls.is_some() => sequence("TLS is already active"),
            Verb::StartTls if settings.start_tls == StartTls::None => {
                Some(Reply::new(502, "5.5.1", "STARTTLS is not offered here"))
            }
            Verb::Auth if settings.auth == AuthOffer::None => {
                Some(Reply::new(502, "5.5.1", "AUTH is not offered here"))
            }
            // RFC 4954 section 4.
            Verb::Auth if self.tls.is_none() => Some(Reply::new(
                538,
                "5.7.11",
                "Passwords are taken under TLS only",
            )),
            Verb::Auth if self.helo.is_none() => sequence("Say EHLO first"),
            Verb::Auth if self.user.is_some() => sequence("Already authenticated"),
            Verb::Auth if self.transaction.is_some() => {
                sequence("Not in a transaction; RSET ends it")
            }
            _ => None,
        }
    }

    fn command(&mut self, verb: Verb, arguments: &[u8]) {
        let settings = Arc::clone(&self.settings);
        let reply = match verb {
            Verb::Ehlo | Verb::Helo => match command::helo_name(arguments) {
                Ok(name) => return self.hello(name, verb == Verb::Ehlo),
                Err(reply) => reply,
            },
            Verb::Mail => match envelope::mail(arguments, &settings.limits, self.offers_auth()) {
                Ok(mail) => return self.state = State::Asked(Ask::Mail(mail)),
                Err(reply) => reply,
            },
            Verb::Recipient => match envelope::recipient(arguments, &settings, self.smtputf8()) {
                Ok(_) if self.recipients_named >= settings.limits.recipients => Reply::new(
                    452,
                    "4.5.3",
                    format!(
                        "Too many recipients: at most {}",
                        settings.limits.recipients
                    ),
                ),
                Ok(recipient) => {
                    self.recipients_named += 1;
                    return self.state = State::Asked(Ask::Recipient(recipient));
                }
                Err(reply) => reply,
            },
            Verb::Data => {
                self.events.push_back(Event::DataStarted);
                self.state = State::Data(Decoder::new(&self.settings.limits));
                Reply::plain(354, "Send the message; end it with <CRLF>.<CRLF>")
            }
            Verb::Reset => {
                self.give_up(Abort::GivenUp);
                self.forwarded = None;
                Reply::new(250, "2.0.0", "Reset")
            }
            Verb::Noop => Reply::new(250, "2.0.0", "OK"),
            Verb::Quit => {
                self.say(&Reply::new(221, "2.0.0", "Goodbye"));
                return self.close(Abort::GivenUp);
            }
            Verb::Verify if arguments.is_empty() => {
                Reply::new(501, "5.5.4", "VRFY needs a name or an address")
            }
            // RFC 5321 section 3.5.3: neither confirmed nor denied.
            Verb::Verify => Reply::new(252, "2.5.0", "Cannot verify; send a message to find out"),
            Verb::Expand => Reply::new(502, "5.5.1", "EXPN is not offered here"),
            Verb::Help => Reply::new(
                214,
                "2.0.0",
                "RFC 5321 explains the commands; EHLO lists what is offered",
            ),
            Verb::StartTls => {
                self.say(&Reply::new(220, "2.0.0", "Start TLS"));
                self.give_up(Abort::GivenUp);
                self.input.clear();
                self.state = State::Handshake;
                return;
            }
            Verb::Xclient => return self.xclient(arguments),
            Verb::Xforward => return self.xforward(arguments),
            Verb::Auth => return self.auth_step(auth::begin(arguments, self.binding())),
            Verb::Http => {
                let reply = self.labelled(Reply::new(500, "5.5.1", "This is SMTP, not HTTP"));
                self.write_counted(&reply);
                return self.close(self.refusal(reply));
            }
            // BDAT was handled before, since its octets follow whatever is wrong with it.
            Verb::Chunk | Verb::Unknown => Reply::new(500, "5.5.1", "Command is not recognized"),
        };
        self.say(&reply);
    }

    /// Sends the banner, or refuses the session (RFC 5321 sections 3.1 and 4.3.2: 220, 554 or 421).
    pub(super) fn greet(&mut self, refusal: Option<Reply>) {
        let Some(refusal) = refusal else {
            let banner = format!("{} ESMTP Gatepost", self.settings.hostname);
            return self.say(&Reply::plain(220, &banner));
        };
        self.refused = true;
        let banner = refusal.with_code(if refusal.is_permanent() { 554 } else { 421 });
        self.say(&banner);
    }

    /// Handles EHLO or HELO: replies, and resets the transaction (RFC 5321 section 4.1.4).
    fn hello(&mut self, name: String, extended: bool) {
        self.give_up(Abort::GivenUp);
        self.forwarded = None;
        let settings = &self.settings;
        let mut text = settings.hostname.clone();
        if extended {
            text = format!(
                "{text} greets {name}\nPIPELINING\n8BITMIME\nENHANCEDSTATUSCODES\nDSN\nSMTPUTF8\nCHUNKING"
            );
            text = format!("{text}\nSIZE {}", settings.limits.message_size);
            // RFC 9422, which has room for six digits; there is no limit on the messages of a
            // session or on their domains.
            let recipients = settings.limits.recipients.min(999_999);
            text = format!("{text}\nLIMITS RCPTMAX={recipients}");
            if self.tls.is_none() && settings.start_tls != StartTls::None {
                text.push_str("\nSTARTTLS");
            }
            if self.offers_auth() {
                let mechanisms = auth::mechanisms(self.binding().is_some());
                text = format!("{text}\nAUTH {mechanisms}");
            }
            text.push_str(&self.trusted_extensions());
        }
        self.helo = Some(Helo { name, extended });
        self.say(&Reply::plain(250, &text));
    }

    fn offers_auth(&self) -> bool {
        self.settings.auth != AuthOffer::None && self.tls.is_some()
    }

    /// Returns true if MAIL announced SMTPUTF8.
    fn smtputf8(&self) -> bool {
        self.transaction
            .as_ref()
            .is_some_and(|transaction| transaction.smtputf8)
    }

    fn recipients(&self) -> usize {
        self.transaction
            .as_ref()
            .map_or(0, |transaction| transaction.recipients)
    }
}

fn stray_octet() -> Reply {
    Reply::new(
        500,
        "5.5.2",
        "Line holds a bare CR, a bare LF or a NUL: end each line with CRLF",
    )
}
