//! `gatepost partner`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use gatepost_directory::{ListChange, Partner, PartnerEntry, PartnerSource};
use gatepost_message::{Address, Domain};
use gatepost_operations::imports::RemoveImport;
use gatepost_operations::partners::{
    AddPartner, ListEntries, ListPartners, LookUpPartner, LookedUp, PartnerLists, RemovePartner,
    Removed, Shared,
};
use serde_json::json;

use super::import::{self, Import};
use super::operate::{Ask, Target};
use super::{exit, feed, output};

/// Maximum number of entries in one request, of an import and of a list.
pub(super) const PAGE: usize = 20_000;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a partner address, or a whole domain.
    #[command(
        override_usage = "gatepost partner add [OPTIONS] <ACCOUNT> <ADDRESS|--domain <DOMAIN>>"
    )]
    Add(Entry),
    /// Remove an entry that was added or imported, or a whole import.
    #[command(
        override_usage = "gatepost partner remove [OPTIONS] <ACCOUNT> <ADDRESS|--domain <DOMAIN>|--import <NAME>>"
    )]
    Remove(Remove),
    /// List all partner addresses of an account, with their sources.
    List(List),
    /// Import a file of partner addresses, one a line: all of it or nothing.
    Import(Import),
    /// Look an address up: is it a partner, and by which sources? Exits with 1 if it is none.
    #[command(name = "lookup")]
    LookUp(Ask<LookUpPartner>),
    /// Manage feeds: lists that are fetched.
    #[command(subcommand)]
    Feed(feed::Command),
}

#[derive(Debug, Args)]
#[group(id = "what", required = true, multiple = false, args = ["address", "domain"])]
pub(super) struct Entry {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    account: String,
    /// Partner address.
    address: Option<Address>,
    /// Whole domain: all addresses of exactly this domain, people's too.
    #[arg(long)]
    domain: Option<Domain>,
}

#[derive(Debug, Args)]
#[group(id = "what", required = true, multiple = false, args = ["address", "domain", "import"])]
pub(super) struct Remove {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    account: String,
    /// Partner address.
    address: Option<Address>,
    /// Whole domain that was added.
    #[arg(long)]
    domain: Option<Domain>,
    /// Name of an import, all of whose entries are removed.
    #[arg(long, value_name = "NAME")]
    import: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    account: String,
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::Add(entry) => add(entry).await,
        Command::Remove(entry) => remove(entry).await,
        Command::LookUp(ask) => look_up(ask).await,
        Command::List(list) => list_all(list).await,
        Command::Import(of) => import::run(of).await,
        Command::Feed(command) => feed::run(command).await,
    }
}

async fn add(of: Entry) -> miette::Result<ExitCode> {
    let entry = parse_entry(of.address, of.domain)?;
    let account = of.account;
    let added = of.target.call(AddPartner { account, entry }).await?;
    match added.added {
        _ if of.target.json => output::print_json([added])?,
        true => output::print("added")?,
        false => output::print("it was there already")?,
    }
    Ok(exit(true))
}

async fn remove(of: Remove) -> miette::Result<ExitCode> {
    let account = of.account;
    let removed = match of.import {
        Some(name) => of.target.call(RemoveImport { account, name }).await?,
        None => {
            let entry = parse_entry(of.address, of.domain)?;
            of.target.call(RemovePartner { account, entry }).await?
        }
    };
    print_removed(&removed, of.target.json)
}

async fn look_up(ask: Ask<LookUpPartner>) -> miette::Result<ExitCode> {
    let json = ask.target.json;
    let found = ask.answer().await?;
    match json {
        true => output::print_json([&found])?,
        false => output::print(in_words(&found))?,
    }
    Ok(exit(found.partner))
}

fn parse_entry(address: Option<Address>, domain: Option<Domain>) -> miette::Result<PartnerEntry> {
    let text = match (address, domain) {
        (_, Some(domain)) => return Ok(PartnerEntry::Domain(domain)),
        (address, None) => address.map(String::from).unwrap_or_default(),
    };
    // Parsed again, so that it has the spelling of entries.
    text.parse().map_err(super::report)
}

/// Prints all partner addresses of an account, a page at a time.
async fn list_all(List { target, account }: List) -> miette::Result<ExitCode> {
    let mut session = target.session()?;
    let account = Some(account);
    let PartnerLists { shared, lists } = session.call(ListPartners { account }).await?;
    let rows = shared.into_iter();
    let rows = rows.map(|Shared { address, with, .. }| (address, PartnerSource::Agreement(with)));
    let mut any = print_entries(&rows.collect::<Vec<_>>(), target.json)?;
    for list in lists {
        let mut after = None;
        loop {
            let page = ListEntries {
                list: list.id,
                after,
                limit: PAGE,
            };
            let entries = session.call(page).await?;
            let full = entries.len() == PAGE;
            after = entries.last().map(ToString::to_string);
            let rows = entries.iter();
            let rows = rows.map(|entry| (entry.to_string(), list.source.clone()));
            any |= print_entries(&rows.collect::<Vec<_>>(), target.json)?;
            if !full {
                break;
            }
        }
    }
    if !any && !target.json {
        output::print("there are no partner addresses")?;
    }
    Ok(exit(true))
}

type Row = (String, PartnerSource);

fn print_entries(rows: &[Row], as_json: bool) -> miette::Result<bool> {
    if rows.is_empty() {
        return Ok(false);
    }
    if as_json {
        let rows = rows.iter();
        output::print_json(
            rows.map(|(entry, source)| json!({ "entry": entry, "source": source })),
        )?;
        return Ok(true);
    }
    let mut table = output::table(["PARTNER", "BY"]);
    for (entry, source) in rows {
        table.add_row([entry.clone(), source.to_string()]);
    }
    output::print_table(table, "")?;
    Ok(true)
}

/// Prints the changes to a list.
pub(super) fn print_change(change: &ListChange, as_json: bool) -> miette::Result<ExitCode> {
    let ListChange {
        added,
        removed,
        entries,
    } = change;
    match as_json {
        true => output::print_json([change])?,
        false => output::print(format!(
            "{added} added, {removed} removed; the list has {entries} entries"
        ))?,
    }
    Ok(exit(true))
}

/// Prints the number of entries that were removed.
pub(super) fn print_removed(removed: &Removed, as_json: bool) -> miette::Result<ExitCode> {
    match as_json {
        true => output::print_json([removed])?,
        false => output::print(format!("{} removed", removed.removed))?,
    }
    Ok(exit(true))
}

fn in_words(found: &LookedUp) -> String {
    let LookedUp {
        address,
        canonical,
        by,
        ..
    } = found;
    if by.is_empty() {
        return format!("{address} is no partner's");
    }
    let mut lines = vec![format!("{address} is a partner's, compared as {canonical}")];
    lines.extend(
        by.iter()
            .map(|Partner { by_domain, source }| match by_domain {
                true => format!("its whole domain by {source}"),
                false => format!("by {source}"),
            }),
    );
    lines.join("\n")
}
