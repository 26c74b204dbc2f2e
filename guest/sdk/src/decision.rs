//! Requests of a policy besides its verdict, recorded in order.

use crate::bounds;
use crate::header::Header;
use crate::{MessageClass, RecipientVerdict, Reply};

/// One request of a policy. The relay carries it out after the chain, at commit.
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
    /// Gives a reason for the postmaster.
    Reason(String),
    /// Puts a tag on the message.
    Tag(String),
    /// Gives the message's class, and true if a machine may answer it.
    Classify(MessageClass, bool),
    /// Adds a field on top of the header section.
    AddHeader(String, String),
    /// Removes every field of that name.
    RemoveHeader(String),
    /// Replaces the first field of that name and removes the others.
    SetHeader(String, String),
    /// Protects fields of that name from later policies.
    ProtectHeader(String),
    /// Gives a verdict on one recipient, apart from the message's.
    JudgeRecipient(String, RecipientVerdict),
    /// Adds to a windowed count.
    Count(String, u32),
    /// Marks a key as seen for a number of seconds.
    MarkSeen(String, u32),
    /// Resets a windowed count.
    ForgetCount(String),
    /// Remembers an address as a machine's, with the evidence, for a number of seconds.
    RememberMachine(String, String, u32),
    /// Forgets that an address is a machine's.
    ForgetMachine(String),
    /// Reports suppressed recipients to the submitter.
    ReportSuppressed,
}

/// Record of what a policy asks for besides its verdict.
///
/// Writing to it has no effect by itself: the relay carries it out once the whole chain has run,
/// and a test can inspect it.
///
/// A decision never exceeds what the relay takes of one call, however much is asked for: texts are
/// shortened, long keys are hashed, and requests past the [bounds] are left out and counted in a
/// reason.
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
    usage: DecisionUsage,
}

/// Octets, as the relay counts them, and pieces that were asked for so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct DecisionUsage {
    reasons: usize,
    tags: usize,
    edits: PieceUsage,
    protected: PieceUsage,
    effects: PieceUsage,
    judged: usize,
    judgements: PieceUsage,
    omitted_reasons: OmittedRequests,
    omitted_effects: OmittedRequests,
}

/// Requests that were left out: their number, and the position of the reason that says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct OmittedRequests {
    times: usize,
    reason_index: Option<usize>,
}

impl OmittedRequests {
    /// Counts one more request as left out; `say` makes the reason from the number.
    fn count_one(&mut self, actions: &mut Vec<Action>, say: impl Fn(usize) -> String) {
        self.times += 1;
        let reason = Action::Reason(say(self.times));
        match self.reason_index.and_then(|at| actions.get_mut(at)) {
            Some(said) => *said = reason,
            None => {
                self.reason_index = Some(actions.len());
                actions.push(reason);
            }
        }
    }
}

/// Pieces of one kind, and their octets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct PieceUsage {
    number: usize,
    octets: usize,
}

impl PieceUsage {
    /// Returns true, and counts the piece, if another piece of so many octets is within bounds.
    fn admit(&mut self, octets: usize, most: usize, most_octets: usize) -> bool {
        let with = self.octets.saturating_add(octets + bounds::ENTRY);
        let fits = self.number < most && with <= most_octets;
        if fits {
            self.octets = with;
            self.number += 1;
        }
        fits
    }

    fn admit_edit(&mut self, octets: usize) -> bool {
        self.admit(octets, bounds::CHANGES, bounds::EDITS)
    }
}

impl Decision {
    /// Returns all requests, in order.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// assert_eq!(Decision::default().actions(), []);
    /// ```
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Gives the postmaster a reason, in one sentence: [`bounds::REASON`] octets of each are kept,
    /// and [`bounds::REASONS`] of them.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// let mut decision = Decision::default();
    /// decision.reason("sent at night");
    /// assert_eq!(decision.actions(), [Action::Reason("sent at night".into())]);
    /// ```
    pub fn reason(&mut self, text: impl Into<String>) {
        if self.usage.reasons == bounds::REASONS {
            self.usage
                .omitted_reasons
                .count_one(&mut self.actions, |times| match times {
                    1 => "and 1 reason more".to_owned(),
                    _ => format!("and {times} reasons more"),
                });
            return;
        }
        self.usage.reasons += 1;
        let text = bounded(text.into(), |text| bounds::shortened(text, bounds::REASON));
        self.actions.push(Action::Reason(text));
    }

    /// Puts a tag on the message: letters, digits, `-`, `.` and `_`, at most 64. A longer tag is
    /// cut, and the first [`bounds::TAGS`] tags are kept.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// let mut decision = Decision::default();
    /// decision.tag("urgent");
    /// assert_eq!(decision.actions(), [Action::Tag("urgent".into())]);
    /// ```
    pub fn tag(&mut self, tag: impl Into<String>) {
        let mut tag = tag.into();
        tag.truncate(tag.floor_char_boundary(bounds::TAG));
        let again = |action: &Action| matches!(action, Action::Tag(before) if *before == tag);
        if self.actions.iter().any(again) {
            return;
        }
        if self.usage.tags == bounds::TAGS {
            self.reason(format!("the tag {tag} is left out: there are too many"));
            return;
        }
        self.usage.tags += 1;
        self.actions.push(Action::Tag(tag));
    }

    /// Gives the message's class; `reply_allowed` is true if a machine may answer it.
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

    /// Adds a field on top of the header section. Long lines are folded at white space. The field
    /// is left out, with a reason, if a word has more than 900 octets, or if the edits exceed
    /// [`bounds::CHANGES`] or [`bounds::EDITS`].
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// let mut decision = Decision::default();
    /// decision.add_header("Comments", "seen by two of us");
    /// let add = Action::AddHeader("Comments".into(), "seen by two of us".into());
    /// assert_eq!(decision.actions(), [add]);
    /// ```
    pub fn add_header(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let name = name.into();
        if let Some(value) = self.body(&name, value.into()) {
            self.actions.push(Action::AddHeader(name, value));
        }
    }

    /// Returns a field's body as it can be written; `None` if it cannot be.
    fn body(&mut self, name: &str, value: String) -> Option<String> {
        let why = match bounds::folded(&value) {
            None => "a word or all of it is too long",
            Some(folded) => {
                let octets = name.len() + folded.len();
                match self.usage.edits.admit_edit(octets) {
                    true => {
                        let folded = folded.into_owned();
                        return Some(folded);
                    }
                    false => "there are too many edits, or they are too long",
                }
            }
        };
        self.reason(format!("the field {name} is not written: {why}"));
        None
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
        let name = name.into();
        match self.usage.edits.admit_edit(name.len()) {
            true => self.actions.push(Action::RemoveHeader(name)),
            false => self.reason(format!("{name} is not removed: there are too many edits")),
        }
    }

    /// Replaces the first field of that name in its place and removes the others; adds it on top if
    /// there is none. Folds or leaves out the field as [`Decision::add_header`] does.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// let mut decision = Decision::default();
    /// decision.set_header("Reply-To", "help@desk.example");
    /// let set = Action::SetHeader("Reply-To".into(), "help@desk.example".into());
    /// assert_eq!(decision.actions(), [set]);
    /// ```
    pub fn set_header(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let name = name.into();
        if let Some(value) = self.body(&name, value.into()) {
            self.actions.push(Action::SetHeader(name, value));
        }
    }

    /// Does the same as [`Decision::set_header`], for a field that has a [type](crate::header).
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

    /// Protects fields of that name: no later policy may change or remove them.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// let mut decision = Decision::default();
    /// decision.set_header("Precedence", "bulk");
    /// decision.protect_header("Precedence");
    /// assert_eq!(decision.actions()[1], Action::ProtectHeader("Precedence".into()));
    /// ```
    pub fn protect_header(&mut self, name: impl Into<String>) {
        let name = name.into();
        let protected = &mut self.usage.protected;
        match protected.admit(name.len(), bounds::PROTECTED, bounds::EDITS) {
            true => self.actions.push(Action::ProtectHeader(name)),
            false => self.reason(format!("{name} is not protected: there are too many edits")),
        }
    }

    /// Gives a verdict on one recipient, apart from the message's; the address is written as in
    /// [`Transaction::recipients`](crate::Transaction::recipients).
    ///
    /// Reasons about recipients are kept whole up to [`bounds::JUDGEMENTS`] octets in total. If
    /// more than [`bounds::JUDGED`] recipients are judged one by one, the whole message has to
    /// wait: 452 4.5.3.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// # let mut decision = Decision::default();
    /// let reply = Reply::new(550, "5.1.1", "Nobody reads this address any more");
    /// decision.judge_recipient("old@desk.example", RecipientVerdict::Reject(reply));
    /// ```
    pub fn judge_recipient(&mut self, address: impl Into<String>, verdict: RecipientVerdict) {
        self.usage.judged = self.usage.judged.saturating_add(1);
        if self.usage.judged > bounds::JUDGED {
            return;
        }
        let judgements = &mut self.usage.judgements;
        let mut short = |text: &mut String| {
            let cut = bounds::shortened(text, bounds::EVIDENCE);
            *text = match judgements.admit(cut.len(), bounds::JUDGED, bounds::JUDGEMENTS) {
                true => cut.into_owned(),
                false => bounds::LIKE_OTHERS.to_owned(),
            };
        };
        let mut verdict = verdict;
        match &mut verdict {
            RecipientVerdict::Suppress(reason) => short(reason),
            RecipientVerdict::Reject(reply) => short(&mut reply.text),
        }
        self.actions
            .push(Action::JudgeRecipient(address.into(), verdict));
    }

    /// Returns true if more recipients were judged one by one than the relay takes.
    #[cfg(any(target_arch = "wasm32", test))]
    pub(crate) fn judges_too_many(&self) -> bool {
        self.usage.judged > bounds::JUDGED
    }

    /// Suppresses one recipient: it gets nothing, and only the record tells of it. Needs
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

    /// Refuses one recipient; the others are not affected.
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

    /// Adds `amount` to the windowed count `key` once the message is accepted. The first
    /// [`bounds::REMEMBERED`] counts, marks and machines are kept, and a reason says how many are
    /// not.
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
        self.effect(key.into(), |key| Action::Count(key, amount));
    }

    /// Marks `key` as seen for `seconds` once the message is accepted.
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
        self.effect(key.into(), |key| Action::MarkSeen(key, seconds));
    }

    /// Resets the count `key` once the message is accepted; later additions count.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// /// Whoever has written themselves may be written to by machines again.
    /// fn answered(by: &str, decision: &mut Decision) {
    ///     decision.forget_count(format!("automatic:{by}"));
    /// }
    /// ```
    pub fn forget_count(&mut self, key: impl Into<String>) {
        self.effect(key.into(), Action::ForgetCount);
    }

    /// Records an effect under a key, which is [hashed](bounds::key) if it is long.
    fn effect(&mut self, key: String, action: impl FnOnce(String) -> Action) {
        let key = bounded(key, bounds::key);
        if self.remembers(key.len()) {
            self.actions.push(action(key));
        }
    }

    /// Returns true, and counts the effect, if there is room for one of so many octets.
    fn remembers(&mut self, octets: usize) -> bool {
        let effects = &mut self.usage.effects;
        let fits = effects.admit(octets, bounds::REMEMBERED, bounds::EFFECTS);
        if !fits {
            let left_out = &mut self.usage.omitted_effects;
            left_out.count_one(&mut self.actions, |times| {
                format!("too much to remember at once: {times} counts and marks are left out")
            });
        }
        fits
    }

    /// Remembers for `seconds`, once the message is accepted, that a machine writes from this
    /// address. [`machine`](crate::machine) then returns the evidence: one sentence, of which 200
    /// octets are kept. Nothing is remembered of a text longer than an [address](bounds::ADDRESS).
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
        let address = address.into();
        let evidence = bounded(evidence.into(), |text| {
            bounds::shortened(text, bounds::EVIDENCE)
        });
        if is_within_address_bound(&address) && self.remembers(address.len() + evidence.len()) {
            self.actions
                .push(Action::RememberMachine(address, evidence, seconds));
        }
    }

    /// Forgets, once the message is accepted, that the address is a machine's.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// /// A person has written from there.
    /// fn believed(author: &str, decision: &mut Decision) {
    ///     decision.forget_machine(author);
    /// }
    /// ```
    pub fn forget_machine(&mut self, address: impl Into<String>) {
        let address = address.into();
        if is_within_address_bound(&address) && self.remembers(address.len()) {
            self.actions.push(Action::ForgetMachine(address));
        }
    }

    /// Has the relay send the submitter a notice that names the suppressed recipients and the
    /// reasons. Nothing is sent to a null reverse-path.
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

/// Applies a bound to a text, without a copy if it is short enough.
fn bounded(text: String, bound: impl FnOnce(&str) -> std::borrow::Cow<'_, str>) -> String {
    let other = match bound(&text) {
        std::borrow::Cow::Borrowed(same) if same.len() == text.len() => None,
        bounded => Some(bounded.into_owned()),
    };
    other.unwrap_or(text)
}

/// Returns true if the text is no longer than an address may be.
fn is_within_address_bound(address: &str) -> bool {
    (1..=bounds::ADDRESS).contains(&address.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the octets as the relay counts them (`answer_bytes`), except for addresses of
    /// recipients, which are the relay's own.
    fn octets(decision: &Decision) -> usize {
        let of = |action: &Action| match action {
            Action::Reason(text) | Action::Tag(text) => text.len() + bounds::ENTRY,
            Action::RemoveHeader(text) | Action::ProtectHeader(text) => text.len() + bounds::ENTRY,
            Action::AddHeader(name, value) | Action::SetHeader(name, value) => {
                name.len() + value.len() + bounds::ENTRY
            }
            Action::JudgeRecipient(_, RecipientVerdict::Suppress(text)) => {
                text.len() + 2 * bounds::ENTRY
            }
            Action::JudgeRecipient(_, RecipientVerdict::Reject(reply)) => {
                reply.text.len() + 2 * bounds::ENTRY
            }
            Action::Count(key, _) | Action::MarkSeen(key, _) | Action::ForgetCount(key) => {
                key.len() + bounds::ENTRY
            }
            Action::RememberMachine(address, evidence, _) => {
                address.len() + evidence.len() + bounds::ENTRY
            }
            Action::ForgetMachine(address) => address.len() + bounds::ENTRY,
            Action::Classify(..) | Action::ReportSuppressed => 0,
        };
        decision.actions().iter().map(of).sum()
    }

    #[test]
    fn reasons_past_the_last_are_counted() {
        let mut decision = Decision::default();
        for number in 0..bounds::REASONS + 2 {
            decision.reason(format!("{number} {}", "x".repeat(1_000)));
        }
        assert_eq!(decision.actions().len(), bounds::REASONS + 1);
        let last = Action::Reason("and 2 reasons more".into());
        assert_eq!(decision.actions().last(), Some(&last));
    }

    #[test]
    fn an_address_of_a_thousand_octets_is_left_out() {
        let mut decision = Decision::default();
        let address = format!("{}@x.example", "a".repeat(930));
        decision.remember_machine(&address, "it says so", 60);
        decision.set_header("X-Requester", format!("<{address}>"));
        let why = "the field X-Requester is not written: a word or all of it is too long";
        assert_eq!(decision.actions(), [Action::Reason(why.into())]);
        decision.count(format!("out {address}"), 1);
        let counted =
            |action: &Action| matches!(action, Action::Count(key, 1) if key.len() <= bounds::KEY);
        assert!(decision.actions().last().is_some_and(counted));
    }

    #[test]
    fn too_many_recipients_are_not_judged_one_by_one() {
        let mut decision = Decision::default();
        for number in 0..bounds::JUDGED {
            decision.suppress(format!("{number}@x.example"), "x".repeat(300));
        }
        assert!(!decision.judges_too_many());
        let like_others = RecipientVerdict::Suppress(bounds::LIKE_OTHERS.into());
        let last = Action::JudgeRecipient("1199@x.example".into(), like_others);
        assert_eq!(decision.actions().last(), Some(&last));
        decision.suppress("one more@x.example", "too many");
        assert!(decision.judges_too_many());
    }

    /// Call on a decision, with a text and a number.
    #[derive(Debug, Clone)]
    struct DecisionCall(u8, String, usize);

    fn decision_calls() -> impl Strategy<Value = DecisionCall> {
        (0u8..12, "\\PC{0,40}", 1usize..400)
            .prop_map(|(what, text, times)| DecisionCall(what, text, times))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_decision_exceeds_what_the_relay_takes(
            all in prop::collection::vec(decision_calls(), 1..30),
            times in 1usize..60,
        ) {
            let mut decision = Decision::default();
            for DecisionCall(what, text, long) in &all {
                let text = text.repeat(*long);
                for time in 0..times {
                    let text = format!("{text}{time}");
                    match what {
                        0 => decision.reason(text),
                        1 => decision.tag(text),
                        2 => decision.add_header("X-A", text),
                        3 => decision.set_header("X-B", text),
                        4 => decision.remove_header(text),
                        5 => decision.protect_header(text),
                        6 => decision.suppress("ann@x.example", text),
                        7 => decision.refuse("ann@x.example", Reply::new(550, "5.7.1", text)),
                        8 => decision.count(text, 1),
                        9 => decision.mark_seen(text, 1),
                        10 => decision.remember_machine(&text, text.clone(), 1),
                        _ => decision.forget_machine(text),
                    }
                }
            }
            prop_assert!(octets(&decision) < 256 << 10, "{}", octets(&decision));
        }
    }
}
