//! `gatepost partner feed`.

use std::process::ExitCode;

use clap::Subcommand;
use gatepost_directory::{PartnerList, PartnerSource};
use gatepost_message::Millis;
use gatepost_operations::feeds::{FetchFeed, ListFeeds, RemoveFeed, SetFeed};

use super::answer::{Row, item, list};
use super::operate::Ask;
use super::partner::{print_change, print_removed};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a feed, which is fetched at an interval, or change its settings.
    Add(Ask<SetFeed>),
    /// List feeds, with the result of the last fetch.
    List(Ask<ListFeeds>),
    /// Fetch a feed now.
    Fetch(Ask<FetchFeed>),
    /// Remove a feed with its entries.
    Remove(Ask<RemoveFeed>),
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::Add(ask) => item(ask).await,
        Command::List(ask) => list(ask, "there are no feeds").await,
        Command::Fetch(ask) => {
            let json = ask.target.json;
            print_change(&ask.answer().await?, json)
        }
        Command::Remove(ask) => {
            let json = ask.target.json;
            print_removed(&ask.answer().await?, json)
        }
    }
}

impl Row for PartnerList {
    const HEADER: &[&str] = &["URL", "ACCOUNT", "EVERY", "FETCHED", "PROBLEM"];

    fn cells(&self) -> Vec<String> {
        let url = match &self.source {
            PartnerSource::Feed(url) => url.clone(),
            other => other.to_string(),
        };
        let mut cells = vec![url, self.account.to_string()];
        let time_text =
            |at: Option<Millis>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
        if let Some(feed) = &self.feed {
            cells.extend([
                format!("{} s", feed.every_seconds),
                time_text(feed.fetched),
                feed.problem.clone().unwrap_or_default(),
            ]);
        }
        cells
    }
}
