//! What the authority knows.

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use super::authority::Authority;
use super::jws::AccountKey;

/// OrderRefusal of an order.
#[derive(Debug, Clone)]
pub(super) struct OrderRefusal {
    /// Type of the problem, without its prefix.
    pub(super) problem: String,
    /// Wait in seconds.
    pub(super) retry_after: Option<u64>,
}

/// Account of a client.
#[derive(Debug, Clone)]
pub(super) struct AcmeAccount {
    pub(super) key: AccountKey,
    pub(super) contact: Vec<String>,
}

/// Name that an order proves.
#[derive(Debug, Clone)]
pub(super) struct NameToProve {
    pub(super) name: String,
    pub(super) token: String,
    /// True once it is proved, and the reason where it could not be.
    pub(super) proved: Option<Result<(), String>>,
}

/// Order of a certificate.
#[derive(Debug, Clone)]
pub(super) struct AcmeOrder {
    pub(super) account: usize,
    pub(super) names: Vec<NameToProve>,
    /// Chain in PEM.
    pub(super) chain: Option<String>,
}

/// State of the authority.
#[derive(Debug, Clone)]
pub(super) struct AcmeState {
    /// URL without a path.
    pub(super) base: String,
    pub(super) authority: Authority,
    pub(super) nonces: BTreeSet<String>,
    pub(super) given: u64,
    pub(super) accounts: Vec<AcmeAccount>,
    pub(super) orders: Vec<AcmeOrder>,
    pub(super) requests: Vec<String>,
    pub(super) names_lead_to: Option<SocketAddr>,
    pub(super) life: Duration,
    pub(super) refusals: VecDeque<OrderRefusal>,
    pub(super) spoil_nonce: bool,
    pub(super) down: bool,
    /// Certificates in DER.
    pub(super) issued: Vec<Vec<u8>>,
}

impl AcmeState {
    pub(super) fn new(base: String) -> Self {
        Self {
            base,
            authority: Authority::make(),
            nonces: BTreeSet::new(),
            given: 0,
            accounts: Vec::new(),
            orders: Vec::new(),
            requests: Vec::new(),
            names_lead_to: None,
            life: Duration::from_secs(90 * 86_400),
            refusals: VecDeque::new(),
            spoil_nonce: false,
            down: false,
            issued: Vec::new(),
        }
    }

    /// Gives out a nonce.
    pub(super) fn nonce(&mut self) -> String {
        self.given += 1;
        let nonce = format!("nonce-{}", self.given);
        self.nonces.insert(nonce.clone());
        nonce
    }

    /// Returns an order as clients see it.
    pub(super) fn order(&self, number: usize) -> Value {
        let (base, order) = (&self.base, &self.orders[number]);
        let has = |is: fn(&Result<(), String>) -> bool| {
            let mut names = order.names.iter();
            names.any(|name| name.proved.as_ref().is_some_and(is))
        };
        let status = match &order.chain {
            Some(_) => "valid",
            None if has(Result::is_err) => "invalid",
            None if order.names.iter().all(|name| name.proved.is_some()) => "ready",
            None => "pending",
        };
        let identifiers = order.names.iter();
        let identifiers = identifiers.map(|of| json!({ "type": "dns", "value": of.name }));
        let proofs =
            (0..order.names.len()).map(|name| format!("{base}/authorization/{number}/{name}"));
        let mut shown = json!({
            "status": status,
            "identifiers": identifiers.collect::<Vec<_>>(),
            "authorizations": proofs.collect::<Vec<_>>(),
            "finalize": format!("{base}/finalize/{number}"),
        });
        if order.chain.is_some() {
            shown["certificate"] = format!("{base}/certificate/{number}").into();
        }
        shown
    }

    /// Returns an authorization as clients see it.
    pub(super) fn authorization(&self, order: usize, number: usize) -> Value {
        let of = &self.orders[order].names[number];
        let status = match &of.proved {
            None => "pending",
            Some(Ok(())) => "valid",
            Some(Err(_)) => "invalid",
        };
        let challenges = ["http-01", "tls-alpn-01"];
        json!({
            "status": status,
            "identifier": { "type": "dns", "value": of.name },
            "challenges": challenges.map(|kind| self.challenge(order, number, kind)),
        })
    }

    /// Returns a challenge as clients see it.
    pub(super) fn challenge(&self, order: usize, number: usize, kind: &str) -> Value {
        let of = &self.orders[order].names[number];
        let mut challenge = json!({
            "type": kind,
            "url": format!("{}/challenge/{order}/{number}/{kind}", self.base),
            "token": of.token,
            "status": match &of.proved {
                None => "pending",
                Some(Ok(())) => "valid",
                Some(Err(_)) => "invalid",
            },
        });
        if let Some(Err(reason)) = &of.proved {
            challenge["error"] = problem_of("unauthorized", reason);
        }
        challenge
    }
}

fn problem_of(kind: &str, detail: &str) -> Value {
    json!({ "type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail })
}

/// Answer to a request.
#[derive(Debug)]
pub(super) struct AcmeAnswer {
    pub(super) status: &'static str,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl AcmeAnswer {
    pub(super) fn json(status: &'static str, body: &Value) -> Self {
        Self {
            status,
            fields: vec![("Content-Type", "application/json".to_owned())],
            body: body.to_string(),
        }
    }

    pub(super) fn problem(status: &'static str, kind: &str, detail: &str) -> Self {
        Self {
            status,
            fields: vec![("Content-Type", "application/problem+json".to_owned())],
            body: problem_of(kind, detail).to_string(),
        }
    }

    pub(super) fn with(mut self, field: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((field, value.into()));
        self
    }

    pub(super) fn write(self, mut stream: TcpStream) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {}\r\nConnection: close\r\n", self.status);
        for (field, value) in &self.fields {
            head += &format!("{field}: {value}\r\n");
        }
        write!(
            stream,
            "{head}Content-Length: {}\r\n\r\n{}",
            self.body.len(),
            self.body
        )?;
        stream.flush()
    }
}
