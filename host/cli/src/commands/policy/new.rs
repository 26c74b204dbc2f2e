//! `gatepost policy new`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::commands::{exit, output};
use crate::scaffold::{HOOKS, Scaffold, Sdk};

/// Write the crate of a new policy: settings, an example for each hook, fixtures and a README.
///
/// It builds, and its tests pass, as it stands.
#[derive(Debug, Args)]
pub(in crate::commands) struct New {
    /// Name of the policy, its crate and its folder, such as `no-spam`.
    name: String,
    /// Hooks of the policy, separated by commas.
    #[arg(
        long,
        value_name = "HOOKS",
        value_delimiter = ',',
        default_value = "message",
        value_parser = HOOKS
    )]
    hooks: Vec<String>,
    /// SDK to build it with: the folder `guest/sdk` of Gatepost's source, or the URL of its
    /// repository. When not given, Gatepost's source is looked for here, in `gatepost`, and in the
    /// folders above.
    #[arg(long, value_name = "PATH|URL")]
    sdk: Option<String>,
    /// Folder in which the crate's folder is made.
    #[arg(long = "in", value_name = "DIR", default_value = ".")]
    parent: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(in crate::commands) fn run(args: &New) -> miette::Result<ExitCode> {
    let parent = args.parent.as_path();
    let sdk = || match &args.sdk {
        Some(sdk) => Sdk::given(sdk, parent),
        None => Sdk::nearby(parent),
    };
    let scaffold = Scaffold::new(&args.name, &args.hooks, sdk)?;
    let folder = scaffold.write(parent)?;
    if args.json {
        output::print_json([json!({
            "policy": args.name,
            "folder": folder,
            "hooks": args.hooks,
        })])?;
        return Ok(exit(true));
    }
    let shown = folder.strip_prefix(Path::new(".")).unwrap_or(&folder);
    output::print(format!(
        "{} written; next:\n  cd {}\n  cargo build --target wasm32-unknown-unknown --release\n  gatepost policy test",
        shown.display(),
        shown.display()
    ))?;
    Ok(exit(true))
}
