//! `gatepost account`, `connector`, `address`, `credential` and `directory`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use gatepost_directory::{
    AccountKind, ConnectorId, ConnectorKind, Forwarders, Issued, Name, PolicySettings, Profile,
    Protocol, Scope, TimeZone, UserName,
};
use gatepost_message::{Address, Domain, Millis};
use ipnet::IpNet;
use serde_json::json;

use super::operate::{Target, unexpected};
use super::{exit, output};
use gatepost_operations::{ConnectorAsk, DirectoryRequest, DirectoryResponse, Request, Response};

/// Commands of `gatepost account`.
#[derive(Debug, Subcommand)]
pub(super) enum Accounts {
    /// Add an account.
    Add(AccountAdd),
    /// List all accounts.
    List(Target),
    /// Show an account.
    Show(OneAccount),
    /// Override a policy's settings for an account.
    Set(AccountSet),
    /// Remove an account that has no connectors, addresses and credentials any more.
    Remove(OneAccount),
}

#[derive(Debug, Args)]
pub(super) struct AccountAdd {
    #[command(flatten)]
    target: Target,
    /// Domain that the site gives it, such as acme.desk.example.
    #[arg(long, value_name = "DOMAIN")]
    native_domain: Domain,
    /// Name of the product as its users know it.
    #[arg(long, value_name = "NAME")]
    product: Name,
    /// Kind of the account: sandbox or production.
    #[arg(long, default_value = "production")]
    kind: AccountKind,
    /// Time zone by its IANA name, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: TimeZone,
    /// Name of a brand under which it writes; may be repeated.
    #[arg(long = "brand", value_name = "NAME")]
    brands: Vec<Name>,
}

#[derive(Debug, Args)]
pub(super) struct OneAccount {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    account: String,
}

#[derive(Debug, Args)]
pub(super) struct AccountSet {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    account: String,
    /// Name of the policy in the configuration.
    policy: String,
    /// JSON object, such as '{"mode": "enhanced"}', in place of the former one; without it, the
    /// policy's own settings apply again.
    #[arg(value_parser = parse_object)]
    settings: Option<PolicySettings>,
}

fn parse_object(text: &str) -> Result<PolicySettings, String> {
    serde_json::from_str(text).map_err(|error| format!("write a JSON object: {error}"))
}

/// Commands of `gatepost connector`.
#[derive(Debug, Subcommand)]
pub(super) enum Connectors {
    /// Connect a domain, as a claim.
    Add(ConnectorAdd),
    /// List connectors.
    List(OfAccount),
    /// Show a connector.
    Show(OneConnector),
    /// Confirm that the domain is the account's: from now on its addresses receive.
    Verify(OneConnector),
    /// Disconnect the domain: its credentials stop working, its addresses still receive.
    Disconnect(OneConnector),
    /// Set the known forwarders of its mail, in place of the former ones.
    Forwarders(ConnectorForwarders),
    /// Show how header fields of messages from a domain survive: what became of them in messages
    /// that came back.
    Headers(HeadersOf),
    /// Remove a connector that has no addresses and credentials any more.
    Remove(OneConnector),
}

#[derive(Debug, Args)]
pub(super) struct ConnectorAdd {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    #[arg(long)]
    account: String,
    /// Domain of the customer.
    #[arg(long)]
    domain: Domain,
    /// Name for people; the domain when not given.
    #[arg(long)]
    name: Option<Name>,
    /// Direction of the mail that passes through the relay: two-way or outbound-only.
    #[arg(long)]
    kind: ConnectorKind,
    /// Authentication mechanism that the customer's server expects of us: PLAIN, LOGIN or
    /// SCRAM-SHA-256.
    #[arg(long, default_value = "PLAIN")]
    protocol: Protocol,
}

#[derive(Debug, Args)]
pub(super) struct OfAccount {
    #[command(flatten)]
    target: Target,
    /// Only those of this account, by its id or native domain.
    #[arg(long)]
    account: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct HeadersOf {
    #[command(flatten)]
    target: Target,
    /// Domain of From.
    domain: Domain,
}

#[derive(Debug, Args)]
pub(super) struct OneConnector {
    #[command(flatten)]
    target: Target,
    /// Id of the connector.
    connector: ConnectorId,
}

#[derive(Debug, Args)]
pub(super) struct ConnectorForwarders {
    #[command(flatten)]
    target: Target,
    /// Id of the connector.
    connector: ConnectorId,
    /// Network that they send from, such as 192.0.2.0/24; may be repeated.
    #[arg(long = "network", value_name = "NETWORK")]
    networks: Vec<IpNet>,
    /// Domain of their DKIM signatures; may be repeated.
    #[arg(long = "dkim-domain", value_name = "DOMAIN")]
    dkim_domains: Vec<Domain>,
    /// Domain of their ARC seals; may be repeated.
    #[arg(long = "arc-sealer", value_name = "DOMAIN")]
    arc_sealers: Vec<Domain>,
}

/// Commands of `gatepost address`.
#[derive(Debug, Subcommand)]
pub(super) enum Addresses {
    /// Add a support address in the native domain or in one that is connected.
    Add(AccountAddress),
    /// List support addresses.
    List(OfAccount),
    /// Show the accounts that have a support address.
    Show(OneAddress),
    /// Remove a support address.
    Remove(AccountAddress),
}

#[derive(Debug, Args)]
pub(super) struct AccountAddress {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    #[arg(long)]
    account: String,
    /// Support address.
    address: Address,
}

#[derive(Debug, Args)]
pub(super) struct OneAddress {
    #[command(flatten)]
    target: Target,
    /// Support address.
    address: Address,
}

/// Commands of `gatepost credential`.
#[derive(Debug, Subcommand)]
pub(super) enum Credentials {
    /// Issue a credential, and show its secret this once.
    Add(CredentialAdd),
    /// List credentials, revoked ones too.
    List(OfAccount),
    /// Show a credential.
    Show(OneCredential),
    /// Revoke a credential: open sessions see that at their next command.
    Revoke(OneCredential),
    /// Delete a credential, live or revoked.
    Remove(OneCredential),
}

#[derive(Debug, Args)]
pub(super) struct CredentialAdd {
    #[command(flatten)]
    target: Target,
    /// Issue it for relay from the domain of this two-way connector.
    #[arg(long, value_name = "ID", required_unless_present = "submission")]
    inbound: Option<ConnectorId>,
    /// Issue it for submission by this account, by its id or native domain.
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "inbound")]
    submission: Option<String>,
    /// Give it the account's alias too, such as acme@acme.desk.example, which then receives mail.
    #[arg(long)]
    alias: bool,
}

#[derive(Debug, Args)]
pub(super) struct OneCredential {
    #[command(flatten)]
    target: Target,
    /// User name of the credential.
    user_name: String,
}

/// Commands of `gatepost directory`.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Add a key to the key ring and encrypt everything with it.
    Rekey(Target),
}

pub(super) async fn accounts(command: Accounts) -> miette::Result<ExitCode> {
    match command {
        Accounts::Add(AccountAdd {
            target,
            native_domain,
            product,
            kind,
            time_zone,
            brands,
        }) => {
            let profile = Profile {
                kind,
                product,
                time_zone,
                native_domain,
                brands,
            };
            ask(&target, DirectoryRequest::AccountAdd(profile), "").await
        }
        Accounts::List(target) => {
            ask(
                &target,
                DirectoryRequest::AccountList,
                "there are no accounts",
            )
            .await
        }
        Accounts::Show(OneAccount { target, account }) => {
            ask(&target, DirectoryRequest::AccountShow { account }, "").await
        }
        Accounts::Set(AccountSet {
            target,
            account,
            policy,
            settings,
        }) => {
            let set = DirectoryRequest::AccountSet {
                account,
                policy,
                settings,
            };
            ask(&target, set, "").await
        }
        Accounts::Remove(OneAccount { target, account }) => {
            ask(
                &target,
                DirectoryRequest::AccountRemove { account },
                "removed",
            )
            .await
        }
    }
}

pub(super) async fn connectors(command: Connectors) -> miette::Result<ExitCode> {
    match command {
        Connectors::Add(add) => {
            let name = match add.name {
                Some(name) => name,
                None => name_from_domain(&add.domain)?,
            };
            let connector = ConnectorAsk {
                name,
                domain: add.domain,
                kind: add.kind,
                protocol: add.protocol,
            };
            let account = add.account;
            ask(
                &add.target,
                DirectoryRequest::ConnectorAdd { account, connector },
                "",
            )
            .await
        }
        Connectors::List(OfAccount { target, account }) => {
            ask(
                &target,
                DirectoryRequest::ConnectorList { account },
                "there are no connectors",
            )
            .await
        }
        Connectors::Show(OneConnector { target, connector }) => {
            ask(&target, DirectoryRequest::ConnectorShow { connector }, "").await
        }
        Connectors::Verify(OneConnector { target, connector }) => {
            ask(&target, DirectoryRequest::ConnectorVerify { connector }, "").await
        }
        Connectors::Disconnect(OneConnector { target, connector }) => {
            ask(
                &target,
                DirectoryRequest::ConnectorDisconnect { connector },
                "",
            )
            .await
        }
        Connectors::Forwarders(ConnectorForwarders {
            target,
            connector,
            networks,
            dkim_domains,
            arc_sealers,
        }) => {
            let forwarders = Forwarders {
                networks,
                dkim_domains,
                arc_sealers,
            };
            let set = DirectoryRequest::ConnectorForwarders {
                connector,
                forwarders,
            };
            ask(&target, set, "").await
        }
        Connectors::Headers(of) => headers(of).await,
        Connectors::Remove(OneConnector { target, connector }) => {
            ask(
                &target,
                DirectoryRequest::ConnectorRemove { connector },
                "removed",
            )
            .await
        }
    }
}

async fn headers(HeadersOf { target, domain }: HeadersOf) -> miette::Result<ExitCode> {
    let request = Request::HeadersOf {
        domain: domain.clone(),
    };
    let counted = match target.ask(request).await? {
        Response::Headers(counted) => counted,
        other => return Err(unexpected(&other)),
    };
    if target.json {
        output::print_json(&counted)?;
        return Ok(exit(true));
    }
    let mut table = output::table([
        "HEADER", "FOUND", "TIMES", "UNPROVED", "LAST", "SENT", "CAME", "EXAMPLE", "ACCOUNT",
    ]);
    for found in &counted {
        table.add_row([
            found.header.clone(),
            found.change.word().to_owned(),
            found.count.to_string(),
            found.by_message_id.to_string(),
            found.last_at.to_string(),
            output::shorten(&found.sent),
            output::shorten(&found.came),
            found.example.to_string(),
            found.account.clone(),
        ]);
    }
    let nothing = format!("no message from {domain} has come back yet");
    output::print_table(table, &nothing)?;
    Ok(exit(true))
}

/// Returns a name for people that begins like the domain, within the length of a name.
fn name_from_domain(domain: &Domain) -> miette::Result<Name> {
    let short: String = domain.as_str().chars().take(100).collect();
    short.parse().map_err(super::report)
}

pub(super) async fn addresses(command: Addresses) -> miette::Result<ExitCode> {
    match command {
        Addresses::Add(AccountAddress {
            target,
            account,
            address,
        }) => {
            ask(
                &target,
                DirectoryRequest::AddressAdd { account, address },
                "",
            )
            .await
        }
        Addresses::List(OfAccount { target, account }) => {
            let nothing = "there are no support addresses";
            ask(&target, DirectoryRequest::AddressList { account }, nothing).await
        }
        Addresses::Show(OneAddress { target, address }) => {
            ask(&target, DirectoryRequest::AddressShow { address }, "").await
        }
        Addresses::Remove(AccountAddress {
            target,
            account,
            address,
        }) => {
            ask(
                &target,
                DirectoryRequest::AddressRemove { account, address },
                "removed",
            )
            .await
        }
    }
}

pub(super) async fn credentials(command: Credentials) -> miette::Result<ExitCode> {
    let user = |text: &str| UserName::new(text);
    match command {
        Credentials::Add(CredentialAdd {
            target,
            inbound,
            submission,
            alias,
        }) => {
            let request = match (inbound, submission) {
                (Some(connector), _) => DirectoryRequest::CredentialAddInbound { connector, alias },
                (None, account) => DirectoryRequest::CredentialAddSubmission {
                    account: account.unwrap_or_default(),
                    alias,
                },
            };
            ask(&target, request, "").await
        }
        Credentials::List(OfAccount { target, account }) => {
            ask(
                &target,
                DirectoryRequest::CredentialList { account },
                "there are no credentials",
            )
            .await
        }
        Credentials::Show(OneCredential { target, user_name }) => {
            let user_name = user(&user_name);
            ask(&target, DirectoryRequest::CredentialShow { user_name }, "").await
        }
        Credentials::Revoke(OneCredential { target, user_name }) => {
            let user_name = user(&user_name);
            ask(
                &target,
                DirectoryRequest::CredentialRevoke { user_name },
                "revoked",
            )
            .await
        }
        Credentials::Remove(OneCredential { target, user_name }) => {
            let user_name = user(&user_name);
            ask(
                &target,
                DirectoryRequest::CredentialRemove { user_name },
                "removed",
            )
            .await
        }
    }
}

pub(super) async fn keys(command: Keys) -> miette::Result<ExitCode> {
    let Keys::Rekey(target) = command;
    ask(&target, DirectoryRequest::Rekey, "").await
}

/// Executes a request and prints the response, or `word` if it is empty.
async fn ask(target: &Target, request: DirectoryRequest, word: &str) -> miette::Result<ExitCode> {
    let response = match target.ask(Request::Directory(Box::new(request))).await? {
        Response::Directory(response) => response,
        other => return Err(unexpected(&other)),
    };
    if target.json {
        print_json(&response)?;
    } else {
        print(&response, word)?;
    }
    Ok(exit(true))
}

fn print_json(response: &DirectoryResponse) -> miette::Result<()> {
    match response {
        DirectoryResponse::Accounts(accounts) => output::print_json(accounts),
        DirectoryResponse::Connectors(connectors) => output::print_json(connectors),
        DirectoryResponse::Addresses(addresses) => output::print_json(addresses),
        DirectoryResponse::Credentials(credentials) => output::print_json(credentials),
        DirectoryResponse::Issued(issued) => output::print_json([issued]),
        DirectoryResponse::Rekeyed(values) => output::print_json([json!({ "rekeyed": values })]),
        DirectoryResponse::Done => output::print_json([json!({ "done": true })]),
    }
}

fn print(response: &DirectoryResponse, word: &str) -> miette::Result<()> {
    match response {
        DirectoryResponse::Accounts(accounts) => {
            let mut table = output::table([
                "ID",
                "KIND",
                "NATIVE DOMAIN",
                "PRODUCT",
                "TIME ZONE",
                "BRANDS",
                "SETTINGS",
            ]);
            for account in accounts {
                let profile = &account.profile;
                let settings: Vec<_> = account.policies.keys().cloned().collect();
                let brands: Vec<_> = profile.brands.iter().map(Name::as_str).collect();
                table.add_row([
                    account.id.to_string(),
                    profile.kind.to_string(),
                    profile.native_domain.to_string(),
                    profile.product.to_string(),
                    profile.time_zone.to_string(),
                    brands.join(", "),
                    settings.join(", "),
                ]);
            }
            output::print_table(table, word)
        }
        DirectoryResponse::Connectors(connectors) => {
            let mut table = output::table([
                "ID",
                "STATE",
                "KIND",
                "DOMAIN",
                "NAME",
                "PROTOCOL",
                "FORWARDERS",
                "ACCOUNT",
            ]);
            for connector in connectors {
                let claim = &connector.claim;
                table.add_row([
                    connector.id.to_string(),
                    connector.state.to_string(),
                    claim.kind.to_string(),
                    claim.domain.to_string(),
                    claim.name.to_string(),
                    claim.protocol.to_string(),
                    forwarders_cell(&connector.forwarders),
                    claim.account.to_string(),
                ]);
            }
            output::print_table(table, word)
        }
        DirectoryResponse::Addresses(addresses) => {
            let mut table = output::table(["ADDRESS", "ACCOUNT", "CONNECTOR"]);
            for address in addresses {
                let connector = address.connector.map(|id| id.to_string());
                table.add_row([
                    address.address.to_string(),
                    address.account.to_string(),
                    connector.unwrap_or_else(|| "native".to_owned()),
                ]);
            }
            output::print_table(table, word)
        }
        DirectoryResponse::Credentials(credentials) => {
            let mut table = output::table([
                "USER NAME",
                "FOR",
                "ALIAS",
                "ACCOUNT",
                "LAST USED",
                "REVOKED",
            ]);
            let time_text = |at: Option<Millis>| at.map_or_else(String::new, |at| at.to_string());
            for credential in credentials {
                let alias = credential.alias.as_ref().map(Address::to_string);
                table.add_row([
                    credential.user_name.to_string(),
                    scope_text(&credential.scope),
                    alias.unwrap_or_default(),
                    credential.account.to_string(),
                    time_text(credential.last_used),
                    time_text(credential.revoked),
                ]);
            }
            output::print_table(table, word)
        }
        DirectoryResponse::Issued(issued) => output::print(in_words(issued)),
        DirectoryResponse::Rekeyed(values) => {
            output::print(format!("a new key encrypts all {values} values"))
        }
        DirectoryResponse::Done => output::print(word),
    }
}

fn scope_text(scope: &Scope) -> String {
    match scope {
        Scope::Inbound { domain, .. } => format!("relay from {domain}"),
        Scope::Submission => "submission".to_owned(),
    }
}

fn in_words(issued: &Issued) -> String {
    let credential = &issued.credential;
    let mut lines = vec![
        format!("user name  {}", credential.user_name),
        format!("secret     {}", issued.secret.reveal()),
        format!("for        {}", scope_text(&credential.scope)),
    ];
    if let Some(alias) = &credential.alias {
        lines.push(format!("alias      {alias}"));
    }
    lines.push("The secret is shown this once: keep it now.".to_owned());
    lines.join("\n")
}

/// Returns the known forwarders in one cell.
fn forwarders_cell(known: &Forwarders) -> String {
    let networks = known.networks.iter().map(IpNet::to_string);
    let domains = known.dkim_domains.iter().chain(&known.arc_sealers);
    let all: Vec<_> = networks.chain(domains.map(Domain::to_string)).collect();
    all.join(", ")
}
