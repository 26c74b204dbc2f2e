//! Builds the built-in policies, so that the relay's binary carries their modules.
//!
//! They are built by a second cargo in its own target directory: the outer cargo holds the lock of
//! the usual one, and the guests have another target.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

/// The built-in policies, in alphabetical order.
const POLICIES: [&str; 5] = [
    "header-guard",
    "inbound-auth",
    "loop-guard",
    "outbound-route",
    "partner-guard",
];

fn main() {
    let workspace = Path::new(&variable("CARGO_MANIFEST_DIR")).join("../..");
    for path in ["guest", "wit", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", workspace.join(path).display());
    }

    // OUT_DIR is <target>/<profile>/build/<package>/out. The guests' directory lies beside the
    // profiles. The tests' own modules are built there, too, so that nothing is compiled twice.
    let out = PathBuf::from(variable("OUT_DIR"));
    let Some(target_dir) = out.ancestors().nth(4).map(|target| target.join("guests")) else {
        panic!(
            "{} is not where cargo puts build scripts' output",
            out.display()
        );
    };
    let mut cargo = Command::new(variable("CARGO"));
    cargo
        .current_dir(&workspace)
        .args(["build", "--profile", "guest", "--target", TARGET])
        .arg("--target-dir")
        .arg(&target_dir);
    for policy in POLICIES {
        cargo.args(["--package", policy]);
    }
    // Flags of the outer cargo are for the host's code and must not reach the guests'.
    for name in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_RUSTFLAGS",
        "RUSTC_WORKSPACE_WRAPPER",
    ] {
        cargo.env_remove(name);
    }

    let output = match cargo.output() {
        Ok(output) => output,
        Err(error) => panic!("cannot run cargo to build the built-in policies: {error}"),
    };
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        if message.contains("target may not be installed") {
            panic!(
                "the built-in policies need the target {TARGET}: run `rustup target add {TARGET}`"
            );
        }
        panic!("the built-in policies do not build:\n{message}");
    }

    let modules = POLICIES.map(|policy| {
        let file = format!("{}.wasm", policy.replace('-', "_"));
        let module = target_dir.join(TARGET).join("guest").join(file);
        format!("    ({policy:?}, include_bytes!({module:?})),\n")
    });
    let modules = format!("[\n{}]", modules.concat());
    let file = out.join("modules.rs");
    if let Err(error) = std::fs::write(&file, modules) {
        panic!("cannot write {}: {error}", file.display());
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name} for build scripts"))
}
