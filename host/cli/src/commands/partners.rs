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
use gatepost_operations::{
    LookedUp, PartnerRequest as Ask, PartnerResponse as Answer, Request, Response, Shared,
};

/// Entries in one request, of an import and of a list.
const PAGE: usize = 20_000;

/// Wrong lines of an import that are shown.
const SHOWN: usize = 20;

/// `gatepost sharing`.
#[derive(Debug, Subcommand)]
pub(super) enum Sharing {
    /// Make an agreement: all support addresses of each account are partners of the other.
    Add(Pair),
    /// Agreements.
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
    /// Those of this account only, by its id or native domain.
    #[arg(long)]
    account: Option<String>,
}

/// `gatepost partner`.
#[derive(Debug, Subcommand)]
pub(super) enum Partners {
    /// Add a partner address, or a whole domain.
    #[command(
        override_usage = "gatepost partner add [OPTIONS] <ACCOUNT> <ADDRESS|--domain <DOMAIN>>"
    )]
    Add(Entry),
    /// Remove one that was added or imported, or a whole import.
    #[command(
        override_usage = "gatepost partner remove [OPTIONS] <ACCOUNT> <ADDRESS|--domain <DOMAIN>|--import <NAME>>"
    )]
    Remove(Remove),
    /// Every partner address of an account, and by what.
    List(List),
    /// Add a file of partner addresses, one a line: all of it or nothing.
    Import(Import),
    /// Whether an address is a partner's, and by what; exits with 1 where it is none.
    #[command(name = "lookup")]
    LookUp(LookUp),
    /// Lists that are fetched.
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
    /// The address.
    address: Option<Address>,
    /// All addresses of exactly this domain, people's too.
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
    /// The address.
    address: Option<Address>,
    /// A whole domain that was added.
    #[arg(long)]
    domain: Option<Domain>,
    /// Everything that was imported under this name.
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
    /// The file; - for standard input.
    file: PathBuf,
    /// The name of the list that they are put into; the file's name where it is left out.
    #[arg(long)]
    name: Option<String>,
    /// Put them in the place of what is in the list, instead of beside it.
    #[arg(long)]
    replace: bool,
    /// Take whole domains, too: lines such as @partner.example.
    #[arg(long)]
    domains: bool,
}

#[derive(Debug, Args)]
pub(super) struct LookUp {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    account: String,
    /// The address.
    address: Address,
}

/// `gatepost partner feed`.
#[derive(Debug, Subcommand)]
pub(super) enum Feeds {
    /// Set up a list that is fetched every so often, or set anew how.
    Add(FeedAdd),
    /// Feeds, and how the last fetch went.
    List(OfAccount),
    /// Fetch a feed now.
    Fetch(OneFeed),
    /// Remove a feed with what it has brought.
    Remove(OneFeed),
}

#[derive(Debug, Args)]
pub(super) struct FeedAdd {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    account: String,
    /// Where the list is: an https URL.
    #[arg(value_parser = feeds::url)]
    url: String,
    /// How long from one fetch to the next: a minute or more.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = period)]
    every: Duration,
    /// Take whole domains, too: lines such as @partner.example.
    #[arg(long)]
    domains: bool,
}

#[derive(Debug, Args)]
pub(super) struct OneFeed {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    account: String,
    /// Its URL.
    url: String,
}

fn period(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        short if short < Duration::from_secs(60) => {
            Err("a feed is fetched once a minute at most: write \"1m\" or more".to_owned())
        }
        period => Ok(period),
    }
}

pub(super) async fn sharing(command: Sharing) -> miette::Result<ExitCode> {
    let (target, request, word) = match command {
        Sharing::Add(Pair {
            target,
            account,
            partner,
        }) => (target, Ask::SharingAdd { account, partner }, ""),
        Sharing::List(OfAccount { target, account }) => {
            let nothing = "there are no sharing agreements";
            (target, Ask::SharingList { account }, nothing)
        }
        Sharing::Remove(Pair {
            target,
            account,
            partner,
        }) => (target, Ask::SharingRemove { account, partner }, "removed"),
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
            let entry = entry(address, domain)?;
            (target, Ask::Add { account, entry })
        }
        Partners::Remove(Remove {
            target,
            account,
            import: Some(name),
            ..
        }) => (target, Ask::RemoveImport { account, name }),
        Partners::Remove(Remove {
            target,
            account,
            address,
            domain,
            ..
        }) => {
            let entry = entry(address, domain)?;
            (target, Ask::Remove { account, entry })
        }
        Partners::LookUp(LookUp {
            target,
            account,
            address,
        }) => (target, Ask::LookUp { account, address }),
        Partners::List(list) => return all(list).await,
        Partners::Import(of) => return import(of).await,
        Partners::Feed(command) => return feed(command).await,
    };
    let answer = ask(&mut target.session()?, request).await?;
    print(&answer, "", target.json)?;
    let is_no = matches!(&answer, Answer::LookedUp(found) if !found.partner);
    Ok(exit(!is_no))
}

fn entry(address: Option<Address>, domain: Option<Domain>) -> miette::Result<PartnerEntry> {
    let text = match (address, domain) {
        (_, Some(domain)) => return Ok(PartnerEntry::Domain(domain)),
        (address, None) => address.map(String::from).unwrap_or_default(),
    };
    // As entries are spelled.
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
            let set = Ask::FeedSet {
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
        }) => (target, Ask::FeedRemove { account, url }),
        Feeds::List(OfAccount { target, account }) => {
            let answer = ask(&mut target.session()?, Ask::Lists { account }).await?;
            let Answer::Lists { mut lists, .. } = answer else {
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

/// Prints every partner of an account, a page at a time.
async fn all(List { target, account }: List) -> miette::Result<ExitCode> {
    let mut session = target.session()?;
    let account = Some(account);
    let answer = ask(&mut session, Ask::Lists { account }).await?;
    let Answer::Lists { shared, lists } = answer else {
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
            let page = Ask::Entries {
                list: list.id,
                after,
                limit: PAGE,
            };
            let answer = ask(&mut session, page).await?;
            let Answer::Entries(entries) = answer else {
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

/// Reads all of a file before anything is asked for, so that a wrong line changes nothing.
async fn import(of: Import) -> miette::Result<ExitCode> {
    let text = read(&of.file)?;
    let entries = lines::parse(&text, of.domains, SHOWN).map_err(|errors| {
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
    let begin = Ask::ImportBegin {
        account: account.clone(),
    };
    let answer = ask(&mut session, begin).await?;
    let Answer::Import(import) = answer else {
        return Err(unexpected(&Response::Partners(answer)));
    };
    let total = entries.len();
    let mut done = 0;
    for page in entries.chunks(PAGE) {
        let entries = page.to_vec();
        if let Err(error) = ask(&mut session, Ask::ImportAdd { import, entries }).await {
            // Best effort: what is left of it is never looked at.
            let _ = ask(&mut session, Ask::ImportAbandon { import }).await;
            return Err(error);
        }
        done += page.len();
        if total > PAGE {
            progress(done, total);
        }
    }
    let finish = Ask::ImportFinish {
        import,
        account,
        name,
        replace: of.replace,
    };
    let answer = ask(&mut session, finish).await?;
    print(&answer, "", of.target.json)?;
    Ok(exit(true))
}

/// Says on standard error how far a long import is: in place on a terminal, else line by line.
fn progress(done: usize, total: usize) {
    let (begin, end) = match (io::stderr().is_terminal(), done == total) {
        (true, false) => ("\r", ""),
        (true, true) => ("\r", "\n"),
        (false, _) => ("", "\n"),
    };
    let text = format!("{begin}{done} of {total} addresses handed over{end}");
    // Numbers alone: it is written over in place.
    let _ = io::stderr().write_all(text.as_bytes());
}

fn read(file: &Path) -> miette::Result<Vec<u8>> {
    let mut text = Vec::new();
    let read = match file == Path::new("-") {
        true => io::stdin().lock().read_to_end(&mut text).map(|_| text),
        false => std::fs::read(file),
    };
    read.map_err(|error| miette::miette!("cannot read {}: {error}", file.display()))
}

/// Has a request carried out.
async fn ask(session: &mut Session<'_>, request: Ask) -> miette::Result<Answer> {
    match session.ask(Request::Partners(Box::new(request))).await? {
        Response::Partners(answer) => Ok(answer),
        other => Err(unexpected(&other)),
    }
}

/// Prints what came of a request; `word` where that is nothing.
fn print(answer: &Answer, word: &str, as_json: bool) -> miette::Result<()> {
    match answer {
        Answer::Agreements(agreements) if as_json => output::print_json(agreements),
        Answer::Agreements(agreements) => print_agreements(agreements, word),
        Answer::LookedUp(found) if as_json => output::print_json([found]),
        Answer::LookedUp(found) => output::print(in_words(found)),
        Answer::Imported(change) | Answer::Fetched(change) if as_json => {
            output::print_json([change])
        }
        Answer::Imported(change) | Answer::Fetched(change) => {
            let ListChange {
                added,
                removed,
                entries,
            } = change;
            output::print(format!(
                "{added} added, {removed} removed; the list has {entries} entries"
            ))
        }
        Answer::Feed(feed) => print_feeds(std::slice::from_ref(&**feed), as_json),
        Answer::Removed(count) if as_json => output::print_json([json!({ "removed": count })]),
        Answer::Removed(count) => output::print(format!("{count} removed")),
        Answer::Added(added) if as_json => output::print_json([json!({ "added": added })]),
        Answer::Added(true) => output::print("added"),
        Answer::Added(false) => output::print("it was there already"),
        Answer::Done if as_json => output::print_json([json!({ "done": true })]),
        Answer::Done => output::print(word),
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
    let moment = |at: Option<Millis>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    for list in feeds {
        let Some(feed) = &list.feed else { continue };
        table.add_row([
            url_of(list),
            list.account.to_string(),
            format!("{} s", feed.every_seconds),
            moment(feed.fetched),
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
