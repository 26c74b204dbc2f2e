//! Policy modules, built once for `wasm32-unknown-unknown` by the same command that the relay's
//! own build uses.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Returns the module of a built-in policy, such as `loop-guard`.
pub fn policy(name: &str) -> Vec<u8> {
    read(policy_file(name))
}

/// Returns the file of a built-in policy's module.
pub fn policy_file(name: &str) -> PathBuf {
    built().join(format!("{}.wasm", name.replace('-', "_")))
}

/// Returns the module of a built-in policy with a section more, which nobody reads: another version with the
/// same code.
pub fn another_version(name: &str) -> Vec<u8> {
    let mut module = read(policy_file(name));
    // A custom section (id 0) of 8 octets: its name, and nothing in it.
    module.extend_from_slice(b"\x00\x08\x07another");
    module
}

/// Returns the module of a test policy, such as `endless_loop`.
pub fn hostile(name: &str) -> Vec<u8> {
    read(hostile_file(name))
}

/// Returns the file of a test policy's module.
pub fn hostile_file(name: &str) -> PathBuf {
    built().join("examples").join(format!("{name}.wasm"))
}

fn read(path: PathBuf) -> Vec<u8> {
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn built() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let workspace = crate::workspace();
        // Beside the relay's own build of the guests, so that nothing is compiled twice.
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(target) => PathBuf::from(target),
            None => workspace.join("target"),
        };
        let guests = target.join("guests");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&workspace).args([
            "build",
            "--quiet",
            "--locked",
            "--profile=guest",
            "--target=wasm32-unknown-unknown",
            "--package=loop-guard",
            "--package=header-guard",
            "--package=inbound-auth",
            "--package=outbound-route",
            "--package=partner-guard",
            "--package=hostile-guests",
            "--lib",
            "--examples",
            "--target-dir",
        ]);
        // Cargo's variables for this test must not reach the cargo that builds the guests.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_") && name != "CARGO_HOME" || name == "RUSTFLAGS" {
                cargo.env_remove(name.as_ref());
            }
        }
        let status = cargo.arg(&guests).status();
        assert!(
            status.as_ref().is_ok_and(|status| status.success()),
            "the policies could not be built ({status:?}); is the target there? \
             `rustup target add wasm32-unknown-unknown`"
        );
        guests.join("wasm32-unknown-unknown/guest")
    })
}
