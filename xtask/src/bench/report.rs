//! The measurements, printed as tables as soon as they are known, and kept for a file.

use std::path::Path;

use anyhow::{Context as _, Result};
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Map, Value};

use super::spread::Spread;

/// Everything measured so far.
#[derive(Debug, Default)]
pub struct Report {
    tables: Map<String, Value>,
}

/// A number in a table, and how it is written.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    spread: Option<Spread>,
    decimals: usize,
    suffix: &'static str,
}

impl Number {
    /// Returns the median of several values, with the least and the most beside it; empty for none.
    pub fn of(values: impl IntoIterator<Item = f64>, decimals: usize) -> Self {
        Self {
            spread: Spread::of(values),
            decimals,
            suffix: "",
        }
    }

    /// Returns the ratio of this to the other, both by their medians.
    pub fn times(&self, other: &Self) -> Self {
        let both = self.spread.zip(other.spread);
        Self::of(both.map(|(own, other)| own.median / other.median), 2).with(" ×")
    }

    /// Adds a unit behind the number.
    pub fn with(self, suffix: &'static str) -> Self {
        Self { suffix, ..self }
    }

    fn text(&self) -> String {
        let Some(Spread {
            median,
            least,
            most,
        }) = self.spread
        else {
            return "–".to_owned();
        };
        let (decimals, suffix) = (self.decimals, self.suffix);
        if least == most {
            return format!("{median:.decimals$}{suffix}");
        }
        format!("{median:.decimals$}{suffix} ({least:.decimals$}–{most:.decimals$})")
    }

    fn json(&self) -> Value {
        self.spread.map_or(
            Value::Null,
            |Spread {
                 median,
                 least,
                 most,
             }| {
                serde_json::json!({ "median": median, "least": least, "most": most })
            },
        )
    }
}

impl Report {
    /// Prints a table with a title: each row has a name and then a number for each column.
    pub fn table(&mut self, title: &str, columns: &[&str], rows: &[(String, Vec<Number>)]) {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header([""].iter().chain(columns));
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        for (name, numbers) in rows {
            table.add_row(std::iter::once(name.clone()).chain(numbers.iter().map(Number::text)));
        }
        println!("\n{title}\n{table}");
        let rows = rows.iter().map(|(name, numbers)| {
            let cells = columns.iter().zip(numbers);
            let cells: Map<_, _> = cells
                .map(|(column, n)| ((*column).to_owned(), n.json()))
                .collect();
            (name.clone(), Value::Object(cells))
        });
        self.tables
            .insert(title.to_owned(), Value::Object(rows.collect()));
    }

    /// Writes all tables.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.tables)?;
        std::fs::write(file, text + "\n").with_context(|| file.display().to_string())
    }
}

/// Reports progress on standard error.
pub fn progress(words: &str) {
    eprintln!("== {words}");
}
