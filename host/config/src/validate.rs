//! Cross-field validation, after parsing.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::time::Duration;

use gatepost_acme::ChallengeKind;
use gatepost_application::AttachmentForm;
use gatepost_builtin as builtin;
use gatepost_model::{BY_RELAY, Suppression, Way};
use gatepost_smtp::server;

use super::error::{Finding, Step};
use super::{Config, Direction, Grant, HttpTls, Listener, ListenerTls, RelayTls};
use crate::at;
use crate::listener::overlap;

/// Returns all problems, in the order of the file's sections.
pub(super) fn problems(config: &Config) -> Vec<Finding> {
    let mut findings = Findings::default();
    check_relay(config, &mut findings);
    check_otlp(config, &mut findings);
    check_limits(config, &mut findings);
    check_log_ins(config, &mut findings);
    check_directory(config, &mut findings);
    check_dns(config, &mut findings);
    check_authentication(config, &mut findings);
    check_headers(config, &mut findings);
    check_accounts(config, &mut findings);
    check_certificates(config, &mut findings);
    check_acme(config, &mut findings);
    check_listeners(config, &mut findings);
    check_handover(config, &mut findings);
    check_api(config, &mut findings);
    check_policies(config, &mut findings);
    check_egress(config, &mut findings);
    check_routes(config, &mut findings);
    check_delivery(config, &mut findings);
    check_return_path(config, &mut findings);
    check_suppression(config, &mut findings);
    findings.0
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(
        &mut self,
        at: impl IntoIterator<Item = Step>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.0.push(Finding {
            at: at.into_iter().collect(),
            message: message.into(),
            help: help.into(),
        });
    }
}

/// Minimum free space in which deliveries can still be recorded: the log of the queue may take half
/// of it, and has to hold a few pages for each delivery.
const MIN_FREE: u64 = 1 << 20;

fn check_relay(config: &Config, findings: &mut Findings) {
    let hostname = config.relay.hostname.as_str();
    if !hostname.is_ascii() {
        findings.add(
            at!["relay", "hostname"],
            format!("the hostname {hostname} is not ASCII"),
            "clients that know no other names read it; write its form that begins with xn--",
        );
    }
    if config.relay.min_free < MIN_FREE {
        findings.add(
            at!["relay", "min-free"],
            format!("min-free is {} bytes", config.relay.min_free),
            "deliveries must still be recorded when the disk is full; set at least \"1MiB\"",
        );
    }
    if let Err(error) = config.log.own_filter() {
        findings.add(
            at!["log", "level"],
            error.to_string(),
            "such as level = \"info\"",
        );
    }
}

fn check_otlp(config: &Config, findings: &mut Findings) {
    let Some(otlp) = &config.otlp else { return };
    if !(0.0..=1.0).contains(&otlp.sample) {
        findings.add(
            at!["otlp", "sample"],
            format!("sample is {}", otlp.sample),
            "write a fraction of all traces between 0 and 1, such as 0.1",
        );
    }
    if otlp.timeout.is_zero() {
        findings.add(
            at!["otlp", "timeout"],
            "timeout is 0, so no span could be exported",
            "leave it out for the default",
        );
    }
    if otlp.service_name.is_empty() {
        findings.add(
            at!["otlp", "service-name"],
            "the service name is empty",
            "leave it out for \"gatepost\"",
        );
    }
}

fn check_log_ins(config: &Config, findings: &mut Findings) {
    let log_ins = &config.log_ins;
    for (key, failures) in [
        ("failures-per-address", log_ins.failures_per_address),
        ("failures-per-user", log_ins.failures_per_user),
    ] {
        if failures == 0 {
            findings.add(
                at!["log-ins", key],
                format!("{key} is 0, so nobody could log in"),
                "leave it out for the default",
            );
        }
    }
}

fn check_limits(config: &Config, findings: &mut Findings) {
    let limits = &config.limits;
    for (key, nothing) in [
        ("recipients", limits.recipients == 0),
        ("message-size", limits.message_size == 0),
        ("header-size", limits.header_size == 0),
        ("line", limits.line == 0),
        ("idle", limits.idle.is_zero()),
        ("total", limits.total.is_zero()),
        ("connections", limits.connections == 0),
        (
            "connections-per-address",
            limits.connections_per_address == 0,
        ),
    ] {
        if nothing {
            findings.add(
                at!["limits", key],
                format!("{key} is 0, so no mail could be taken"),
                "leave it out for the default",
            );
        }
    }
    let least = server::Limits::LEAST_COMMAND_LINE;
    if limits.command < least {
        findings.add(
            at!["limits", "command"],
            format!("a command line may be {} octets long", limits.command),
            format!(
                "MAIL with the parameters of every extension may need {least}; set at least that"
            ),
        );
    }
}

fn check_directory(config: &Config, findings: &mut Findings) {
    let directory = &config.directory;
    for (key, number) in [
        ("domains-per-account", directory.domains_per_account),
        ("addresses-per-domain", directory.addresses_per_domain),
        ("live-sets", directory.live_sets),
        ("connections-per-account", directory.connections_per_account),
    ] {
        if number == 0 {
            findings.add(
                at!["directory", key],
                format!("{key} is 0, so no account could have any"),
                "leave it out for the default",
            );
        }
    }
    for (key, nothing) in [
        ("feed-size", directory.feed_size == 0),
        ("feed-timeout", directory.feed_timeout.is_zero()),
    ] {
        if nothing {
            findings.add(
                at!["directory", key],
                format!("{key} is 0, so no feed could be fetched"),
                "leave it out for the default",
            );
        }
    }
}

fn check_dns(config: &Config, findings: &mut Findings) {
    let dns = &config.dns;
    for (key, nothing) in [
        ("timeout", dns.timeout.is_zero()),
        ("attempts", dns.attempts == 0),
        ("concurrent", dns.concurrent == 0),
    ] {
        if nothing {
            findings.add(
                at!["dns", key],
                format!("{key} is 0, so no question could be asked"),
                "leave it out for the default",
            );
        }
    }
}

/// Minimum number of DNS queries. DMARC has half of them: one author's domain takes nine at most.
const MIN_QUESTIONS: usize = 20;

fn check_authentication(config: &Config, findings: &mut Findings) {
    let authentication = &config.authentication;
    for (key, nothing) in [
        ("signatures", authentication.signatures == 0),
        ("signed-fields", authentication.signed_fields == 0),
        ("keys", authentication.keys == 0),
        ("authors", authentication.authors == 0),
        (
            "questions-per-domain",
            authentication.questions_per_domain == 0,
        ),
        ("time", authentication.time.is_zero()),
    ] {
        if nothing {
            findings.add(
                at!["authentication", key],
                format!("{key} is 0, so nothing could be proved"),
                "leave it out for the default",
            );
        }
    }
    if authentication.questions < MIN_QUESTIONS {
        findings.add(
            at!["authentication", "questions"],
            format!("with fewer than {MIN_QUESTIONS} questions usual mail could not be proved"),
            "leave it out for the default",
        );
    }
}

/// Fields with a meaning for others, or by which loops are found. None of the relay's fields may
/// have such a name, because fields of its names are removed from inbound mail.
const FOREIGN_FIELDS: [&str; 36] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Comments",
    "Keywords",
    "Received",
    "Return-Path",
    "Delivered-To",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Content-ID",
    "Content-Description",
    "Auto-Submitted",
    "Precedence",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Authentication-Results",
    "Received-SPF",
    "DKIM-Signature",
    "ARC-Seal",
    "ARC-Message-Signature",
    "ARC-Authentication-Results",
    "X-Gatepost-Transaction",
    "X-Gatepost-Email-Id",
    "X-Gatepost-From-Account-Id",
];

fn check_headers(config: &Config, findings: &mut Findings) {
    let mut names = FirstOwner::default();
    for (key, name) in config.headers.named() {
        if FOREIGN_FIELDS
            .iter()
            .any(|other| name.as_str().eq_ignore_ascii_case(other))
        {
            findings.add(
                at!["headers", key],
                format!("{name} is not a field of ours to name so"),
                "fields of these names are taken out of inbound mail; choose a name of your own, such as \"X-Desk-Tags\"",
            );
        }
        if let Some(other) = names.claim(name, key) {
            findings.add(
                at!["headers", key],
                format!("{name} is already the field of `{other}`"),
                "give each a name of its own",
            );
        }
    }
}

fn check_accounts(config: &Config, findings: &mut Findings) {
    let mut ids = HashSet::new();
    let mut domains = FirstOwner::default();
    let mut users = FirstOwner::default();
    for (a, account) in config.accounts.iter().enumerate() {
        check_name(
            "account",
            &account.id,
            at!["account", a, "id"],
            &mut ids,
            findings,
        );
        for (d, domain) in account.domains.iter().enumerate() {
            if let Some(other) = domains.claim(domain, &account.id) {
                findings.add(
                    at!["account", a, "domains", d],
                    format!("the domain {domain} already belongs to account \"{other}\""),
                    "a domain belongs to one account; take it out of the other",
                );
            }
        }
        for (d, domain) in account.sending_domains.iter().enumerate() {
            if let Some(other) = domains.claim(domain, &account.id) {
                findings.add(
                    at!["account", a, "sending-domains", d],
                    format!("the domain {domain} already belongs to account \"{other}\""),
                    "a domain belongs to one account, which may send in the name of all its domains; take it out here",
                );
            }
        }
        let listed = account
            .addresses
            .as_ref()
            .map_or(&[][..], |of| of.domains());
        for (e, domain) in listed.iter().enumerate() {
            if !account.domains.contains(domain) {
                findings.add(
                    at!["account", a, "addresses", e],
                    format!("{domain} is not among the domains of account \"{}\"", account.id),
                    "the account receives at its domains alone; add it to them, or take the address out",
                );
            }
        }
        check_account_settings(config, a, findings);
        for (u, user) in account.users.iter().enumerate() {
            let name = &user.name;
            if name.is_empty() || name.len() > gatepost_sasl::LONGEST_NAME {
                findings.add(
                    at!["account", a, "users", u, "name"],
                    "nobody can log in by this name",
                    "a name has 1 to 255 octets, as SASLprep (RFC 4013) makes them",
                );
            }
            if let Some(other) = users.claim(name, &account.id) {
                findings.add(
                    at!["account", a, "users", u, "name"],
                    format!(
                        "the user \"{}\" already belongs to account \"{other}\"",
                        user.name
                    ),
                    "a user name says which account it submits for; choose another",
                );
            }
            if user.password.is_empty() {
                findings.add(
                    at!["account", a, "users", u, "password"],
                    format!("the user \"{}\" has an empty password", user.name),
                    "anybody could submit mail; set a long random one",
                );
            }
        }
    }
}

/// Maximum size of an account's settings for one policy, in bytes of JSON. Every call may read
/// them.
const MAX_ACCOUNT_SETTINGS: usize = 64 << 10;

fn check_account_settings(config: &Config, a: usize, findings: &mut Findings) {
    let account = &config.accounts[a];
    for (policy, settings) in &account.settings {
        let in_chain = |listener: &Listener| listener.chain.contains(policy);
        if config.policy(policy).is_none() && !config.listeners.iter().any(in_chain) {
            findings.add(
                at!["account", a, "settings", policy],
                format!(
                    "account \"{}\" sets something for a policy \"{policy}\", and there is none",
                    account.id
                ),
                "take the name of a [[policy]], or of a built-in one in a chain",
            );
        }
        let size = serde_json::to_string(settings).map_or(0, |json| json.len());
        if size > MAX_ACCOUNT_SETTINGS {
            findings.add(
                at!["account", a, "settings", policy],
                format!("what account \"{}\" sets for \"{policy}\" takes {size} bytes as JSON", account.id),
                format!("at most {MAX_ACCOUNT_SETTINGS} are handed to a policy; long lists belong in the directory"),
            );
        }
    }
    let mut domains = HashSet::new();
    for (f, known) in account.forwarders.iter().enumerate() {
        if !domains.insert(&known.domain) {
            findings.add(
                at!["account", a, "forwarders", f, "domain"],
                format!(
                    "account \"{}\" names the forwarders of {} twice",
                    account.id, known.domain
                ),
                "put them into one table",
            );
        }
    }
}

fn check_certificates(config: &Config, findings: &mut Findings) {
    let further = config.tls.as_ref().map_or(0, |tls| tls.further.len());
    if further > RelayTls::MOST_FURTHER {
        findings.add(
            at!["tls", "further"],
            format!("{further} further certificates are too many"),
            format!(
                "keep {} at most: a certificate may have several names",
                RelayTls::MOST_FURTHER
            ),
        );
    }
}

fn check_acme(config: &Config, findings: &mut Findings) {
    let Some(acme) = &config.acme else { return };
    findings.0.extend(acme.problems());
    let has_tls_page = (config.handover.as_ref()).is_some_and(|page| page.tls == HttpTls::Implicit)
        || (config.api.as_ref())
            .is_some_and(|api| api.listen.is_some() && api.tls() == HttpTls::Implicit);
    let Some(listen) = acme.listen else {
        match acme.challenge {
            ChallengeKind::Http01 => findings.add(
                at!["acme", "listen"],
                "nothing answers the certificate authority over HTTP",
                "set listen = \"0.0.0.0:80\": the authority looks at port 80 of each name",
            ),
            ChallengeKind::TlsAlpn01 if !has_tls_page => findings.add(
                at!["acme", "listen"],
                "nothing answers the certificate authority over TLS",
                "set listen = \"0.0.0.0:443\": the authority looks at port 443 of each name",
            ),
            ChallengeKind::TlsAlpn01 => {}
        }
        return;
    };
    let listeners = config.listeners.iter().map(|of| of.address);
    let monitors = config.http.iter().map(|of| of.address);
    let page = config.handover.iter().map(|of| of.address);
    let api = config.api.iter().filter_map(|of| of.listen);
    let mut others = listeners.chain(monitors).chain(page).chain(api);
    if let Some(other) = others.find(|other| overlap(*other, listen)) {
        findings.add(
            at!["acme", "listen"],
            format!("{listen} overlaps with {other}, on which the relay listens already"),
            "give challenges an address of their own; those of tls-alpn-01 are answered on every \
             address with TLS, without listen",
        );
    }
}

fn check_listeners(config: &Config, findings: &mut Findings) {
    if config.listeners.is_empty() {
        findings.add(
            [],
            "there is no [[listener]]",
            "the relay takes mail on listeners only; add one with name, address and direction",
        );
    }
    let mut names = HashSet::new();
    let mut unreserved = config.limits.connections;
    for (l, listener) in config.listeners.iter().enumerate() {
        check_name(
            "listener",
            &listener.name,
            at!["listener", l, "name"],
            &mut names,
            findings,
        );
        let before = config.listeners[..l].iter();
        let mut before = before.map(|other| (other.address, &other.name));
        if let Some((address, other)) = before.find(|(a, _)| overlap(*a, listener.address)) {
            findings.add(
                at!["listener", l, "address"],
                match address == listener.address {
                    true => format!("{address} is already the address of listener \"{other}\""),
                    false => format!(
                        "{} overlaps with {address} of listener \"{other}\": the system lets only one of them be listened on",
                        listener.address
                    ),
                },
                "give each listener an address of its own",
            );
        }
        if let Some(http) = &config.http
            && overlap(http.address, listener.address)
        {
            findings.add(
                at!["listener", l, "address"],
                format!(
                    "{} overlaps with {}, where [http] answers monitors",
                    listener.address, http.address
                ),
                "give each an address of its own",
            );
        }
        let reserved = listener.reserved_connections.unwrap_or(0);
        match unreserved.checked_sub(reserved) {
            Some(left) => unreserved = left,
            None => findings.add(
                at!["listener", l, "reserved-connections"],
                format!(
                    "listener \"{}\" reserves {reserved} connections, and of the {} in [limits] only {unreserved} are left",
                    listener.name, config.limits.connections
                ),
                "reserve fewer, or raise connections in [limits]",
            ),
        }
        check_tls(config, l, findings);
        check_chain(config, l, findings);
    }
}

/// Checks that links to attachments lead somewhere.
fn check_links(config: &Config, findings: &mut Findings) {
    for (name, endpoint) in &config.written_endpoints {
        if endpoint.attachments == Some(AttachmentForm::Url) && config.handover.is_none() {
            findings.add(
                at!["endpoint", name, "attachments"],
                format!("endpoint {name}: nothing serves the links to attachments"),
                "add the table [handover], whose server has them below its `url`",
            );
        }
    }
}

fn check_handover(config: &Config, findings: &mut Findings) {
    check_links(config, findings);
    let Some(handover) = &config.handover else {
        return;
    };
    if handover.tls == HttpTls::Implicit && !config.has_certificate() {
        findings.add(
            at!["handover", "tls"],
            "the page of handovers speaks TLS, and there is no certificate",
            "add [tls] with certificate and key, or [acme], or set tls = \"none\" behind a proxy that speaks TLS",
        );
    }
    let listeners = config.listeners.iter().map(|of| of.address);
    let mut others = listeners.chain(config.http.iter().map(|of| of.address));
    if let Some(other) = others.find(|other| overlap(*other, handover.address)) {
        findings.add(
            at!["handover", "address"],
            format!(
                "{} overlaps with {other}, on which the relay listens already",
                handover.address
            ),
            "give the page an address of its own",
        );
    }
}

fn check_api(config: &Config, findings: &mut Findings) {
    let Some(api) = &config.api else {
        return;
    };
    let Some(listen) = api.listen else {
        match &api.socket {
            Some(_) if api.tls == Some(HttpTls::Implicit) => findings.add(
                at!["api", "tls"],
                "a socket in the file system speaks no TLS",
                "leave tls out, or give an address with listen",
            ),
            Some(_) => {}
            None => findings.add(
                at!["api"],
                "the API has neither an address nor a socket",
                "set listen = \"127.0.0.1:8025\", or socket to a path",
            ),
        }
        return;
    };
    if api.socket.is_some() {
        findings.add(
            at!["api", "socket"],
            "the API has an address and a socket",
            "leave out one of listen and socket",
        );
    }
    if api.tls() == HttpTls::Implicit && !config.has_certificate() {
        findings.add(
            at!["api", "listen"],
            "the API speaks TLS, and there is no certificate",
            "add [tls] with certificate and key, or [acme], listen on a loopback address, or set tls = \"none\" \
             behind a proxy that speaks TLS",
        );
    }
    let listeners = config.listeners.iter().map(|of| of.address);
    let monitors = config.http.iter().map(|of| of.address);
    let page = config.handover.iter().map(|of| of.address);
    let mut others = listeners.chain(monitors).chain(page);
    if let Some(other) = others.find(|other| overlap(*other, listen)) {
        findings.add(
            at!["api", "listen"],
            format!("{listen} overlaps with {other}, on which the relay listens already"),
            "give the API an address of its own",
        );
    }
}

fn check_tls(config: &Config, l: usize, findings: &mut Findings) {
    let listener = &config.listeners[l];
    if !listener.auth && listener.direction == Direction::Submission {
        findings.add(
            at!["listener", l, "auth"],
            format!(
                "listener \"{}\" takes submissions and lets nobody log in",
                listener.name
            ),
            "leave auth out, or set direction to \"inbound\"",
        );
    }
    if listener.tls == ListenerTls::None {
        if listener.direction == Direction::Submission {
            findings.add(
                at!["listener", l, "tls"],
                format!("listener \"{}\" takes submissions without TLS, so nobody could log in", listener.name),
                "passwords are taken under TLS only; set tls to \"implicit\" or \"required-starttls\"",
            );
        }
    } else if !config.has_certificate() {
        findings.add(
            at!["listener", l, "tls"],
            format!(
                "listener \"{}\" speaks TLS, and there is no certificate",
                listener.name
            ),
            "add [tls] with certificate and key, or [acme], or set tls = \"none\"",
        );
    }
}

fn check_chain(config: &Config, l: usize, findings: &mut Findings) {
    let mut asked = HashSet::new();
    for (c, policy) in config.listeners[l].chain.iter().enumerate() {
        if !asked.insert(policy) {
            findings.add(
                at!["listener", l, "chain", c],
                format!("the policy \"{policy}\" is in this chain twice"),
                "a chain asks each policy once; configure a second [[policy]] if it should",
            );
        }
        if config.policy(policy).is_none() && builtin::module(policy).is_none() {
            findings.add(
                at!["listener", l, "chain", c],
                format!("there is no policy \"{policy}\""),
                format!(
                    "a chain names a [[policy]] of this file or a built-in one ({})",
                    builtin::NAMES.join(", ")
                ),
            );
        }
    }
}

fn check_policies(config: &Config, findings: &mut Findings) {
    let mut names = HashSet::new();
    for (p, policy) in config.policies.iter().enumerate() {
        check_name(
            "policy",
            &policy.name,
            at!["policy", p, "name"],
            &mut names,
            findings,
        );
        if policy.name == BY_RELAY {
            findings.add(
                at!["policy", p, "name"],
                "\"relay\" names what the relay itself says of a message",
                "in trace, queue and reasons nobody could tell the two apart: choose another name",
            );
        }
        match (&policy.builtin, &policy.file) {
            (None, None) if config.relay.policies.is_some() => {}
            (Some(_), Some(_)) | (None, None) => findings.add(
                at!["policy", p],
                format!("policy \"{}\" needs either builtin or file", policy.name),
                "builtin = \"NAME\" takes a module that comes with the relay, file = \"PATH\" one of your own",
            ),
            (Some(module), None) if builtin::module(module).is_none() => findings.add(
                at!["policy", p, "builtin"],
                format!("there is no built-in policy \"{module}\""),
                format!("the built-in policies are {}", builtin::NAMES.join(", ")),
            ),
            _ => {}
        }
        // Any other policy is told by a fault at its first next hop; this one shows it beforehand.
        if policy.builtin.as_deref() == Some("outbound-route")
            && !policy.grants.contains(&Grant::NextHop)
            && names_key(&policy.settings, "next-hop")
        {
            findings.add(
                at!["policy", p, "settings"],
                format!(
                    "policy \"{}\" names a next hop without the grant",
                    policy.name
                ),
                "add grants = [\"next-hop\"], or name a connection",
            );
        }
        if policy.deadline.is_zero() {
            findings.add(
                at!["policy", p, "deadline"],
                format!("policy \"{}\" has no time to run", policy.name),
                "set a deadline above zero, such as \"50ms\"",
            );
        }
        for (t, test) in policy.self_tests.iter().enumerate() {
            const WORDS: [&str; 6] = [
                "pass",
                "accept",
                "reject",
                "tempfail",
                "discard",
                "quarantine",
            ];
            if !WORDS.contains(&test.expect.as_str()) {
                findings.add(
                    at!["policy", p, "self-test", t, "expect"],
                    format!("`{}` is not a verdict", test.expect),
                    format!("a verdict is one of {}", WORDS.join(", ")),
                );
            }
        }
    }
}

/// Returns true if an object anywhere in a value has this key.
fn names_key(value: &serde_json::Value, key: &str) -> bool {
    match value {
        serde_json::Value::Object(members) => {
            members.contains_key(key) || members.values().any(|value| names_key(value, key))
        }
        serde_json::Value::Array(items) => items.iter().any(|value| names_key(value, key)),
        _ => false,
    }
}

fn check_egress(config: &Config, findings: &mut Findings) {
    let mut names = HashSet::new();
    for (name, pool) in &config.egress {
        let at = || [Step::from("egress"), Step::from(name)];
        check_name("pool", name, at(), &mut names, findings);
        if pool.addresses.is_empty() || pool.addresses.iter().any(|at| at.is_unspecified()) {
            findings.add(
                at(),
                format!("the pool \"{name}\" has no address, or one that stands for all"),
                "write addresses of this machine, such as addresses = [\"192.0.2.1\"]",
            );
        }
    }
    for (name, draft) in &config.connections {
        if let Some(pool) = draft
            .egress
            .as_ref()
            .filter(|pool| !config.egress.contains_key(*pool))
        {
            findings.add(
                [
                    Step::from("connection"),
                    Step::from(&name.to_string()),
                    Step::from("egress"),
                ],
                format!("there is no pool \"{pool}\""),
                "add [egress.NAME] with its addresses",
            );
        }
    }
}

fn check_routes(config: &Config, findings: &mut Findings) {
    let mut names = HashSet::new();
    let targets = [
        ("lmtp", config.lmtp.keys().collect::<Vec<_>>()),
        ("endpoint", config.written_endpoints.keys().collect()),
        ("maildir", config.maildirs.keys().collect()),
    ];
    for (table, of) in targets {
        names.clear();
        for name in of {
            let at = [Step::from(table), Step::from(name)];
            check_name(table, name, at, &mut names, findings);
        }
    }
    let routes = &config.routes;
    if config.delivery.default_route.is_some()
        && routes.inbound.is_some()
        && routes.submission.is_some()
    {
        findings.add(
            at!["delivery", "default-route"],
            "default-route has no effect, since [routes] has one for each direction",
            "take it out",
        );
    }
    for (key, route) in [
        ("inbound", &routes.inbound),
        ("submission", &routes.submission),
    ] {
        let Some(route) = route else { continue };
        let has_connection = |name: &str| {
            let mut names = config.connections.keys();
            names.any(|known| known.as_str() == name)
        };
        let missing = match route.way() {
            Way::Connection(name) if !has_connection(name) => Some(("connection", name)),
            Way::Lmtp(name) if !config.lmtp.contains_key(name) => Some(("lmtp", name)),
            Way::Http(name) if !config.written_endpoints.contains_key(name) => {
                Some(("endpoint", name))
            }
            Way::Maildir(name) if !config.maildirs.contains_key(name) => Some(("maildir", name)),
            _ => None,
        };
        if let Way::Connection(name) = route.way()
            && key == "submission"
            && let Some((name, draft)) = config
                .connections
                .iter()
                .find(|(of, _)| of.as_str() == name)
            && draft.fall_back_after.is_some()
        {
            findings.add(
                [
                    Step::from("connection"),
                    Step::from(&name.to_string()),
                    Step::from("fall-back-after"),
                ],
                format!("the connection {name} would fall back to itself"),
                "name another default route for submissions, or leave fall-back-after out",
            );
        }
        if let Some((table, name)) = missing {
            findings.add(
                at!["routes", key],
                format!("there is no [{table}.{name}]"),
                format!("add it, or name another {table}"),
            );
        }
        if let Some(pool) = route
            .egress()
            .filter(|pool| !config.egress.contains_key(*pool))
        {
            findings.add(
                at!["routes", key],
                format!("there is no pool \"{pool}\""),
                "add [egress.NAME] with its addresses",
            );
        }
    }
}

fn check_delivery(config: &Config, findings: &mut Findings) {
    let delivery = &config.delivery;
    if delivery.retry.iter().any(|wait| wait.is_zero()) || delivery.retry.is_empty() {
        findings.add(
            at!["delivery", "retry"],
            "the waits between attempts must be above zero, and at least one",
            "such as retry = [\"1m\", \"5m\", \"15m\", \"1h\"]",
        );
    }
    if !(0.0..=1.0).contains(&delivery.jitter) {
        findings.add(
            at!["delivery", "jitter"],
            format!("{} is not a fraction", delivery.jitter),
            "set jitter between 0 and 1; 0.1 moves a wait by up to a tenth of it",
        );
    }
    for (key, number) in [
        ("messages-in-flight", delivery.messages_in_flight),
        (
            "connections-per-next-hop",
            delivery.connections_per_next_hop,
        ),
    ] {
        if number == 0 {
            findings.add(
                at!["delivery", key],
                format!("{key} is 0, so nothing would be delivered"),
                "set it to at least 1",
            );
        }
    }
}

/// Checks that reports are taken for as long as the relay itself tries mail that may leave by MX:
/// that of a connection does where the connection falls back.
fn check_return_path(config: &Config, findings: &mut Findings) {
    let connections = config.connections.values();
    let fall_back = connections.filter(|draft| draft.fall_back_after.is_some());
    let longest = fall_back
        .filter_map(|draft| Some(draft.expiry?.0))
        .fold(config.delivery.expiry, Duration::max);
    let life = config.return_path.life;
    if life < longest {
        findings.add(
            at!["return-path", "life"],
            format!(
                "life is {} seconds, and mail is tried for up to {}",
                life.as_secs(),
                longest.as_secs()
            ),
            "a report on mail that left late would be refused; allow some days more than the \
             longest expiry, since other servers try for days, too",
        );
    }
}

fn check_suppression(config: &Config, findings: &mut Findings) {
    let (failures, most) = (config.suppression.soft_failures, Suppression::MOST_COUNTED);
    if failures > most {
        findings.add(
            at!["suppression", "soft-failures"],
            format!("soft-failures is {failures}, and no more than {most} are counted"),
            "0 counts none; 5 is the default",
        );
    }
}

/// Checks a name that stands in metrics, file names and commands: short, plain and unique.
fn check_name<'a>(
    what: &str,
    name: &'a str,
    at: impl IntoIterator<Item = Step>,
    taken: &mut HashSet<&'a str>,
    findings: &mut Findings,
) {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !(1..=64).contains(&name.len()) || !name.chars().all(plain) {
        findings.add(
            at,
            format!("`{name}` cannot name a {what}"),
            "take 1 to 64 letters, digits, hyphens, underscores and dots",
        );
    } else if !taken.insert(name) {
        findings.add(
            at,
            format!("there are two of the name \"{name}\" among the {what} sections"),
            "give each a name of its own",
        );
    }
}

/// First owner of each thing.
struct FirstOwner<'a, T>(HashMap<T, &'a str>);

impl<T> Default for FirstOwner<'_, T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<'a, T: Eq + Hash> FirstOwner<'a, T> {
    /// Claims a thing for `owner`. Returns the other owner if it has one already.
    fn claim(&mut self, thing: T, owner: &'a str) -> Option<&'a str> {
        match self.0.entry(thing) {
            std::collections::hash_map::Entry::Occupied(entry) => Some(*entry.get()),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(owner);
                None
            }
        }
    }
}
