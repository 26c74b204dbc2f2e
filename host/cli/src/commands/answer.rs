//! Printing of answers: lists and items as rows of a table, or as JSON.

use std::process::ExitCode;

use clap::Args;
use gatepost_operations::Operation;
use serde::Serialize;
use serde_json::json;

use super::operate::Ask;
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
    let json = ask.target.json;
    print_rows(&ask.answer().await?, nothing, json)
}

/// Executes an operation and prints the item that it answers with.
pub(super) async fn item<R, T: Row>(ask: Ask<R>) -> miette::Result<ExitCode>
where
    R: Args + Operation<Answer = T>,
{
    let json = ask.target.json;
    print_rows(&[ask.answer().await?], "", json)
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
