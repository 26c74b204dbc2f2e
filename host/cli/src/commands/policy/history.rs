//! `gatepost policy history`.

use std::process::ExitCode;

use gatepost_operations::policy_history::{FormerVersion, ShowHistory};

use crate::commands::answer::{Row, print_rows};
use crate::commands::operate::Ask;
use crate::commands::output;

/// Prints the history of a policy.
pub(super) async fn run(ask: Ask<ShowHistory>) -> miette::Result<ExitCode> {
    let Ask { target, request } = ask;
    let versions = target.call_relay(request).await?;
    print_rows(&versions, "no version was active yet", target.json)
}

impl Row for FormerVersion {
    const HEADER: &[&str] = &[
        "ACTIVATED",
        "DIGEST",
        "MODULE",
        "SIZE",
        "BY",
        "FROM",
        "REMARKS",
    ];

    fn cells(&self) -> Vec<String> {
        let of = &self.version;
        let mut remarks = Vec::new();
        if self.active {
            remarks.push("active".to_owned());
        }
        if self.configured {
            remarks.push("the configuration's".to_owned());
        }
        remarks.extend(of.reason.clone());
        vec![
            of.at.to_string(),
            output::digest(&of.digest).to_owned(),
            output::digest(&of.module).to_owned(),
            output::size(of.size),
            format!("{} ({})", of.by.actor, of.by.origin),
            of.by.source.clone(),
            remarks.join("; "),
        ]
    }
}
