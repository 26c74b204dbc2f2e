//! The unit of systemd and the container file are sound, as far as that can be told without
//! installing them.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn unit() -> String {
    fs::read_to_string(workspace().join("deploy/systemd/gatepost.service")).unwrap()
}

/// Returns the values of a key of the unit, in order.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    let lines = unit.lines().filter_map(|line| line.split_once('='));
    let lines = lines.filter(|(name, _)| *name == key);
    lines.map(|(_, value)| value).collect()
}

#[test]
fn the_unit_takes_all_rights_but_those_that_the_relay_needs() {
    let unit = unit();
    let one = |key: &str| match values(&unit, key)[..] {
        [value] => value.to_owned(),
        ref other => panic!("{key}: {other:?}"),
    };
    assert_eq!(one("CapabilityBoundingSet"), "CAP_NET_BIND_SERVICE");
    assert_eq!(one("AmbientCapabilities"), "CAP_NET_BIND_SERVICE");
    assert_eq!(one("ProtectSystem"), "strict");
    assert_eq!(one("User"), "gatepost");
    assert_eq!(one("Type"), "notify");
    assert_eq!(one("StateDirectory"), "gatepost");
    assert_eq!(one("RestartPreventExitStatus"), "74");
    for key in [
        "NoNewPrivileges",
        "ProtectHome",
        "PrivateTmp",
        "PrivateDevices",
        "ProtectKernelTunables",
        "ProtectKernelModules",
        "ProtectKernelLogs",
        "ProtectControlGroups",
        "RestrictNamespaces",
        "RestrictSUIDSGID",
        "LockPersonality",
    ] {
        assert_eq!(one(key), "yes", "{key}");
    }
    // The relay limits itself, and what loads policies; and it makes code executable.
    assert!(
        !values(&unit, "SystemCallFilter")
            .iter()
            .any(|filter| filter.contains("resources"))
    );
    assert!(values(&unit, "MemoryDenyWriteExecute").is_empty());
    let drain: u64 = one("TimeoutStopSec").parse().unwrap();
    assert!(drain > 20, "more than the default of `drain`");
    let users = fs::read_to_string(workspace().join("deploy/systemd/gatepost.sysusers")).unwrap();
    assert!(users.lines().any(|line| line.starts_with("u gatepost ")));
}

/// systemd itself finds nothing wrong, and calls the exposure OK.
#[test]
fn systemd_accepts_the_unit() {
    if Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_err()
    {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: systemd-analyze is not installed"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gatepost.service");
    let unit = unit().replace("/usr/bin/gatepost", env!("CARGO_BIN_EXE_gatepost"));
    fs::write(&path, unit).unwrap();
    let analyze = |arguments: &[&str]| {
        let mut command = Command::new("systemd-analyze");
        let output = command.args(arguments).arg(&path).output().unwrap();
        let texts = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(texts).unwrap())
    };
    let (is_good, said) = analyze(&["verify", "--man=no"]);
    let ours: Vec<_> = said
        .lines()
        .filter(|line| line.contains("gatepost"))
        .collect();
    assert!(is_good && ours.is_empty(), "{said}");
    // Tenths of the exposure.
    let (is_good, said) = analyze(&["security", "--offline=true", "--threshold=20"]);
    assert!(is_good, "{said}");
}

#[test]
fn the_container_has_what_it_copies_and_is_not_roots() {
    let file = workspace().join("deploy/container/Containerfile");
    let text = fs::read_to_string(file).unwrap().replace("\\\n", " ");
    let lines = text.lines().map(str::trim);
    let lines: Vec<_> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let of = |instruction: &str| {
        let found = lines
            .iter()
            .filter_map(|line| line.strip_prefix(instruction));
        found.map(str::trim).collect::<Vec<_>>()
    };
    let mut copied = BTreeSet::new();
    for copy in of("COPY ") {
        if copy.starts_with("--from=build ") {
            assert_eq!(
                copy,
                "--from=build /build/target/release/gatepost /usr/bin/gatepost"
            );
            continue;
        }
        let mut paths: Vec<_> = copy.split_whitespace().collect();
        paths.pop().unwrap();
        for path in paths {
            assert!(workspace().join(path).exists(), "{path}");
            copied.insert(path);
        }
    }
    // Each member of the workspace has to be there, or cargo builds nothing.
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    for member in members {
        let top = member.as_str().unwrap().split('/').next().unwrap();
        assert!(copied.contains(top), "{top}");
    }
    let users = of("USER ");
    let user = users.last().unwrap().split(':').next().unwrap();
    assert!(user.parse::<u32>().unwrap() > 0, "{users:?}");
    assert!(text.find("USER ").unwrap() < text.find("ENTRYPOINT").unwrap());
    let entry: Vec<String> = serde_json::from_str(of("ENTRYPOINT ")[0]).unwrap();
    let command: Vec<String> = serde_json::from_str(of("CMD ")[0]).unwrap();
    assert_eq!(entry, ["/usr/bin/gatepost"]);
    assert_eq!(command[0], "serve");
    assert_eq!(of("STOPSIGNAL "), ["SIGTERM"]);
    let volumes: Value = serde_json::from_str(of("VOLUME ")[0]).unwrap();
    assert!(
        volumes
            .as_array()
            .unwrap()
            .contains(&"/var/lib/gatepost".into())
    );
    let channel = fs::read_to_string(workspace().join("rust-toolchain.toml")).unwrap();
    let channel: toml::Table = channel.parse().unwrap();
    let rust = channel["toolchain"]["channel"].as_str().unwrap();
    let image = of("FROM ")[0];
    let version = rust.rsplit_once('.').unwrap().0;
    assert!(
        image.contains(&format!("rust:{version}-")),
        "{image} and {rust}"
    );
}
