//! `gatepost policy test --from-record`.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use gatepost_config::{Config, DEFAULT_PATH, Grant};
use gatepost_fixture::Hook;
use gatepost_message::{Millis, TransactionId};
use gatepost_policy::Engine;
use gatepost_record::RecordReader;
use miette::{IntoDiagnostic as _, Report, WrapErr as _, miette};

use crate::commands::{exit, output, report};
use crate::fixtures::{Bench, Configured, HookOnRecord, Module, TestTarget};

/// Characters of the transaction's id in the usual name of a fixture.
const OF_ID: usize = 12;

/// Options of a fixture that is made of the record.
#[derive(Debug, Args)]
pub(in crate::commands) struct FromRecord {
    /// Write a fixture of this recorded transaction, with personal data replaced, instead of a test.
    #[arg(long, value_name = "ID", conflicts_with_all = ["bless", "json", "filter"])]
    pub(super) from_record: Option<TransactionId>,
    /// Hook whose call the fixture is of.
    #[arg(long, value_enum, default_value = "message", requires = "from_record")]
    hook: HookOfCall,
    /// Policy, if the configuration has it under another name than the crate's.
    #[arg(long, value_name = "NAME", requires = "from_record")]
    policy: Option<String>,
    /// Configuration file.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_PATH, requires = "from_record")]
    config: PathBuf,
    /// Name of the fixture. When not given, `recorded-` and the end of the id.
    #[arg(long, value_name = "NAME", requires = "from_record")]
    fixture: Option<String>,
}

/// Hook of a policy.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum HookOfCall {
    Connect,
    Sender,
    Recipient,
    Message,
    Route,
    Outcome,
}

impl From<HookOfCall> for Hook {
    fn from(hook: HookOfCall) -> Self {
        match hook {
            HookOfCall::Connect => Self::Connect,
            HookOfCall::Sender => Self::Sender,
            HookOfCall::Recipient => Self::Recipient,
            HookOfCall::Message => Self::Message,
            HookOfCall::Route => Self::Route,
            HookOfCall::Outcome => Self::Outcome,
        }
    }
}

/// Writes a fixture of the last call of the policy's hook in a transaction.
pub(super) async fn run(
    args: &FromRecord,
    id: TransactionId,
    target: &TestTarget,
    (engine, module): (Arc<Engine>, Module),
) -> miette::Result<ExitCode> {
    let name = fixture_name(args, id)?;
    let file = |ending: &str| target.fixtures.join(format!("{name}.{ending}"));
    let (toml, eml) = (file("toml"), file("eml"));
    if let Some(known) = [&toml, &eml].into_iter().find(|file| file.exists()) {
        return Err(miette!(
            help = "name another with --fixture",
            "{} is there already, and is not overwritten",
            known.display()
        ));
    }
    let config = Config::load(&args.config)?;
    let policy = args.policy.as_deref().unwrap_or(&module.name);
    let call = find(&config, id, args.hook.into(), policy).await?;
    let mut bench = Bench::new(engine, &module.name, module.bytes);
    let fixture = bench
        .fixture_of(&call, &configured(&config, policy))
        .await
        .map_err(report)?;
    std::fs::create_dir_all(&target.fixtures)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot make the folder {}", target.fixtures.display()))?;
    // The message first: without its `.toml` no test takes it for a whole fixture.
    if let Some(octets) = &fixture.eml {
        write(&eml, octets)?;
    }
    write(&toml, fixture.toml.as_bytes())?;
    output::print(format!("{} written", toml.display()))?;
    if fixture.eml.is_some() {
        output::print(format!("{} written", eml.display()))?;
    }
    for remark in &fixture.remarks {
        output::complain(format!("gatepost: {remark}"));
    }
    if !fixture.differences.is_empty() {
        output::complain(
            "gatepost: the fixture is decided otherwise than the recorded call, because data was \
             replaced, or because module or settings are others:",
        );
        for difference in &fixture.differences {
            output::complain(format!("  {difference}"));
        }
    }
    Ok(exit(fixture.differences.is_empty()))
}

/// Returns the name of the fixture, which is a file's name.
fn fixture_name(args: &FromRecord, id: TransactionId) -> miette::Result<String> {
    let Some(name) = &args.fixture else {
        let id = id.to_string();
        let end = id.len().saturating_sub(OF_ID);
        return Ok(format!("recorded-{}", &id[end..]));
    };
    let is_name = Path::new(name).file_name() == Some(name.as_ref());
    match is_name {
        true => Ok(name.clone()),
        false => Err(miette!(
            "{name:?} is no name of a fixture: it names a file, without a folder"
        )),
    }
}

/// Finds the call in the record of the store.
async fn find(
    config: &Config,
    id: TransactionId,
    hook: Hook,
    policy: &str,
) -> miette::Result<HookOnRecord> {
    let directory = crate::check::judge::read_directory(config).await;
    let folder = config.relay.store.join(gatepost_record::FOLDER);
    let Some(key) = directory.record_key() else {
        return Err(no_record(config));
    };
    let read = tokio::task::spawn_blocking(move || {
        RecordReader::since(&folder, key, Millis(id.unix_millis()))?.find(id)
    });
    let found = read.await.into_diagnostic()?;
    let found = found.into_diagnostic().wrap_err("cannot read the record")?;
    if found.is_empty() {
        return Err(no_transaction(config, id));
    }
    let entries: Vec<_> = found.into_iter().map(|(recorded, _)| recorded).collect();
    let call = HookOnRecord::find(&entries, hook, policy);
    call.ok_or_else(|| {
        miette!(
            help = "name another hook with --hook, or another policy with --policy",
            "the record has no call of {policy} in the hook {} for the transaction {id}",
            hook.word()
        )
    })
}

/// Returns the error that a store has no record.
pub(super) fn no_record(config: &Config) -> Report {
    let help = match &config.record {
        Some(_) => {
            "the configuration has [record]: have the relay reload it, and take mail; or name another \
             configuration with --config"
        }
        None => "record mail with the table [record] in the configuration",
    };
    miette!(
        help = help,
        "the store {} has no record of mail",
        config.relay.store.display()
    )
}

/// Returns the error that a record has no transaction of an id.
pub(super) fn no_transaction(config: &Config, id: TransactionId) -> Report {
    let help = match &config.record {
        Some(_) => {
            "it may be older than what [record] keeps, or was not in the sample of it ([record] rate, \
             accounts); or the id is another one: `gatepost trace` tells those of recent mail"
        }
        None => "the configuration has no table [record], so nothing is recorded",
    };
    miette!(
        help = help,
        "the record of the store {} has no transaction {id}",
        config.relay.store.display()
    )
}

/// Returns settings and grants of the policy; none if the configuration does not have it.
fn configured(config: &Config, policy: &str) -> Configured {
    let known = config.policies.iter().find(|of| of.name == policy);
    let grants = known.iter().flat_map(|policy| &policy.grants);
    Configured {
        settings: known
            .map(|policy| policy.settings.clone())
            .unwrap_or_default(),
        grants: grants
            .map(|grant| match grant {
                Grant::Discard => "discard",
                Grant::NextHop => "next-hop",
            })
            .collect(),
    }
}

/// Writes a file that is not there yet.
fn write(path: &Path, octets: &[u8]) -> miette::Result<()> {
    let written = File::create_new(path).and_then(|mut file| file.write_all(octets));
    written
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write {}", path.display()))
}
