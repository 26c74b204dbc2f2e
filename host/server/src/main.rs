//! The `gatepost` command; see [`gatepost::cli`].

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use gatepost::cli::{self, Cli};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // The terminal wraps lines itself, and a reader that is no terminal wants them whole.
    let _already_set = miette::set_hook(Box::new(|_| {
        Box::new(miette::MietteHandlerOpts::new().wrap_lines(false).build())
    }));
    match cli::run(cli).await {
        Ok(code) => code,
        Err(report) => {
            eprintln!("{report:?}");
            ExitCode::from(1)
        }
    }
}
