//! Rules of a script: what is answered at which moment, how often, and what follows.

use std::collections::BTreeMap;
use std::time::Duration;

use gatepost_message::Period;
use parking_lot::Mutex;
use serde::{Deserialize, Deserializer};

use crate::pattern::Pattern;
use crate::reply::WireReply;

/// Moment of a dialogue at which a rule may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Moment {
    /// A connection was opened; subject: the client's address.
    Connect,
    /// EHLO; subject: the client's name.
    Ehlo,
    /// HELO; subject: the client's name.
    Helo,
    /// LHLO of LMTP; subject: the client's name.
    Lhlo,
    /// STARTTLS.
    StartTls,
    /// AUTH, before the exchange; subject: the mechanism.
    Auth,
    /// The right password or token, before the 235; subject: the user.
    Login,
    /// MAIL; subject: the reverse-path.
    Mail,
    /// RCPT; subject: the recipient.
    Rcpt,
    /// DATA; subjects: the reverse-path and the recipients.
    Data,
    /// Each chunk of BDAT, after its octets; subjects as of DATA.
    Bdat,
    /// Each line of a message that comes by DATA; subject: the line.
    Content,
    /// A whole message, before the reply to it; subjects as of DATA. In LMTP once for each
    /// recipient, which is the subject.
    Message,
    /// XFORWARD; subject: its arguments.
    Xforward,
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
}

/// Rule of a script. All its conditions must be met.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ReplyRule {
    /// Moment; that of the refusal, if it has one and this is not given.
    pub(crate) command: Option<Moment>,
    /// Pattern for any of the moment's subjects.
    #[serde(rename = "match")]
    pattern: Option<Pattern>,
    /// Condition: the session is under TLS, or is not.
    tls: Option<bool>,
    /// Condition: the session has a user, or has none.
    authenticated: Option<bool>,
    /// Condition at CONTENT: the number of the line in its message, from 1.
    line: Option<u64>,
    /// Times that the rule lets pass first.
    #[serde(default)]
    after: u64,
    /// Times that the rule answers; without an end if not given.
    times: Option<u64>,
    /// Scope of the counting.
    #[serde(default)]
    per: CountScope,
    /// Name of one of the service's refusals, which gives the reply.
    pub(crate) refusal: Option<String>,
    /// Reply instead of the usual one.
    pub(crate) reply: Option<WireReply>,
    /// Wait before the reply.
    #[serde(default, deserialize_with = "duration")]
    delay: Option<Duration>,
    /// Wait after each octet of the reply.
    #[serde(default, deserialize_with = "duration")]
    octet_delay: Option<Duration>,
    /// End that follows the reply.
    then: Option<Then>,
}

/// Action of a rule.
#[derive(Debug, Clone, Default)]
pub(crate) struct RuleAction {
    pub(crate) reply: Option<WireReply>,
    pub(crate) delay: Option<Duration>,
    pub(crate) octet_delay: Option<Duration>,
    pub(crate) then: Option<Then>,
}

impl RuleAction {
    /// Waits as long as the action says.
    pub(crate) async fn wait(&self) {
        if let Some(delay) = self.delay {
            tokio::time::sleep(delay).await;
        }
    }
}

/// End that a rule makes after its reply; without a reply, in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Then {
    /// Closes the connection.
    Close,
    /// Resets the connection: the client may lose what was sent before.
    Reset,
    /// Neither reads nor writes any more.
    Hang,
}

/// Scope in which a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CountScope {
    /// All connections together.
    #[default]
    Server,
    /// Each connection by itself.
    Connection,
}

/// Present state of a session, for the conditions of rules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) connection: u64,
    pub(crate) tls: bool,
    pub(crate) authenticated: bool,
    /// Line of a message, at CONTENT.
    pub(crate) line: Option<u64>,
    pub(crate) subjects: &'a [&'a str],
}

/// Counts of all rules: how often each was met.
#[derive(Debug)]
pub(crate) struct RuleCounts(Vec<Mutex<BTreeMap<u64, u64>>>);

impl RuleCounts {
    pub(crate) fn new(rules: &[ReplyRule]) -> Self {
        Self(rules.iter().map(|_| Mutex::default()).collect())
    }

    /// Counts a moment with all rules that it meets; returns the action of the first rule that is
    /// to answer.
    pub(crate) fn action(
        &self,
        rules: &[ReplyRule],
        moment: Moment,
        circumstances: Circumstances<'_>,
    ) -> Option<RuleAction> {
        let mut chosen = None;
        for (rule, counts) in rules.iter().zip(&self.0) {
            if rule.is_met(moment, circumstances) {
                let scope = match rule.per {
                    CountScope::Server => 0,
                    CountScope::Connection => circumstances.connection,
                };
                let mut counts = counts.lock();
                let count = counts.entry(scope).or_default();
                let passed = count.saturating_sub(rule.after);
                if *count >= rule.after && rule.times.is_none_or(|times| passed < times) {
                    chosen.get_or_insert(rule);
                }
                *count += 1;
            }
        }
        chosen.map(ReplyRule::action)
    }

    /// Forgets the counts of a connection that is over.
    pub(crate) fn forget(&self, connection: u64) {
        for counts in &self.0 {
            counts.lock().remove(&connection);
        }
    }
}

impl ReplyRule {
    fn action(&self) -> RuleAction {
        RuleAction {
            reply: self.reply.clone(),
            delay: self.delay,
            octet_delay: self.octet_delay,
            then: self.then,
        }
    }

    fn is_met(&self, moment: Moment, is: Circumstances<'_>) -> bool {
        let matches = |pattern: &Pattern| is.subjects.iter().any(|text| pattern.matches(text));
        self.command == Some(moment)
            && self.tls.is_none_or(|tls| tls == is.tls)
            && self
                .authenticated
                .is_none_or(|user| user == is.authenticated)
            && self.line.is_none_or(|line| is.line == Some(line))
            && self.pattern.as_ref().is_none_or(matches)
    }
}

/// Reads a duration, such as `250ms` or `2s`.
pub(crate) fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    Period::deserialize(from).map(|period| Some(period.0))
}
