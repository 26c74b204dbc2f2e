//! `gatepost account`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use gatepost_directory::{Account, AccountDetails, Hold, Name, Restriction, Suspension};
use gatepost_operations::Operation;
use gatepost_operations::accounts::{
    AddAccount, ChangeAccount, ListAccounts, RemoveAccount, SetDefaultAddress, SetPolicy,
    SetRetention, ShowAccount,
};

use gatepost_operations::holds::{AccountHold, HoldAccount, ReleaseAccount};
use gatepost_operations::restrictions::{
    AccountVolume, ResumeAccount, ResumedAccount, SetCaps, ShowVolume, SubjectVolume,
    SuspendAccount,
};
use gatepost_operations::sandboxes::{SetProduction, SetSandbox};
use gatepost_volume::Cap;

use super::answer::{Row, done, item, list, print_rows};
use super::operate::Ask;
use super::{erase, exit, output, test_user};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add an account.
    Add(Ask<AddAccount>),
    /// List all accounts.
    List(Ask<ListAccounts>),
    /// Show an account.
    Show(Ask<ShowAccount>),
    /// Change the product, the time zone and the brands of an account.
    Change(Ask<ChangeAccount>),
    /// Override a policy's settings for an account.
    Set(Ask<SetPolicy>),
    /// Set the default address of an account or of one of its brands, in whose name mail leaves where
    /// no other is proved.
    SetDefaultAddress(Ask<SetDefaultAddress>),
    /// Set the time for which the trace, events and failed mail of an account are kept.
    SetRetention(Ask<SetRetention>),
    /// Make an account a sandbox: its mail reaches its test users alone. Also sets the Maildir that
    /// takes what is for others.
    SetSandbox(Ask<SetSandbox>),
    /// Make an account one of production, whose mail reaches everybody.
    SetProduction(Ask<SetProduction>),
    /// Manage the test users of a sandbox.
    #[command(subcommand)]
    TestUser(test_user::Command),
    /// Suspend an account: its submissions are refused, and its queued mail is held.
    Suspend(Ask<SuspendAccount>),
    /// End the suspension of an account, and release its mail.
    Resume(Ask<ResumeAccount>),
    /// Hold the outgoing mail of an account: it is taken, and waits in the queue.
    Hold(Ask<HoldAccount>),
    /// End the hold of an account, and release its mail.
    Release(Ask<ReleaseAccount>),
    /// Set caps of an account, or of a domain or a credential of it.
    Caps(Ask<SetCaps>),
    /// Show the caps of an account, and what counts towards them.
    Volume(Ask<ShowVolume>),
    /// Erase an account with all that the relay holds of it: mail, addresses, keys, events, traces.
    Erase(erase::Erase),
    /// Remove an account that has no connectors, addresses and credentials any more.
    Remove(Ask<RemoveAccount>),
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::Add(ask) => item(ask).await,
        Command::List(ask) => list(ask, "there are no accounts").await,
        Command::Show(ask) => item(ask).await,
        Command::Change(ask) => item(ask).await,
        Command::Set(ask) => item(ask).await,
        Command::SetDefaultAddress(ask) => item(ask).await,
        Command::SetRetention(ask) => item(ask).await,
        Command::SetSandbox(ask) => item(ask).await,
        Command::SetProduction(ask) => item(ask).await,
        Command::TestUser(command) => test_user::run(command).await,
        Command::Suspend(ask) => item(ask).await,
        Command::Resume(ask) => item(ask).await,
        Command::Hold(ask) => item(ask).await,
        Command::Release(ask) => item(ask).await,
        Command::Caps(ask) => volume(ask).await,
        Command::Volume(ask) => volume(ask).await,
        Command::Erase(erase) => erase::run(erase).await,
        Command::Remove(ask) => done(ask, "removed").await,
    }
}

/// Prints the volume of an account, a row for each part; as JSON, all of it.
async fn volume<R>(ask: Ask<R>) -> miette::Result<ExitCode>
where
    R: Args + Operation<Answer = AccountVolume>,
{
    let json = ask.target.json;
    let of = ask.answer().await?;
    if json {
        output::print_json([of])?;
        return Ok(exit(true));
    }
    if let Some(suspension) = &of.suspended {
        output::print(suspended_text(suspension))?;
    }
    print_rows(&of.volume, "", false)
}

fn suspended_text(Suspension { since, reason }: &Suspension) -> String {
    match reason {
        Some(reason) => format!("suspended since {since}: {reason}"),
        None => format!("suspended since {since}"),
    }
}

impl Row for Restriction {
    const HEADER: &[&str] = &["ACCOUNT", "STATE"];

    fn cells(&self) -> Vec<String> {
        let state = self.suspended.as_ref().map(suspended_text);
        vec![
            self.account.clone(),
            state.unwrap_or_else(|| "not suspended".to_owned()),
        ]
    }
}

impl Row for ResumedAccount {
    const HEADER: &[&str] = &["ACCOUNT", "STATE", "MESSAGES RELEASED"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.account.clone(),
            "not suspended".to_owned(),
            self.released.to_string(),
        ]
    }
}

impl Row for AccountHold {
    const HEADER: &[&str] = &["ACCOUNT", "STATE", "MESSAGES RELEASED"];

    fn cells(&self) -> Vec<String> {
        let state = match &self.hold {
            None => "not on hold".to_owned(),
            Some(Hold { since, reason }) => match reason {
                Some(reason) => format!("on hold since {since}: {reason}"),
                None => format!("on hold since {since}"),
            },
        };
        vec![self.account.clone(), state, self.released.to_string()]
    }
}

impl Row for SubjectVolume {
    const HEADER: &[&str] = &[
        "OF",
        "MESSAGES/HOUR",
        "MESSAGES/DAY",
        "RECIPIENTS/HOUR",
        "RECIPIENTS/DAY",
    ];

    fn cells(&self) -> Vec<String> {
        let (caps, of) = (&self.caps, &self.accepted);
        let cell = |accepted: u64, cap: Option<Cap>| match cap {
            Some(cap @ Cap::AtMost(_)) => format!("{accepted} of {cap}"),
            Some(Cap::Unlimited) | None => accepted.to_string(),
        };
        vec![
            self.subject.to_string(),
            cell(of.messages_in_an_hour, caps.messages_an_hour),
            cell(of.messages_in_a_day, caps.messages_a_day),
            cell(of.recipients_in_an_hour, caps.recipients_an_hour),
            cell(of.recipients_in_a_day, caps.recipients_a_day),
        ]
    }
}

/// Returns the default addresses of an account and of its brands in one cell.
fn default_addresses(details: &AccountDetails) -> String {
    let own = details.default_address.iter().map(ToString::to_string);
    let brands = details.brand_addresses.iter();
    let brands = brands.map(|(brand, address)| format!("{brand}: {address}"));
    own.chain(brands).collect::<Vec<_>>().join(", ")
}

/// Returns the kind of an account in one cell, with the Maildir of a sandbox.
fn kind(account: &Account) -> String {
    let kind = account.profile.kind;
    match &account.details.sandbox.maildir {
        Some(maildir) => format!("{kind} (maildir {maildir})"),
        None => kind.to_string(),
    }
}

impl Row for Account {
    const HEADER: &[&str] = &[
        "ID",
        "KIND",
        "NATIVE DOMAIN",
        "PRODUCT",
        "TIME ZONE",
        "BRANDS",
        "DEFAULT ADDRESS",
        "SETTINGS",
    ];

    fn cells(&self) -> Vec<String> {
        let profile = &self.profile;
        let settings: Vec<_> = self.policies.keys().cloned().collect();
        let brands: Vec<_> = profile.brands.iter().map(Name::as_str).collect();
        vec![
            self.id.to_string(),
            kind(self),
            profile.native_domain.to_string(),
            profile.product.to_string(),
            profile.time_zone.to_string(),
            brands.join(", "),
            default_addresses(&self.details),
            settings.join(", "),
        ]
    }
}
