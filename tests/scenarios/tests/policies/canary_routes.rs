//! A canary that has hooks for the delivery routes its share of the mail, and no other: one version
//! decides on a message from its end of data to the outcome of its attempts.

use test_support::{Sink, hostile_file};

use crate::rollout_support::{details, with_behaviour};
use crate::{Guest, status};

const CORRESPONDENTS: usize = 24;

#[test]
fn a_canary_routes_its_share_and_hears_the_outcome() {
    let (usual, aside) = (Sink::start(), Sink::start());
    let guest = Guest::new("version_one");
    let port = aside.address().port();
    let connection =
        format!("[connection.aside]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"");
    let relay = guest.relay(&usual).with(&connection).start();
    let one = status(&relay, "guest")["digest"].take();
    let file = hostile_file("routes_aside");
    let file = file.to_string_lossy();
    let arguments = ["policy", "activate", &file, "--name", "guest"];
    // It routes otherwise, and is not to be rolled back for that.
    let canary = ["--canary", "50%", "--max-changed", "any"];
    let begun = relay.json(&[&arguments[..], &canary].concat()).remove(0);
    let candidate = &begun["rollout"]["digest"];

    let mut share = 0;
    for correspondent in 0..CORRESPONDENTS {
        let mut client = relay.client("mx");
        client.ehlo();
        let from = format!("ann{correspondent}@sender.example");
        let message = with_behaviour("nothing");
        let reply = client.deliver(&from, &["help@desk.example"], &message);
        let id = reply.unwrap().transaction();
        relay.trace_until(&id, "delivered");
        let told = relay.eventually("the outcome is on record", |relay| {
            let judgements = relay.judgements(&id).into_iter();
            let told: Vec<_> = judgements
                .map(|of| {
                    (
                        of["hook"].as_str().unwrap().to_owned(),
                        of["digest"].clone(),
                    )
                })
                .collect();
            let is_whole = told.len() == 1 && told[0].1 == one || told.len() == 3;
            is_whole.then_some(told)
        });
        match told.len() {
            1 => assert_eq!(usual.take().header("X-Version").as_deref(), Some("one")),
            _ => {
                share += 1;
                let hooks: Vec<&str> = told.iter().map(|(hook, _)| hook.as_str()).collect();
                assert_eq!(hooks, ["message", "route", "outcome"]);
                assert!(told.iter().all(|(_, digest)| digest == candidate));
                assert_eq!(aside.take().header("X-Version").as_deref(), Some("aside"));
            }
        }
    }
    assert!((1..CORRESPONDENTS).contains(&share), "{share}");
    let shown = details(&relay);
    let differences = &shown["rollout"]["differences"]["counts"];
    assert_eq!(differences["route"], share, "{differences}");
    relay.leaves_nothing(usual);
    assert!(aside.rest().is_empty());
}

#[test]
fn a_module_that_decides_before_the_account_is_known_is_no_canary() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let relay = guest.relay(&sink).start();
    let file = hostile_file("greets");
    let file = file.to_string_lossy();
    let arguments = ["policy", "activate", &file, "--name", "guest"];
    let error = relay.refuses(&[&arguments[..], &["--canary", "5%"]].concat());
    assert!(error.contains("the hooks connect only"), "{error}");
    assert!(error.contains("try it as a shadow"), "{error}");
    let begun = relay
        .json(&[&arguments[..], &["--shadow"]].concat())
        .remove(0);
    assert!(begun["rollout"]["mode"]["shadow"].is_object(), "{begun}");
    relay.leaves_nothing(sink);
}
