//! What goes to and fro, as it goes: the policy on both sides of an application that answers
//! everything, with the counts applied as the relay applies them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use bytes::Bytes;
use gatepost_sdk::native::{Given, Mail};
use gatepost_sdk::{
    Action, Decision, Facts, Flow, Level, Machine, Policy, RecipientVerdict, Session, Transaction,
    Verdict,
};
use loop_guard::{Limits, LoopGuard, Settings};

pub const DESK: &str = "help@desk.example";
const ANN: &str = "ann@sender.example";

/// What became of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    Passed { tags: Vec<String> },
    Suppressed,
    Refused(u16, Vec<String>),
}

impl Fate {
    pub fn passed(&self) -> bool {
        matches!(self, Self::Passed { .. })
    }
    fn tagged(&self) -> bool {
        matches!(self, Self::Passed { tags } if tags.iter().any(|tag| tag == "suppress-automatic"))
    }
}

/// A relay of which nothing is there but its memory and its clock.
pub struct World {
    policy: LoopGuard,
    pub now: u64,
    counts: RefCell<HashMap<String, Vec<(u64, u32)>>>,
    marks: HashMap<String, u64>,
    machines: HashMap<String, Machine>,
    /// Whether the author of what comes in is proved.
    proved: Option<bool>,
    /// Look-ups of counts and marks so far.
    pub look_ups: Cell<u32>,
}

impl Facts for World {
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
        self.marks.get(key).is_some_and(|until| *until > self.now)
    }
    fn log(&self, _: Level, _: &str) {}
}

impl World {
    pub fn new(settings: Settings) -> Self {
        Self {
            policy: LoopGuard::new(settings).unwrap(),
            now: 1_767_225_600_000,
            counts: RefCell::default(),
            marks: HashMap::new(),
            machines: HashMap::new(),
            proved: None,
            look_ups: Cell::default(),
        }
    }

    fn wait(&mut self, seconds: u64) {
        self.now += seconds * 1000;
    }

    pub fn send(&mut self, flow: Flow, from: &str, to: &str, message: &str) -> Fate {
        let transaction = Transaction {
            id: "019b7780-4000-7000-8000-000000000001".into(),
            session: Session {
                listener: "l".into(),
                flow,
                client_ip: "192.0.2.1".into(),
                client_port: 9,
                helo: None,
                tls: None,
                user: None,
            },
            account: Some("acme".into()),
            mail_from: from.into(),
            recipients: vec![to.into()],
        };
        let message = gatepost_message::Message::from_bytes(Bytes::from(message.to_owned()));
        let machines = self.machines.iter();
        let machines = machines.filter(|(_, known)| known.until > self.now);
        let _given = Given {
            machines: machines.map(|(at, of)| (at.clone(), of.clone())).collect(),
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
        let refused = |code| Fate::Refused(code, reasons.clone());
        let mut fate = Fate::Passed { tags: Vec::new() };
        if let Verdict::Reject(reply) | Verdict::Tempfail(reply) = verdict {
            return refused(reply.code);
        }
        for action in decision.actions() {
            match action.clone() {
                Action::JudgeRecipient(_, RecipientVerdict::Suppress(_)) => fate = Fate::Suppressed,
                Action::JudgeRecipient(_, RecipientVerdict::Reject(reply)) => {
                    return refused(reply.code);
                }
                Action::Tag(tag) => {
                    if let Fate::Passed { tags } = &mut fate {
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
                Action::MarkSeen(key, seconds) => {
                    let until = self.now + u64::from(seconds) * 1000;
                    self.marks.insert(key, until);
                }
                Action::RememberMachine(address, evidence, seconds) => {
                    let machine = Machine {
                        evidence,
                        since: self.now,
                        until: self.now + u64::from(seconds) * 1000,
                    };
                    self.machines.insert(address, machine);
                }
                Action::ForgetMachine(address) => {
                    self.machines.remove(&address);
                }
                _ => {}
            }
        }
        fate
    }

    /// From the other side, in a thread of its own each time.
    fn comes(&mut self, fields: &str, body: &str) -> Fate {
        let message = format!("From: {ANN}\r\nTo: {DESK}\r\n{fields}\r\n{body}\r\n");
        self.send(Flow::Inbound, ANN, DESK, &message)
    }

    /// From the application.
    fn goes(&mut self, fields: &str, body: &str) -> Fate {
        let message = format!("From: {DESK}\r\nTo: {ANN}\r\n{fields}\r\n{body}\r\n");
        self.send(Flow::Submission, DESK, ANN, &message)
    }
}

fn usual() -> World {
    World::new(Settings::default())
}

/// What comes in by this client, with an email id of ours.
fn back(world: &mut World, received: usize, words: &str) -> Fate {
    let hops = "Received: from a.example by b.example; now\r\n".repeat(received);
    let id = "019b7780-4000-7000-8000-000000000001.aaaaaaaaaaaaaaaaaaaa";
    world.comes(&format!("X-Gatepost-Email-Id: {id}\r\n{hops}"), words)
}

#[test]
fn what_is_sent_again_after_a_lost_reply_is_no_loop() {
    let mut world = usual();
    assert!(back(&mut world, 2, "It blinks.").passed());
    world.wait(300);
    // The very same: told that it is taken, and nobody gets it twice.
    assert_eq!(back(&mut world, 2, "It blinks."), Fate::Suppressed);
    // By the same client, but written anew: that it has been here before cannot be told for sure.
    assert!(back(&mut world, 2, "It blinks again.").passed());
    assert!(matches!(
        back(&mut world, 3, "It blinks."),
        Fate::Refused(554, _)
    ));
    world.wait(2 * 86_400);
    assert!(matches!(
        back(&mut world, 2, "It blinks."),
        Fate::Refused(554, _)
    ));
}

/// Two that answer all that they get after so many seconds, until one is refused for good, or is
/// sent nothing; how many messages have passed. What has to wait comes again each quarter of an hour.
fn to_and_fro(world: &mut World, ours: &str, delay: u64, differing: bool) -> u32 {
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
        for ours_now in [false, true] {
            for attempt in 0.. {
                let fate = match ours_now {
                    true => world.goes(ours, &body("The desk")),
                    false => world.comes("Subject: Re: hello\r\n", &body("The robot")),
                };
                match fate {
                    Fate::Passed { .. } => break,
                    Fate::Refused(400..500, _) if attempt < 480 => world.wait(900),
                    Fate::Suppressed | Fate::Refused(..) => break 'all,
                }
            }
            passed += 1;
            world.wait(delay);
        }
    }
    passed
}

#[test]
fn a_silent_exchange_ends_within_ten_messages() {
    for (ours, delay, differing) in [
        ("Subject: Re: hello\r\n", 1, false),
        ("Subject: Re: hello\r\n", 1, true),
        ("Subject: Re: hello\r\n", 60, false),
        ("Subject: Re: hello\r\n", 900, false),
        ("Subject: Re: hello\r\n", 3 * 3600, false),
        ("X-Gatepost-Trigger: automatic\r\n", 1, false),
        ("X-Gatepost-Trigger: automatic\r\n", 60, true),
    ] {
        let mut world = usual();
        let passed = to_and_fro(&mut world, ours, delay, differing);
        assert!(passed <= 10, "{passed} with {ours:?} each {delay} s");
        assert!(passed >= 4, "{passed} with {ours:?} each {delay} s");
    }
}

/// Nobody who answers was ever written to, and all that stays the same is that each message names the
/// one that it answers.
#[test]
fn a_thread_ends_though_each_answer_is_from_a_new_domain() {
    let mut world = usual();
    let (mut to, mut answered) = ("ann@first.example".to_owned(), String::new());
    let mut passed = 0;
    for round in 0..20 {
        let words = ["alpha", "beta", "gamma", "delta"].map(|word| format!("{word}{round}"));
        let letter = |fields: String| {
            let words = words.join(" ");
            format!("{fields}Subject: {words}\r\n\r\n{words}\r\n")
        };
        let ours = letter(format!(
            "From: {DESK}\r\nTo: {to}\r\nX-Gatepost-Trigger: automatic\r\n\
             Message-ID: <{round}@desk.example>\r\n{answered}"
        ));
        if !world.send(Flow::Submission, DESK, &to, &ours).passed() {
            break;
        }
        world.wait(1);
        to = format!("bob{round}@d{round}.example");
        let theirs = letter(format!(
            "From: {to}\r\nTo: {DESK}\r\nMessage-ID: <{round}.{to}>\r\n\
             In-Reply-To: <{round}@desk.example>\r\n"
        ));
        assert!(world.send(Flow::Inbound, &to, DESK, &theirs).passed());
        answered = format!("In-Reply-To: <{round}.{to}>\r\n");
        passed += 2;
        world.wait(1);
    }
    assert!(passed <= 10, "{passed}");
}

/// What is in other words each time, slow enough to be typed and not said to be a machine's might be
/// two people's: it is its even pace that tells.
#[test]
fn an_untold_exchange_in_other_words_ends_by_its_pace() {
    for delay in [60, 240, 1800] {
        let mut world = usual();
        let passed = to_and_fro(&mut world, "Subject: Re: hello\r\n", delay, true);
        assert!(passed <= 20, "{passed} each {delay} s");
    }
}

#[test]
fn without_limits_it_does_not() {
    let mut world = World::new(Settings {
        limits: Limits::NONE,
        ..Settings::default()
    });
    assert_eq!(to_and_fro(&mut world, "Subject: x\r\n", 1, false), 1000);
}

#[test]
fn the_fifth_is_tagged() {
    let mut world = usual();
    for round in 0..4 {
        let came = world.comes("", &format!("{round}"));
        assert!(came.passed() && !came.tagged(), "{round}: {came:?}");
        world.wait(5);
        assert!(world.goes("", &format!("{round}")).passed());
        world.wait(5);
    }
    assert!(world.comes("", "4").tagged());
    world.wait(3600);
    assert!(!world.comes("", "5").tagged(), "an hour later");
}

#[test]
fn a_burst_of_a_person_is_never_refused() {
    // Each is acknowledged by an application that heeds nothing, and comes again until it is taken.
    for ours in ["X-Gatepost-Trigger: automatic\r\n", "Subject: Received\r\n"] {
        let mut world = usual();
        for letter in 0..60 {
            let mut attempts = 0;
            loop {
                match world.comes(
                    "Subject: One thing more\r\n",
                    &format!("Thing number {letter}, which is quite another one than before."),
                ) {
                    Fate::Passed { .. } => break,
                    Fate::Refused(400..500, _) => world.wait(900),
                    other => panic!("letter {letter}: {other:?}"),
                }
                attempts += 1;
                assert!(attempts < 100, "letter {letter}");
            }
            world.wait(2);
            world.goes(ours, "We have received your message.");
            world.wait(8);
        }
    }
}

#[test]
fn people_who_take_their_time_are_left_alone_though_nobody_says_that_they_are() {
    // Few words, numbered ones, and a line above a signature and the small print of a company.
    let signed = "Ann Weaver, Wool and Yarn, 1 Mill Lane. This message is for whom it is addressed to \
        and nobody else; if you have it by mistake, delete it and tell us, and think of the trees before \
        you print it. Registered somewhere under a number that nobody has ever asked for.";
    let words = [
        "Yes.",
        "No.",
        "Perhaps.",
        "Rather not.",
        "Tomorrow?",
        "Fine!",
    ];
    for style in 0..3 {
        let mut world = usual();
        for round in 0..36 {
            let word = words[round % 6].repeat(round / 6 + 1);
            let body = |who: &str| match style {
                0 => word.clone(),
                1 => format!("{who} {round}"),
                _ => format!("{word}\r\n\r\n-- \r\n{signed}"),
            };
            let came = world.comes("Subject: Re: lamp\r\n", &body("Question"));
            assert!(came.passed() && !came.tagged(), "{style} {round}: {came:?}");
            world.wait(3600);
            let went = world.goes("Subject: Re: lamp\r\n", &body("Answer"));
            assert!(went.passed(), "{style} {round}: {went:?}");
            world.wait(3600);
        }
    }
}

#[test]
fn one_way_traffic_is_no_exchange() {
    let mut world = usual();
    for _ in 0..300 {
        assert!(
            !world
                .comes("Subject: alarm\r\n", "The disk is full again on this host.")
                .tagged()
        );
        world.wait(1);
    }
    let mut world = usual();
    for _ in 0..300 {
        let fate = world.goes(
            "X-Gatepost-Trigger: automatic\r\n",
            "Your ticket was updated, see there.",
        );
        assert!(fate.passed());
        world.wait(1);
    }
}

#[test]
fn what_an_agent_writes_always_goes_and_lets_all_begin_anew() {
    let mut world = usual();
    to_and_fro(&mut world, "Subject: Re: hello\r\n", 1, false);
    let agent = "X-Gatepost-Trigger: agent\r\nSubject: Re: hello\r\n";
    for _ in 0..20 {
        assert!(world.goes(agent, "I have looked into it myself.").passed());
        let came = world.comes("Subject: Re: hello\r\n", "Thank you for looking into it.");
        assert!(came.passed() && !came.tagged(), "{came:?}");
        world.wait(20);
    }
    assert!(
        world
            .goes(
                "Subject: x\r\n",
                "And one of which nobody says who wrote it"
            )
            .passed()
    );
}

#[test]
fn a_machine_is_remembered_and_written_to_by_people_alone() {
    let mut world = usual();
    let automatic = "X-Gatepost-Trigger: automatic\r\n";
    assert!(world.goes(automatic, "1").passed());
    assert!(
        world
            .comes("Auto-Submitted: auto-generated\r\n", "Done.")
            .tagged()
    );
    assert_eq!(world.goes(automatic, "2"), Fate::Suppressed);
    assert!(world.goes("X-Gatepost-Trigger: agent\r\n", "3").passed());
    assert!(world.goes("", "4").passed(), "it is not said who wrote it");
    // A person writes from there: it was a ticket system, or a robot that is gone.
    assert!(!world.comes("", "It is me, Ann.").tagged());
    assert!(world.goes(automatic, "5").passed());
    // Forgotten in the end, too.
    world.comes("Auto-Submitted: auto-generated\r\n", "Done.");
    assert_eq!(world.goes(automatic, "6"), Fate::Suppressed);
    world.wait(31 * 86_400);
    assert!(world.goes(automatic, "7").passed());
}

#[test]
fn nobody_is_remembered_by_what_a_forger_can_make_up() {
    for (proved, seconds) in [
        (Some(true), Some(30 * 86_400)),
        (Some(false), None),
        (None, Some(3600)),
    ] {
        let mut world = usual();
        world.proved = proved;
        world.comes("Auto-Submitted: auto-generated\r\n", "Done.");
        let known = world.machines.get(ANN);
        let known = known.map(|known| (known.until - known.since) / 1000);
        assert_eq!(known, seconds, "{proved:?}");
    }
}

#[test]
fn who_is_away_is_not_a_machine_for_long() {
    let mut world = usual();
    let automatic = "X-Gatepost-Trigger: automatic\r\n";
    world.comes(
        "Auto-Submitted: auto-replied (vacation)\r\nSubject: Out of office\r\n",
        "I am away.",
    );
    assert_eq!(world.goes(automatic, "1"), Fate::Suppressed);
    world.wait(3601);
    assert!(world.goes(automatic, "2").passed());
}

#[test]
fn what_answers_an_automatic_message_is_not_sent() {
    let mut world = World::new(Settings {
        machine_days: 0,
        autoresponder_hours: 0,
        ..Settings::default()
    });
    world.comes(
        "Auto-Submitted: auto-generated\r\nMessage-ID: <1@x.example>\r\n",
        "Done.",
    );
    world.comes("Message-ID: <2@x.example>\r\n", "By hand.");
    let automatic = "X-Gatepost-Trigger: automatic\r\n";
    let answer = |fields: &str| format!("{automatic}{fields}\r\n");
    let mut goes = |fields: &str| world.goes(&answer(fields), "Noted.");
    assert_eq!(goes("In-Reply-To: <1@x.example>"), Fate::Suppressed);
    assert_eq!(
        goes("References: <0@x.example> <1@x.example>"),
        Fate::Suppressed
    );
    assert!(goes("In-Reply-To: <2@x.example>\r\nReferences: <1@x.example> <2@x.example>").passed());
    assert!(goes("References: <1@x.example> <2@x.example>").passed());
    assert!(goes("Subject: something else").passed());
    // To somebody else it is no answer to a machine.
    let message = format!("From: {DESK}\r\n{automatic}In-Reply-To: <1@x.example>\r\n\r\nx\r\n");
    assert!(
        world
            .send(Flow::Submission, DESK, "bob@b.example", &message)
            .passed()
    );
    world.wait(8 * 86_400);
    assert!(
        world
            .goes(&answer("In-Reply-To: <1@x.example>"), "Late.")
            .passed()
    );
}
