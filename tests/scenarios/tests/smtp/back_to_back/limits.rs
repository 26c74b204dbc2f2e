//! A relay that takes few recipients at a time says so (LIMITS, RFC 9422), and the one before it
//! keeps to that: nobody is refused for being one too many. None of Debian's mail servers offers
//! LIMITS.

use std::collections::BTreeSet;

use test_support::{RelayBuilder, Sink};

use crate::MESSAGE;

#[test]
fn recipients_come_as_few_at_a_time_as_are_wanted() {
    let sink = Sink::start();
    let second = RelayBuilder::usual(sink.address())
        .with("[limits]\nrecipients = 2")
        .start();
    let mut first = RelayBuilder::usual(second.address("mx")).start();
    let to = ["a", "b", "c", "d", "e"].map(|local| format!("{local}@desk.example"));
    let mut client = first.client("mx");
    client.ehlo();
    let recipients = to.each_ref().map(String::as_str);
    let reply = client.deliver("ann@sender.example", &recipients, MESSAGE);
    let id = reply.unwrap().transaction();
    drop(client);
    let taken = [sink.take(), sink.take(), sink.take()];
    assert!(taken.iter().all(|taken| taken.to.len() <= 2), "{taken:?}");
    let all: BTreeSet<_> = taken.into_iter().flat_map(|taken| taken.to).collect();
    assert_eq!(all, BTreeSet::from(to));

    assert!(first.terminate().success(), "{}", first.log());
    let attempts = first.events(&id, "attempt");
    let codes: Vec<_> = attempts.iter().map(|one| &one["reply"]["code"]).collect();
    assert_eq!(codes, [250; 5], "{attempts:?}");
    second.leaves_nothing(sink);
}
