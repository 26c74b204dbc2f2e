//! One session: commands in, replies out, as the script says.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::Sink;
use crate::reply::WireReply;
use crate::rules::{Circumstances, Moment, RuleAction, Then};
use crate::script::{Limit, SinkProtocol, SinkTls};
use crate::tls::SinkSecured;
use crate::transaction::{PathCommand, SinkTransaction};
use crate::wire::{ClientLine, Over, Step, Wire};

/// The most octets of a message, unless SIZE says less.
const LARGEST_MESSAGE: u64 = 1 << 30;

/// User that AUTH has proved.
pub(crate) struct ProvedUser {
    pub(crate) name: String,
    pub(crate) mechanism: &'static str,
}

/// One session.
pub(crate) struct SinkSession<'a> {
    pub(crate) sink: &'a Sink,
    pub(crate) number: u64,
    pub(crate) wire: Wire,
    pub(crate) tls: Option<SinkSecured>,
    pub(crate) helo: Option<String>,
    pub(crate) user: Option<ProvedUser>,
    pub(crate) xforward: Vec<String>,
    pub(crate) transaction: Option<SinkTransaction>,
    /// Messages accepted in this session.
    pub(crate) messages: u64,
    /// True if the greeting refused the client: only QUIT is accepted (RFC 5321 section 3.1).
    refused: bool,
    client: SocketAddr,
}

/// Runs a session to its end. Returns the end in words.
pub(crate) async fn run(sink: &Sink, number: u64, stream: TcpStream, client: SocketAddr) -> String {
    let wire = match Wire::new(stream) {
        Ok(wire) => wire,
        Err(error) => return error.to_string(),
    };
    let mut session = SinkSession {
        sink,
        number,
        wire,
        tls: None,
        helo: None,
        user: None,
        xforward: Vec::new(),
        transaction: None,
        messages: 0,
        refused: false,
        client,
    };
    let (before, _counted) = sink.tallies.connect();
    let Err(over) = session.dialogue(before).await;
    let words = over.to_string();
    match over {
        Over::Reset => session.wire.reset(),
        Over::ByClient | Over::Broken(_) => {}
        Over::Regularly | Over::Scripted(_) => session.wire.close().await,
    }
    sink.counts.forget(number);
    words
}

/// Does what follows a reply.
pub(crate) async fn follow(then: Option<Then>) -> Step<()> {
    match then {
        None => Ok(()),
        Some(Then::Close) => Err(Over::Scripted("the script closes the connection")),
        Some(Then::Reset) => Err(Over::Reset),
        Some(Then::Hang) => std::future::pending().await,
    }
}

impl SinkSession<'_> {
    /// Speaks with the client until the session ends; `before` is the number of other connections.
    async fn dialogue(&mut self, before: u64) -> Step<std::convert::Infallible> {
        let script = &self.sink.script;
        if script.tls.mode == SinkTls::Implicit {
            self.handshake().await?;
        }
        let client = self.client.ip().to_string();
        let action = self.action(Moment::Connect, &[&client]);
        let full = WireReply::of(421, "4.3.2 Too many connections");
        let refusal = Limit::reached(script.limits.connections.as_ref(), before, &full);
        let protocol = match script.protocol {
            SinkProtocol::Smtp => "ESMTP",
            SinkProtocol::Lmtp => "LMTP",
        };
        let greeting = || WireReply::of(220, &format!("{} {protocol}", script.hostname));
        self.refused = !self
            .perform(action, refusal.unwrap_or_else(greeting))
            .await?;
        loop {
            match self.wire.line().await? {
                ClientLine::Whole(line) => {
                    let text = String::from_utf8_lossy(&line).into_owned();
                    self.sink.dialogue.command(self.number, &text);
                    if self.wire.has_more() && !self.offers("PIPELINING") {
                        self.sink
                            .dialogue
                            .event(self.number, "pipelined", "without the offer");
                    }
                    // With its line end.
                    self.command(&text, line.len() + 2).await?;
                }
                ClientLine::TooLong => {
                    self.sink
                        .dialogue
                        .event(self.number, "too-long", "a command");
                    self.say(&WireReply::of(500, "5.5.2 Line too long")).await?;
                }
            }
        }
    }

    async fn command(&mut self, line: &str, length: usize) -> Step<()> {
        let (verb, arguments) = line.split_once(' ').unwrap_or((line, ""));
        let (verb, arguments) = (verb.trim().to_ascii_uppercase(), arguments.trim());
        if self.refused && verb != "QUIT" {
            return self.say(&WireReply::of(503, "5.5.1 Only QUIT here")).await;
        }
        let ok = WireReply::of(250, "2.0.0 Ok");
        match (verb.as_str(), self.sink.script.protocol) {
            ("EHLO", SinkProtocol::Smtp) => self.greet(Moment::Ehlo, arguments).await,
            ("HELO", SinkProtocol::Smtp) => self.greet(Moment::Helo, arguments).await,
            ("LHLO", SinkProtocol::Lmtp) => self.greet(Moment::Lhlo, arguments).await,
            ("STARTTLS", _) => self.start_tls().await,
            ("AUTH", _) => self.auth(arguments, length).await,
            ("MAIL", _) => self.mail(arguments).await,
            ("RCPT", _) => self.recipient(arguments).await,
            ("DATA", _) => self.data().await,
            ("BDAT", _) => self.chunk(arguments).await,
            ("XFORWARD", _) if self.offers("XFORWARD") => {
                let action = self.action(Moment::Xforward, &[arguments]);
                if self.perform(action, ok).await? {
                    self.xforward
                        .extend(arguments.split_whitespace().map(str::to_owned));
                }
                Ok(())
            }
            ("RSET", _) => {
                self.transaction = None;
                let action = self.action(Moment::Rset, &[]);
                self.perform(action, ok).await.map(drop)
            }
            ("NOOP", _) => {
                let action = self.action(Moment::Noop, &[]);
                self.perform(action, ok).await.map(drop)
            }
            ("QUIT", _) => {
                let action = self.action(Moment::Quit, &[]);
                self.perform(action, WireReply::of(221, "2.0.0 Bye"))
                    .await?;
                Err(Over::Regularly)
            }
            ("VRFY", _) => self.say(&WireReply::of(252, "2.1.5 Cannot verify")).await,
            _ => {
                self.say(&WireReply::of(502, "5.5.1 Unrecognized command"))
                    .await
            }
        }
    }

    /// Handles EHLO, HELO and LHLO.
    async fn greet(&mut self, moment: Moment, name: &str) -> Step<()> {
        let hostname = &self.sink.script.hostname;
        let usual = match moment {
            Moment::Helo => WireReply::of(250, hostname),
            _ => {
                let lines = std::iter::once(hostname.clone()).chain(self.offer());
                WireReply::of(250, &lines.collect::<Vec<_>>().join("\n"))
            }
        };
        let action = self.action(moment, &[name]);
        if self.perform(action, usual).await? {
            self.helo = Some(name.to_owned());
            self.transaction = None;
        }
        Ok(())
    }

    /// Returns the extensions as EHLO offers them.
    fn offer(&self) -> Vec<String> {
        let script = &self.sink.script;
        let tls = self.tls.as_ref();
        let under_tls = script.ehlo.under_tls.as_ref().filter(|_| tls.is_some());
        let mut offer = under_tls.unwrap_or(&script.ehlo.extensions).clone();
        if script.tls.mode == SinkTls::Starttls && tls.is_none() {
            offer.push("STARTTLS".to_owned());
        }
        let bound = tls.is_some_and(|tls| tls.binding.is_some());
        let mechanisms = script.auth.offered(tls.is_some(), bound);
        // A server may offer nothing that the sink understands.
        let alone = script.auth.mechanisms.is_empty() && !script.auth.others.is_empty();
        if !mechanisms.is_empty() || alone {
            let others = script.auth.others.iter().map(String::as_str);
            let names: Vec<_> = mechanisms
                .iter()
                .map(|of| of.name())
                .chain(others)
                .collect();
            offer.push(format!("AUTH {}", names.join(" ")));
        }
        offer
    }

    /// Returns true if EHLO offers this extension.
    pub(crate) fn offers(&self, extension: &str) -> bool {
        let offer = self.offer();
        let mut names = offer.iter().filter_map(|line| line.split(' ').next());
        names.any(|name| name.eq_ignore_ascii_case(extension))
    }

    /// Returns the most octets of a message: those of SIZE (RFC 1870), if it says a number.
    pub(crate) fn size_limit(&self) -> u64 {
        let offer = self.offer();
        let size = offer.iter().find_map(|line| line.strip_prefix("SIZE "));
        let size = size
            .and_then(|size| size.parse().ok())
            .filter(|size| *size > 0);
        size.unwrap_or(LARGEST_MESSAGE).min(LARGEST_MESSAGE)
    }

    async fn start_tls(&mut self) -> Step<()> {
        if !self.offers("STARTTLS") {
            return self
                .say(&WireReply::of(502, "5.5.1 STARTTLS is not offered here"))
                .await;
        }
        let action = self.action(Moment::StartTls, &[]);
        if self
            .perform(action, WireReply::of(220, "2.0.0 Ready to start TLS"))
            .await?
        {
            self.handshake().await?;
        }
        Ok(())
    }

    async fn handshake(&mut self) -> Step<()> {
        let (tls, fault) = (self.sink.tls.as_ref(), self.sink.script.tls.fault);
        let secured = self.wire.start_tls(tls, fault).await;
        match &secured {
            Ok(tls) => self.sink.dialogue.event(self.number, "tls", &tls.by),
            Err(over) => self
                .sink
                .dialogue
                .event(self.number, "tls-failed", &over.to_string()),
        }
        self.tls = Some(secured?);
        // The session begins afresh (RFC 3207 section 4.2).
        (self.helo, self.user, self.transaction) = (None, None, None);
        self.xforward.clear();
        Ok(())
    }

    async fn mail(&mut self, arguments: &str) -> Step<()> {
        let Some(mail) = PathCommand::parse(arguments, "FROM") else {
            return self
                .say(&WireReply::of(501, "5.5.4 Write MAIL FROM:<address>"))
                .await;
        };
        let action = self.action(Moment::Mail, &[&mail.path]);
        let usual = self.refuses_mail(&mail);
        let usual = usual.unwrap_or_else(|| WireReply::of(250, "2.1.0 Sender OK"));
        if self.perform(action, usual).await? {
            self.transaction = Some(SinkTransaction {
                mail,
                ..SinkTransaction::default()
            });
        }
        Ok(())
    }

    /// Returns the reply to a MAIL that is out of place, demands too much or is over a limit.
    fn refuses_mail(&self, mail: &PathCommand) -> Option<WireReply> {
        let script = &self.sink.script;
        if self.helo.is_none() || self.transaction.is_some() {
            return Some(WireReply::of(503, "5.5.1 MAIL is out of place here"));
        }
        if script.tls.required && self.tls.is_none() {
            return Some(WireReply::of(
                530,
                "5.7.0 Must issue a STARTTLS command first",
            ));
        }
        if script.auth.required && self.user.is_none() {
            return Some(WireReply::of(530, "5.7.0 Authentication required"));
        }
        let size = mail.value("SIZE").and_then(|size| size.parse::<u64>().ok());
        if size.is_some_and(|size| size > self.size_limit()) {
            return Some(WireReply::of(552, "5.3.4 Message too big"));
        }
        let limit = script.limits.messages_per_connection.as_ref();
        let many = WireReply::of(421, "4.7.0 Too many messages on this connection");
        Limit::reached(limit, self.messages, &many).or_else(|| mail.unknown(&self.offer()))
    }

    async fn recipient(&mut self, arguments: &str) -> Step<()> {
        let Some(to) = PathCommand::parse(arguments, "TO") else {
            return self
                .say(&WireReply::of(501, "5.5.4 Write RCPT TO:<address>"))
                .await;
        };
        let action = self.action(Moment::Rcpt, &[&to.path]);
        let usual = self.refuses_recipient(&to);
        let usual = usual.unwrap_or_else(|| WireReply::of(250, "2.1.5 Recipient OK"));
        let accepted = self.perform(action, usual).await?;
        if let Some(transaction) = self.transaction.as_mut().filter(|_| accepted) {
            transaction.recipients.push(to);
        }
        Ok(())
    }

    /// Returns the reply to a RCPT that is out of place, greylisted or over a limit.
    fn refuses_recipient(&self, to: &PathCommand) -> Option<WireReply> {
        let Some(transaction) = &self.transaction else {
            return Some(WireReply::of(503, "5.5.1 MAIL comes first"));
        };
        let script = &self.sink.script;
        if let Some(greylist) = &script.greylist {
            let triple = (
                self.client.ip(),
                transaction.mail.path.clone(),
                to.path.clone(),
            );
            if self.sink.tallies.is_greylisted(greylist, triple) {
                let usual = || WireReply::of(451, "4.7.1 Greylisted, try again later");
                return Some(greylist.reply.clone().unwrap_or_else(usual));
            }
        }
        let domain = |to: &PathCommand| {
            let domain = to.path.rsplit_once('@').map(|(_, domain)| domain);
            domain.unwrap_or_default().to_ascii_lowercase()
        };
        let domains: BTreeSet<_> = transaction.recipients.iter().map(domain).collect();
        let further = match domains.contains(&domain(to)) {
            true => 0,
            false => domains.len() as u64,
        };
        let many = WireReply::of(452, "4.5.3 Too many recipients");
        let others = WireReply::of(452, "4.5.3 Too many recipient domains");
        let count = transaction.recipients.len() as u64;
        Limit::reached(script.limits.recipients.as_ref(), count, &many)
            .or_else(|| {
                let limit = script.limits.recipient_domains.as_ref();
                Limit::reached(limit.filter(|_| further > 0), further, &others)
            })
            .or_else(|| to.unknown(&self.offer()))
    }

    /// Returns the script's action at a moment; that of the usual, if no rule answers.
    pub(crate) fn action(&self, moment: Moment, subjects: &[&str]) -> RuleAction {
        self.action_at(moment, subjects, None)
    }

    /// Returns the script's action at a moment, which may be a line of a message.
    pub(crate) fn action_at(
        &self,
        moment: Moment,
        subjects: &[&str],
        line: Option<u64>,
    ) -> RuleAction {
        let circumstances = Circumstances {
            connection: self.number,
            tls: self.tls.is_some(),
            authenticated: self.user.is_some(),
            line,
            subjects,
        };
        let action = self
            .sink
            .counts
            .action(&self.sink.script.on, moment, circumstances);
        action.unwrap_or_default()
    }

    /// Performs an action: its reply, or the usual one, and what follows. Returns true if the reply
    /// lets the client go on.
    pub(crate) async fn perform(&mut self, action: RuleAction, usual: WireReply) -> Step<bool> {
        action.wait().await;
        let reply = match (&action.reply, action.then) {
            (Some(reply), _) => reply.clone(),
            (None, None) => usual,
            (None, then) => {
                follow(then).await?;
                return Ok(false);
            }
        };
        self.send(&reply, &action).await?;
        follow(action.then).await?;
        Ok(reply.proceeds())
    }

    /// Sends a reply of the server's own.
    pub(crate) async fn say(&mut self, reply: &WireReply) -> Step<()> {
        self.send(reply, &RuleAction::default()).await
    }

    /// Sends a reply; 421 ends the session (RFC 5321 section 3.8).
    async fn send(&mut self, reply: &WireReply, action: &RuleAction) -> Step<()> {
        let pace = &self.sink.script.pace;
        if let Some(delay) = pace.delay {
            sleep(delay).await;
        }
        let mut octets = Vec::new();
        for line in reply.lines() {
            self.sink.dialogue.server(self.number, &line);
            octets.extend_from_slice(line.as_bytes());
            octets.extend_from_slice(b"\r\n");
        }
        self.wire
            .send(&octets, action.octet_delay.or(pace.octet_delay))
            .await?;
        match reply.code() {
            421 => Err(Over::Regularly),
            _ => Ok(()),
        }
    }
}
