//! Swaps of a slot's version: atomic, with a rollback, and without effect on a begun transaction.

use std::sync::Arc;

use gatepost_policy::{Chain, Definition, Findings, NoMemory, Slot, Version};
use serde_json::json;
use test_support::hostile;

use crate::{load, message, transaction};

async fn version(text: &str) -> Version {
    let mut definition = Definition::new("marks");
    definition.settings = json!({ "version": text });
    load(definition, hostile("marks")).await
}

#[tokio::test]
async fn a_transaction_finishes_with_the_version_that_it_began_with() {
    let slot = Slot::new(version("one").await);
    let first = slot.current().digest().to_owned();
    let chain = Chain::new([slot.clone()]);
    let begun = chain.begin(Arc::new(NoMemory));
    slot.activate(version("two").await);
    let ruling = begun
        .message(
            &transaction(),
            message("A: b\r\n"),
            None,
            Findings::default(),
        )
        .await;
    assert_eq!(ruling.message.header("X-Marked-By").as_deref(), Some("one"));
    assert_eq!(ruling.findings.judgements[0].digest, first);
    let ruling = chain
        .begin(Arc::new(NoMemory))
        .message(
            &transaction(),
            message("A: b\r\n"),
            None,
            Findings::default(),
        )
        .await;
    assert_eq!(ruling.message.header("X-Marked-By").as_deref(), Some("two"));
    assert_ne!(ruling.findings.judgements[0].digest, first);
}

#[tokio::test]
async fn the_version_before_is_kept_and_can_be_activated_again() {
    let slot = Slot::new(version("one").await);
    assert!(slot.previous().is_none());
    let (one, two) = (slot.current(), version("two").await);
    slot.activate(two);
    let two = slot.current();
    slot.activate(slot.previous().unwrap());
    assert_eq!(slot.current().digest(), one.digest());
    slot.activate(slot.previous().unwrap());
    assert_eq!(slot.current().digest(), two.digest());
}
