//! Instructions for the administrator of a customer's mail server.

use clap::Args;
use gatepost_directory::{
    Connector, ConnectorKind, ConnectorState, DkimState, Name, SupportAddress, View,
};
use gatepost_domain_check::ownership_record;
use gatepost_instructions::{
    AddressFacts, Arrangement, Facts, Form, InstructionsError, LogIn, Record, Software, render,
};
use gatepost_message::Domain;
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::connectors;
use crate::directory::change;
use crate::dkim::{self, DkimKeyDetails, ShowDkim};
use crate::error::OperationError;
use crate::named_connector::NamedConnector;
use crate::runtime::Runtime;
use crate::site_facts::SiteFacts;

/// Request for the instructions for a connector. They hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MakeInstructions {
    /// Domain of the connector, or its id.
    pub connector: NamedConnector,
    /// Software or service of the customer: postfix, exim, exchange-server, gateway,
    /// exchange-online, google-workspace or generic.
    #[arg(long = "for", value_name = "SOFTWARE", default_value = "generic")]
    pub software: Software,
    /// Form: markdown or text.
    #[arg(long, default_value = "markdown")]
    #[serde(default)]
    pub format: Form,
    /// Person or address that the customer's administrator may ask, such as help@desk.example.
    #[arg(long, value_name = "TEXT")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Name>,
}

/// Instructions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Instructions {
    /// Domain that they are for.
    pub domain: Domain,
    /// Software that they are for.
    pub software: Software,
    /// Text of them.
    pub text: String,
    /// Things that the operator should mend in the configuration, and make the instructions anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// Makes instructions for the administrator of a customer's mail server, without any secret.
///
/// # Errors
/// There is no such connector, there are no instructions of this kind for it, no customer can log
/// in here, or the configuration is not known.
pub async fn make(on: &Runtime, asked: MakeInstructions) -> Result<Instructions, OperationError> {
    let MakeInstructions {
        connector,
        software,
        format,
        contact,
    } = asked;
    let asked = connectors::ShowConnector { connector };
    let connector = connectors::show(&on.directory, asked)?.connector;
    let site = on.site_facts()?;
    let all = change(&on.directory, gatepost_directory::Directory::addresses).await?;
    let addresses = all
        .into_iter()
        .filter(|of| of.connector == Some(connector.id));
    let keys = dkim::show(
        &on.directory,
        &on.dkim.load_full(),
        ShowDkim {
            account: Some(connector.claim.account.to_string()),
            domain: Some(connector.claim.domain.clone()),
        },
    )?;
    let facts = Facts {
        contact: contact.map(|of| of.to_string()),
        ..facts(&on.directory.view(), &site, &connector, addresses, keys)?
    };
    let no_egress = "the instructions cannot list the addresses that the relay connects from: set \
                     own-addresses in [mx] of the configuration, reload it, and make them again";
    Ok(Instructions {
        text: render(&facts, software, format)?,
        remarks: match facts.egress.is_empty() {
            true => vec![no_egress.to_owned()],
            false => Vec::new(),
        },
        domain: connector.claim.domain,
        software,
    })
}

/// Gathers the facts of a connector.
fn facts(
    view: &View,
    site: &SiteFacts,
    connector: &Connector,
    addresses: impl Iterator<Item = SupportAddress>,
    keys: Vec<DkimKeyDetails>,
) -> Result<Facts, OperationError> {
    let claim = &connector.claim;
    let account = view.account(claim.account);
    let account = account.ok_or_else(|| crate::directory::unknown("account", claim.account))?;
    let native = account.profile.native_domain.clone();
    let of_path = site
        .return_paths
        .iter()
        .find(|(sender, _)| *sender == claim.domain);
    let return_path = of_path.map(|(_, domain)| Record {
        name: domain.as_ascii().to_owned(),
        kind: "CNAME",
        value: format!("{}.", site.return_domain.as_ascii()),
    });
    Ok(Facts {
        product: account.profile.product.to_string(),
        domain: claim.domain.clone(),
        arrangement: arrangement(view, site, connector)?,
        addresses: addresses
            .map(|of| AddressFacts {
                target: view.target_of(&of),
                address: of.address,
            })
            .collect(),
        native,
        relay: site.hostname.clone(),
        egress: site.egress.clone(),
        spf_include: Some(site.spf_include.clone()),
        ownership: ownership(view, connector),
        dkim: keys.into_iter().filter_map(record).collect(),
        return_path,
        headers: site.headers.clone(),
        contact: None,
    })
}

/// Returns the record that proves the domain, while it is only claimed.
fn ownership(view: &View, connector: &Connector) -> Option<Record> {
    let claim = &connector.claim;
    let tokens = view.ownership_tokens(claim.account, &claim.domain);
    let token = tokens
        .first()
        .filter(|_| connector.state == ConnectorState::Claimed)?;
    let (name, text) = ownership_record(&claim.domain, token);
    Some(Record {
        name,
        kind: "TXT",
        value: format!("\"{text}\""),
    })
}

fn arrangement(
    view: &View,
    site: &SiteFacts,
    connector: &Connector,
) -> Result<Arrangement, OperationError> {
    Ok(match connector.claim.kind {
        ConnectorKind::Forwarded => Arrangement::Forwarded,
        ConnectorKind::OutboundOnly => Arrangement::OutboundOnly,
        ConnectorKind::TwoWay => {
            let log_in = site.log_in.ok_or_else(|| {
                let text = "no inbound listener takes log-ins under TLS, so no server of a \
                    customer can relay to this site";
                OperationError::new(Code::NoLogInListener, text)
            })?;
            Arrangement::TwoWay(LogIn {
                port: log_in.port,
                implicit_tls: log_in.implicit_tls,
                user_name: newest_user(view, connector),
            })
        }
    })
}

/// Returns the user name of the newest live credential of a connector.
fn newest_user(view: &View, connector: &Connector) -> Option<String> {
    let all = view.credentials_of(connector.claim.account).into_iter();
    let live = all.filter(|of| of.ended.is_none() && of.scope.connector() == Some(connector.id));
    let newest = live.max_by_key(|of| of.created);
    newest.map(|of| of.user_name.to_string())
}

/// Returns the record to publish of a key: an alias where the site has a zone.
fn record(key: DkimKeyDetails) -> Option<Record> {
    if key.state == DkimState::Retired {
        return None;
    }
    let (kind, value) = match key.record.alias {
        Some(alias) => ("CNAME", format!("{}.", alias.target)),
        None => {
            let strings = key.record.strings.iter();
            let strings: Vec<_> = strings.map(|text| format!("\"{text}\"")).collect();
            ("TXT", strings.join(" "))
        }
    };
    Some(Record {
        name: key.record.name,
        kind,
        value,
    })
}

impl From<InstructionsError> for OperationError {
    fn from(error: InstructionsError) -> Self {
        let code = match error {
            InstructionsError::Unfit { .. } => Code::UnfitInstructions,
            InstructionsError::Template(_) => Code::Internal,
        };
        Self::new(code, error)
    }
}
