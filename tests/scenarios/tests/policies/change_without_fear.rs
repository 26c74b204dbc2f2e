//! The commands of docs/change-without-fear.md, as they stand there, with ports that are free.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use test_support::{binary, debian, free_port, page, share_compiled_policies, workspace};

/// Puts programs in front of the path: the relay, and cargo as the other tests of authors run it.
fn programs(folder: &Path) {
    fs::create_dir(folder).unwrap();
    symlink(binary(), folder.join("gatepost")).unwrap();
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => target.into(),
        None => workspace().join("target"),
    };
    let authors = target.join("authors");
    fs::create_dir_all(&authors).unwrap();
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    // With the versions that this workspace is locked to, so that nothing is asked of the network;
    // beside what is built already; and quick to build, which is enough here.
    let script = format!(
        "#!/bin/sh\ncp {lock:?} Cargo.lock\nln -sfn {authors:?} target\n\
         unset $(env | grep -o '^CARGO_[A-Z_]*' | grep -v CARGO_HOME) RUSTFLAGS\n\
         CARGO_TARGET_DIR={authors:?} exec {cargo:?} \"$@\" --offline \
         --config profile.release.lto=false --config profile.release.opt-level=0\n",
        lock = workspace().join("Cargo.lock"),
    );
    let file = folder.join("cargo");
    fs::write(&file, script).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_commands_change_a_policy_without_fear() {
    if debian("curl", "curl").is_none() {
        return;
    }
    let page = fs::read_to_string(workspace().join("docs/change-without-fear.md")).unwrap();
    let mut script = page::blocks(&page, "sh");
    for port in ["2500", "2525"] {
        assert!(script.contains(port));
        script = script.replace(port, &free_port().port().to_string());
    }
    let store = "store = \"store\"\n";
    assert!(script.contains(store));
    script = script.replace(store, &format!("{store}min-free = \"1MiB\"\n"));

    let home = tempfile::tempdir().unwrap();
    programs(&home.path().join("bin"));
    symlink(workspace(), home.path().join("gatepost")).unwrap();
    fs::create_dir_all(home.path().join("desk/store")).unwrap();
    share_compiled_policies(&home.path().join("desk/store"));
    script = script.replace("mkdir desk && cd desk", "cd desk");
    let path = format!(
        "{}:{}",
        home.path().join("bin").display(),
        std::env::var("PATH").unwrap()
    );
    // What runs in the background ends with the shell, and the first command that fails ends it.
    let script = format!("set -e\ntrap 'kill $(jobs -p)' EXIT\n{script}");
    let ran = Command::new("timeout")
        .args(["300", "bash", "-c", &script])
        .current_dir(home.path())
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (printed, errors) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    let log = fs::read_to_string(home.path().join("desk/relay.log")).unwrap_or_default();
    assert_eq!(ran.status.code(), Some(0), "{printed}\n{errors}\n{log}");
    page::assert_printed(&printed, &page::blocks(&page, "text"));
}
