//! `gatepost sharing` and `gatepost partner`.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use gatepost_directory::{Agreement, ListChange, Partner, PartnerEntry, PartnerList};
use gatepost_message::{Address, Domain, Millis};
use serde_json::json;

use super::operate::{Session, Target, unexpected};
use super::{exit, output};
use gatepost_config::parse_duration;
use gatepost_feeds as feeds;
use gatepost_feeds::lines;
use gatepost_operations::{LookedUp, PartnerRequest, PartnerResponse, Request, Response, Shared};

/// Maximum number of entries in one request, of an import and of a list.
const PAGE: usize = 20_000;

/// Maximum number of wrong lines of an import that are shown.
const MAX_ERRORS: usize = 20;

/// Commands of `gatepost sharing`.
#[derive(Debug, Subcommand)]
pub(super) enum Sharing {
    /// Make an agreement: all support addresses of each account become partners of the other.
    Add(Pair),
    /// List agreements.
    List(OfAccount),
    /// End an agreement.
    Remove(Pair),
}

#[derive(Debug, Args)]
pub(super) struct Pair {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of an account.
    account: String,
    /// Id or native domain of the account that it shares with.
    partner: String,
}

#[derive(Debug, Args)]
pub(super) struct OfAccount {
    #[command(flatten)]
    target: Target,
    /// Only those of this account, by its id or native domain.
    #[arg(long)]
    account: Option<String>,
}

/// Commands of `gatepost partner`.
#[derive(Debug, Subcommand)]
pub(super) enum Partners {
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
    LookUp(LookUp),
    /// Manage feeds: lists that are fetched.
    #[command(subcommand)]
    Feed(Feeds),
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

#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    account: String,
    /// File to import; - for standard input.
    file: PathBuf,
    /// Name of the list that gets the entries; the file's name when not given.
    #[arg(long)]
    name: Option<String>,
    /// Replace the entries of the list, instead of adding to them.
    #[arg(long)]
    replace: bool,
    /// Accept whole domains, too: lines such as @partner.example.
    #[arg(long)]
    domains: bool,
}

#[derive(Debug, Args)]
pub(super) struct LookUp {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    account: String,
    /// Address to look up.
    address: Address,
}

/// Commands of `gatepost partner feed`.
#[derive(Debug, Subcommand)]
pub(super) enum Feeds {
    /// Add a feed, which is fetched at an interval, or change its settings.
    Add(FeedAdd),
    /// List feeds, with the result of the last fetch.
    List(OfAccount),
    /// Fetch a feed now.
    Fetch(OneFeed),
    /// Remove a feed with its entries.
    Remove(OneFeed),
}

#[derive(Debug, Args)]
pub(super) struct FeedAdd {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    account: String,
    /// URL of the list; https only.
    #[arg(value_parser = feeds::url)]
    url: String,
    /// Interval between fetches: a minute or more.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = parse_interval)]
    every: Duration,
    /// Accept whole domains, too: lines such as @partner.example.
    #[arg(long)]
    domains: bool,
}

#[derive(Debug, Args)]
pub(super) struct OneFeed {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    account: String,
    /// URL of the feed.
    url: String,
}

fn parse_interval(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        short if short < Duration::from_secs(60) => {
            Err("a feed is fetched once a minute at most: write \"1m\" or more".to_owned())
        }
        interval => Ok(interval),
    }
}

pub(super) async fn sharing(command: Sharing) -> miette::Result<ExitCode> {
    let (target, request, word) = match command {
        Sharing::Add(Pair {
            target,
            account,
            partner,
        }) => (target, PartnerRequest::SharingAdd { account, partner }, ""),
        Sharing::List(OfAccount { target, account }) => {
            let nothing = "there are no sharing agreements";
            (target, PartnerRequest::SharingList { account }, nothing)
        }
        Sharing::Remove(Pair {
            target,
            account,
            partner,
        }) => (
            target,
            PartnerRequest::SharingRemove { account, partner },
            "removed",
        ),
    };
    let answer = ask(&mut target.session()?, request).await?;
    print(&answer, word, target.json)?;
    Ok(exit(true))
}

pub(super) async fn partners(command: Partners) -> miette::Result<ExitCode> {
    let (target, request) = match command {
        Partners::Add(Entry {
            target,
            account,
            address,
            domain,
        }) => {
            let entry = parse_entry(address, domain)?;
            (target, PartnerRequest::Add { account, entry })
        }
        Partners::Remove(Remove {
            target,
            account,
            import: Some(name),
            ..
        }) => (target, PartnerRequest::RemoveImport { account, name }),
        Partners::Remove(Remove {
            target,
            account,
            address,
            domain,
            ..
        }) => {
            let entry = parse_entry(address, domain)?;
            (target, PartnerRequest::Remove { account, entry })
        }
        Partners::LookUp(LookUp {
            target,
            account,
            address,
        }) => (target, PartnerRequest::LookUp { account, address }),
        Partners::List(list) => return list_all(list).await,
        Partners::Import(of) => return import(of).await,
        Partners::Feed(command) => return feed(command).await,
    };
    let answer = ask(&mut target.session()?, request).await?;
    print(&answer, "", target.json)?;
    let is_no = matches!(&answer, PartnerResponse::LookedUp(found) if !found.partner);
    Ok(exit(!is_no))
}

fn parse_entry(address: Option<Address>, domain: Option<Domain>) -> miette::Result<PartnerEntry> {
    let text = match (address, domain) {
        (_, Some(domain)) => return Ok(PartnerEntry::Domain(domain)),
        (address, None) => address.map(String::from).unwrap_or_default(),
    };
    // Parsed again, so that it has the spelling of entries.
    text.parse().map_err(super::report)
}

async fn feed(command: Feeds) -> miette::Result<ExitCode> {
    let (target, request) = match command {
        Feeds::Add(FeedAdd {
            target,
            account,
            url,
            every,
            domains,
        }) => {
            let set = PartnerRequest::FeedSet {
                account,
                url,
                every,
                domains,
            };
            (target, set)
        }
        Feeds::Remove(OneFeed {
            target,
            account,
            url,
        }) => (target, PartnerRequest::FeedRemove { account, url }),
        Feeds::List(OfAccount { target, account }) => {
            let answer = ask(&mut target.session()?, PartnerRequest::Lists { account }).await?;
            let PartnerResponse::Lists { mut lists, .. } = answer else {
                return Err(unexpected(&Response::Partners(answer)));
            };
            lists.retain(|list| list.feed.is_some());
            print_feeds(&lists, target.json)?;
            return Ok(exit(true));
        }
        Feeds::Fetch(OneFeed {
            target,
            account,
            url,
        }) => {
            let request = Request::FeedFetch { account, url };
            let answer = match target.session()?.ask(request).await? {
                Response::Partners(answer) => answer,
                other => return Err(unexpected(&other)),
            };
            print(&answer, "", target.json)?;
            return Ok(exit(true));
        }
    };
    let answer = ask(&mut target.session()?, request).await?;
    print(&answer, "", target.json)?;
    Ok(exit(true))
}

/// Prints all partner addresses of an account, a page at a time.
async fn list_all(List { target, account }: List) -> miette::Result<ExitCode> {
    let mut session = target.session()?;
    let account = Some(account);
    let answer = ask(&mut session, PartnerRequest::Lists { account }).await?;
    let PartnerResponse::Lists { shared, lists } = answer else {
        return Err(unexpected(&Response::Partners(answer)));
    };
    let rows = shared.into_iter();
    let rows = rows.map(|Shared { address, with, .. }| {
        let source = gatepost_directory::PartnerSource::Agreement(with);
        (address, source)
    });
    let mut any = print_entries(&rows.collect::<Vec<_>>(), target.json)?;
    for list in lists {
        let mut after = None;
        loop {
            let page = PartnerRequest::Entries {
                list: list.id,
                after,
                limit: PAGE,
            };
            let answer = ask(&mut session, page).await?;
            let PartnerResponse::Entries(entries) = answer else {
                return Err(unexpected(&Response::Partners(answer)));
            };
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

type Row = (String, gatepost_directory::PartnerSource);

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

/// Imports a file. Reads all of it before any request, so that a wrong line changes nothing.
async fn import(of: Import) -> miette::Result<ExitCode> {
    let text = read(&of.file)?;
    let entries = lines::parse(&text, of.domains, MAX_ERRORS).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
        miette::miette!(
            help = "mend these lines and import the file again; nothing of it was taken",
            "{}: {}",
            of.file.display(),
            lines.join("\n")
        )
    })?;
    let name = match (of.name, of.file.file_name()) {
        (Some(name), _) => name,
        (None, Some(name)) if of.file != Path::new("-") => name.to_string_lossy().into_owned(),
        (None, _) => "standard input".to_owned(),
    };
    let account = of.account;
    let mut session = of.target.session()?;
    let begin = PartnerRequest::ImportBegin {
        account: account.clone(),
    };
    let answer = ask(&mut session, begin).await?;
    let PartnerResponse::Import(import) = answer else {
        return Err(unexpected(&Response::Partners(answer)));
    };
    let total = entries.len();
    let mut done = 0;
    for page in entries.chunks(PAGE) {
        let entries = page.to_vec();
        if let Err(error) = ask(&mut session, PartnerRequest::ImportAdd { import, entries }).await {
            // Best effort: an abandoned import has no effect.
            let _ = ask(&mut session, PartnerRequest::ImportAbandon { import }).await;
            return Err(error);
        }
        done += page.len();
        if total > PAGE {
            progress(done, total);
        }
    }
    let finish = PartnerRequest::ImportFinish {
        import,
        account,
        name,
        replace: of.replace,
    };
    let answer = ask(&mut session, finish).await?;
    print(&answer, "", of.target.json)?;
    Ok(exit(true))
}

/// Prints the progress of a long import on standard error: in place on a terminal, else line by
/// line.
fn progress(done: usize, total: usize) {
    let (begin, end) = match (io::stderr().is_terminal(), done == total) {
        (true, false) => ("\r", ""),
        (true, true) => ("\r", "\n"),
        (false, _) => ("", "\n"),
    };
    let text = format!("{begin}{done} of {total} addresses handed over{end}");
    // Not escaped: the text holds only numbers, and is overwritten in place.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Bytes of the longest list that is imported.
const LONGEST_LIST: u64 = 1 << 30;

fn read(file: &Path) -> miette::Result<Vec<u8>> {
    let read = |from: &mut dyn io::Read| {
        let mut text = Vec::new();
        from.take(LONGEST_LIST + 1).read_to_end(&mut text)?;
        match text.len() as u64 > LONGEST_LIST {
            true => Err(io::Error::other("it is longer than 1 GiB")),
            false => Ok(text),
        }
    };
    let text = match file == Path::new("-") {
        true => read(&mut io::stdin().lock()),
        false => std::fs::File::open(file).and_then(|mut file| read(&mut file)),
    };
    text.map_err(|error| miette::miette!("cannot read {}: {error}", file.display()))
}

/// Executes a request.
async fn ask(
    session: &mut Session<'_>,
    request: PartnerRequest,
) -> miette::Result<PartnerResponse> {
    match session.ask(Request::Partners(Box::new(request))).await? {
        Response::Partners(answer) => Ok(answer),
        other => Err(unexpected(&other)),
    }
}

/// Prints a response, or `word` if it is empty.
fn print(answer: &PartnerResponse, word: &str, as_json: bool) -> miette::Result<()> {
    match answer {
        PartnerResponse::Agreements(agreements) if as_json => output::print_json(agreements),
        PartnerResponse::Agreements(agreements) => print_agreements(agreements, word),
        PartnerResponse::LookedUp(found) if as_json => output::print_json([found]),
        PartnerResponse::LookedUp(found) => output::print(in_words(found)),
        PartnerResponse::Imported(change) | PartnerResponse::Fetched(change) if as_json => {
            output::print_json([change])
        }
        PartnerResponse::Imported(change) | PartnerResponse::Fetched(change) => {
            let ListChange {
                added,
                removed,
                entries,
            } = change;
            output::print(format!(
                "{added} added, {removed} removed; the list has {entries} entries"
            ))
        }
        PartnerResponse::Feed(feed) => print_feeds(std::slice::from_ref(&**feed), as_json),
        PartnerResponse::Removed(count) if as_json => {
            output::print_json([json!({ "removed": count })])
        }
        PartnerResponse::Removed(count) => output::print(format!("{count} removed")),
        PartnerResponse::Added(added) if as_json => output::print_json([json!({ "added": added })]),
        PartnerResponse::Added(true) => output::print("added"),
        PartnerResponse::Added(false) => output::print("it was there already"),
        PartnerResponse::Done if as_json => output::print_json([json!({ "done": true })]),
        PartnerResponse::Done => output::print(word),
        other => Err(unexpected(&Response::Partners(other.clone()))),
    }
}

fn print_agreements(agreements: &[Agreement], nothing: &str) -> miette::Result<()> {
    let mut table = output::table(["ACCOUNT", "SHARES WITH", "SINCE"]);
    for agreement in agreements {
        table.add_row([
            agreement.one.to_string(),
            agreement.other.to_string(),
            agreement.created.to_string(),
        ]);
    }
    output::print_table(table, nothing)
}

fn print_feeds(feeds: &[PartnerList], as_json: bool) -> miette::Result<()> {
    if as_json {
        return output::print_json(feeds);
    }
    let mut table = output::table(["URL", "ACCOUNT", "EVERY", "FETCHED", "PROBLEM"]);
    let time_text = |at: Option<Millis>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    for list in feeds {
        let Some(feed) = &list.feed else { continue };
        table.add_row([
            url_of(list),
            list.account.to_string(),
            format!("{} s", feed.every_seconds),
            time_text(feed.fetched),
            feed.problem.clone().unwrap_or_default(),
        ]);
    }
    output::print_table(table, "there are no feeds")
}

fn url_of(list: &PartnerList) -> String {
    match &list.source {
        gatepost_directory::PartnerSource::Feed(url) => url.clone(),
        other => other.to_string(),
    }
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
