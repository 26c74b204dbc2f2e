//! `gatepost policy new`: from nothing to a policy that is tested.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use test_support::{run, workspace};

/// A folder that has nothing in it yet.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// `gatepost policy new` in it, with the SDK of this workspace.
    fn begin(&self, arguments: &[&str]) -> Output {
        let sdk = workspace().join("guest/sdk");
        let sdk = ["--sdk", sdk.to_str().unwrap()];
        self.gatepost(&[&["policy", "new"], arguments, &sdk].concat())
    }

    fn gatepost(&self, arguments: &[&str]) -> Output {
        let mut gatepost = test_support::gatepost();
        gatepost.current_dir(self.0.path()).args(arguments);
        gatepost.output().unwrap()
    }

    fn is_empty(&self) -> bool {
        fs::read_dir(self.0.path()).unwrap().next().is_none()
    }
}

/// Runs cargo on a crate: with the versions that this workspace is locked to, so that nothing is
/// asked of the network, and beside what is built already.
fn cargo(folder: &Path, arguments: &[&str]) -> PathBuf {
    fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => PathBuf::from(target),
        None => workspace().join("target"),
    };
    let target = target.join("authors");
    let mut cargo = Command::new("cargo");
    cargo.current_dir(folder).args(arguments).arg("--offline");
    // To be quick to build is enough here.
    cargo.args([
        "--config",
        "profile.release.lto=false",
        "--config",
        "profile.release.opt-level=0",
    ]);
    cargo.env("CARGO_TARGET_DIR", &target);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let keep = ["CARGO_HOME", "CARGO_TARGET_DIR"].contains(&&*name);
        if name.starts_with("CARGO_") && !keep || name == "RUSTFLAGS" {
            cargo.env_remove(name.as_ref());
        }
    }
    let output = cargo.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {errors}");
    assert!(!errors.contains("warning"), "cargo {arguments:?}: {errors}");
    target
}

const BUILD: [&str; 4] = ["build", "--release", "--target", "wasm32-unknown-unknown"];

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// New policies build without a warning, and all hooks do what their fixtures say.
#[test]
fn a_new_policy_builds_and_is_tested() {
    let desk = Desk::new();
    let hooks = "message,connect,sender,recipient,route,outcome";
    let output = desk.begin(&["no-spam", "--hooks", hooks]);
    assert!(output.status.success(), "{}", errors(&output));
    let folder = desk.0.path().join("no-spam");
    for file in [
        "Cargo.toml",
        "README.md",
        ".gitignore",
        "src/lib.rs",
        "fixtures/spam.eml",
    ] {
        assert!(folder.join(file).is_file(), "{file}");
    }
    let source = folder.join("src/lib.rs");
    let formatted = Command::new("rustfmt")
        .args(["--edition", "2024", "--check"])
        .arg(&source)
        .output();
    let formatted = formatted.unwrap();
    assert!(
        formatted.status.success(),
        "{}",
        String::from_utf8_lossy(&formatted.stdout)
    );

    let target = cargo(&folder, &BUILD);
    let module = target.join("wasm32-unknown-unknown/release/no_spam.wasm");
    let module = module.to_str().unwrap();
    let test = |more: &[&str]| {
        let folder = folder.to_str().unwrap();
        run(&[&["policy", "test", folder, "--module", module], more].concat())
    };
    let output = test(&[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("test result: ok. 7 passed; 0 failed;"),
        "{text}"
    );

    let spam = folder.join("fixtures/spam.toml");
    let right = fs::read_to_string(&spam).unwrap();
    let wrong = right.replace("verdict = \"reject\"", "verdict = \"pass\"");
    fs::write(&spam, &wrong).unwrap();
    let output = test(&["spam"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("-verdict = \"pass\"\n+verdict = \"reject\"\n"),
        "{text}"
    );
    assert!(test(&["--bless"]).status.success());
    assert_eq!(fs::read_to_string(&spam).unwrap(), right);

    // The schema is that of the struct.
    let output = run(&["policy", "inspect", module]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("connect, sender, recipient, message, route, outcome"),
        "{text}"
    );
    assert!(
        text.contains("A message whose subject holds one of these texts is refused."),
        "{text}"
    );
}

/// The same fixtures, in the author's own `cargo test`.
#[test]
fn a_new_policy_is_tested_natively() {
    let desk = Desk::new();
    assert!(
        desk.begin(&["no_spam", "--hooks", "outcome"])
            .status
            .success()
    );
    let folder = desk.0.path().join("no_spam");
    cargo(&folder, &["test", "--quiet"]);
}

#[test]
fn nothing_is_written_unless_all_is_right() {
    let desk = Desk::new();
    for (arguments, status, problem) in [
        (&["No-Spam"][..], 1, "is no name for a policy"),
        (&["../no-spam"], 1, "is no name for a policy"),
        (&["fn"], 1, "the word has a meaning of its own"),
        (&["no-spam", "--hooks", "message,mesage"], 2, "mesage"),
        (
            &["no-spam", "--hooks", ""],
            2,
            "possible values: connect, sender",
        ),
        (&["no-spam", "--in", "elsewhere"], 1, "cannot write"),
    ] {
        let output = desk.begin(arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        assert!(errors(&output).contains(problem), "{}", errors(&output));
        assert!(desk.is_empty(), "{arguments:?}");
    }
    let output = desk.gatepost(&["policy", "new", "no-spam", "--sdk", "elsewhere"]);
    let problem = "there is no gatepost-sdk in elsewhere";
    assert!(errors(&output).contains(problem), "{}", errors(&output));
    let output = desk.gatepost(&["policy", "new", "no-spam"]);
    assert!(
        errors(&output).contains("cannot find the SDK"),
        "{}",
        errors(&output)
    );
    assert!(desk.is_empty());

    let folder = desk.0.path().join("no-spam");
    fs::create_dir(&folder).unwrap();
    let output = desk.begin(&["no-spam"]);
    assert!(
        errors(&output).contains("no-spam is there already"),
        "{}",
        errors(&output)
    );
    assert!(fs::read_dir(&folder).unwrap().next().is_none());
}

#[test]
fn the_sdk_is_found_or_named() {
    let desk = Desk::new();
    let manifest = |policy: &str| {
        let manifest = desk.0.path().join(policy).join("Cargo.toml");
        fs::read_to_string(manifest).unwrap()
    };
    let url = "https://git.example/gatepost.git";
    let output = desk.gatepost(&["policy", "new", "from-git", "--sdk", url, "--json"]);
    assert!(output.status.success(), "{}", errors(&output));
    assert!(manifest("from-git").contains(&format!("gatepost-sdk = {{ git = \"{url}\" }}")));

    let sdk = desk.0.path().join("gatepost/guest/sdk");
    fs::create_dir_all(&sdk).unwrap();
    fs::copy(
        workspace().join("guest/sdk/Cargo.toml"),
        sdk.join("Cargo.toml"),
    )
    .unwrap();
    assert!(desk.gatepost(&["policy", "new", "nearby"]).status.success());
    let path = "gatepost-sdk = { path = \"../gatepost/guest/sdk\" }";
    assert!(manifest("nearby").contains(path), "{}", manifest("nearby"));
    assert!(
        desk.gatepost(&["policy", "new", "named", "--sdk", "gatepost"])
            .status
            .success()
    );
    assert!(manifest("named").contains(path), "{}", manifest("named"));
}
