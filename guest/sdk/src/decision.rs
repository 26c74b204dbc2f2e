//! What a policy wants done, recorded in the order in which it was asked for.

use crate::header::Header;
use crate::{MessageClass, RecipientVerdict, Reply};

/// One thing that a policy asked for. The relay carries it out after the chain, at commit.
///
/// ```
/// use gatepost_sdk::{Action, Decision};
///
/// let mut decision = Decision::default();
/// decision.tag("urgent");
/// assert_eq!(decision.actions(), [Action::Tag("urgent".into())]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Says why, for the postmaster.
    Reason(String),
    /// Puts a tag on the message.
    Tag(String),
    /// Says what kind of message it is, and whether a machine may answer it.
    Classify(MessageClass, bool),
    /// Adds a field on top of the header section.
    AddHeader(String, String),
    /// Removes every field of that name.
    RemoveHeader(String),
    /// Replaces the first field of that name and removes the others.
    SetHeader(String, String),
    /// Lets no later policy change fields of that name.
    ProtectHeader(String),
    /// Judges one recipient apart from the message.
    JudgeRecipient(String, RecipientVerdict),
    /// Adds to a windowed count.
    Count(String, u32),
    /// Remembers a key for a number of seconds.
    MarkSeen(String, u32),
    /// Lets a windowed count start again from nothing.
    ForgetCount(String),
    /// Knows an address as a machine's, by which evidence, for a number of seconds.
    RememberMachine(String, String, u32),
    /// Knows an address as a machine's no more.
    ForgetMachine(String),
    /// Lets the submitter hear who was suppressed.
    ReportSuppressed,
}

/// The record of what a policy wants done besides its verdict.
///
/// Nothing happens while it is written: the relay carries it out once the whole chain has spoken, and a
/// test can look at it.
///
/// ```
/// use gatepost_sdk::*;
///
/// let mut decision = Decision::default();
/// decision.reason("sent by the customer's own monitoring");
/// decision.tag("monitoring");
/// decision.set_header("X-Priority", "5");
/// decision.protect_header("X-Priority");
/// decision.count("monitoring", 1);
/// decision.mark_seen("monitoring:disk-full", 3600);
///
/// let reason = Action::Reason("sent by the customer's own monitoring".into());
/// assert_eq!(decision.actions()[0], reason);
/// assert_eq!(decision.actions().len(), 6);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    actions: Vec<Action>,
}

impl Decision {
    /// Everything asked for, in order.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// assert_eq!(Decision::default().actions(), []);
    /// ```
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Says why, in one sentence for the postmaster.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// let mut decision = Decision::default();
    /// decision.reason("sent at night");
    /// assert_eq!(decision.actions(), [Action::Reason("sent at night".into())]);
    /// ```
    pub fn reason(&mut self, text: impl Into<String>) {
        self.actions.push(Action::Reason(text.into()));
    }

    /// Puts a tag on the message: letters, digits, `-`, `.` and `_`, at most 64.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// let mut decision = Decision::default();
    /// decision.tag("urgent");
    /// assert_eq!(decision.actions(), [Action::Tag("urgent".into())]);
    /// ```
    pub fn tag(&mut self, tag: impl Into<String>) {
        self.actions.push(Action::Tag(tag.into()));
    }

    /// Says what kind of message it is, and whether a machine may answer it.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// let mut decision = Decision::default();
    /// decision.classify(MessageClass::AutoReplied, false);
    /// assert_eq!(decision.actions(), [Action::Classify(MessageClass::AutoReplied, false)]);
    /// ```
    pub fn classify(&mut self, class: MessageClass, reply_allowed: bool) {
        self.actions.push(Action::Classify(class, reply_allowed));
    }

    /// Adds a field on top of the header section.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// let mut decision = Decision::default();
    /// decision.add_header("Comments", "seen by two of us");
    /// let add = Action::AddHeader("Comments".into(), "seen by two of us".into());
    /// assert_eq!(decision.actions(), [add]);
    /// ```
    pub fn add_header(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.actions
            .push(Action::AddHeader(name.into(), value.into()));
    }

    /// Removes every field of that name.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// let mut decision = Decision::default();
    /// decision.remove_header("X-Internal-Note");
    /// assert_eq!(decision.actions(), [Action::RemoveHeader("X-Internal-Note".into())]);
    /// ```
    pub fn remove_header(&mut self, name: impl Into<String>) {
        self.actions.push(Action::RemoveHeader(name.into()));
    }

    /// Replaces the first field of that name in its place and removes the others; adds it on top
    /// where there is none.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// let mut decision = Decision::default();
    /// decision.set_header("Reply-To", "help@desk.example");
    /// let set = Action::SetHeader("Reply-To".into(), "help@desk.example".into());
    /// assert_eq!(decision.actions(), [set]);
    /// ```
    pub fn set_header(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.actions
            .push(Action::SetHeader(name.into(), value.into()));
    }

    /// As [`Decision::set_header`], of a field that has a [type](crate::header).
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// let mut decision = Decision::default();
    /// decision.set(&header::Subject("Your ticket".into()));
    /// let set = Action::SetHeader("Subject".into(), "Your ticket".into());
    /// assert_eq!(decision.actions(), [set]);
    /// ```
    pub fn set<H: Header>(&mut self, header: &H) {
        self.set_header(H::NAME, header.write());
    }

    /// From here on no later policy may change or remove fields of that name.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// let mut decision = Decision::default();
    /// decision.set_header("Precedence", "bulk");
    /// decision.protect_header("Precedence");
    /// assert_eq!(decision.actions()[1], Action::ProtectHeader("Precedence".into()));
    /// ```
    pub fn protect_header(&mut self, name: impl Into<String>) {
        self.actions.push(Action::ProtectHeader(name.into()));
    }

    /// Judges one recipient apart from the message; the address as in
    /// [`Transaction::recipients`](crate::Transaction::recipients).
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// # let mut decision = Decision::default();
    /// let reply = Reply::new(550, "5.1.1", "Nobody reads this address any more");
    /// decision.judge_recipient("old@desk.example", RecipientVerdict::Reject(reply));
    /// ```
    pub fn judge_recipient(&mut self, address: impl Into<String>, verdict: RecipientVerdict) {
        self.actions
            .push(Action::JudgeRecipient(address.into(), verdict));
    }

    /// One recipient gets nothing, and nobody is told but the record; needs
    /// [`Duties::suppresses`](crate::Duties::suppresses).
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// let mut decision = Decision::default();
    /// decision.suppress("bounces@desk.example", "nobody reads it");
    /// let verdict = RecipientVerdict::Suppress("nobody reads it".into());
    /// let action = Action::JudgeRecipient("bounces@desk.example".into(), verdict);
    /// assert_eq!(decision.actions(), [action]);
    /// ```
    pub fn suppress(&mut self, recipient: impl Into<String>, reason: impl Into<String>) {
        self.judge_recipient(recipient, RecipientVerdict::Suppress(reason.into()));
    }

    /// One recipient is refused, and the others are not.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// let mut decision = Decision::default();
    /// let reply = Reply::new(550, "5.1.1", "Nobody reads this address any more");
    /// decision.refuse("old@desk.example", reply.clone());
    /// let action = Action::JudgeRecipient("old@desk.example".into(), RecipientVerdict::Reject(reply));
    /// assert_eq!(decision.actions(), [action]);
    /// ```
    pub fn refuse(&mut self, recipient: impl Into<String>, reply: Reply) {
        self.judge_recipient(recipient, RecipientVerdict::Reject(reply));
    }

    /// Once the message is accepted, adds `amount` to the windowed count `key`.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// /// Puts off all but the first hundred messages of an hour.
    /// fn at_most(sender: &str, facts: &dyn Facts, decision: &mut Decision) -> Verdict {
    ///     if facts.counted(sender, 3600) >= 100 {
    ///         return Verdict::tempfail(451, "4.7.1", "Too many: try again later");
    ///     }
    ///     decision.count(sender, 1);
    ///     Verdict::Pass
    /// }
    /// ```
    pub fn count(&mut self, key: impl Into<String>, amount: u32) {
        self.actions.push(Action::Count(key.into(), amount));
    }

    /// Once the message is accepted, remembers `key` for `seconds`.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// /// Refuses what came within the day.
    /// fn once(id: &str, facts: &dyn Facts, decision: &mut Decision) -> Verdict {
    ///     if facts.seen(id) {
    ///         return Verdict::reject(550, "5.6.0", "This was here before");
    ///     }
    ///     decision.mark_seen(id, 24 * 3600);
    ///     Verdict::Pass
    /// }
    /// ```
    pub fn mark_seen(&mut self, key: impl Into<String>, seconds: u32) {
        self.actions.push(Action::MarkSeen(key.into(), seconds));
    }

    /// Once the message is accepted, lets the count `key` start again from nothing; what is
    /// counted afterwards counts.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// /// Whoever has written themselves may be written to by machines again.
    /// fn answered(by: &str, decision: &mut Decision) {
    ///     decision.forget_count(format!("automatic:{by}"));
    /// }
    /// ```
    pub fn forget_count(&mut self, key: impl Into<String>) {
        self.actions.push(Action::ForgetCount(key.into()));
    }

    /// Once the message is accepted, lets [`machine`](crate::machine) say for `seconds` that a machine
    /// writes from this address, and by which evidence: one sentence, of which 200 octets are kept.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// # let mut decision = Decision::default();
    /// decision.remember_machine("build@ci.example", "it sends what cron wrote", 30 * 86_400);
    /// ```
    pub fn remember_machine(
        &mut self,
        address: impl Into<String>,
        evidence: impl Into<String>,
        seconds: u32,
    ) {
        let (address, evidence) = (address.into(), evidence.into());
        self.actions
            .push(Action::RememberMachine(address, evidence, seconds));
    }

    /// Once the message is accepted, the address is known as a machine's no more.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// /// A person has written from there.
    /// fn believed(author: &str, decision: &mut Decision) {
    ///     decision.forget_machine(author);
    /// }
    /// ```
    pub fn forget_machine(&mut self, address: impl Into<String>) {
        self.actions.push(Action::ForgetMachine(address.into()));
    }

    /// Whoever submitted the message is to hear, in a notice of the relay, which recipients are
    /// suppressed and why. To a null reverse-path nothing is said.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// # let mut decision = Decision::default();
    /// decision.suppress("bounces@desk.example", "nobody reads it");
    /// decision.report_suppressed();
    /// ```
    pub fn report_suppressed(&mut self) {
        self.actions.push(Action::ReportSuppressed);
    }
}
