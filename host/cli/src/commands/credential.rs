//! `gatepost credential` and `gatepost directory`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use gatepost_directory::{Credential, GraceUses, Issued, Scope};
use gatepost_message::{Address, Period};
use gatepost_operations::credentials::{
    CancelCredential, CredentialDetails, IssueInbound, IssueSubmission, ListCredentials, Rekey,
    RemoveCredential, RetireCredential, RotateCredential, ShowCredential,
};

use gatepost_operations::NamedConnector;
use gatepost_operations::handovers::{HandOver, HandoverLink, parse_period};

use super::answer::{Row, done, item, list};
use super::operate::{Ask, Target};
use super::{exit, output};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Issue a credential, and show its secret this once.
    Add(CredentialAdd),
    /// List credentials, ended ones too.
    List(Ask<ListCredentials>),
    /// Show a credential.
    Show(Ask<ShowCredential>),
    /// Make a link that shows the secret of a credential once, for whoever is to enter it. The
    /// credential gets a new secret, so it must never have logged in.
    HandOver(Ask<HandOver>),
    /// Issue a second credential beside a live one, whose place it is to take, and show its secret
    /// this once. Both are valid.
    Rotate(Ask<RotateCredential>),
    /// Retire a credential that is not used any more. Whoever uses it is asked to come again, for a
    /// grace period.
    Retire(Ask<RetireCredential>),
    /// Cancel a credential in an emergency: it is refused for good, and open sessions see that at
    /// their next command.
    Cancel(Ask<CancelCredential>),
    /// Take a credential out of the list, live or ended. Unless it was cancelled, it has its grace
    /// period.
    Remove(Ask<RemoveCredential>),
}

#[derive(Debug, Args)]
pub(super) struct CredentialAdd {
    #[command(flatten)]
    target: Target,
    /// Issue it for relay from the domain of this two-way connector, by the domain or its id.
    #[arg(long, value_name = "CONNECTOR", required_unless_present = "submission")]
    inbound: Option<NamedConnector>,
    /// Issue it for submission by this account, by its id or native domain.
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "inbound")]
    submission: Option<String>,
    /// Give it the account's alias too, such as acme@acme.desk.example, which then receives mail.
    #[arg(long)]
    alias: bool,
    /// Print a link that shows the secret once, in place of the secret.
    #[arg(long)]
    link: bool,
    /// Time after which the link shows nothing, from a minute to 30 days.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "24h",
        requires = "link"
    )]
    #[arg(value_parser = parse_period)]
    expires: Period,
}

/// Commands of `gatepost directory`.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Add a key to the key ring and encrypt everything with it.
    Rekey(Ask<Rekey>),
}

/// Warning that a link was made while no relay runs.
pub(super) const NO_PAGE: &str =
    "no relay is running: the link opens once `gatepost serve` runs, and until then nothing does";

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::Add(add) => issue(add).await,
        Command::List(ask) => list(ask, "there are no credentials").await,
        Command::Show(ask) => item(ask).await,
        Command::HandOver(ask) => {
            let mut session = ask.target.session()?;
            let link = session.call(ask.request).await?;
            if session.is_without_relay() {
                output::complain(session.pasted(NO_PAGE));
            }
            print_link(&link, ask.target.json)
        }
        Command::Rotate(ask) => {
            let json = ask.target.json;
            print_issued(&ask.answer().await?, json)
        }
        Command::Retire(ask) => item(ask).await,
        Command::Cancel(ask) => item(ask).await,
        Command::Remove(ask) => done(ask, "removed").await,
    }
}

async fn issue(add: CredentialAdd) -> miette::Result<ExitCode> {
    let CredentialAdd {
        target,
        inbound,
        submission,
        alias,
        link,
        expires,
    } = add;
    let issued = match (inbound, submission) {
        (Some(connector), _) => target.call(IssueInbound { connector, alias }).await?,
        (None, account) => {
            let account = account.unwrap_or_default();
            target.call(IssueSubmission { account, alias }).await?
        }
    };
    if link {
        return hand_over(&target, issued, expires).await;
    }
    print_issued(&issued, target.json)
}

fn print_issued(issued: &Issued, json: bool) -> miette::Result<ExitCode> {
    match json {
        true => output::print_json([issued])?,
        false => output::print(in_words(issued))?,
    }
    Ok(exit(true))
}

/// Hands a new credential over by a link. If there can be no link, removes the credential again:
/// nobody has seen its secret.
async fn hand_over(target: &Target, issued: Issued, expires: Period) -> miette::Result<ExitCode> {
    let user_name = issued.credential.user_name;
    let request = HandOver {
        user_name: user_name.clone(),
        expires,
    };
    match target.call(request).await {
        Ok(link) => print_link(&link, target.json),
        Err(error) => {
            target.call(RemoveCredential { user_name }).await?;
            output::complain("no credential was issued");
            Err(error)
        }
    }
}

fn print_link(link: &HandoverLink, json: bool) -> miette::Result<ExitCode> {
    match json {
        true => output::print_json([link])?,
        false => output::print(link_in_words(link))?,
    }
    Ok(exit(true))
}

/// Returns a new link as text, with what to do with it.
pub(super) fn link_in_words(link: &HandoverLink) -> String {
    format!(
        "user name  {}\nlink       {}\nexpires    {}\n\
         Whoever opens the link first sees the secret, once. Send it to the administrator of the \
         mail server alone, apart from the instructions.",
        link.user_name,
        link.link.reveal(),
        link.expires
    )
}

pub(super) async fn keys(Keys::Rekey(ask): Keys) -> miette::Result<ExitCode> {
    let json = ask.target.json;
    let rekeyed = ask.answer().await?;
    match json {
        true => output::print_json([rekeyed])?,
        false => {
            let values = rekeyed.rekeyed;
            output::print(format!("a new key encrypts all {values} values"))?;
        }
    }
    Ok(exit(true))
}

impl Row for Credential {
    const HEADER: &[&str] = &["USER NAME", "FOR", "ALIAS", "ACCOUNT", "LAST USED", "STATE"];

    fn cells(&self) -> Vec<String> {
        let last_used = self.last_used.map(|at| at.to_string());
        let used_since = self.details.grace_uses.map(used_since).unwrap_or_default();
        let state = match (&self.ended, &self.details.replaces) {
            (Some(end), _) => format!("{} {}{used_since}", end.how, end.at),
            (None, Some(former)) => format!("live, in the place of {former}"),
            (None, None) => "live".to_owned(),
        };
        let alias = self.alias.as_ref().map(Address::to_string);
        vec![
            self.user_name.to_string(),
            scope_text(&self.scope),
            alias.unwrap_or_default(),
            self.account.to_string(),
            last_used.unwrap_or_default(),
            state,
        ]
    }
}

impl Row for CredentialDetails {
    const HEADER: &[&str] = &[
        "USER NAME",
        "FOR",
        "ALIAS",
        "ACCOUNT",
        "LAST USED",
        "FROM",
        "STATE",
        "MESSAGES/HOUR",
        "MESSAGES/DAY",
        "RECIPIENTS/DAY",
    ];

    fn cells(&self) -> Vec<String> {
        let network = self.credential.last_network;
        let of = &self.accepted;
        let mut cells = self.credential.cells();
        let from = network.map_or_else(String::new, |network| network.to_string());
        cells.insert(5, from);
        cells.extend([
            of.messages_in_an_hour.to_string(),
            of.messages_in_a_day.to_string(),
            of.recipients_in_a_day.to_string(),
        ]);
        cells
    }
}

/// Returns the uses of a credential after its end in words.
fn used_since(uses: GraceUses) -> String {
    let times = match uses.count {
        1 => "once".to_owned(),
        many => format!("{many} times"),
    };
    let network = uses.network.map(|network| format!(" from {network}"));
    let network = network.unwrap_or_default();
    format!(", and used {times} since, last {}{network}", uses.last)
}

fn scope_text(scope: &Scope) -> String {
    match scope {
        Scope::Inbound { domain, .. } => format!("relay from {domain}"),
        Scope::Submission => "submission".to_owned(),
    }
}

pub(super) fn in_words(issued: &Issued) -> String {
    let credential = &issued.credential;
    let mut lines = vec![
        format!("user name  {}", credential.user_name),
        format!("secret     {}", issued.secret.reveal()),
        format!("for        {}", scope_text(&credential.scope)),
    ];
    if let Some(alias) = &credential.alias {
        lines.push(format!("alias      {alias}"));
    }
    if let Some(former) = &credential.details.replaces {
        lines.push(format!(
            "in place of {former}, which is valid until it is retired"
        ));
    }
    lines.push("The secret is shown this once: keep it now.".to_owned());
    lines.join("\n")
}
