//! Printing of answers: lists and items as rows of a table, or as JSON.

use std::collections::HashMap;
use std::process::ExitCode;

use clap::Args;
use gatepost_directory::AccountId;
use gatepost_operations::Operation;
use gatepost_operations::accounts::ShowAccount;
use serde::Serialize;
use serde_json::json;

use super::operate::{Ask, Session};
use super::{exit, output};

/// Something that is printed as a row of a table.
pub(super) trait Row: Serialize {
    /// Names of the columns.
    const HEADER: &[&str];

    /// Returns the cells of the row.
    fn cells(&self) -> Vec<String>;
}

/// Executes an operation and prints the list that it answers with, or `nothing` if it is empty.
pub(super) async fn list<R, T: Row>(ask: Ask<R>, nothing: &str) -> miette::Result<ExitCode>
where
    R: Args + Operation<Answer = Vec<T>>,
{
    let Ask { target, request } = ask;
    let mut session = target.session()?;
    let rows = session.call(request).await?;
    if target.json {
        return print_rows(&rows, nothing, true);
    }
    print_table(&rows, nothing, &mut session).await
}

/// Executes an operation and prints the item that it answers with.
pub(super) async fn item<R, T: Row>(ask: Ask<R>) -> miette::Result<ExitCode>
where
    R: Args + Operation<Answer = T>,
{
    let Ask { target, request } = ask;
    let mut session = target.session()?;
    let row = [session.call(request).await?];
    if target.json {
        return print_rows(&row, "", true);
    }
    print_table(&row, "", &mut session).await
}

/// Column of accounts of the directory, by their ids.
const ACCOUNT: &str = "ACCOUNT";

/// Prints a table, or `nothing` if it has no rows. Accounts of the directory stand there by their
/// native domains beside the ids.
pub(super) async fn print_table<T: Row>(
    rows: &[T],
    nothing: &str,
    session: &mut Session<'_>,
) -> miette::Result<ExitCode> {
    let column = T::HEADER.iter().position(|name| *name == ACCOUNT);
    let mut native = HashMap::new();
    let mut table = output::table(T::HEADER.iter().copied());
    for row in rows {
        let mut cells = row.cells();
        if let Some(cell) = column.and_then(|column| cells.get_mut(column)) {
            if !native.contains_key(cell) {
                native.insert(cell.clone(), native_domain(session, cell).await?);
            }
            if let Some(Some(domain)) = native.get(cell).filter(|_| !cell.is_empty()) {
                *cell = format!("{domain} ({cell})");
            }
        }
        table.add_row(cells);
    }
    output::print_table(table, nothing)?;
    Ok(exit(true))
}

/// Returns the native domain of an account of the directory; `None` for other words in its column.
async fn native_domain(session: &mut Session<'_>, id: &str) -> miette::Result<Option<String>> {
    if id.parse::<AccountId>().is_err() {
        return Ok(None);
    }
    let account = id.to_owned();
    let shown = session.try_call(ShowAccount { account }).await?;
    Ok(shown.ok().map(|of| of.profile.native_domain.to_string()))
}

/// Executes an operation that answers with nothing, and prints this word.
pub(super) async fn done<R>(ask: Ask<R>, word: &str) -> miette::Result<ExitCode>
where
    R: Args + Operation<Answer = ()>,
{
    let json = ask.target.json;
    ask.answer().await?;
    match json {
        true => output::print_json([json!({ "done": true })])?,
        false => output::print(word)?,
    }
    Ok(exit(true))
}

/// Prints a table, or `nothing` if it has no rows; as JSON, an object for each row.
pub(super) fn print_rows<T: Row>(
    rows: &[T],
    nothing: &str,
    json: bool,
) -> miette::Result<ExitCode> {
    if json {
        output::print_json(rows)?;
        return Ok(exit(true));
    }
    let mut table = output::table(T::HEADER.iter().copied());
    for row in rows {
        table.add_row(row.cells());
    }
    output::print_table(table, nothing)?;
    Ok(exit(true))
}
