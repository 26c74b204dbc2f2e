//! A policy that was fetched holds until its end, whatever can be asked and fetched meanwhile.

use std::time::Duration;

use test_support::zone::Fault;

use crate::{World, policy};

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_policy_outlives_its_record_and_failed_fetches() {
    let mut world = World::new(&policy("enforce", &["mx1.a.example"]));
    assert_eq!(world.enforced("1").await, ["mx1.a.example"]);
    world.publish_none();
    world.announce(None);
    world.forget_answers();
    assert_eq!(world.enforced("1").await, ["mx1.a.example"]);
    world
        .dns
        .zone()
        .fault("_mta-sts.a.example", Fault::ServFail);
    world.forget_answers();
    assert_eq!(world.enforced("1").await, ["mx1.a.example"]);
    // A new id whose policy cannot be fetched replaces nothing.
    world.announce(Some("2"));
    world.forget_answers();
    assert_eq!(world.enforced("1").await, ["mx1.a.example"]);
    assert_eq!(world.server.asked().len(), 2);

    world.pass(DAY);
    world.forget_answers();
    assert_eq!(world.enforced("opportunistic").await.len(), 2);
}

#[tokio::test]
async fn a_policy_is_refreshed_ahead_of_its_end() {
    let mut world = World::new(&policy("enforce", &["mx1.a.example"]));
    assert_eq!(world.enforced("1").await, ["mx1.a.example"]);
    // Early, nothing is due.
    world.mx.refresh_policies().await;
    assert_eq!(world.server.asked().len(), 1);
    // Half of its time is over; its record has vanished.
    world.pass(13 * HOUR);
    world.announce(None);
    world.forget_answers();
    world.mx.refresh_policies().await;
    assert_eq!(world.server.asked().len(), 2);
    // It holds for a day from the refresh.
    world.pass(20 * HOUR);
    assert_eq!(world.enforced("1").await, ["mx1.a.example"]);
    world.pass(5 * HOUR);
    assert_eq!(world.enforced("opportunistic").await.len(), 2);
}

#[tokio::test]
async fn a_refresh_brings_the_new_policy_with_its_id() {
    let mut world = World::new(&policy("enforce", &["mx1.a.example"]));
    assert_eq!(world.enforced("1").await, ["mx1.a.example"]);
    world.pass(13 * HOUR);
    world.announce(Some("2"));
    world.publish(&policy("enforce", &["mx2.a.example"]));
    world.forget_answers();
    world.mx.refresh_policies().await;
    assert_eq!(world.enforced("2").await, ["mx2.a.example"]);
    assert_eq!(world.server.asked().len(), 2);
}
