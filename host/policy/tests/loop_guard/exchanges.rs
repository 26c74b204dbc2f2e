//! Exchanges of messages between a correspondent and an application that answers everything. The
//! policy judges both directions, and its effects are applied as the relay applies them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use bytes::Bytes;
use gatepost_counters::CounterState;
use gatepost_message::Millis;
use gatepost_model::{Effect, Scope};
use gatepost_sdk::native::{Given, Mail};
use gatepost_sdk::{
    Action, Decision, Facts, Flow, Level, Machine, Policy, RecipientVerdict, Session, Transaction,
    Verdict,
};
use loop_guard::{Limits, LoopGuard, Settings};

pub const DESK: &str = "help@desk.example";
const ANN: &str = "ann@sender.example";

/// Disposition of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Disposition {
    Passed { tags: Vec<String> },
    Suppressed,
    Refused(u16, Vec<String>),
}

impl Disposition {
    pub fn passed(&self) -> bool {
        matches!(self, Self::Passed { .. })
    }
    fn tagged(&self) -> bool {
        matches!(self, Self::Passed { tags } if tags.iter().any(|tag| tag == "suppress-automatic"))
    }
}

/// Octets of memory for what the policy remembers, as much as a relay has.
const ROOM: usize = 8 << 20;

/// Relay reduced to its memory and its clock.
pub struct SimulatedRelay {
    policy: LoopGuard,
    pub now: u64,
    /// Counts by key, with the time of each: windows are exact to the millisecond here, where the
    /// relay's are to the minute, so that no figure depends on where a minute begins.
    counts: RefCell<HashMap<String, Vec<(u64, u32)>>>,
    /// Marks and machines.
    counters: CounterState,
    /// True if the author of incoming mail is proved, false if not, `None` if not checked.
    proved: Option<bool>,
    /// Number of look-ups of counts and marks so far.
    pub look_ups: Cell<u32>,
}

impl Facts for SimulatedRelay {
    fn now(&self) -> u64 {
        self.now
    }
    fn counted(&self, key: &str, seconds: u32) -> u64 {
        assert!(key.len() <= 128, "{key}");
        self.look_ups.set(self.look_ups.get() + 1);
        let since = self.now.saturating_sub(u64::from(seconds) * 1000);
        let counts = self.counts.borrow();
        let counted = counts.get(key).into_iter().flatten();
        counted
            .filter(|(at, _)| *at >= since)
            .map(|(_, amount)| u64::from(*amount))
            .sum()
    }
    fn seen(&self, key: &str) -> bool {
        assert!(key.len() <= 128, "{key}");
        self.look_ups.set(self.look_ups.get() + 1);
        self.counters.seen(&scope(), key, Millis(self.now))
    }
    fn log(&self, _: Level, _: &str) {}
}

impl SimulatedRelay {
    pub fn new(settings: Settings) -> Self {
        Self {
            policy: LoopGuard::new(settings).unwrap(),
            now: 1_767_225_600_000,
            counts: RefCell::default(),
            counters: CounterState::new(ROOM),
            proved: None,
            look_ups: Cell::default(),
        }
    }

    fn wait(&mut self, seconds: u64) {
        self.now += seconds * 1000;
    }

    pub fn send(&mut self, flow: Flow, from: &str, to: &str, message: &str) -> Disposition {
        let transaction = Transaction {
            id: "019b7780-4000-7000-8000-000000000001".into(),
            session: Session {
                listener: "l".into(),
                flow,
                transport: gatepost_sdk::Transport::Smtp,
                client: Some(gatepost_sdk::ClientAddress {
                    ip: "192.0.2.1".into(),
                    port: 9,
                }),
                helo: None,
                tls: None,
                user: None,
            },
            account: Some("acme".into()),
            mail_from: from.into(),
            recipients: vec![to.into()],
        };
        let message = gatepost_message::Message::from_bytes(Bytes::from(message.to_owned()));
        let machines = self.counters.machines(None, Millis(self.now)).into_iter();
        let machines = machines.map(|known| (known.address, of_sdk(known.machine)));
        let _given = Given {
            machines: machines.collect(),
            author_is_proved: self.proved,
            ..Given::default()
        }
        .give();
        let mut decision = Decision::default();
        let verdict = self
            .policy
            .message(&transaction, &Mail(&message), self, &mut decision);
        let reasons = decision.actions().iter().filter_map(|action| match action {
            Action::Reason(reason) => Some(reason.clone()),
            _ => None,
        });
        let reasons: Vec<_> = reasons.collect();
        let refused = |code| Disposition::Refused(code, reasons.clone());
        let mut disposition = Disposition::Passed { tags: Vec::new() };
        if let Verdict::Reject(reply) | Verdict::Tempfail(reply) = verdict {
            return refused(reply.code);
        }
        let mut effects = Vec::new();
        for action in decision.actions() {
            match action.clone() {
                Action::JudgeRecipient(_, RecipientVerdict::Suppress(_)) => {
                    disposition = Disposition::Suppressed
                }
                Action::JudgeRecipient(_, RecipientVerdict::Reject(reply)) => {
                    return refused(reply.code);
                }
                Action::Tag(tag) => {
                    if let Disposition::Passed { tags } = &mut disposition {
                        tags.push(tag);
                    }
                }
                Action::Count(key, amount) => {
                    let mut counts = self.counts.borrow_mut();
                    let counted = counts.entry(key).or_default();
                    counted.retain(|(at, _)| at + 86_400_000 >= self.now);
                    counted.push((self.now, amount));
                }
                Action::ForgetCount(key) => {
                    self.counts.borrow_mut().remove(&key);
                }
                action => effects.extend(effect(action).map(|effect| (scope(), effect))),
            }
        }
        self.counters.apply_effects(&effects, Millis(self.now));
        disposition
    }

    /// Sends a message from the correspondent to the application.
    fn receive(&mut self, fields: &str, body: &str) -> Disposition {
        let message = format!("From: {ANN}\r\nTo: {DESK}\r\n{fields}\r\n{body}\r\n");
        self.send(Flow::Inbound, ANN, DESK, &message)
    }

    /// Sends a message from the application to the correspondent.
    fn submit(&mut self, fields: &str, body: &str) -> Disposition {
        let message = format!("From: {DESK}\r\nTo: {ANN}\r\n{fields}\r\n{body}\r\n");
        self.send(Flow::Submission, DESK, ANN, &message)
    }
}

/// Owner of the policy's marks and machines.
fn scope() -> Scope {
    Scope {
        policy: "loop-guard".into(),
        account: Some("acme".into()),
    }
}

/// Returns the mark or machine that an action asks for, if it asks for one.
fn effect(action: Action) -> Option<Effect> {
    Some(match action {
        Action::MarkSeen(key, seconds) => Effect::MarkSeen { key, seconds },
        Action::RememberMachine(address, evidence, seconds) => Effect::RememberMachine {
            address,
            evidence,
            seconds,
        },
        Action::ForgetMachine(address) => Effect::ForgetMachine { address },
        _ => return None,
    })
}

/// Returns a machine as the SDK has it.
fn of_sdk(known: gatepost_model::Machine) -> Machine {
    Machine {
        evidence: known.evidence,
        since: known.since.0,
        until: known.until.0,
    }
}

fn relay_with_defaults() -> SimulatedRelay {
    SimulatedRelay::new(Settings::default())
}

/// Receives a message with an email id of this relay and this number of Received fields.
fn receive_back(relay: &mut SimulatedRelay, received: usize, words: &str) -> Disposition {
    let hops = "Received: from a.example by b.example; now\r\n".repeat(received);
    let id = "019b7780-4000-7000-8000-000000000001.aaaaaaaaaaaaaaaaaaaa";
    relay.receive(&format!("X-Gatepost-Email-Id: {id}\r\n{hops}"), words)
}

#[test]
fn a_message_sent_again_after_a_lost_reply_is_no_loop() {
    let mut relay = relay_with_defaults();
    assert!(receive_back(&mut relay, 2, "It blinks.").passed());
    relay.wait(300);
    // The same message is accepted and suppressed: nobody gets it twice.
    assert_eq!(
        receive_back(&mut relay, 2, "It blinks."),
        Disposition::Suppressed
    );
    // Other words from the same client are not surely the same message.
    assert!(receive_back(&mut relay, 2, "It blinks again.").passed());
    assert!(matches!(
        receive_back(&mut relay, 3, "It blinks."),
        Disposition::Refused(554, _)
    ));
    relay.wait(2 * 86_400);
    assert!(matches!(
        receive_back(&mut relay, 2, "It blinks."),
        Disposition::Refused(554, _)
    ));
}

/// Lets two sides answer each message after `delay` seconds, until a message is refused for good or
/// suppressed. Returns the number of messages that passed. A deferred message is sent again each
/// quarter of an hour. `ours` are fields of the application's messages; `differing` varies the
/// words.
fn exchange(relay: &mut SimulatedRelay, ours: &str, delay: u64, differing: bool) -> u32 {
    let mut passed = 0;
    'all: for round in 0..500 {
        let body = |who: &str| match differing {
            true => format!(
                "{who}: {}",
                ["alpha", "beta", "gamma", "delta"]
                    .map(|word| format!("{word}{}", "x".repeat(round % 7)))
                    .join(" ")
            ),
            false => {
                format!("{who} has received your message number {round}, and will look into it.")
            }
        };
        for from_application in [false, true] {
            for attempt in 0.. {
                let disposition = match from_application {
                    true => relay.submit(ours, &body("The desk")),
                    false => relay.receive("Subject: Re: hello\r\n", &body("The robot")),
                };
                match disposition {
                    Disposition::Passed { .. } => break,
                    Disposition::Refused(400..500, _) if attempt < 480 => relay.wait(900),
                    Disposition::Suppressed | Disposition::Refused(..) => break 'all,
                }
            }
            passed += 1;
            relay.wait(delay);
        }
    }
    passed
}

#[test]
fn an_automatic_exchange_ends_within_ten_messages() {
    for (ours, delay, differing) in [
        ("Subject: Re: hello\r\n", 1, false),
        ("Subject: Re: hello\r\n", 1, true),
        ("Subject: Re: hello\r\n", 60, false),
        ("Subject: Re: hello\r\n", 900, false),
        ("Subject: Re: hello\r\n", 3 * 3600, false),
        ("X-Gatepost-Trigger: automatic\r\n", 1, false),
        ("X-Gatepost-Trigger: automatic\r\n", 60, true),
    ] {
        let mut relay = relay_with_defaults();
        let passed = exchange(&mut relay, ours, delay, differing);
        assert!(passed <= 10, "{passed} with {ours:?} each {delay} s");
        assert!(passed >= 4, "{passed} with {ours:?} each {delay} s");
    }
}

/// Each answer comes from an address that was never written to. The only constant is that each
/// message names the one that it answers.
#[test]
fn a_thread_ends_although_each_answer_is_from_a_new_domain() {
    let mut relay = relay_with_defaults();
    let (mut to, mut in_reply_to) = ("ann@first.example".to_owned(), String::new());
    let mut passed = 0;
    for round in 0..20 {
        let words = ["alpha", "beta", "gamma", "delta"].map(|word| format!("{word}{round}"));
        let letter = |fields: String| {
            let words = words.join(" ");
            format!("{fields}Subject: {words}\r\n\r\n{words}\r\n")
        };
        let ours = letter(format!(
            "From: {DESK}\r\nTo: {to}\r\nX-Gatepost-Trigger: automatic\r\n\
             Message-ID: <{round}@desk.example>\r\n{in_reply_to}"
        ));
        if !relay.send(Flow::Submission, DESK, &to, &ours).passed() {
            break;
        }
        relay.wait(1);
        to = format!("bob{round}@d{round}.example");
        let theirs = letter(format!(
            "From: {to}\r\nTo: {DESK}\r\nMessage-ID: <{round}.{to}>\r\n\
             In-Reply-To: <{round}@desk.example>\r\n"
        ));
        assert!(relay.send(Flow::Inbound, &to, DESK, &theirs).passed());
        in_reply_to = format!("In-Reply-To: <{round}.{to}>\r\n");
        passed += 2;
        relay.wait(1);
    }
    assert!(passed <= 10, "{passed}");
}

/// Messages in other words each time, slow enough to be typed and without a trigger, might be those
/// of two people. Their even pace shows that they are not.
#[test]
fn an_exchange_without_trigger_in_other_words_ends_by_its_even_pace() {
    for delay in [60, 240, 1800] {
        let mut relay = relay_with_defaults();
        let passed = exchange(&mut relay, "Subject: Re: hello\r\n", delay, true);
        assert!(passed <= 20, "{passed} each {delay} s");
    }
}

#[test]
fn without_limits_an_exchange_does_not_end() {
    let mut relay = SimulatedRelay::new(Settings {
        limits: Limits::NONE,
        ..Settings::default()
    });
    assert_eq!(exchange(&mut relay, "Subject: x\r\n", 1, false), 1000);
}

#[test]
fn the_fifth_message_of_a_fast_exchange_is_tagged() {
    let mut relay = relay_with_defaults();
    for round in 0..4 {
        let came = relay.receive("", &format!("{round}"));
        assert!(came.passed() && !came.tagged(), "{round}: {came:?}");
        relay.wait(5);
        assert!(relay.submit("", &format!("{round}")).passed());
        relay.wait(5);
    }
    assert!(relay.receive("", "4").tagged());
    relay.wait(3600);
    assert!(!relay.receive("", "5").tagged(), "an hour later");
}

#[test]
fn a_burst_of_a_person_is_never_rejected() {
    // The application acknowledges each message whatever its tags; a deferred one is sent again.
    for ours in ["X-Gatepost-Trigger: automatic\r\n", "Subject: Received\r\n"] {
        let mut relay = relay_with_defaults();
        for letter in 0..60 {
            let mut attempts = 0;
            loop {
                match relay.receive(
                    "Subject: One thing more\r\n",
                    &format!("Thing number {letter}, which is quite another one than before."),
                ) {
                    Disposition::Passed { .. } => break,
                    Disposition::Refused(400..500, _) => relay.wait(900),
                    other => panic!("letter {letter}: {other:?}"),
                }
                attempts += 1;
                assert!(attempts < 100, "letter {letter}");
            }
            relay.wait(2);
            relay.submit(ours, "We have received your message.");
            relay.wait(8);
        }
    }
}

#[test]
fn a_slow_exchange_of_people_without_trigger_is_not_tagged() {
    // The three styles: few words, a number, and one line above a signature and a company's notice.
    let signed = "Ann Weaver, Wool and Yarn, 1 Mill Lane. This message is for whom it is addressed \
        to and nobody else; if you have it by mistake, delete it and tell us, and think of the \
        trees before you print it. Registered somewhere under a number that nobody has ever asked \
        for.";
    let words = [
        "Yes.",
        "No.",
        "Perhaps.",
        "Rather not.",
        "Tomorrow?",
        "Fine!",
    ];
    for style in 0..3 {
        let mut relay = relay_with_defaults();
        for round in 0..36 {
            let word = words[round % 6].repeat(round / 6 + 1);
            let body = |who: &str| match style {
                0 => word.clone(),
                1 => format!("{who} {round}"),
                _ => format!("{word}\r\n\r\n-- \r\n{signed}"),
            };
            let came = relay.receive("Subject: Re: lamp\r\n", &body("Question"));
            assert!(came.passed() && !came.tagged(), "{style} {round}: {came:?}");
            relay.wait(3600);
            let went = relay.submit("Subject: Re: lamp\r\n", &body("Answer"));
            assert!(went.passed(), "{style} {round}: {went:?}");
            relay.wait(3600);
        }
    }
}

#[test]
fn one_way_traffic_is_not_tagged() {
    let mut relay = relay_with_defaults();
    for _ in 0..300 {
        assert!(
            !relay
                .receive("Subject: alarm\r\n", "The disk is full again on this host.")
                .tagged()
        );
        relay.wait(1);
    }
    let mut relay = relay_with_defaults();
    for _ in 0..300 {
        let disposition = relay.submit(
            "X-Gatepost-Trigger: automatic\r\n",
            "Your ticket was updated, see there.",
        );
        assert!(disposition.passed());
        relay.wait(1);
    }
}

#[test]
fn an_agents_message_always_passes_and_resets_the_counts() {
    let mut relay = relay_with_defaults();
    exchange(&mut relay, "Subject: Re: hello\r\n", 1, false);
    let agent = "X-Gatepost-Trigger: agent\r\nSubject: Re: hello\r\n";
    for _ in 0..20 {
        assert!(
            relay
                .submit(agent, "I have looked into it myself.")
                .passed()
        );
        let came = relay.receive("Subject: Re: hello\r\n", "Thank you for looking into it.");
        assert!(came.passed() && !came.tagged(), "{came:?}");
        relay.wait(20);
    }
    assert!(
        relay
            .submit(
                "Subject: x\r\n",
                "And one of which nobody says who wrote it"
            )
            .passed()
    );
}

#[test]
fn a_known_machine_gets_only_mail_of_people() {
    let mut relay = relay_with_defaults();
    let automatic = "X-Gatepost-Trigger: automatic\r\n";
    assert!(relay.submit(automatic, "1").passed());
    assert!(
        relay
            .receive("Auto-Submitted: auto-generated\r\n", "Done.")
            .tagged()
    );
    assert_eq!(relay.submit(automatic, "2"), Disposition::Suppressed);
    assert!(relay.submit("X-Gatepost-Trigger: agent\r\n", "3").passed());
    assert!(
        relay.submit("", "4").passed(),
        "it is not said who wrote it"
    );
    // A person writes from the address: it was a ticket system's, or a former robot's.
    assert!(!relay.receive("", "It is me, Ann.").tagged());
    assert!(relay.submit(automatic, "5").passed());
    // The knowledge expires.
    relay.receive("Auto-Submitted: auto-generated\r\n", "Done.");
    assert_eq!(relay.submit(automatic, "6"), Disposition::Suppressed);
    relay.wait(31 * 86_400);
    assert!(relay.submit(automatic, "7").passed());
}

#[test]
fn a_forged_message_makes_no_lasting_machine() {
    for (proved, seconds) in [
        (Some(true), Some(30 * 86_400)),
        (Some(false), None),
        (None, Some(3600)),
    ] {
        let mut relay = relay_with_defaults();
        relay.proved = proved;
        relay.receive("Auto-Submitted: auto-generated\r\n", "Done.");
        let known = relay.counters.machine("acme", ANN, Millis(relay.now));
        let known = known.map(|known| known.until.since(known.since).as_secs());
        assert_eq!(known, seconds, "{proved:?}");
    }
}

#[test]
fn a_vacation_notice_makes_a_machine_for_an_hour_only() {
    let mut relay = relay_with_defaults();
    let automatic = "X-Gatepost-Trigger: automatic\r\n";
    relay.receive(
        "Auto-Submitted: auto-replied (vacation)\r\nSubject: Out of office\r\n",
        "I am away.",
    );
    assert_eq!(relay.submit(automatic, "1"), Disposition::Suppressed);
    relay.wait(3601);
    assert!(relay.submit(automatic, "2").passed());
}

#[test]
fn an_automatic_answer_to_an_automatic_message_is_suppressed() {
    let mut relay = SimulatedRelay::new(Settings {
        machine_days: 0,
        autoresponder_hours: 0,
        ..Settings::default()
    });
    relay.receive(
        "Auto-Submitted: auto-generated\r\nMessage-ID: <1@x.example>\r\n",
        "Done.",
    );
    relay.receive("Message-ID: <2@x.example>\r\n", "By hand.");
    let automatic = "X-Gatepost-Trigger: automatic\r\n";
    let answer = |fields: &str| format!("{automatic}{fields}\r\n");
    let mut submit = |fields: &str| relay.submit(&answer(fields), "Noted.");
    assert_eq!(
        submit("In-Reply-To: <1@x.example>"),
        Disposition::Suppressed
    );
    assert_eq!(
        submit("References: <0@x.example> <1@x.example>"),
        Disposition::Suppressed
    );
    assert!(
        submit("In-Reply-To: <2@x.example>\r\nReferences: <1@x.example> <2@x.example>").passed()
    );
    assert!(submit("References: <1@x.example> <2@x.example>").passed());
    assert!(submit("Subject: something else").passed());
    // Sent to somebody else, it is no answer to the machine.
    let message = format!("From: {DESK}\r\n{automatic}In-Reply-To: <1@x.example>\r\n\r\nx\r\n");
    assert!(
        relay
            .send(Flow::Submission, DESK, "bob@b.example", &message)
            .passed()
    );
    relay.wait(8 * 86_400);
    assert!(
        relay
            .submit(&answer("In-Reply-To: <1@x.example>"), "Late.")
            .passed()
    );
}
