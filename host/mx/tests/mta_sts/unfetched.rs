//! What is no policy of the domain, by its own server, is not fetched, and tried again only later.

use std::sync::Arc;

use gatepost_mx::PoliciesInMemory;
use test_support::Published;

use crate::{LOOPBACK, World, policy};

async fn is_not_believed(world: &World, why: &str) {
    for _ in 0..2 {
        assert_eq!(world.enforced("opportunistic").await.len(), 2, "{why}");
    }
    assert!(
        world.server.asked().len() <= 1,
        "{why}: it rests after a failure"
    );
}

#[tokio::test]
async fn an_answer_that_is_no_policy_is_not_believed() {
    let text = policy("enforce", &["mx1.a.example"]);
    let typed = |text: &str, content_type: &str| Published::Typed {
        text: text.to_owned(),
        content_type: content_type.to_owned(),
    };
    let long = format!("{text}{}", "x: y\n".repeat(14_000));
    for (published, why) in [
        (typed(&text, "text/html"), "type"),
        (typed(&long, "text/plain"), "length"),
        (typed("version: STSv2", "text/plain"), "version"),
        (Published::Elsewhere("/moved".to_owned()), "redirect"),
        (Published::Status("404 Not Found".to_owned()), "status"),
    ] {
        let world = World::new(&text);
        world.server.publish(published);
        is_not_believed(&world, why).await;
        assert_eq!(world.server.asked().len(), 1, "{why}");
    }
}

#[tokio::test]
async fn a_server_without_a_certificate_for_its_name_is_not_believed() {
    let text = policy("enforce", &["mx1.a.example"]);
    for name in ["a.example", "mta-sts.b.example"] {
        let cache = Arc::<PoliciesInMemory>::default();
        let world = World::with(&text, &[name], LOOPBACK, cache);
        is_not_believed(&world, name).await;
        assert!(world.server.asked().is_empty());
    }
}

#[tokio::test]
async fn a_policy_server_inside_is_not_asked() {
    let text = policy("enforce", &["mx1.a.example"]);
    let cache = Arc::<PoliciesInMemory>::default();
    let world = World::with(&text, &["mta-sts.a.example"], "10.0.0.0/8", cache);
    is_not_believed(&world, "guard").await;
    assert!(world.server.asked().is_empty());
}
