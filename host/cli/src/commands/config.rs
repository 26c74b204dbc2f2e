//! `gatepost config check`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use gatepost_acme::PreparedAcme;
use gatepost_delivery::Delivery;
use gatepost_files::Finding;
use serde::Serialize;

use super::{ConfigFile, exit, output, report};
use gatepost_config::exposure;
use gatepost_config::{Config, ConfigError};
use gatepost_feeds as feeds;
use gatepost_intake::tls;
use gatepost_policy_set::Policies;
use gatepost_policy_set::loading;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Check(Check),
}

/// Read the configuration, load its policies and report all problems.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    file: ConfigFile,
    /// Print one JSON object a line: each problem, or the summary.
    #[arg(long)]
    json: bool,
}

/// Problem in JSON.
#[derive(Serialize)]
struct ProblemLine {
    line: Option<usize>,
    message: String,
}

pub(super) async fn run(Command::Check(check): Command) -> miette::Result<ExitCode> {
    let loaded = Config::load(&check.file.config);
    let checked = loaded.and_then(|config| config.check_secrets().map(|()| config));
    let config = match checked {
        Ok(config) => config,
        Err(error) if check.json => {
            output::print_json(problem_lines(&error))?;
            return Ok(exit(false));
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(tls) = &config.tls
        && let Err(error) = tls::acceptor(tls)
    {
        return refused(check.json, vec![error.to_string()], report(error));
    }
    let acme = config.acme_settings.clone().map(PreparedAcme::new);
    if let Some(Err(error)) = acme {
        return refused(check.json, vec![error.to_string()], report(error));
    }
    if let Err(errors) = config.check_egress() {
        let messages: Vec<_> = errors.iter().map(ToString::to_string).collect();
        let error = miette::miette!("{}", messages.join("\n"));
        return refused(check.json, messages, error);
    }
    let notifications = match config.notices() {
        Ok(notifications) => notifications,
        Err(errors) => {
            let messages = errors.0.iter().map(ToString::to_string).collect();
            return refused(check.json, messages, report(errors));
        }
    };
    let delivery = config.delivery_settings(notifications);
    if let Err(error) = Delivery::check(&delivery) {
        return refused(check.json, vec![error.to_string()], report(error));
    }
    let Config {
        directory,
        dns,
        destinations,
        ..
    } = &config;
    if let Err(error) = feeds::Client::alone(directory, dns, destinations) {
        return refused(check.json, vec![error.to_string()], report(error));
    }
    let engine = loading::engine_of_command().map_err(report)?;
    match Policies::load(engine, &config).await {
        Ok(policies) => summary(&check, &config, &policies),
        Err(errors) => {
            let messages = errors.0.iter().map(ToString::to_string).collect();
            refused(check.json, messages, errors.into())
        }
    }
}

fn refused(json: bool, messages: Vec<String>, report: miette::Report) -> miette::Result<ExitCode> {
    if !json {
        return Err(report);
    }
    let problems = messages.into_iter().map(|message| ProblemLine {
        line: None,
        message,
    });
    output::print_json(problems)?;
    Ok(exit(false))
}

fn problem_lines(error: &ConfigError) -> Vec<ProblemLine> {
    match error {
        ConfigError::Unreadable { .. } => vec![ProblemLine {
            line: None,
            message: error.to_string(),
        }],
        ConfigError::Invalid { problems, .. } => (problems.iter())
            .map(|problem| ProblemLine {
                line: problem.line(),
                message: problem.to_string(),
            })
            .collect(),
    }
}

#[derive(Serialize)]
struct ConfigSummary<'a> {
    listeners: Vec<&'a str>,
    accounts: usize,
    policies: Vec<LoadedPolicy>,
    /// Files that others can read or write and should not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Finding>,
}

#[derive(Serialize)]
struct LoadedPolicy {
    policy: String,
    digest: String,
}

fn summary(check: &Check, config: &Config, policies: &Policies) -> miette::Result<ExitCode> {
    let summary = ConfigSummary {
        listeners: config.listeners.iter().map(|l| l.name.as_str()).collect(),
        accounts: config.accounts.len(),
        policies: (policies.slots().iter())
            .map(|slot| LoadedPolicy {
                policy: slot.name().to_owned(),
                digest: slot.current().digest().to_owned(),
            })
            .collect(),
        warnings: exposure::of(config, &check.file.config),
    };
    if check.json {
        output::print_json([&summary])?;
        return Ok(exit(true));
    }
    for warning in &summary.warnings {
        let (about, found, advice) = (&warning.about, &warning.found, &warning.advice);
        output::print(format!("warning: {about} {found}; {advice}"))?;
    }
    let policies = (summary.policies.iter())
        .map(|p| format!("{} {}", p.policy, output::digest(&p.digest)))
        .collect::<Vec<_>>();
    output::print(format!(
        "{} is good\n  listeners  {}\n  accounts   {}\n  policies   {}",
        check.file.config.display(),
        summary.listeners.join(", "),
        summary.accounts,
        policies.join(", "),
    ))?;
    Ok(exit(true))
}
