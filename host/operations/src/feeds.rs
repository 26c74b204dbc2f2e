//! Feeds of partner addresses: lists that are fetched.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use gatepost_directory::{Directory, ListChange, PartnerList, PartnerSource, Refusal};
use gatepost_feeds::{Client, RefreshError};
use gatepost_message::parse_duration;
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::directory::{account_id, change};
use crate::error::OperationError;
use crate::partners::{self, ListPartners, Removed};

/// Request to add a feed, or to change its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFeed {
    /// Id or native domain of the account.
    pub account: String,
    /// URL of the list; https only.
    #[arg(value_parser = gatepost_feeds::url)]
    pub url: String,
    /// Interval between fetches: a minute or more.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = parse_interval)]
    pub every: Duration,
    /// Accept whole domains, too: lines such as @partner.example.
    #[arg(long)]
    #[serde(default)]
    pub domains: bool,
}

/// Request for feeds, with the result of the last fetch.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ListFeeds {
    /// Only those of this account, by its id or native domain.
    #[arg(long)]
    pub account: Option<String>,
}

/// Request to fetch a feed now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FetchFeed {
    /// Id or native domain of the account.
    pub account: String,
    /// URL of the feed.
    pub url: String,
}

/// Request to remove a feed with its entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveFeed {
    /// Id or native domain of the account.
    pub account: String,
    /// URL of the feed.
    pub url: String,
}

fn parse_interval(text: &str) -> Result<Duration, String> {
    check_interval(parse_duration(text)?)
}

fn check_interval(interval: Duration) -> Result<Duration, String> {
    match interval < Duration::from_secs(60) {
        true => Err("a feed is fetched once a minute at most: write \"1m\" or more".to_owned()),
        false => Ok(interval),
    }
}

/// Adds a feed, which is fetched at an interval, or changes its settings.
///
/// # Errors
/// There is no such account, the URL or the interval is not allowed, or the store cannot be
/// changed.
pub async fn set(
    directory: &Arc<Directory>,
    asked: SetFeed,
) -> Result<PartnerList, OperationError> {
    let url = gatepost_feeds::url(&asked.url);
    let url = url.map_err(|why| OperationError::new(Code::FeedUrl, why))?;
    let every = check_interval(asked.every);
    let every = every.map_err(|why| OperationError::new(Code::FeedInterval, why))?;
    let account = account_id(&directory.view(), &asked.account)?;
    change(directory, move |directory| {
        directory.set_feed(account, &url, every, asked.domains)
    })
    .await
}

/// Lists feeds, of one account or of all.
///
/// # Errors
/// There is no such account.
pub fn list(directory: &Directory, asked: ListFeeds) -> Result<Vec<PartnerList>, OperationError> {
    let account = asked.account;
    let mut lists = partners::list(directory, ListPartners { account })?.lists;
    lists.retain(|list| list.feed.is_some());
    Ok(lists)
}

/// Fetches a feed now.
///
/// # Errors
/// There is no such account, it has no such feed, or the fetch failed.
pub async fn fetch(
    directory: &Arc<Directory>,
    client: &Client,
    asked: FetchFeed,
) -> Result<ListChange, OperationError> {
    let view = directory.view();
    let account = account_id(&view, &asked.account)?;
    let source = PartnerSource::Feed(asked.url);
    let found = |list: &&PartnerList| list.account == account && list.source == source;
    let feed = view.partner_lists().find(found).cloned();
    let feed = feed.ok_or(Refusal::NoPartnerList {
        account,
        list: source,
    })?;
    Ok(gatepost_feeds::refresh(directory, client, &feed).await?)
}

/// Removes a feed with its entries.
///
/// # Errors
/// There is no such account, it has no such feed, or the store cannot be changed.
pub async fn remove(
    directory: &Arc<Directory>,
    asked: RemoveFeed,
) -> Result<Removed, OperationError> {
    let list = PartnerSource::Feed(asked.url);
    partners::remove_list(directory, &asked.account, list).await
}

impl From<RefreshError> for OperationError {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::NoFeed => Self::new(Code::UnknownPartnerList, error),
            RefreshError::Failed(_) => Self::new(Code::FeedNotFetched, error),
            RefreshError::Directory(error) => error.into(),
            RefreshError::Task(error) => error.into(),
        }
    }
}
