//! `gatepost token`.

use std::process::ExitCode;

use clap::Subcommand;
use gatepost_directory::ApiToken;
use gatepost_operations::tokens::{AddToken, IssuedToken, ListTokens, RemoveToken};

use super::answer::{Row, item, list};
use super::operate::Ask;
use super::{exit, output};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Issue a token by which a program uses the HTTP API, and show it this once.
    Add(Ask<AddToken>),
    /// List tokens, with their last use.
    List(Ask<ListTokens>),
    /// Remove a token: it is refused from now on.
    Remove(Ask<RemoveToken>),
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::Add(ask) => {
            let json = ask.target.json;
            print_issued(&ask.answer().await?, json)
        }
        Command::List(ask) => list(ask, "there are no tokens").await,
        Command::Remove(ask) => item(ask).await,
    }
}

fn print_issued(issued: &IssuedToken, json: bool) -> miette::Result<ExitCode> {
    match json {
        true => output::print_json([issued])?,
        false => output::print(in_words(issued))?,
    }
    Ok(exit(true))
}

/// Returns a new token as text, with what to do with it.
pub(super) fn in_words(issued: &IssuedToken) -> String {
    let IssuedToken { token, bearer } = issued;
    let of = match &token.account {
        Some(account) => format!("account {account}"),
        None => "the whole site".to_owned(),
    };
    let expires = token.expires.map(|at| at.to_string());
    format!(
        "token    {}\nid       {}\nmay      {} {of}\nexpires  {}\n\
         It is shown this once. A program presents it in the field `Authorization: Bearer TOKEN`.",
        bearer.reveal(),
        token.id,
        token.scope,
        expires.as_deref().unwrap_or("never"),
    )
}

impl Row for ApiToken {
    const HEADER: &[&str] = &[
        "ID",
        "NAME",
        "SCOPE",
        "ACCOUNT",
        "CREATED",
        "EXPIRES",
        "LAST USED",
    ];

    fn cells(&self) -> Vec<String> {
        let account = self.account.map(|id| id.to_string());
        let expires = self.expires.map(|at| at.to_string());
        let last_used = self.last_used.map(|at| at.to_string());
        vec![
            self.id.clone(),
            self.name.to_string(),
            self.scope.to_string(),
            account.unwrap_or_default(),
            self.created.to_string(),
            expires.unwrap_or_default(),
            last_used.unwrap_or_default(),
        ]
    }
}
