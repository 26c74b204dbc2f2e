//! Instructions as text: the parts of the document, filled with the facts.

use gatepost_message::Address;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

use crate::form::{Form, plain};
use crate::{AddressFacts, Arrangement, Facts, Record, STANDARD_HEADERS, Software};

/// Error of making instructions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstructionsError {
    /// There are none for this software with connectors of this arrangement.
    #[error(
        "there are no instructions for {software} with a connector of this kind; there are for {fitting}"
    )]
    Unfit {
        /// Software that was asked for.
        software: Software,
        /// Names of the software that there are instructions for.
        fitting: String,
    },
    /// A template is wrong. A test renders all of them.
    #[error("the template of the instructions cannot be filled: {0}")]
    Template(String),
}

/// TemplateValues of the templates.
#[derive(Debug, Serialize)]
struct TemplateValues<'a> {
    software: &'static str,
    /// Name of the software in commands, by which templates for all of them choose.
    software_word: &'static str,
    product: String,
    domain: &'a str,
    native: &'a str,
    relay: &'a str,
    two_way: bool,
    smart_host: bool,
    forwarded: bool,
    port: u16,
    implicit_tls: bool,
    user: &'a str,
    addresses: Vec<AddressValues<'a>>,
    unusual: Vec<AddressValues<'a>>,
    egress: Vec<String>,
    egress_v4: Vec<String>,
    spf_include: Option<&'a str>,
    ownership: Option<RecordValues<'a>>,
    dkim: Vec<RecordValues<'a>>,
    return_path: Option<RecordValues<'a>>,
    headers: Vec<String>,
    standard_headers: [&'static str; 8],
    /// Contact for questions: the one that is named, or else the product.
    ask: String,
    contact: Option<String>,
    /// Support address for the test message.
    first_address: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct AddressValues<'a> {
    address: &'a str,
    local: &'a str,
    target: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct RecordValues<'a> {
    name: &'a str,
    kind: &'a str,
    value: &'a str,
}

/// Placeholder where no credential is live.
const NO_USER: &str = "USER-NAME";

/// Renders the instructions for this software.
///
/// # Errors
/// There are none for it with connectors of this arrangement.
pub fn render(facts: &Facts, software: Software, form: Form) -> Result<String, InstructionsError> {
    if !software.fits(&facts.arrangement) {
        return Err(InstructionsError::Unfit {
            software,
            fitting: Software::names_for(&facts.arrangement),
        });
    }
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true);
    templates.set_syntax(
        syntax
            .keep_trailing_newline(true)
            .build()
            .map_err(template)?,
    );
    let values = Value::from(Serde(values(facts, software)));
    // Lines about no address would be about all of them, such as an empty list of Exim.
    let has_lines = !matches!(software, Software::Generic | Software::Gateway);
    let is_bare = has_lines && !facts.addresses.iter().any(|of| is_plain(&of.address));
    let smart_host = match software {
        _ if is_bare || facts.arrangement == Arrangement::Forwarded => "",
        Software::ExchangeOnline => include_str!("../texts/tell-exchange-online.md"),
        _ => include_str!("../texts/tell-smart-host.md"),
    };
    let parts = [
        include_str!("../texts/head.md"),
        if is_bare {
            ""
        } else {
            body(software, &facts.arrangement)
        },
        smart_host,
        include_str!("../texts/dns.md"),
        match is_bare {
            true => "",
            false => include_str!("../texts/try.md"),
        },
        include_str!("../texts/know.md"),
    ];
    let filled = parts.map(|part| templates.render_str(part, values.clone()));
    let filled: Result<Vec<_>, _> = filled.into_iter().collect();
    let markdown = without_gaps(&filled.map_err(template)?.join("\n"));
    Ok(match form {
        Form::Markdown => markdown,
        Form::Text => plain(&markdown),
    })
}

fn template(error: minijinja::Error) -> InstructionsError {
    InstructionsError::Template(format!("{error:#}"))
}

/// Returns the template of a software's own part.
fn body(software: Software, arrangement: &Arrangement) -> &'static str {
    match software {
        Software::Postfix => include_str!("../texts/postfix.md"),
        Software::Exim => include_str!("../texts/exim.md"),
        Software::ExchangeServer => include_str!("../texts/exchange-server.md"),
        Software::Gateway => include_str!("../texts/gateway.md"),
        Software::ExchangeOnline => include_str!("../texts/exchange-online.md"),
        Software::GoogleWorkspace => include_str!("../texts/google-workspace.md"),
        Software::Generic if matches!(arrangement, Arrangement::TwoWay(_)) => {
            include_str!("../texts/generic-two-way.md")
        }
        Software::Generic => include_str!("../texts/generic-forwarding.md"),
    }
}

fn values(facts: &Facts, software: Software) -> TemplateValues<'_> {
    let log_in = match &facts.arrangement {
        Arrangement::TwoWay(log_in) => Some(log_in),
        Arrangement::OutboundOnly | Arrangement::Forwarded => None,
    };
    let user = log_in.and_then(|of| of.user_name.as_deref());
    let (usual, unusual) = (facts.addresses.iter()).partition(|of| is_plain(&of.address));
    let first_plain = facts.addresses.iter().find(|of| is_plain(&of.address));
    let egress_v4 = facts.egress.iter().filter(|address| address.is_ipv4());
    TemplateValues {
        software: software.title(),
        software_word: software.word(),
        product: one_line(&facts.product),
        domain: facts.domain.as_ascii(),
        native: facts.native.as_ascii(),
        relay: facts.relay.as_ascii(),
        two_way: log_in.is_some(),
        smart_host: facts.arrangement != Arrangement::Forwarded,
        forwarded: log_in.is_none(),
        port: log_in.map_or(25, |of| of.port),
        implicit_tls: log_in.is_some_and(|of| of.implicit_tls),
        user: user.unwrap_or(NO_USER),
        addresses: address_values(usual),
        unusual: address_values(unusual),
        egress: facts.egress.iter().map(ToString::to_string).collect(),
        egress_v4: egress_v4.map(ToString::to_string).collect(),
        spf_include: facts.spf_include.as_deref(),
        ownership: facts.ownership.as_ref().map(record_values),
        dkim: facts.dkim.iter().map(record_values).collect(),
        return_path: facts.return_path.as_ref().map(record_values),
        headers: facts.headers.iter().map(|name| one_line(name)).collect(),
        standard_headers: STANDARD_HEADERS,
        ask: one_line(facts.contact.as_ref().unwrap_or(&facts.product)),
        contact: facts.contact.as_deref().map(one_line),
        first_address: first_plain.map(|of| of.address.as_str()),
    }
}

fn address_values(of: Vec<&AddressFacts>) -> Vec<AddressValues<'_>> {
    let values = of.into_iter().map(|of| AddressValues {
        address: of.address.as_str(),
        local: of.address.local(),
        target: of.target.as_ref().map(Address::as_str),
    });
    values.collect()
}

fn record_values(record: &Record) -> RecordValues<'_> {
    RecordValues {
        name: &record.name,
        kind: record.kind,
        value: &record.value,
    }
}

/// Returns true if an address means itself in every configuration, unquoted: no character of it has
/// a meaning to a shell, a list or Markdown.
fn is_plain(address: &Address) -> bool {
    let local = address.local();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '=');
    local.starts_with(|c: char| c.is_ascii_alphanumeric())
        && local.chars().all(is_plain)
        && address.is_ascii()
}

/// Returns words of the operator without what would end a line or mean something in Markdown.
fn one_line(text: &str) -> String {
    let has_meaning =
        |c: char| c.is_control() || matches!(c, '`' | '*' | '#' | '<' | '>' | '[' | ']');
    text.chars().filter(|c| !has_meaning(*c)).collect()
}

/// Returns a text without the second of two empty lines, and without empty lines at its end. Parts
/// that are left out would leave them.
fn without_gaps(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut was_empty = true;
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && was_empty) {
            kept.extend([line, "\n"]);
        }
        was_empty = line.is_empty();
    }
    kept.truncate(kept.trim_end().len());
    kept.push('\n');
    kept
}
