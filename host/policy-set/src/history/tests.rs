use gatepost_message::Millis;

use super::*;

fn version(module: &Bytes, settings: &str, at: u64) -> ActivatedVersion {
    ActivatedVersion {
        digest: digest_of(&[module, settings.as_bytes()].concat()),
        module: digest_of(module),
        size: module.len() as u64,
        at: Millis(at),
        by: ActivatedBy::new("root", "socket", "guest.wasm"),
        reason: None,
    }
}

fn activate(history: &VersionHistory, module: &Bytes, at: u64) {
    history.keep(module).unwrap();
    let noted = history.update(|policies| {
        let record = policies.entry("guest".to_owned()).or_default();
        record.note(version(module, "", at));
    });
    noted.unwrap();
}

fn modules_in(store: &Path) -> usize {
    let entries = fs::read_dir(store.join(FOLDER)).unwrap().flatten();
    let suffix = |path: &Path| path.extension().is_some_and(|suffix| suffix == MODULE);
    entries.filter(|entry| suffix(&entry.path())).count()
}

#[test]
fn what_was_noted_is_there_after_a_restart() {
    let store = tempfile::tempdir().unwrap();
    let history = VersionHistory::open(store.path()).unwrap();
    let (one, two) = (Bytes::from_static(b"one"), Bytes::from_static(b"two"));
    activate(&history, &one, 1);
    activate(&history, &two, 2);
    let before = history.record("guest");
    drop(history);
    let history = VersionHistory::open(store.path()).unwrap();
    let record = history.record("guest");
    assert_eq!(record, before);
    assert_eq!(record.versions[0].by.actor, "root");
    assert_eq!(record.before(&digest_of(&two)).unwrap().at, Millis(1));
    assert_eq!(history.module(&digest_of(&one)).unwrap(), one);
}

#[test]
fn modules_are_kept_as_long_as_the_history_names_them() {
    let store = tempfile::tempdir().unwrap();
    let history = VersionHistory::open(store.path()).unwrap();
    let modules: Vec<Bytes> = (0..VERSIONS + 3)
        .map(|n| format!("module {n}").into())
        .collect();
    for (at, module) in modules.iter().enumerate() {
        activate(&history, module, at as u64);
    }
    // The same two in turns do not push the others out.
    for at in 100..120_usize {
        activate(&history, &modules[VERSIONS + 1 + at % 2], at as u64);
    }
    assert_eq!(modules_in(store.path()), VERSIONS);
    assert!(history.module(&digest_of(&modules[2])).is_err());
    assert_eq!(history.module(&digest_of(&modules[3])).unwrap(), modules[3]);
}

#[test]
fn a_module_whose_content_has_changed_is_refused() {
    let store = tempfile::tempdir().unwrap();
    let history = VersionHistory::open(store.path()).unwrap();
    let module = Bytes::from_static(b"module");
    activate(&history, &module, 1);
    let folder = store.path().join(FOLDER);
    fs::write(path_of(&folder, &digest_of(&module)), "modulo").unwrap();
    let error = history.module(&digest_of(&module)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn a_damaged_file_is_moved_aside() {
    for damage in [
        "{",
        r#"{"form":2,"policies":{}}"#,
        r#"{"form":1,"policies":{"a":{"versions":[],"configured":"../../x","activated":null}}}"#,
    ] {
        let store = tempfile::tempdir().unwrap();
        let history = VersionHistory::open(store.path()).unwrap();
        activate(&history, &Bytes::from_static(b"one"), 1);
        let folder = store.path().join(FOLDER);
        fs::write(folder.join(STATE), damage).unwrap();
        let history = VersionHistory::open(store.path()).unwrap();
        assert_eq!(history.record("guest"), VersionRecord::default());
        let kept = gatepost_files::kept(&folder).unwrap();
        assert_eq!(fs::read_to_string(&kept[0]).unwrap(), damage);
    }
}

#[test]
fn texts_from_outside_are_bounded() {
    let by = ActivatedBy::new("root", "socket", &"é\n".repeat(5000));
    assert!(by.source.len() <= 200, "{}", by.source.len());
    assert!(!by.source.contains('\n'));
}
