//! Policies outlive a restart, in a file of the store.

use std::fs;
use std::sync::Arc;

use gatepost_mx::PolicyFile;

use crate::{LOOPBACK, World, policy};

#[tokio::test]
async fn a_policy_outlives_a_restart() {
    let store = tempfile::tempdir().unwrap();
    let path = store.path().join("mta-sts.json");
    let text = policy("enforce", &["*.a.example"]);
    let cache = Arc::new(PolicyFile::new(path.clone()));
    let mut world = World::with(&text, &["mta-sts.a.example"], LOOPBACK, cache);
    assert_eq!(world.enforced("1").await.len(), 2);
    // The relay stores it while it runs, without being told.
    tokio::select! {
        () = world.mx.maintain() => panic!("it ended"),
        () = stored(&path) => {}
    }
    world.publish_none();
    world.announce(None);
    world.restart();
    assert_eq!(world.enforced("1").await.len(), 2);
    assert_eq!(world.server.asked().len(), 1);
}

/// Waits until the file is there.
async fn stored(path: &std::path::Path) {
    while !path.exists() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_damaged_file_is_kept_and_policies_are_fetched_again() {
    let store = tempfile::tempdir().unwrap();
    let path = store.path().join("mta-sts.json");
    let newer = br#"{"form":2,"policies":[]}"#;
    let wrong = br#"{"form":1,"policies":[{"domain":"a.example","id":"-"}]}"#;
    for damaged in [b"\x00".as_slice(), b"{}", newer, wrong] {
        fs::write(&path, damaged).unwrap();
        let cache = Arc::new(PolicyFile::new(path.clone()));
        let text = policy("enforce", &["*.a.example"]);
        let world = World::with(&text, &["mta-sts.a.example"], LOOPBACK, cache);
        let kept = gatepost_files::kept(store.path()).unwrap();
        assert_eq!(fs::read(&kept[0]).unwrap(), damaged);
        assert_eq!(world.enforced("1").await.len(), 2);
        world.mta_sts.save().unwrap();
        assert!(path.exists());
        fs::remove_file(&kept[0]).unwrap();
    }
}
