//! DATA, BDAT and the reply to a whole message.

use crate::reply::WireReply;
use crate::rules::{Moment, RuleAction};
use crate::script::{Limit, SinkProtocol};
use crate::session::{SinkSession, follow};
use crate::store::KeptMessage;
use crate::transaction::{PathCommand, SinkTransaction};
use crate::wire::Step;

impl SinkSession<'_> {
    /// Handles DATA.
    pub(crate) async fn data(&mut self) -> Step<()> {
        let Some(transaction) = self.transaction.take_if(|now| !now.recipients.is_empty()) else {
            return self
                .say(&WireReply::of(503, "5.5.1 MAIL and RCPT come first"))
                .await;
        };
        let action = self.action(Moment::Data, &transaction.subjects());
        if !self.perform(action, WireReply::of(354, "Go on")).await? {
            return Ok(());
        }
        let transaction = self.lines(transaction).await?;
        self.message(transaction).await
    }

    /// Reads the lines of a message up to the dot.
    async fn lines(&mut self, mut transaction: SinkTransaction) -> Step<SinkTransaction> {
        let asks = self
            .sink
            .script
            .on
            .iter()
            .any(|rule| rule.command == Some(Moment::Content));
        let mut line = 0;
        let mut begins = true;
        loop {
            let (piece, ended) = self.wire.content().await?;
            if begins && piece == b".\r\n" {
                return Ok(transaction);
            }
            let text = match begins {
                true => piece.strip_prefix(b".").unwrap_or(&piece),
                false => &piece,
            };
            self.store(&mut transaction, text)?;
            if begins && asks {
                line += 1;
                let text = String::from_utf8_lossy(text);
                let action = self.action_at(Moment::Content, &[text.trim_end()], Some(line));
                action.wait().await;
                follow(action.then).await?;
            }
            begins = ended && piece.ends_with(b"\r\n");
        }
    }

    /// Handles a chunk (RFC 3030): `arguments` are `size [LAST]`.
    pub(crate) async fn chunk(&mut self, arguments: &str) -> Step<()> {
        let mut words = arguments.split_whitespace();
        let size = words.next().and_then(|size| size.parse::<u64>().ok());
        let last = words.next().map(|word| word.eq_ignore_ascii_case("LAST"));
        let (Some(size), None | Some(true)) = (size, last) else {
            return self
                .say(&WireReply::of(501, "5.5.4 Write BDAT size [LAST]"))
                .await;
        };
        let mut transaction = self.transaction.take_if(|now| !now.recipients.is_empty());
        let mut missing = size;
        while missing > 0 {
            let octets = self.wire.octets(missing).await?;
            missing -= octets.len() as u64;
            if let Some(transaction) = &mut transaction {
                self.store(transaction, &octets)?;
            }
        }
        let offered = self.offers("CHUNKING");
        let (Some(mut transaction), true) = (transaction, offered) else {
            return self
                .say(&WireReply::of(503, "5.5.1 BDAT is out of place here"))
                .await;
        };
        transaction.chunked = true;
        let action = self.action(Moment::Bdat, &transaction.subjects());
        let decides = action.reply.is_some() || action.then.is_some();
        if last.is_some() && !decides {
            action.wait().await;
            return self.message(transaction).await;
        }
        let text = format!("2.0.0 {size} octets received");
        if self.perform(action, WireReply::of(250, &text)).await? {
            self.transaction = Some(transaction);
        }
        Ok(())
    }

    fn store(&self, transaction: &mut SinkTransaction, octets: &[u8]) -> Step<()> {
        if transaction.content.is_none() {
            transaction.content = Some(self.sink.store.begin()?);
        }
        transaction.size += octets.len() as u64;
        transaction.eight_bit |= !octets.is_ascii();
        // What is over the limit is counted and not stored.
        if let Some(content) = &mut transaction.content
            && transaction.size <= self.size_limit()
        {
            content.write(octets)?;
        }
        Ok(())
    }

    /// Stores a whole message as far as it is accepted, and replies to it: in LMTP once for each
    /// recipient.
    async fn message(&mut self, mut transaction: SinkTransaction) -> Step<()> {
        let detail = format!("{} octets", transaction.size);
        self.sink.dialogue.event(self.number, "message", &detail);
        let refusal = self.refuses_message(&transaction);
        let lmtp = self.sink.script.protocol == SinkProtocol::Lmtp;
        let actions: Vec<RuleAction> = match lmtp {
            false => vec![self.action(Moment::Message, &transaction.subjects())],
            true => transaction
                .recipients
                .iter()
                .map(|to| self.action(Moment::Message, &[&to.path]))
                .collect(),
        };
        let accepts = |action: &RuleAction| match (&action.reply, action.then) {
            (Some(reply), _) => reply.proceeds(),
            (None, then) => then.is_none() && refusal.is_none(),
        };
        let accepted: Vec<PathCommand> = match lmtp {
            false if accepts(&actions[0]) => std::mem::take(&mut transaction.recipients),
            false => Vec::new(),
            true => {
                let each = transaction.recipients.iter().zip(&actions);
                each.filter(|(_, action)| accepts(action))
                    .map(|(to, _)| to.clone())
                    .collect()
            }
        };
        let mut usual = refusal.unwrap_or_else(|| WireReply::of(250, "2.0.0 taken"));
        if !accepted.is_empty() {
            let number = self.keep(transaction, &accepted)?;
            usual = WireReply::of(250, &format!("2.0.0 taken as {number}"));
        }
        for action in actions {
            self.perform(action, usual.clone()).await?;
        }
        Ok(())
    }

    /// Returns the reply to a message that is over a limit.
    fn refuses_message(&self, transaction: &SinkTransaction) -> Option<WireReply> {
        if transaction.size > self.size_limit() {
            return Some(WireReply::of(552, "5.3.4 Message too big"));
        }
        let limit = self.sink.script.limits.messages_per_minute.as_ref();
        let usual = WireReply::of(451, "4.7.0 Too many messages in this minute");
        Limit::reached(limit, self.sink.tallies.messages_of_a_minute(), &usual)
    }

    fn keep(&mut self, transaction: SinkTransaction, accepted: &[PathCommand]) -> Step<u64> {
        let mail = transaction.mail;
        let (number, file) = self.sink.store.finish(transaction.content)?;
        let kept = KeptMessage {
            number,
            connection: self.number,
            to: accepted.iter().map(|to| to.path.clone()).collect(),
            smtputf8: mail.value("SMTPUTF8").is_some(),
            dsn: mail.only(&["RET", "ENVID"]),
            dsn_to: accepted
                .iter()
                .map(|to| to.only(&["NOTIFY", "ORCPT"]))
                .collect(),
            size: transaction.size,
            eight_bit: transaction.eight_bit,
            chunked: transaction.chunked,
            helo: self.helo.clone(),
            tls: self.tls.as_ref().map(|tls| tls.by.clone()),
            client_certificate: self.tls.as_ref().and_then(|tls| tls.client.clone()),
            user: self.user.as_ref().map(|user| user.name.clone()),
            mechanism: self.user.as_ref().map(|user| user.mechanism.to_owned()),
            xforward: std::mem::take(&mut self.xforward),
            from: mail.path,
            parameters: mail.parameters,
            file,
        };
        kept.write_beside()?;
        self.sink.tallies.message();
        self.messages += 1;
        (self.sink.on_message)(&kept)?;
        Ok(number)
    }
}
