//! A backup goes to a new folder, and is restored to an empty one, whole and unaltered, or not at
//! all.

use std::fs;
use std::path::Path;

use crate::{MESSAGE, accepted, backed_up, files, refused, restored, without_next_hop};

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn nothing_is_overwritten_and_nothing_half_restored() {
    let home = tempfile::tempdir().unwrap();
    let mut relay = without_next_hop().start();
    accepted(&relay, "ann@desk.example", MESSAGE);
    let to = home.path().join("backup");
    backed_up(&relay, &to, &[]);

    let again = relay.refuses(&["backup", &to.to_string_lossy()]);
    assert!(
        again.contains("exists: a backup is a new folder"),
        "{again}"
    );
    let inside = relay.directory().join("store/backup");
    let inside = relay.refuses(&["backup", &inside.to_string_lossy()]);
    assert!(inside.contains("lies in the store"), "{inside}");
    let nowhere = home.path().join("missing/backup");
    let nowhere = relay.refuses(&["backup", &nowhere.to_string_lossy()]);
    assert!(nowhere.contains("cannot find the folder"), "{nowhere}");

    let in_use = refused(&to, &relay.directory().join("store"), &[]);
    assert!(
        in_use.contains("is in use: stop the relay first"),
        "{in_use}"
    );
    assert!(relay.terminate().success());
    let there = refused(&to, &relay.directory().join("store"), &[]);
    assert!(there.contains("is not empty"), "{there}");

    let store = home.path().join("store");
    let spool = to.join("store/spool.db");
    let whole = fs::read(&spool).unwrap();
    let mut altered = whole.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    fs::write(&spool, &altered).unwrap();
    let said = refused(&to, &store, &[]);
    assert!(said.contains("its digest is another one"), "{said}");
    fs::write(&spool, &whole[..whole.len() - 4096]).unwrap();
    let said = refused(&to, &store, &[]);
    assert!(said.contains("octets of"), "{said}");
    fs::write(&spool, &whole).unwrap();

    let manifest = fs::read_to_string(to.join("backup.json")).unwrap();
    fs::write(
        to.join("backup.json"),
        manifest.replace("\"form\": 1", "\"form\": 2"),
    )
    .unwrap();
    let said = refused(&to, &store, &[]);
    assert!(
        said.contains("in a form that this version does not know"),
        "{said}"
    );
    fs::remove_file(to.join("backup.json")).unwrap();
    let said = refused(&to, &store, &[]);
    assert!(said.contains("is no complete backup"), "{said}");
    fs::write(to.join("backup.json"), &manifest).unwrap();

    // Nothing is left of all these, and the backup is good still.
    assert_eq!(names(home.path()), ["backup"]);
    fs::create_dir(&store).unwrap();
    assert_eq!(restored(&to, &store, &[]).len(), 2);
    assert!(files(&store).contains(&store.join("spool.db")));
    assert_eq!(names(home.path()), ["backup", "store"]);
}
