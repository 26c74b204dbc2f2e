//! Arguments of `gatepost check`, which is implemented in [`crate::check`], and of other commands
//! that judge stored messages.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use gatepost_message::{Address, ReversePath};

use gatepost_config::NameServer;

/// Circumstances under which stored messages are judged: configuration, envelope and time.
#[derive(Debug, Clone, Args)]
pub struct JudgeArgs {
    /// Configuration file; without it, the built-in policies with their defaults.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Listener whose chain judges the messages; the first inbound one when not given.
    #[arg(long, value_name = "NAME")]
    pub listener: Option<String>,
    /// Reverse-path; `<>` or nothing is the null one. Taken from Return-Path or From when not
    /// given.
    #[arg(long, value_name = "ADDRESS", value_parser = reverse_path)]
    pub mail_from: Option<ReversePath>,
    /// Recipient; may be repeated. Taken from the header section when not given.
    #[arg(long, value_name = "ADDRESS")]
    pub rcpt_to: Vec<Address>,
    /// Address of the client.
    #[arg(long, value_name = "IP")]
    pub client_ip: Option<IpAddr>,
    /// Argument of EHLO.
    #[arg(long, value_name = "NAME")]
    pub helo: Option<String>,
    /// User that AUTH has proved.
    #[arg(long, value_name = "USER")]
    pub auth_user: Option<String>,
    /// Name server for message authentication, as ADDRESS or ADDRESS:PORT, instead of those of the
    /// configuration; may be repeated. If neither names one, no server is queried unless a policy
    /// wants the results.
    #[arg(long, value_name = "SERVER")]
    pub dns: Vec<NameServer>,
    /// Time of the transaction.
    #[arg(long, value_name = "RFC3339")]
    pub now: Option<jiff::Timestamp>,
}

/// Run the configured chain on stored messages, without sending anything.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    // Without a comment of documentation: clap would take it for the command's.
    #[allow(missing_docs)]
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// Print one JSON object a line.
    #[arg(long)]
    pub json: bool,
    /// Write each message into this directory, as it would be queued.
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Messages to judge: `.eml` files; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

fn reverse_path(text: &str) -> Result<ReversePath, String> {
    if text == "<>" {
        return Ok(ReversePath::Null);
    }
    text.parse::<ReversePath>().map_err(|e| e.to_string())
}
