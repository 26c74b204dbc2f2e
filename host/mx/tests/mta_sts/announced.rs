//! A policy is fetched when it is announced, once for each id.

use futures_util::future::join_all;

use crate::{World, policy};

#[tokio::test]
async fn an_announced_policy_is_fetched_once() {
    let world = World::new(&policy("enforce", &["*.a.example"]));
    join_all((0..20).map(|_| world.enforced("1"))).await;
    assert_eq!(world.enforced("1").await.len(), 2);
    let port = world.server.port();
    let asked = format!("mta-sts.a.example:{port}/.well-known/mta-sts.txt");
    assert_eq!(world.server.asked(), [asked]);
}

#[tokio::test]
async fn a_policy_that_is_not_announced_is_not_fetched() {
    let world = World::new(&policy("enforce", &["*.a.example"]));
    world.announce(None);
    assert_eq!(world.enforced("opportunistic").await.len(), 2);
    let world = World::new(&policy("enforce", &["*.a.example"]));
    // Two records are none.
    world.dns.zone().txt("_mta-sts.a.example", "v=STSv1; id=2");
    assert_eq!(world.enforced("opportunistic").await.len(), 2);
    assert!(world.server.asked().is_empty());
}

#[tokio::test]
async fn a_new_id_brings_the_new_policy() {
    let mut world = World::new(&policy("enforce", &["mx1.a.example"]));
    assert_eq!(world.enforced("1").await, ["mx1.a.example"]);
    // As long as the id is the same, so is the policy.
    world.publish(&policy("enforce", &["mx2.a.example"]));
    world.forget_answers();
    assert_eq!(world.enforced("1").await, ["mx1.a.example"]);
    world.announce(Some("2"));
    world.forget_answers();
    assert_eq!(world.enforced("2").await, ["mx2.a.example"]);
    assert_eq!(world.server.asked().len(), 2);
}
