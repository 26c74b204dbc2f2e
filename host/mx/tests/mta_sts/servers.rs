//! The mode of a policy decides which servers get mail, and with which TLS.

use crate::{World, policy};

#[tokio::test]
async fn an_enforced_policy_demands_tls_of_its_servers_and_leaves_out_others() {
    let world = World::new(&policy("enforce", &["mx1.a.example"]));
    let demanded = [("mx1.a.example".to_owned(), "1".to_owned())];
    assert_eq!(world.servers().await, demanded);
    let world = World::new(&policy("enforce", &["*.a.example"]));
    assert_eq!(
        world.enforced("1").await,
        ["mx1.a.example", "mx2.a.example"]
    );
}

#[tokio::test]
async fn an_enforced_policy_without_a_server_of_the_domain_lets_mail_wait() {
    let world = World::new(&policy("enforce", &["mx1.b.example", "a.example"]));
    let reply = world.candidates().await.unwrap_err().reply();
    let enhanced = reply.enhanced().unwrap().to_string();
    assert_eq!((reply.code(), enhanced.as_str()), (451, "4.7.5"));
}

#[tokio::test]
async fn a_policy_that_is_tested_or_withdrawn_changes_nothing() {
    for mode in ["testing", "none"] {
        let world = World::new(&policy(mode, &["mx1.b.example"]));
        assert_eq!(world.enforced("opportunistic").await.len(), 2, "{mode}");
        assert_eq!(world.server.answered(), ["200 OK"], "{mode}");
    }
}
