//! Requests that programs send again under a key: the first answer comes again, and its message is in
//! the queue once.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod site;

use gatepost_intake::http_submission::SubmissionRefusal;
use gatepost_message::Millis;
use gatepost_spool::Keep;

use crate::site::Site;

const MESSAGE: &str = "From: <help@desk.example>\nTo: <ann@sender.example>\nSubject: s\n\nText.\n";

#[tokio::test]
async fn a_request_that_comes_again_gets_the_first_answer() {
    let site = Site::new();
    let first = site.hand_in("token", 1, MESSAGE).await.unwrap();
    assert_eq!(first.recipients.len(), 1);
    // Its message is not read: this one would be refused.
    let again = site.hand_in("token", 1, "not a message").await.unwrap();
    assert_eq!(again, first);
    assert_eq!(site.queued().await, [first.id]);

    let other = site.hand_in("token", 2, MESSAGE).await.unwrap_err();
    assert_eq!(other, SubmissionRefusal::OtherRequest);
    assert_eq!(site.queued().await, [first.id]);

    let second = site.hand_in("another-token", 1, MESSAGE).await.unwrap();
    assert_eq!(site.queued().await, [first.id, second.id]);

    let none = Keep {
        since: Millis::now(),
        most: 0,
    };
    site.stores.answers.expire_answers(none).await.unwrap();
    let anew = site.hand_in("token", 2, MESSAGE).await.unwrap();
    assert_eq!(site.queued().await, [first.id, second.id, anew.id]);
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let site = Site::new();
    let foreign = "From: <eve@other.example>\nSubject: s\n\nText.\n";
    let refused = site.hand_in("token", 1, foreign).await.unwrap_err();
    assert!(
        matches!(&refused, SubmissionRefusal::Message(of) if of.reply.is_permanent()),
        "{refused:?}"
    );
    let accepted = site.hand_in("token", 2, MESSAGE).await.unwrap();
    assert_eq!(site.queued().await, [accepted.id]);
}

/// The program goes away while its message is committed, and asks again before and after the commit.
#[tokio::test]
async fn a_request_is_under_way_until_its_commit_is_over() {
    let site = Site::new();
    site.commits.forget_permits(100);
    let first = tokio::spawn(site.hand_in("token", 1, MESSAGE));
    site.asked.notified().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());

    let early = site.hand_in("token", 1, MESSAGE).await.unwrap_err();
    assert_eq!(early, SubmissionRefusal::UnderWay);
    assert!(site.queued().await.is_empty());

    site.commits.add_permits(1);
    let again = loop {
        match site.hand_in("token", 1, MESSAGE).await {
            Ok(accepted) => break accepted,
            Err(SubmissionRefusal::UnderWay) => tokio::task::yield_now().await,
            Err(other) => panic!("{other:?}"),
        }
    };
    // There was no permit for a second commit.
    assert_eq!(site.queued().await, [again.id]);
}
