//! State of one connection: whether it works, and how fast mail may leave through it. No I/O.

use std::collections::HashMap;
use std::time::Duration;

use gatepost_message::Millis;
use gatepost_smtp::Reply;
use serde::{Deserialize, Serialize};

use crate::classify::{by_stage, classify};
use crate::window::SentWindow;
use crate::{Classified, ConnectionLimits, DialogueStage, Period, Profile, ReplyClass, Stops};

/// Longest text that is kept of a server's words, in characters.
const LONGEST_WORDS: usize = 300;

/// Most mailboxes that are counted apart; all others share one count.
const MOST_MAILBOXES: usize = 10_000;

/// Time that a probe may take before another one is allowed.
const PROBE: Duration = Duration::from_secs(10 * 60);

/// Usual waits between probes, in minutes; the last one repeats.
const BACK_OFF: [u64; 6] = [1, 2, 5, 10, 30, 60];

/// Wait of a mailbox that may not send, where no rule says another.
const MAILBOX_WAIT: Duration = Duration::from_secs(60 * 60);

/// Beginning of the reply by which mail waits for a connection in trouble; the words of the trouble
/// come behind it.
pub const IN_TROUBLE: &str = "the connection does not take mail now: ";

/// Reply by which mail waits until the limits of its connection let it leave.
pub const AT_ITS_LIMITS: &str = "the limits of the connection allow no more for now";

/// Trouble that a connection is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ConnectionTrouble {
    /// Beginning of the trouble.
    pub since: Millis,
    /// Stage at which it showed.
    pub stage: DialogueStage,
    /// Class of the reply.
    pub class: ReplyClass,
    /// Words of the server, or of the relay where the server said nothing. Printable and bounded.
    pub words: String,
    /// Advice to whoever set up the connection.
    pub advice: String,
    /// Time of the next probe.
    pub next_probe: Millis,
}

/// Refusal of the last session that was opened for a test. It stops no mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RefusedTest {
    /// Time of the test.
    pub at: Millis,
    /// Stage at which the session was refused.
    pub stage: DialogueStage,
    /// Words of the server, or of the relay where the server said nothing. Printable and bounded.
    pub words: String,
    /// Advice to whoever set up the connection.
    pub advice: String,
}

/// State of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ConnectionState {
    /// Mail leaves through it.
    #[default]
    Working,
    /// Its service wants a pause: a limit is reached, or it fails for a time.
    Paused(ConnectionTrouble),
    /// It is set up wrongly: its mail is held, and a probe looks whether it works again.
    Broken(ConnectionTrouble),
}

impl ConnectionState {
    /// Word of every state, as operators see it.
    pub const WORDS: [&str; 3] = ["working", "paused", "broken"];

    /// Returns the word of the state.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Paused(_) => "paused",
            Self::Broken(_) => "broken",
        }
    }

    /// Returns the trouble of a connection that has been broken for that long.
    pub fn broken_for(&self, time: Period, now: Millis) -> Option<&ConnectionTrouble> {
        match self {
            Self::Broken(trouble) if trouble.since + time.0 <= now => Some(trouble),
            _ => None,
        }
    }

    /// Returns the trouble, if there is some.
    pub fn trouble(&self) -> Option<&ConnectionTrouble> {
        match self {
            Self::Working => None,
            Self::Paused(trouble) | Self::Broken(trouble) => Some(trouble),
        }
    }
}

/// Answer to a question for leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// Now.
    Now,
    /// At this time at the earliest.
    NotBefore(Millis),
}

/// End of a session before its first transaction.
#[derive(Debug, Clone, Copy)]
pub struct SessionFailure<'a> {
    /// Stage.
    pub stage: DialogueStage,
    /// Reply of the server, if it answered.
    pub reply: Option<&'a Reply>,
    /// Words for operators, where there is no reply.
    pub words: &'a str,
    /// True if nothing but a change will help. A reply says so by itself.
    pub is_permanent: bool,
}

/// Consent by which a connection has a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Authorization {
    /// End of the refresh token's life, if the token server says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Millis>,
}

/// Terms by which a connection's replies are read, and by which it is probed.
#[derive(Debug, Clone, Copy)]
pub struct StandingTerms<'a> {
    /// Profile of the service.
    pub profile: &'a Profile,
    /// Waits between probes; the last one repeats. Without any they are the usual ones.
    pub probe: &'a [Period],
}

impl StandingTerms<'_> {
    /// Returns the wait for a probe after so many failures.
    fn back_off(&self, failures: u32) -> Duration {
        let failures = usize::try_from(failures).unwrap_or(usize::MAX);
        let usual = || Duration::from_secs(60 * BACK_OFF[failures.min(BACK_OFF.len() - 1)]);
        let own = self.probe.get(failures).or(self.probe.last());
        own.map_or_else(usual, |wait| wait.0)
    }
}

/// Mailbox that mail leaves from, and what it sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct MailboxStanding {
    sent: SentWindow,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paused_until: Option<Millis>,
}

/// State and pace of one connection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConnectionStanding {
    state: ConnectionState,
    /// Failures since it worked.
    failures: u32,
    /// True while a probe is on its way.
    #[serde(skip)]
    is_probing: bool,
    /// Mailboxes by address in lower case; all mail under the empty text where limits hold for the
    /// connection as a whole.
    mailboxes: HashMap<String, MailboxStanding>,
    /// Consent, where the connection logs in by a refresh token and has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authorization: Option<Authorization>,
    /// Time at which the last message left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_used: Option<Millis>,
    /// Refusal of the last test, until a session is opened or the connection is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused_test: Option<RefusedTest>,
}

impl ConnectionStanding {
    /// Returns the refusal of the last test, if nothing has shown since that the connection works.
    pub fn refused_test(&self) -> Option<&RefusedTest> {
        self.refused_test.as_ref()
    }

    /// Records that a session for a test was refused. The state stays: a test stops no mail.
    pub fn test_refused(&mut self, refused: RefusedTest) {
        self.refused_test = Some(RefusedTest {
            words: printable(&refused.words),
            ..refused
        });
    }

    /// Returns the consent by which the connection has a refresh token.
    pub fn authorization(&self) -> Option<Authorization> {
        self.authorization
    }

    /// Records the consent by which the connection has a refresh token, or that it has none.
    pub fn authorized(&mut self, authorization: Option<Authorization>) {
        self.authorization = authorization;
    }

    /// Returns the state.
    pub fn state(&self) -> &ConnectionState {
        &self.state
    }

    /// Returns the messages and the recipients of the last 24 hours.
    pub fn sent_in_a_day(&self, now: Millis) -> (u64, u64) {
        let days = self.mailboxes.values().map(|mailbox| mailbox.sent.day(now));
        days.fold((0, 0), |sum, day| (sum.0 + day.0, sum.1 + day.1))
    }

    /// Returns the messages and the recipients of this hour by the clock.
    pub fn sent_this_hour(&self, now: Millis) -> (u64, u64) {
        let hours = (self.mailboxes.values()).map(|mailbox| mailbox.sent.this_hour(now));
        hours.fold((0, 0), |sum, hour| (sum.0 + hour.0, sum.1 + hour.1))
    }

    /// Returns the time at which the last message left.
    pub fn last_used(&self) -> Option<Millis> {
        self.last_used
    }

    /// Returns true if a session may begin. In trouble, one at a time may: the probe.
    pub fn may_begin(&mut self, now: Millis) -> May {
        let (ConnectionState::Paused(trouble) | ConnectionState::Broken(trouble)) = &mut self.state
        else {
            return May::Now;
        };
        if trouble.next_probe > now {
            return May::NotBefore(trouble.next_probe);
        }
        trouble.next_probe = now + PROBE;
        self.is_probing = true;
        May::Now
    }

    /// Returns true if a message with this many recipients may leave from a mailbox: what the
    /// limits of a minute and of a day allow, and what the mailbox itself may.
    pub fn may_send(
        &self,
        limits: &ConnectionLimits,
        mailbox: &str,
        recipients: u32,
        now: Millis,
    ) -> May {
        let counted = self
            .mailboxes
            .get(self.counted_as(limits.per_mailbox, mailbox).as_str());
        let limited = counted.and_then(|counted| counted.sent.wait(limits, recipients, now));
        let own = self.mailboxes.get(self.counted_as(true, mailbox).as_str());
        let paused = own
            .and_then(|own| own.paused_until)
            .filter(|until| *until > now);
        match limited.max(paused) {
            Some(until) => May::NotBefore(until),
            None => May::Now,
        }
    }

    /// Counts a message that is sent from a mailbox.
    pub fn sends(
        &mut self,
        limits: &ConnectionLimits,
        mailbox: &str,
        recipients: u32,
        now: Millis,
    ) {
        self.last_used = Some(now);
        let key = self.counted_as(limits.per_mailbox, mailbox);
        self.mailbox(key, now).sent.count(limits, recipients, now);
    }

    /// Records that a session was opened, up to its log-in.
    pub fn session_opened(&mut self) {
        self.refused_test = None;
        let is_of_session = |trouble: &ConnectionTrouble| trouble.stage.is_of_session();
        if self.state.trouble().is_some_and(is_of_session) {
            self.works();
        }
    }

    /// Records that a message was accepted.
    pub fn accepted(&mut self, now: Millis) {
        // Another session may be in the middle of a message when a limit is reached.
        let is_over = |trouble: &ConnectionTrouble| trouble.next_probe <= now;
        if self.is_probing || self.state.trouble().is_some_and(is_over) {
            self.works();
        }
    }

    /// Records that a session ended before its first transaction. Its mail waits: only replies to
    /// MAIL, RCPT and data can fail a recipient.
    pub fn session_refused(
        &mut self,
        terms: StandingTerms<'_>,
        failure: SessionFailure<'_>,
        now: Millis,
    ) -> Classified {
        let classified = match failure.reply {
            Some(reply) => classify(terms.profile, failure.stage, reply),
            None => by_stage(failure.stage, failure.is_permanent),
        };
        let words = match failure.reply {
            Some(reply) => reply.to_string(),
            None => failure.words.to_owned(),
        };
        self.stops(terms, failure.stage, &classified, &words, now);
        classified
    }

    /// Records a negative reply to a command of a transaction from a mailbox.
    pub fn replied(
        &mut self,
        terms: StandingTerms<'_>,
        stage: DialogueStage,
        reply: &Reply,
        mailbox: &str,
        now: Millis,
    ) -> Classified {
        let classified = classify(terms.profile, stage, reply);
        match classified.stops {
            Stops::Connection => self.stops(terms, stage, &classified, &reply.to_string(), now),
            Stops::Mailbox => {
                let wait = classified.wait.map_or(MAILBOX_WAIT, |wait| wait.0);
                let key = self.counted_as(true, mailbox);
                self.mailbox(key, now).paused_until = Some(now + wait);
            }
            Stops::Message => {}
        }
        classified
    }

    /// Has the next session begin at once, because the connection was changed.
    pub fn try_now(&mut self, now: Millis) {
        self.failures = 0;
        self.refused_test = None;
        if let ConnectionState::Paused(trouble) | ConnectionState::Broken(trouble) = &mut self.state
        {
            trouble.next_probe = now;
        }
        for mailbox in self.mailboxes.values_mut() {
            mailbox.paused_until = None;
        }
    }

    fn works(&mut self) {
        self.state = ConnectionState::Working;
        self.failures = 0;
        self.is_probing = false;
    }

    fn stops(
        &mut self,
        terms: StandingTerms<'_>,
        stage: DialogueStage,
        classified: &Classified,
        words: &str,
        now: Millis,
    ) {
        let back_off = terms.back_off(self.failures);
        let is_set_up = matches!(
            classified.class,
            ReplyClass::SetUp | ReplyClass::SenderMailbox
        );
        // A wait of a rule is the service's own; a broken connection is probed sooner at first.
        let wait = match (classified.wait, is_set_up) {
            (Some(wait), false) => wait.0,
            _ => back_off,
        };
        self.failures = self.failures.saturating_add(1);
        self.is_probing = false;
        let since = match &self.state {
            ConnectionState::Broken(trouble) if is_set_up => trouble.since,
            ConnectionState::Paused(trouble) if !is_set_up => trouble.since,
            _ => now,
        };
        let trouble = ConnectionTrouble {
            since,
            stage,
            class: classified.class,
            words: printable(words),
            advice: classified.advice.clone(),
            next_probe: now + wait,
        };
        self.state = match is_set_up {
            true => ConnectionState::Broken(trouble),
            false => ConnectionState::Paused(trouble),
        };
    }

    /// Returns the key under which a mailbox is counted.
    fn counted_as(&self, apart: bool, mailbox: &str) -> String {
        /// Key of all mailboxes over the limit; no address is like it.
        const OTHERS: &str = "*";
        if !apart {
            return String::new();
        }
        let key = mailbox.to_lowercase();
        match self.mailboxes.contains_key(&key) || self.mailboxes.len() < MOST_MAILBOXES {
            true => key,
            false => OTHERS.to_owned(),
        }
    }

    fn mailbox(&mut self, key: String, now: Millis) -> &mut MailboxStanding {
        if self.mailboxes.len() >= MOST_MAILBOXES && !self.mailboxes.contains_key(&key) {
            self.mailboxes.retain(|_, mailbox| {
                !mailbox.sent.is_over(now) || mailbox.paused_until.is_some_and(|until| until > now)
            });
        }
        self.mailboxes.entry(key).or_default()
    }
}

/// Returns a text of a server in printable characters, cut at the bound.
fn printable(words: &str) -> String {
    let plain = words.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(LONGEST_WORDS).collect()
}
