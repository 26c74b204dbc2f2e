//! Return paths of customers: set once the DNS leads their mail to this relay.

use std::collections::BTreeSet;

use clap::Args;
use gatepost_directory::Connector;
use gatepost_dns::{Dns, Unavailable};
use gatepost_message::Domain;
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::connectors::{ShowConnector, show};
use crate::directory::change;
use crate::error::OperationError;
use crate::named_connector::NamedConnector;
use crate::runtime::Runtime;

/// Request to set the domain of the reverse-paths of a domain's mail by MX, such as
/// bounces.customer.example. It has to be an alias (CNAME) of the domain to which reports on the
/// relay's own mail come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SetReturnPath {
    /// Domain of the connector, or its id.
    pub connector: NamedConnector,
    /// Name below its domain; without it, the return path is taken back.
    #[serde(default)]
    pub domain: Option<Domain>,
}

/// Sets the return path of a connector's domain, after a look at its records, or takes it back.
///
/// # Errors
/// There is no such connector, its domain is not the account's, the name cannot be a return path or
/// does not lead here, or the store cannot be changed.
pub async fn set(on: &Runtime, asked: SetReturnPath) -> Result<Connector, OperationError> {
    let connector = asked.connector;
    let connector = show(&on.directory, ShowConnector { connector })?.connector;
    let id = connector.id;
    if let Some(domain) = &asked.domain {
        let tools = on.dkim.load_full();
        let view = on.directory.view();
        let native = view.account(connector.claim.account);
        let native = native.map(|account| &account.profile.native_domain);
        let own = tools.return_path.as_ref().or(native).cloned();
        if let Some(own) = own {
            leads_to(&tools.resolver, domain, &own).await?;
        }
    }
    let domain = asked.domain;
    change(&on.directory, move |directory| {
        directory.set_return_path(id, domain)
    })
    .await
}

/// Returns an error unless mail for a domain goes where that for our own goes, and the same servers
/// may send in its name: what an alias has, and copies of the records, too.
async fn leads_to(dns: &impl Dns, domain: &Domain, own: &Domain) -> Result<(), OperationError> {
    let refused = |what: String| OperationError::new(Code::ReturnPathNotSeen, what);
    let unanswered = |error: Unavailable| refused(error.to_string());
    let (theirs, ours) = (domain.as_ascii(), own.as_ascii());
    let record = format!("publish `{domain}. CNAME {own}.`");
    let hosts = async |name| {
        let found = dns.mx(name).await?;
        let hosts = found.records().iter().map(|mx| mx.host.clone());
        Ok::<BTreeSet<String>, Unavailable>(hosts.collect())
    };
    let (there, here) = (
        hosts(theirs).await.map_err(unanswered)?,
        hosts(ours).await.map_err(unanswered)?,
    );
    if here.is_empty() {
        let text =
            format!("{own}, to which reports on the relay's own mail come, has no MX record");
        return Err(refused(text));
    }
    if there != here {
        let there = Vec::from_iter(there).join(", ");
        let found = match there.is_empty() {
            true => "nowhere".to_owned(),
            false => format!("to {there}"),
        };
        return Err(refused(format!(
            "mail for {domain} goes {found}, not to this relay: {record}"
        )));
    }
    let spf = async |name| {
        let found = dns.txt(name).await?;
        let is_spf = |record: &[u8]| record.to_ascii_lowercase().starts_with(b"v=spf1");
        let records = found.records().iter().filter(|record| is_spf(record));
        Ok::<_, Unavailable>(records.cloned().collect::<BTreeSet<Box<[u8]>>>())
    };
    let (there, here) = (
        spf(theirs).await.map_err(unanswered)?,
        spf(ours).await.map_err(unanswered)?,
    );
    if here.is_empty() {
        return Err(refused(format!("{own} has no SPF record for this relay")));
    }
    if there != here {
        let text = format!("the SPF record of {domain} is not that of {own}: {record}");
        return Err(refused(text));
    }
    Ok(())
}
