//! Mail for the application that expires is held and not returned, in whichever direction it goes.

use test_support::{RelayBuilder, Sink};

use super::desk::{Desk, SECRET, recipient};
use crate::MESSAGE;

#[test]
fn a_submission_for_the_application_is_held_when_it_expires() {
    let (desk, world) = (Desk::answering(503), Sink::start());
    let relay = RelayBuilder::usual(world.address())
        .replace("retry = [\"1s\"]", "retry = [\"1s\"]\nexpiry = \"2s\"")
        .with(&format!(
            "[routes]\nsubmission = \"http desk\"\n[endpoint.desk]\n\
             url = \"http://{}/\"\nsecrets = [{SECRET:?}]\nretry-seconds = [1]\n",
            desk.address
        ))
        .start();
    let mut client = relay.client("submission").authenticated("user", "secret");
    let to = ["bob@elsewhere.example"];
    let reply = client.deliver("ann@sender.example", &to, MESSAGE).unwrap();
    let id = reply.transaction();
    relay.eventually("it is held", |relay| {
        Some(recipient(relay, &id)).filter(|one| one["status"] == "held")
    });
    assert!(world.rest().is_empty());
}
