//! `gatepost doctor`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use gatepost_files::Level;

use super::{ConfigFile, output, report};
use gatepost_operations::doctor::{self, Patient};

/// Inspect everything that the relay depends on, and change nothing: store, journal, permissions,
/// key ring, configuration, free space. Works with a running relay or without one.
///
/// Exits with 0 if all is well, 1 if something needs attention, 2 if something is damaged or
/// missing, or no mail is accepted.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    file: ConfigFile,
    /// Directory of the relay's store, in place of a configuration that cannot be read or names
    /// another store.
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    store: Option<PathBuf>,
    /// Print one JSON object a line: each finding.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(doctor: Doctor) -> miette::Result<ExitCode> {
    let patient = match doctor.store {
        Some(store) => Patient::Store(store),
        None => Patient::Configured(doctor.file.config),
    };
    let examined = tokio::task::spawn_blocking(move || doctor::examine(&patient));
    let mut findings = examined.await.map_err(report)?;
    let worst = doctor::worst(&findings);
    if doctor.json {
        output::print_json(&findings)?;
    } else {
        // The worst finding is printed last, where it is read.
        findings.sort_by_key(|finding| finding.level);
        for finding in &findings {
            let word = match finding.level {
                Level::Note => "ok     ",
                Level::Warning => "warning",
                Level::Error => "ERROR  ",
            };
            let indented = match finding.advice.as_str() {
                "" => String::new(),
                advice => format!("\n         {advice}"),
            };
            let (about, found) = (&finding.about, &finding.found);
            output::print(format!("{word}  {about}: {found}{indented}"))?;
        }
        output::print(match worst {
            Level::Note => "all is well",
            Level::Warning => "there is something to look into",
            Level::Error => "something is damaged or missing, or no mail is taken",
        })?;
    }
    Ok(ExitCode::from(match worst {
        Level::Note => 0,
        Level::Warning => 1,
        Level::Error => 2,
    }))
}
