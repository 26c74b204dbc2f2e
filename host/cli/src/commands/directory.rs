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
use gatepost_operations::{
    ConnectorAsk, DirectoryRequest as Ask, DirectoryResponse, Request, Response,
};

/// `gatepost account`.
#[derive(Debug, Subcommand)]
pub(super) enum Accounts {
    /// Make an account.
    Add(AccountAdd),
    /// Every account.
    List(Target),
    /// One account.
    Show(OneAccount),
    /// Set for an account what holds for it in a policy.
    Set(AccountSet),
    /// Remove an account that has no connectors, addresses and credentials any more.
    Remove(OneAccount),
}

#[derive(Debug, Args)]
pub(super) struct AccountAdd {
    #[command(flatten)]
    target: Target,
    /// The domain that the site gives it, such as acme.desk.example.
    #[arg(long, value_name = "DOMAIN")]
    native_domain: Domain,
    /// The product as its users know it.
    #[arg(long, value_name = "NAME")]
    product: Name,
    /// sandbox or production.
    #[arg(long, default_value = "production")]
    kind: AccountKind,
    /// Time zone by its IANA name, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: TimeZone,
    /// A brand under which it writes; may be repeated.
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
    /// A JSON object, such as '{"mode": "enhanced"}', in place of what was set; without it, the
    /// policy's own settings hold again.
    #[arg(value_parser = object)]
    settings: Option<PolicySettings>,
}

fn object(text: &str) -> Result<PolicySettings, String> {
    serde_json::from_str(text).map_err(|error| format!("write a JSON object: {error}"))
}

/// `gatepost connector`.
#[derive(Debug, Subcommand)]
pub(super) enum Connectors {
    /// Connect a domain, as a claim.
    Add(ConnectorAdd),
    /// Connectors.
    List(OfAccount),
    /// One connector.
    Show(OneConnector),
    /// Vouch that the domain is the account's: from now on its addresses receive.
    Verify(OneConnector),
    /// Vouch for it no longer; its addresses go on receiving.
    Disconnect(OneConnector),
    /// Say who is known to forward its mail to us, in place of who was.
    Forwarders(ConnectorForwarders),
    /// What became of the headers of messages from a domain on the way, as messages show that
    /// came back.
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
    /// The customer's domain.
    #[arg(long)]
    domain: Domain,
    /// A name for people; the domain where it is left out.
    #[arg(long)]
    name: Option<Name>,
    /// two-way or outbound-only.
    #[arg(long)]
    kind: ConnectorKind,
    /// How the customer's server wants us to authenticate to it: PLAIN, LOGIN or SCRAM-SHA-256.
    #[arg(long, default_value = "PLAIN")]
    protocol: Protocol,
}

#[derive(Debug, Args)]
pub(super) struct OfAccount {
    #[command(flatten)]
    target: Target,
    /// Those of this account only, by its id or native domain.
    #[arg(long)]
    account: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct HeadersOf {
    #[command(flatten)]
    target: Target,
    /// The domain of From.
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
    /// A network that they send from, such as 192.0.2.0/24; may be repeated.
    #[arg(long = "network", value_name = "NETWORK")]
    networks: Vec<IpNet>,
    /// A domain with which they sign (DKIM); may be repeated.
    #[arg(long = "dkim-domain", value_name = "DOMAIN")]
    dkim_domains: Vec<Domain>,
    /// A domain with which they seal (ARC); may be repeated.
    #[arg(long = "arc-sealer", value_name = "DOMAIN")]
    arc_sealers: Vec<Domain>,
}

/// `gatepost address`.
#[derive(Debug, Subcommand)]
pub(super) enum Addresses {
    /// Add a support address in the native domain or in one that is connected.
    Add(AccountAddress),
    /// Support addresses.
    List(OfAccount),
    /// Who has this support address.
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
    /// The address.
    address: Address,
}

#[derive(Debug, Args)]
pub(super) struct OneAddress {
    #[command(flatten)]
    target: Target,
    /// The address.
    address: Address,
}

/// `gatepost credential`.
#[derive(Debug, Subcommand)]
pub(super) enum Credentials {
    /// Make a credential, and show its secret this once.
    Add(CredentialAdd),
    /// Credentials, revoked ones too.
    List(OfAccount),
    /// One credential.
    Show(OneCredential),
    /// End a credential: open sessions notice at their next command.
    Revoke(OneCredential),
    /// Forget a credential, live or revoked.
    Remove(OneCredential),
}

#[derive(Debug, Args)]
pub(super) struct CredentialAdd {
    #[command(flatten)]
    target: Target,
    /// For relay from the domain of this two-way connector.
    #[arg(long, value_name = "ID", required_unless_present = "submission")]
    inbound: Option<ConnectorId>,
    /// For submission by this account, by its id or native domain.
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "inbound")]
    submission: Option<String>,
    /// Give it the account's alias too, such as acme@acme.desk.example, which receives mail then.
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

/// `gatepost directory`.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Add a key to the key ring and encrypt everything anew with it.
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
            ask(&target, Ask::AccountAdd(profile), "").await
        }
        Accounts::List(target) => ask(&target, Ask::AccountList, "there are no accounts").await,
        Accounts::Show(OneAccount { target, account }) => {
            ask(&target, Ask::AccountShow { account }, "").await
        }
        Accounts::Set(AccountSet {
            target,
            account,
            policy,
            settings,
        }) => {
            let set = Ask::AccountSet {
                account,
                policy,
                settings,
            };
            ask(&target, set, "").await
        }
        Accounts::Remove(OneAccount { target, account }) => {
            ask(&target, Ask::AccountRemove { account }, "removed").await
        }
    }
}

pub(super) async fn connectors(command: Connectors) -> miette::Result<ExitCode> {
    match command {
        Connectors::Add(add) => {
            let name = match add.name {
                Some(name) => name,
                None => named_like(&add.domain)?,
            };
            let connector = ConnectorAsk {
                name,
                domain: add.domain,
                kind: add.kind,
                protocol: add.protocol,
            };
            let account = add.account;
            ask(&add.target, Ask::ConnectorAdd { account, connector }, "").await
        }
        Connectors::List(OfAccount { target, account }) => {
            ask(
                &target,
                Ask::ConnectorList { account },
                "there are no connectors",
            )
            .await
        }
        Connectors::Show(OneConnector { target, connector }) => {
            ask(&target, Ask::ConnectorShow { connector }, "").await
        }
        Connectors::Verify(OneConnector { target, connector }) => {
            ask(&target, Ask::ConnectorVerify { connector }, "").await
        }
        Connectors::Disconnect(OneConnector { target, connector }) => {
            ask(&target, Ask::ConnectorDisconnect { connector }, "").await
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
            let set = Ask::ConnectorForwarders {
                connector,
                forwarders,
            };
            ask(&target, set, "").await
        }
        Connectors::Headers(of) => headers(of).await,
        Connectors::Remove(OneConnector { target, connector }) => {
            ask(&target, Ask::ConnectorRemove { connector }, "removed").await
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
            output::short(&found.sent),
            output::short(&found.came),
            found.example.to_string(),
            found.account.clone(),
        ]);
    }
    let nothing = format!("no message from {domain} has come back yet");
    output::print_table(table, &nothing)?;
    Ok(exit(true))
}

/// A name of at most so many characters as a name may have.
fn named_like(domain: &Domain) -> miette::Result<Name> {
    let short: String = domain.as_str().chars().take(100).collect();
    short.parse().map_err(super::report)
}

pub(super) async fn addresses(command: Addresses) -> miette::Result<ExitCode> {
    match command {
        Addresses::Add(AccountAddress {
            target,
            account,
            address,
        }) => ask(&target, Ask::AddressAdd { account, address }, "").await,
        Addresses::List(OfAccount { target, account }) => {
            let nothing = "there are no support addresses";
            ask(&target, Ask::AddressList { account }, nothing).await
        }
        Addresses::Show(OneAddress { target, address }) => {
            ask(&target, Ask::AddressShow { address }, "").await
        }
        Addresses::Remove(AccountAddress {
            target,
            account,
            address,
        }) => ask(&target, Ask::AddressRemove { account, address }, "removed").await,
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
                (Some(connector), _) => Ask::CredentialAddInbound { connector, alias },
                (None, account) => Ask::CredentialAddSubmission {
                    account: account.unwrap_or_default(),
                    alias,
                },
            };
            ask(&target, request, "").await
        }
        Credentials::List(OfAccount { target, account }) => {
            ask(
                &target,
                Ask::CredentialList { account },
                "there are no credentials",
            )
            .await
        }
        Credentials::Show(OneCredential { target, user_name }) => {
            let user_name = user(&user_name);
            ask(&target, Ask::CredentialShow { user_name }, "").await
        }
        Credentials::Revoke(OneCredential { target, user_name }) => {
            let user_name = user(&user_name);
            ask(&target, Ask::CredentialRevoke { user_name }, "revoked").await
        }
        Credentials::Remove(OneCredential { target, user_name }) => {
            let user_name = user(&user_name);
            ask(&target, Ask::CredentialRemove { user_name }, "removed").await
        }
    }
}

pub(super) async fn keys(command: Keys) -> miette::Result<ExitCode> {
    let Keys::Rekey(target) = command;
    ask(&target, Ask::Rekey, "").await
}

/// Has a request carried out and prints what came of it; `word` where that is nothing.
async fn ask(target: &Target, request: Ask, word: &str) -> miette::Result<ExitCode> {
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
                    forwarders(&connector.forwarders),
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
            let moment = |at: Option<Millis>| at.map_or_else(String::new, |at| at.to_string());
            for credential in credentials {
                let alias = credential.alias.as_ref().map(Address::to_string);
                table.add_row([
                    credential.user_name.to_string(),
                    good_for(&credential.scope),
                    alias.unwrap_or_default(),
                    credential.account.to_string(),
                    moment(credential.last_used),
                    moment(credential.revoked),
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

fn good_for(scope: &Scope) -> String {
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
        format!("for        {}", good_for(&credential.scope)),
    ];
    if let Some(alias) = &credential.alias {
        lines.push(format!("alias      {alias}"));
    }
    lines.push("The secret is shown this once: keep it now.".to_owned());
    lines.join("\n")
}

/// Who forwards, in one cell.
fn forwarders(known: &Forwarders) -> String {
    let networks = known.networks.iter().map(IpNet::to_string);
    let domains = known.dkim_domains.iter().chain(&known.arc_sealers);
    let all: Vec<_> = networks.chain(domains.map(Domain::to_string)).collect();
    all.join(", ")
}
