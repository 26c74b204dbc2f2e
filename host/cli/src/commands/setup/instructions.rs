//! The instructions for the customer's administrator: printed, or written to a file.

use std::path::PathBuf;

use gatepost_directory::ConnectorId;
use gatepost_instructions::{Form, Software};
use gatepost_operations::instructions::MakeInstructions;

use super::spelled::Spelled;
use super::{Answers, Given, Session, output};
use crate::commands::instructions_file;

/// Makes the instructions. What goes wrong with them ends no set-up: it is said.
pub(super) async fn make(
    session: &mut Session<'_>,
    answers: &mut Answers,
    given: &Given,
    connector: ConnectorId,
) -> miette::Result<()> {
    let software = match given.software {
        Some(software) => Some(software),
        None => {
            let question = "instructions for which software (such as postfix, exchange-online or \
                generic; empty for none):";
            let software: Option<Spelled<Software>> = answers.optional(question)?;
            software.map(|Spelled(software)| software)
        }
    };
    let Some(software) = software else {
        return Ok(());
    };
    let made = session.try_call(MakeInstructions {
        connector: connector.into(),
        software,
        format: Form::Markdown,
        contact: given.contact.clone(),
    });
    let made = match made.await? {
        Ok(made) => made,
        Err(error) => {
            output::complain(session.pasted(&format!("no instructions: {error}")));
            return Ok(());
        }
    };
    for remark in &made.remarks {
        output::print(remark)?;
    }
    if given.software.is_some() {
        return match &given.output {
            Some(file) => put(file.clone(), &made.text).map(drop),
            None => output::print(made.text.trim_end()),
        };
    }
    loop {
        let question = "file to write them to (empty to print them here):";
        let Some(file) = answers.optional::<PathBuf>(question)? else {
            return output::print(made.text.trim_end());
        };
        if put(file, &made.text)? {
            return Ok(());
        }
    }
}

/// Writes the instructions to a file; returns false if it cannot be written.
fn put(file: PathBuf, text: &str) -> miette::Result<bool> {
    match instructions_file::write(&file, text) {
        Ok(()) => {
            output::print(format!("wrote the instructions to {}", file.display()))?;
            Ok(true)
        }
        Err(error) => {
            output::complain(output::error(&error));
            Ok(false)
        }
    }
}
