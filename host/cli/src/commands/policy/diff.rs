//! `gatepost policy diff`.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use gatepost_config::{Config, DEFAULT_PATH};
use gatepost_directory::View;
use gatepost_intake::dry_run::DryRun;
use gatepost_message::{Millis, TransactionId};
use gatepost_operations::trace::time_or_age;
use gatepost_policy_set::loading;
use gatepost_record::RecordReader;
use gatepost_replay::{CompareProgress, Compared, Group, ReplayEntry, Tally, WantedEntries};
use gatepost_rollout::DifferenceKind;
use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use serde_json::json;

use crate::commands::{exit, output};
use crate::diff::{
    Corpus, Replacement, Sides, in_json, nothing_compared, page, side_by_side, summary,
};

/// Compare what a new version of a policy decides with what the present one decides, on recorded mail
/// or on a folder of messages. Nothing is sent or stored.
#[derive(Debug, Args)]
pub(in crate::commands) struct Diff {
    /// New module: a `.wasm` file. When not given, the active one, with `--settings`.
    #[arg(value_name = "NEW.WASM", required_unless_present = "settings")]
    module: Option<PathBuf>,
    /// Old module, instead of the active one.
    #[arg(long, value_name = "OLD.WASM")]
    against: Option<PathBuf>,
    /// Settings of the new version: a file of JSON, or of TOML if its name ends so. When not given, those of
    /// the configuration.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Settings of the old version, in the same way.
    #[arg(long, value_name = "FILE")]
    against_settings: Option<PathBuf>,
    /// Name of the policy. When not given, the file's name without its extension, with `-` for `_`.
    #[arg(long, required_unless_present = "module")]
    name: Option<String>,
    /// Configuration file.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_PATH)]
    config: PathBuf,
    /// Mail of the record since this time, or not older than this.
    #[arg(long, value_name = "TIME|AGE", value_parser = time_or_age, default_value = "24h", conflicts_with = "corpus")]
    since: Millis,
    /// Mail of this account alone.
    #[arg(long, value_name = "ID", conflicts_with = "corpus")]
    account: Option<String>,
    /// Folder of messages, instead of the record. Folders in it count, too.
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Listener to which the messages of the folder come; the first inbound one when not given.
    #[arg(long, value_name = "NAME", requires = "corpus")]
    listener: Option<String>,
    /// Show both sides of this transaction, side by side; with `--corpus`, of this file.
    #[arg(long, value_name = "ID|FILE", conflicts_with = "html")]
    message: Option<String>,
    /// Number of groups to show.
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    groups: usize,
    /// Exit with 1 if there is a change of these kinds, or if nothing was compared.
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = FailOn::parser())]
    fail_on: Vec<FailOn>,
    /// Write the report to this file, as one HTML page.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Change on which the command fails: one of a kind, or any.
#[derive(Debug, Clone, Copy)]
enum FailOn {
    Any,
    Kind(DifferenceKind),
}

impl FailOn {
    fn finds(self, tally: &Tally) -> bool {
        match self {
            Self::Any => tally.changed > 0,
            Self::Kind(kind) => tally.of_kind(kind) > 0,
        }
    }

    /// Returns true unless the command has to fail: on a change of one of the kinds, or because nothing was
    /// compared.
    fn all_pass(of: &[Self], tally: &Tally) -> bool {
        of.is_empty() || tally.compared > 0 && !of.iter().any(|on| on.finds(tally))
    }

    /// Reads `any`, or the word of a kind.
    fn parser() -> impl TypedValueParser<Value = Self> {
        let words = DifferenceKind::ALL.map(DifferenceKind::word);
        let words = std::iter::once("any").chain(words);
        PossibleValuesParser::new(words).map(|word| {
            let mut kinds = DifferenceKind::ALL.into_iter();
            let kind = kinds.find(|kind| kind.word() == word);
            kind.map_or(Self::Any, Self::Kind)
        })
    }
}

pub(in crate::commands) async fn run(args: &Diff) -> miette::Result<ExitCode> {
    let policy = match (&args.name, &args.module) {
        (Some(name), _) => name.clone(),
        (None, Some(module)) => super::activate::stem(module)?,
        (None, None) => return Err(miette!("name the policy with --name")),
    };
    let old = replacement(args.against.as_deref(), args.against_settings.as_deref())?;
    let new = replacement(args.module.as_deref(), args.settings.as_deref())?;
    let config = Arc::new(Config::load(&args.config)?);
    let directory = Arc::new(crate::check::judge::read_directory(&config).await);
    let engine = loading::engine_of_command().into_diagnostic()?;
    let sides = Sides::load(&engine, &config, &directory, &policy, (old, new)).await?;
    if sides.old.digest() == sides.new.digest() {
        output::complain("gatepost: both sides are the same version");
    }
    match &args.corpus {
        Some(folder) => {
            let listener =
                crate::check::judge::find_listener(&config, args.listener.as_deref())?.clone();
            let policies = Arc::clone(&sides.policies);
            let dry_run = DryRun::with(policies, Config::clone(&config), directory)?;
            let corpus = Corpus::open(folder, listener, dry_run).into_diagnostic()?;
            of_corpus(args, &sides, Arc::new(corpus)).await
        }
        None => of_record(args, &sides, &config, &directory).await,
    }
}

/// Reads the module and the settings of one side.
fn replacement(module: Option<&Path>, settings: Option<&Path>) -> miette::Result<Replacement> {
    let module = module.map(|file| -> miette::Result<_> {
        Ok((file.to_owned(), Bytes::from(super::read(file)?)))
    });
    let settings = settings.map(|file| -> miette::Result<_> {
        Ok((file.to_owned(), super::run::read_settings(file)?))
    });
    Ok(Replacement {
        module: module.transpose()?,
        settings: settings.transpose()?,
    })
}

async fn of_corpus(args: &Diff, sides: &Sides, corpus: Arc<Corpus>) -> miette::Result<ExitCode> {
    let name = |id: TransactionId| match corpus.file_of(id) {
        Some(file) => file.display().to_string(),
        None => id.to_string(),
    };
    if let Some(named) = &args.message {
        let id = corpus
            .id_of_file(Path::new(named))
            .or_else(|| named.parse().ok());
        let compared = match id {
            Some(id) => corpus.compare_one(&sides.comparison, id).await,
            None => Ok(Vec::new()),
        };
        let compared = compared.into_diagnostic()?;
        if compared.is_empty() {
            return Err(miette!(
                help = "name a file as the groups name it",
                "the folder has no message {named}"
            ));
        }
        return show(args, sides, named, &compared);
    }
    let progress = Arc::new(CompareProgress::default());
    let total = corpus.messages() as u64;
    let compared = corpus.compare(&sides.comparison, &progress);
    let began = Instant::now();
    let (tally, unread) = watched(compared, &progress, |progress| {
        let done = progress.entries.load(Ordering::Relaxed);
        format!("{done} of {total} messages")
    })
    .await
    .into_diagnostic()?;
    for (file, error) in &unread {
        output::complain(format!("gatepost: cannot read {}: {error}", file.display()));
    }
    let of = format!(
        "{total} messages of {}",
        args.corpus.as_deref().unwrap_or(Path::new("")).display()
    );
    let nothing = nothing_compared(&tally, || match unread.len() as u64 == total {
        true => format!("none of the {total} messages can be read"),
        false => format!("none of the {total} messages led to a question to a policy"),
    });
    let result = (&tally, nothing.as_deref(), began.elapsed());
    print(args, sides, result, &of, name)?;
    Ok(exit(
        unread.is_empty() && FailOn::all_pass(&args.fail_on, &tally),
    ))
}

async fn of_record(
    args: &Diff,
    sides: &Sides,
    config: &Config,
    directory: &View,
) -> miette::Result<ExitCode> {
    let named = args.message.as_deref();
    let id = named.map(|named| {
        let id = named.parse::<TransactionId>();
        id.map_err(|_| miette!("{named} is no id of a transaction"))
    });
    let id = id.transpose()?;
    // An id says when the transaction began.
    let since = id.map_or(args.since, |id| Millis(id.unix_millis()));
    let folder = config.relay.store.join(gatepost_record::FOLDER);
    let key = directory.record_key();
    let reader = key.map(|key| RecordReader::since(&folder, key, since));
    let reader = reader
        .transpose()
        .into_diagnostic()
        .wrap_err("cannot read the record")?;
    let reader = reader.filter(|reader| !reader.files().is_empty());
    let Some(reader) = reader else {
        return Err(super::from_record::no_record(config));
    };
    if let Some(id) = id {
        let found = tokio::task::spawn_blocking(move || reader.find(id)).await;
        let found = found.into_diagnostic()?.into_diagnostic()?;
        if found.is_empty() {
            return Err(super::from_record::no_transaction(config, id));
        }
        let mut compared = Vec::new();
        for (recorded, missing) in found {
            if !sides.comparison.old.know(&recorded.entry) {
                let listener = &recorded.entry.transaction().session.listener;
                return Err(miette!(
                    "the transaction {id} cannot be compared: it came to the listener {listener}, which the \
                     configuration does not have"
                ));
            }
            let recorded = ReplayEntry::new(recorded, missing);
            compared.push(sides.comparison.compare(&recorded).await);
        }
        return show(args, sides, &id.to_string(), &compared);
    }
    let wanted = WantedEntries {
        since: args.since,
        account: args.account.clone(),
    };
    let progress = Arc::new(CompareProgress::default());
    let files = reader.files().len();
    let compared = sides.comparison.of_record(&reader, &wanted, &progress);
    let began = Instant::now();
    let tally = watched(compared, &progress, |progress| {
        let entries = progress.entries.load(Ordering::Relaxed);
        let done = progress.files.load(Ordering::Relaxed);
        format!("{entries} entries, {done} of {files} files")
    })
    .await
    .into_diagnostic()
    .wrap_err("cannot read the record")?;
    let of = format!("the record since {}", args.since);
    let nothing = nothing_compared(&tally, || no_entries(args, config, directory));
    let result = (&tally, nothing.as_deref(), began.elapsed());
    print(args, sides, result, &of, |id| id.to_string())?;
    Ok(exit(FailOn::all_pass(&args.fail_on, &tally)))
}

/// Returns why the record has no entry that is wanted.
fn no_entries(args: &Diff, config: &Config, directory: &View) -> String {
    let since = args.since;
    let Some(account) = &args.account else {
        return format!("the record has no entry since {since}");
    };
    let configured = config.accounts.iter().map(|of| of.id.as_str());
    let mut known = directory.accounts().map(|of| of.id.to_string());
    match configured.into_iter().any(|id| id == account) || known.any(|id| id == *account) {
        true => format!("the record has no entry of the account {account} since {since}"),
        false => format!(
            "the account {account} is not known: neither the configuration nor the directory has it"
        ),
    }
}

/// Shows the progress of long work on a terminal, from the second second on.
async fn watched<R>(
    work: impl Future<Output = R>,
    progress: &CompareProgress,
    words: impl Fn(&CompareProgress) -> String,
) -> R {
    let mut work = std::pin::pin!(work);
    let began = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.tick().await;
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = ticks.tick() => {
                if std::io::stderr().is_terminal() {
                    let seconds = began.elapsed().as_secs();
                    output::complain(format!("{} in {seconds} s", words(progress)));
                }
            }
        }
    }
}

fn print(
    args: &Diff,
    sides: &Sides,
    (tally, nothing, took): (&Tally, Option<&str>, Duration),
    of: &str,
    name: impl Fn(TransactionId) -> String,
) -> miette::Result<()> {
    let (old, new) = (sides.old.digest(), sides.new.digest());
    let title = format!(
        "{}: {} -> {}, on {of}",
        sides.policy,
        output::digest(old),
        output::digest(new)
    );
    let example = |group: &Group| name(group.example);
    if let Some(file) = &args.html {
        let page = page(&title, tally, nothing, example).into_diagnostic()?;
        std::fs::write(file, page)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot write {}", file.display()))?;
    }
    if !args.json {
        let summary = summary(tally, nothing, args.groups, example);
        return output::print(format!("{title}\n{summary}"));
    }
    let kinds =
        DifferenceKind::ALL.map(|kind| (kind.word().to_owned(), json!(tally.of_kind(kind))));
    let groups = tally.groups();
    let groups = groups.iter().take(args.groups).map(|group| {
        json!({ "count": group.count, "example": example(group), "changes": group.changes })
    });
    output::print_json([json!({
        "policy": sides.policy,
        "old": old,
        "new": new,
        "of": of,
        "seconds": took.as_secs_f64(),
        "compared": tally.compared,
        "nothing-compared": nothing,
        "changed": tally.changed,
        "kinds": serde_json::Map::from_iter(kinds),
        "groups": groups.collect::<Vec<_>>(),
        "ungrouped": tally.ungrouped,
        "without-body": tally.without_body,
        "without-listener": tally.without_listener,
        "answered-now": tally.answered_now,
    })])
}

/// Shows both sides of the entries of one transaction.
fn show(args: &Diff, sides: &Sides, name: &str, compared: &[Compared]) -> miette::Result<ExitCode> {
    let mut tally = Tally::default();
    for one in compared.iter().filter(|one| !one.lacks_body()) {
        tally.add(TransactionId::new(), one.changes.clone());
    }
    let (old, new) = (sides.old.digest(), sides.new.digest());
    if args.json {
        let entries: Vec<_> = compared.iter().map(in_json).collect();
        output::print_json([json!({
            "policy": sides.policy,
            "old": old,
            "new": new,
            "message": name,
            "entries": entries,
        })])?;
    } else {
        let (old, new) = (output::digest(old), output::digest(new));
        let title = format!("{}: {old} -> {new}, on {name}", sides.policy);
        let width = output::width();
        let tables = compared.iter().map(|one| side_by_side(one, width));
        let parts: Vec<_> = std::iter::once(title).chain(tables).collect();
        output::print(parts.join("\n\n"))?;
    }
    Ok(exit(FailOn::all_pass(&args.fail_on, &tally)))
}
