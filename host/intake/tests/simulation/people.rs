//! Mail of people without a sign: no trigger, no mark of a mail program. All of it arrives, and
//! nobody waits for longer than some minutes.

use std::time::Duration;

use gatepost_message::Millis;

use crate::chance::Chance;
use crate::letter::Draft;
use crate::site::{Answer, Site};
use crate::{HOUR, MINUTE};

const SECOND: Duration = Duration::from_secs(1);
const DOMAIN: &str = "a.example";
const US: &str = "support@a.example";

/// Longest time that anybody waits.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// Relay with people who write to it, and people who submit to it.
struct Scene {
    site: Site,
    begin: Millis,
    letters: u32,
}

impl Scene {
    async fn new() -> Self {
        Self {
            site: Site::new(&[DOMAIN], &[]).await,
            begin: "2026-03-10T08:00:00Z".parse().unwrap(),
            letters: 0,
        }
    }

    fn draft(&mut self, from: &str, to: &str, subject: &str, body: &str) -> Draft {
        self.letters += 1;
        let domain = from.split_once('@').unwrap().1;
        Draft {
            from: from.to_owned(),
            to: vec![to.to_owned()],
            subject: subject.to_owned(),
            message_id: format!("<{}@{domain}>", self.letters),
            body: body.to_owned(),
            ..Draft::default()
        }
    }

    /// Lets a person outside write, at this time from the beginning; the relay accepts it at once.
    async fn customer_writes(&mut self, after: Duration, from: &str, subject: &str, body: &str) {
        let now = self.begin + after;
        let letter = self.draft(from, US, subject, body).written(now);
        let answer = self.site.receive(now, from, US, letter).await;
        let taken = matches!(&answer, Answer::Taken(_, to) if to.len() == 1);
        assert!(taken, "{from} {subject}: {body}: {answer:?}");
    }

    /// Lets the application acknowledge somebody's mail, at this time from the beginning; returns
    /// true if the acknowledgement goes out.
    async fn acknowledge(&mut self, after: Duration, to: &str) -> bool {
        let now = self.begin + after;
        let mut draft = self.draft(US, to, "Received", "We have received your request.");
        draft
            .fields
            .push(("X-Gatepost-Trigger", "automatic".to_owned()));
        let letter = draft.written(now);
        match self.site.submit(now, DOMAIN, US, &draft.to, letter).await {
            Answer::Taken(_, to) => !to.is_empty(),
            answer => panic!("{to}: {answer:?}"),
        }
    }

    /// Lets an agent write, at this time from the beginning; the application tries again each five
    /// minutes.
    async fn agent_writes(&mut self, after: Duration, to: &str, subject: &str, body: &str) {
        let draft = self.draft(US, to, subject, body);
        let mut now = self.begin + after;
        loop {
            let letter = draft.written(now);
            match self.site.submit(now, DOMAIN, US, &draft.to, letter).await {
                Answer::Taken(_, to) if to.len() == 1 => return,
                Answer::Later => now = now + 5 * MINUTE,
                answer => panic!("{to} {subject}: {body}: {answer:?}"),
            }
            assert!(now.0 <= (self.begin + after + PATIENCE).0, "{body} waits");
        }
    }
}

/// Returns a sentence, another for each number.
fn sentence(number: u32) -> String {
    const WHO: [&str; 7] = [
        "The lamp",
        "My colleague",
        "That switch",
        "The fuse",
        "Our porter",
        "The new bulb",
        "It",
    ];
    const WHAT: [&str; 11] = [
        "has gone out again",
        "is as it was before",
        "works now",
        "makes a noise at night",
        "was never delivered",
        "cannot find the manual",
        "wants to know the price",
        "smells of smoke",
        "should be on the invoice",
        "fell off the ladder",
        "is fine, thanks",
    ];
    const WHEN: [&str; 5] = [
        "since Monday",
        "after lunch",
        "as you said",
        "once more",
        "today",
    ];
    format!(
        "{} {} {}.",
        WHO[number as usize % 7],
        WHAT[number as usize % 11],
        WHEN[number as usize % 5]
    )
}

#[tokio::test]
async fn a_quick_chat_is_not_held_up() {
    // The first at an even pace, the worst that people can do; the others at random.
    for seed in 0..4 {
        let mut chance = Chance::from(seed);
        let mut scene = Scene::new().await;
        let mut at = Duration::ZERO;
        for number in 0..29 {
            at += match seed {
                0 => 50 * SECOND,
                _ => Duration::from_secs(u64::from(15 + chance.below(80))),
            };
            let text = sentence(number);
            match number % 12 {
                1 | 3 | 5 | 8 | 10 => {
                    scene
                        .agent_writes(at, "ann@b.example", "Re: Lamp", &text)
                        .await
                }
                _ => {
                    scene
                        .customer_writes(at, "ann@b.example", "Re: Lamp", &text)
                        .await
                }
            }
        }
    }
}

#[tokio::test]
async fn thanks_after_quick_exchanges_arrive() {
    let signed = |text: &str| {
        format!(
            "{text}\r\n\r\nAnn Weaver, Wool and Yarn, 1 Mill Lane. This message is for whom it is \
             addressed to and nobody else; if you have it by mistake, delete it and tell us."
        )
    };
    let mut scene = Scene::new().await;
    for number in 0..5 {
        let at = number * 108 * SECOND;
        let subject = "Re: Lamp";
        let (question, answer) = (sentence(2 * number), sentence(2 * number + 1));
        scene
            .customer_writes(at, "ann@b.example", subject, &signed(&question))
            .await;
        scene
            .agent_writes(at + 54 * SECOND, "ann@b.example", subject, &answer)
            .await;
    }
    for hours in [1, 4, 7] {
        let at = hours * HOUR;
        scene
            .customer_writes(at, "ann@b.example", "Re: Lamp", &signed("Thank you"))
            .await;
        let answer = sentence(20 + hours);
        scene
            .agent_writes(at + 20 * MINUTE, "ann@b.example", "Re: Lamp", &answer)
            .await;
    }
}

/// A partner's help desk without any mark acknowledges each of them at once.
#[tokio::test]
async fn forty_tickets_to_one_partner_arrive() {
    let mut scene = Scene::new().await;
    for number in 0..40 {
        let at = number * 9 * MINUTE;
        let subject = format!("Order {number}: {}", sentence(number));
        let text = format!("{} {}", sentence(number), sentence(number + 3));
        scene
            .agent_writes(at, "desk@b.example", &subject, &text)
            .await;
        let received = format!("We have received your request as ticket {number}.");
        let subject = format!("Re: {subject}");
        scene
            .customer_writes(at + 20 * SECOND, "desk@b.example", &subject, &received)
            .await;
    }
}

/// The application acknowledges each, and its agents answer some.
#[tokio::test]
async fn mail_of_three_hundred_customers_of_one_outage_arrives() {
    let mut scene = Scene::new().await;
    for number in 0..300 {
        let at = number * 2 * SECOND;
        let domain = ["b.example", "mail.example", "c.example"][number as usize % 3];
        let who = format!("customer{number}@{domain}");
        let subject = ["No light", "Lamps are out", "The light is gone"][number as usize % 3];
        let text = format!("Hello, the light is out here since this morning. Customer {number}");
        scene.customer_writes(at, &who, subject, &text).await;
        if number % 10 == 0 {
            let answer = "We know, and it will be on again at noon. Sorry for the trouble.";
            scene
                .agent_writes(at + 90 * SECOND, &who, &format!("Re: {subject}"), answer)
                .await;
        }
    }
}

/// Lets a new customer write at each of these times, and the application acknowledge it at once;
/// returns the number of customers without an acknowledgement.
async fn count_unacknowledged(scene: &mut Scene, number: &mut u32, times: &[Duration]) -> usize {
    let mut left_out = 0;
    for at in times {
        *number += 1;
        let who = format!("customer{number}@d{number}.example");
        let text = format!("Hello, {} I am number {number}.", sentence(*number));
        scene
            .customer_writes(*at, &who, &sentence(*number + 3), &text)
            .await;
        if !scene.acknowledge(*at + 2 * SECOND, &who).await {
            left_out += 1;
        }
    }
    left_out
}

/// Returns this number of random times within `long` from `begin`, in order.
fn random_times(chance: &mut Chance, begin: Duration, long: Duration, count: u32) -> Vec<Duration> {
    let seconds = u32::try_from(long.as_secs()).unwrap();
    let times = (0..count).map(|_| begin + Duration::from_secs(u64::from(chance.below(seconds))));
    let mut times: Vec<_> = times.collect();
    times.sort();
    times
}

/// The account is not yet known to have so many on the first day; from then on each is
/// acknowledged.
#[tokio::test]
async fn five_hundred_new_customers_a_day_are_acknowledged() {
    let (mut scene, mut chance, mut number) = (Scene::new().await, Chance::from(1), 0);
    for day in 0..2 {
        let times = random_times(&mut chance, day * 24 * HOUR, 9 * HOUR, 500);
        let left_out = count_unacknowledged(&mut scene, &mut number, &times).await;
        println!("day {day}: {left_out}");
        assert!(left_out <= if day == 0 { 25 } else { 0 }, "{left_out}");
    }
}

#[tokio::test]
async fn the_acknowledgements_of_an_outage_stop_for_some_minutes() {
    let (mut scene, mut chance, mut number) = (Scene::new().await, Chance::from(1), 0);
    let times = random_times(&mut chance, HOUR, 10 * MINUTE, 300);
    let left_out = count_unacknowledged(&mut scene, &mut number, &times).await;
    println!("{left_out}");
    assert!((1..=90).contains(&left_out), "{left_out}");
}

#[tokio::test]
async fn mail_sent_three_times_by_somebody_impatient_arrives() {
    let mut scene = Scene::new().await;
    let text = "Is anybody there? The lamp has been out for a week, and nobody answers.";
    for minutes in [0, 1, 3] {
        scene
            .customer_writes(minutes * MINUTE, "ann@b.example", "Lamp", text)
            .await;
    }
    for minutes in [10, 11, 12] {
        let answer = "Yes, we are here, and the electrician is on the way to you.";
        scene
            .agent_writes(minutes * MINUTE, "ann@b.example", "Re: Lamp", answer)
            .await;
    }
}

/// Mail with the trigger `agent` is never held up.
#[tokio::test]
async fn mail_of_a_fast_agent_is_never_held_up() {
    let scene = Scene::new().await;
    for number in 0..60 {
        let now = scene.begin + number * SECOND;
        let draft = Draft {
            from: US.to_owned(),
            to: vec!["ann@b.example".to_owned()],
            subject: "Re: Lamp".to_owned(),
            message_id: format!("<{number}@a.example>"),
            body: "The same again.".to_owned(),
            fields: vec![("X-Gatepost-Trigger", "agent".to_owned())],
            ..Draft::default()
        };
        let sent = scene
            .site
            .submit(now, DOMAIN, US, &draft.to, draft.written(now))
            .await;
        assert!(matches!(sent, Answer::Taken(..)), "{number}: {sent:?}");
    }
}
