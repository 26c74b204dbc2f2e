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
use gatepost_replay::{CompareProgress, Group, ReplayEntry, Tally, WantedEntries};
use gatepost_rollout::DifferenceKind;
use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use serde_json::json;

use crate::commands::{exit, output};
use crate::diff::{Corpus, Replacement, Sides, page, side_by_side, summary};

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
    /// Settings of the new version: a file of JSON, or of TOML if its name ends so.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
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
    /// Show both sides of this transaction, side by side.
    #[arg(long, value_name = "ID")]
    message: Option<TransactionId>,
    /// Number of groups to show.
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    groups: usize,
    /// Exit with 1 if there is a change of these kinds.
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
    let module = |file: &Option<PathBuf>| -> miette::Result<Option<Bytes>> {
        let file = file.as_deref();
        file.map(|file| super::read(file).map(Bytes::from))
            .transpose()
    };
    let old = Replacement {
        module: module(&args.against)?,
        settings: None,
    };
    let settings = args
        .settings
        .as_deref()
        .map(super::run::read_settings)
        .transpose()?;
    let new = Replacement {
        module: module(&args.module)?,
        settings,
    };
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
            let dry_run = DryRun::new(engine, Config::clone(&config), directory).await?;
            let corpus = Corpus::open(folder, listener, dry_run).into_diagnostic()?;
            of_corpus(args, &sides, Arc::new(corpus)).await
        }
        None => of_record(args, &sides, &config, &directory).await,
    }
}

async fn of_corpus(args: &Diff, sides: &Sides, corpus: Arc<Corpus>) -> miette::Result<ExitCode> {
    let name = |id: TransactionId| match corpus.file_of(id) {
        Some(file) => file.display().to_string(),
        None => id.to_string(),
    };
    if let Some(id) = args.message {
        let compared = corpus.compare_one(&sides.comparison, id).await;
        return show(compared.into_diagnostic()?.iter(), id);
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
    print(args, sides, (&tally, began.elapsed()), &of, name)?;
    Ok(exit(
        unread.is_empty() && !args.fail_on.iter().any(|on| on.finds(&tally)),
    ))
}

async fn of_record(
    args: &Diff,
    sides: &Sides,
    config: &Config,
    directory: &View,
) -> miette::Result<ExitCode> {
    let folder = config.relay.store.join(gatepost_record::FOLDER);
    let key = directory.record_key();
    let reader = key.map(|key| RecordReader::since(&folder, key, args.since));
    let reader = reader
        .transpose()
        .into_diagnostic()
        .wrap_err("cannot read the record")?;
    let reader = reader.filter(|reader| !reader.files().is_empty());
    let Some(reader) = reader else {
        return Err(miette!(
            help = "record mail with the table [record] in the configuration, or name a folder of messages with --corpus",
            "the store {} has no record of mail since {}",
            config.relay.store.display(),
            args.since
        ));
    };
    if let Some(id) = args.message {
        let found = tokio::task::spawn_blocking(move || reader.find(id)).await;
        let found = found.into_diagnostic()?.into_diagnostic()?;
        let mut compared = Vec::new();
        for (recorded, missing) in found {
            let recorded = ReplayEntry::new(recorded, missing);
            compared.push(sides.comparison.compare(&recorded).await);
        }
        return show(compared.iter(), id);
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
    print(args, sides, (&tally, began.elapsed()), &of, |id| {
        id.to_string()
    })?;
    Ok(exit(!args.fail_on.iter().any(|on| on.finds(&tally))))
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
    (tally, took): (&Tally, Duration),
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
        let page = page(&title, tally, example).into_diagnostic()?;
        std::fs::write(file, page)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot write {}", file.display()))?;
    }
    if !args.json {
        return output::print(format!("{title}\n{}", summary(tally, args.groups, example)));
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
        "changed": tally.changed,
        "kinds": serde_json::Map::from_iter(kinds),
        "groups": groups.collect::<Vec<_>>(),
        "ungrouped": tally.ungrouped,
        "without-body": tally.without_body,
        "without-listener": tally.without_listener,
        "answered-now": tally.answered_now,
    })])
}

fn show<'a>(
    compared: impl ExactSizeIterator<Item = &'a gatepost_replay::Compared>,
    id: TransactionId,
) -> miette::Result<ExitCode> {
    if compared.len() == 0 {
        return Err(miette!("there is no transaction {id} among them"));
    }
    let tables: Vec<_> = compared.map(side_by_side).collect();
    output::print(tables.join("\n\n"))?;
    Ok(exit(true))
}
