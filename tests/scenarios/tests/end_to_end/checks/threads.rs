//! A correspondent writes, gets an answer in the same thread, and answers to the same ticket.

use serde_json::json;
use test_support::Taken;

use super::assert_marked;
use crate::customer::Customer;
use crate::desk::Letter;
use crate::places::{ANN, DOMAIN, NATIVE, SUPPORT};
use crate::site::Site;

/// Somebody writes to a support address and is answered, by the desk itself and by an agent, answers
/// in turn, and is answered again. Returns the message that opened the ticket.
pub fn answers_stay_in_their_thread(site: &Site, from: &str, address: &str) -> Letter {
    let (desk, world) = (&site.desk, &site.world);
    let question = world.writes(from, address, "my order", "");
    let (ticket, opening) = desk.got(&question);
    assert_eq!(opening.address, address, "{opening:?}");
    assert_eq!(opening.answered, None, "{opening:?}");
    let acknowledged = world.gets(from);
    assert_in_thread(&acknowledged, &[&question]);
    assert_eq!(
        acknowledged.header("From").unwrap(),
        format!("Desk <{address}>")
    );

    let transaction = desk.answers(ticket, "It is on its way.");
    let answer = world.gets(from);
    assert_in_thread(&answer, &[&question]);
    assert!(
        answer.text().contains("It is on its way."),
        "{}",
        answer.text()
    );
    assert_marked(&answer);
    let delivered = desk.told("delivered", &transaction);
    assert_eq!(
        delivered["metadata"],
        json!({ "ticket": ticket }).to_string()
    );
    assert_eq!(delivered["recipient"], from);

    let second = world.answers(from, &answer, address);
    let (same, letter) = desk.got(&second);
    assert_eq!(same, ticket, "{letter:?}");
    assert_eq!(letter.answered.as_ref(), Some(&transaction), "{letter:?}");
    let replied = desk.told("replied", &transaction);
    assert_eq!(replied["answer"], letter.transaction.as_str(), "{replied}");

    desk.answers(ticket, "You are welcome.");
    let last = world.gets(from);
    let own = answer.header("Message-ID").unwrap();
    assert_in_thread(&last, &[&question, &own, &second]);
    opening
}

/// The same through a smart host that gives each message another Message-ID: an answer names that, and
/// finds its ticket all the same.
pub fn thread_survives_another_message_id(site: &Site, customer: &Customer) {
    let port = |at: std::net::SocketAddr| at.port().to_string();
    let leaves_by = |port: &str, profile: &str| {
        let set = ["connection", "set", DOMAIN, "--account", NATIVE];
        let keys = ["--port", port, "--profile", profile];
        site.relay.json(&[&set[..], &keys].concat());
    };
    leaves_by(&port(customer.replacing), "postmark");
    let (desk, world) = (&site.desk, &site.world);
    let question = world.writes(ANN, SUPPORT, "my bill", "");
    let (ticket, _) = desk.got(&question);
    world.gets(ANN);
    let transaction = desk.answers(ticket, "We look into it.");
    let answer = world.gets(ANN);
    let (own, shown) = (desk.newest_id(ticket), answer.header("Message-ID").unwrap());
    assert_ne!(own, shown);
    assert!(shown.ends_with(&format!("@mail.{DOMAIN}>")), "{shown}");
    // Mail programs put it into one thread, and the answer names our Message-ID.
    assert_in_thread(&answer, &[&question]);
    let references = answer.header("References").unwrap();
    assert!(references.ends_with(&own), "{references}");
    let second = world.answers(ANN, &answer, SUPPORT);
    let (same, letter) = desk.got(&second);
    assert_eq!(same, ticket, "{letter:?}");
    assert_eq!(letter.in_reply_to.as_ref(), Some(&shown));
    assert_eq!(letter.answered.as_ref(), Some(&transaction), "{letter:?}");
    leaves_by(&port(customer.submission), "generic");
}

/// Asserts that a message answers the last of these messages, and names all of them.
fn assert_in_thread(taken: &Taken, thread: &[&str]) {
    let in_reply_to = taken.header("In-Reply-To").unwrap();
    assert_eq!(&in_reply_to, thread.last().unwrap(), "{}", taken.text());
    let references = taken.header("References").unwrap();
    let mut named = references.split_whitespace();
    for id in thread {
        assert!(named.any(|of| of == *id), "{id} in {references}");
    }
}
