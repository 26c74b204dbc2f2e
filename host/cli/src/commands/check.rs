//! The arguments of `gatepost check`; the work is done in [`crate::check`].

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use gatepost_message::{Address, ReversePath};

use gatepost_config::NameServer;

/// Run the configured chain on stored messages, without sending anything.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Configuration file; without it, the built-in policies with their defaults.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Judge as this listener would; the first inbound one when not given.
    #[arg(long, value_name = "NAME")]
    pub listener: Option<String>,
    /// MAIL FROM; `<>` or nothing is the null sender. Taken from Return-Path or From when not given.
    #[arg(long, value_name = "ADDRESS", value_parser = reverse_path)]
    pub mail_from: Option<ReversePath>,
    /// RCPT TO, once for each recipient. Taken from the headers when not given.
    #[arg(long, value_name = "ADDRESS")]
    pub rcpt_to: Vec<Address>,
    /// Address of the client.
    #[arg(long, value_name = "IP")]
    pub client_ip: Option<IpAddr>,
    /// Argument of EHLO.
    #[arg(long, value_name = "NAME")]
    pub helo: Option<String>,
    /// The user that AUTH has proved.
    #[arg(long, value_name = "USER")]
    pub auth_user: Option<String>,
    /// Name server to ask where a message came from, as ADDRESS or ADDRESS:PORT, instead of those of
    /// the configuration; several may be given. Where neither names one, nobody is asked unless a
    /// policy wants to know.
    #[arg(long, value_name = "SERVER")]
    pub dns: Vec<NameServer>,
    /// Time of the transaction.
    #[arg(long, value_name = "RFC3339")]
    pub now: Option<jiff::Timestamp>,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
    /// Write each message there, as it would be queued.
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Messages: `.eml` files; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

fn reverse_path(text: &str) -> Result<ReversePath, String> {
    if text == "<>" {
        return Ok(ReversePath::Null);
    }
    text.parse::<ReversePath>().map_err(|e| e.to_string())
}
