//! Runs the policy natively on a message with given facts.

use gatepost_sdk::directory::{Forwarders, ReceivingDomain};
use gatepost_sdk::native::Given;
use gatepost_sdk::*;
use inbound_auth::{InboundAuth, Settings};

/// Header fields, top to bottom.
pub struct Mail(pub Vec<(&'static str, &'static str)>);

impl Message for Mail {
    fn header(&self, name: &str) -> Option<String> {
        self.headers_named(name).into_iter().next()
    }
    fn headers_named(&self, name: &str) -> Vec<String> {
        let named = self
            .0
            .iter()
            .filter(|(its, _)| its.eq_ignore_ascii_case(name));
        named.map(|(_, value)| (*value).to_owned()).collect()
    }
    fn count(&self, name: &str) -> u32 {
        self.headers_named(name).len() as u32
    }
    fn headers(&self) -> Vec<(String, String)> {
        let all = self.0.iter();
        all.map(|(name, value)| ((*name).into(), (*value).into()))
            .collect()
    }
    fn header_size(&self) -> u64 {
        self.header_chunk(0, u32::MAX).len() as u64
    }
    fn body_size(&self) -> u64 {
        0
    }
    fn body_chunk(&self, _: u64, _: u32) -> Vec<u8> {
        Vec::new()
    }
}

/// Facts of a relay that has never seen or counted anything.
struct NoFacts;

impl Facts for NoFacts {
    fn now(&self) -> u64 {
        0
    }
    fn counted(&self, _: &str, _: u32) -> u64 {
        0
    }
    fn seen(&self, _: &str) -> bool {
        false
    }
    fn log(&self, _: Level, _: &str) {}
}

/// Result of the policy.
#[derive(Debug)]
pub struct Judged {
    pub verdict: Verdict,
    pub tags: Vec<String>,
    pub refused: Vec<String>,
    pub headers: Vec<(String, String)>,
    pub reasons: Vec<String>,
}

impl Judged {
    /// Returns the code of a refusal, or 250.
    pub fn code(&self) -> u16 {
        match &self.verdict {
            Verdict::Reject(reply) | Verdict::Tempfail(reply) => reply.code,
            _ => 250,
        }
    }
}

/// A message on its way in, from `a@author.example` to `help@acme.desk.example`.
pub struct Scene {
    pub given: Given,
    pub client: &'static str,
    pub mail: Mail,
    pub recipients: Vec<&'static str>,
    pub settings: &'static str,
}

impl Default for Scene {
    fn default() -> Self {
        let authors = vec![author("Ann Author", "a@author.example")];
        let authentication = Authentication {
            authors,
            dmarc: DmarcResult {
                domain: "author.example".into(),
                ..DmarcResult::default()
            },
            ..Authentication::default()
        };
        let native = domain(
            "acme.desk.example",
            DomainKind::Native,
            DomainState::Verified,
        );
        let mut given = Given {
            authentication,
            ..Given::default()
        };
        given.directory.destinations = [("help@acme.desk.example".into(), native)].into();
        Self {
            given,
            client: "192.0.2.1",
            mail: Mail(Vec::new()),
            recipients: vec!["help@acme.desk.example"],
            settings: "{}",
        }
    }
}

impl Scene {
    /// Creates a message to a support address of a connected domain.
    pub fn to(kind: DomainKind, state: DomainState) -> Self {
        let mut scene = Self::default();
        let connected = domain("customer.example", kind, state);
        scene
            .given
            .directory
            .destinations
            .insert("help@customer.example".into(), connected);
        scene.recipients = vec!["help@customer.example"];
        scene
    }

    pub fn with(mut self, change: impl FnOnce(&mut Authentication)) -> Self {
        change(&mut self.given.authentication);
        self
    }

    /// Lets the client log in with a credential of this scope.
    pub fn logged_in(mut self, scope: CredentialScope) -> Self {
        self.given.user = Some("relay".into());
        self.given.directory.credential = Some(scope);
        self
    }

    pub fn settings(mut self, json: &'static str) -> Self {
        self.settings = json;
        self
    }

    pub fn judge(self) -> Judged {
        let settings: Settings = serde_json::from_str(self.settings).unwrap();
        let policy = InboundAuth::new(settings).unwrap();
        let _given = Given {
            client: self.client.parse().ok(),
            mail_from: "a@author.example".into(),
            ..self.given
        }
        .give();
        let transaction = Transaction {
            id: "01a205c8-4a6d-7197-a384-e4530d18471c".into(),
            session: Session {
                listener: "mx".into(),
                flow: Flow::Inbound,
                transport: Transport::Smtp,
                client: Some(ClientAddress {
                    ip: self.client.into(),
                    port: 4711,
                }),
                helo: Some("client.example".into()),
                tls: None,
                user: None,
            },
            account: Some("acme".into()),
            mail_from: "a@author.example".into(),
            recipients: self.recipients.iter().map(|to| (*to).into()).collect(),
        };
        let mut decision = Decision::default();
        let verdict = policy.message(&transaction, &self.mail, &NoFacts, &mut decision);
        let mut outcome = Judged {
            verdict,
            tags: Vec::new(),
            refused: Vec::new(),
            headers: Vec::new(),
            reasons: Vec::new(),
        };
        for action in decision.actions() {
            match action.clone() {
                Action::Tag(tag) => outcome.tags.push(tag),
                Action::JudgeRecipient(to, _) => outcome.refused.push(to),
                Action::SetHeader(name, value) => outcome.headers.push((name, value)),
                Action::Reason(reason) => outcome.reasons.push(reason),
                _ => {}
            }
        }
        outcome
    }
}

pub fn author(name: &str, address: &str) -> Author {
    Author {
        name: name.into(),
        address: address.into(),
    }
}

pub fn domain(domain: &str, kind: DomainKind, state: DomainState) -> ReceivingDomain {
    ReceivingDomain {
        domain: domain.into(),
        kind,
        state,
        forwarders: Forwarders {
            networks: vec!["203.0.113.0/24".into()],
            dkim_domains: vec!["forwarder.example".into()],
            arc_sealers: vec!["sealer.example".into()],
        },
        by_target: false,
    }
}

/// Makes DMARC fail, with this policy of the author's domain.
pub fn dmarc_fails(applied: DmarcPolicy) -> impl FnOnce(&mut Authentication) {
    move |proved| {
        proved.dmarc.result = Outcome::Fail;
        proved.dmarc.policy = Some(applied);
        proved.dmarc.applied = Some(applied);
    }
}

/// Returns a valid ARC chain with one seal that states that DMARC passed for that author.
pub fn sealed_by(sealer: &str, author: &str) -> ArcResult {
    ArcResult {
        result: Outcome::Pass,
        instances: 1,
        sealer: sealer.into(),
        sets: vec![ArcSet {
            instance: 1,
            sealer: sealer.into(),
            dmarc: Some(Outcome::Pass),
            dmarc_from: Some(author.into()),
            ..ArcSet::default()
        }],
        ..ArcResult::default()
    }
}
