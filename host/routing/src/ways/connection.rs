//! Sessions through a connection: where they lead, who logs in, and what the server's replies say
//! of the connection.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use gatepost_certificates::{ClientIdentity, Pin, Trust, TrustError, private_roots, trusted_roots};
use gatepost_connections::{
    AT_ITS_LIMITS, Connection, ConnectionStanding, ConnectionState, ConnectionStates,
    ConnectionTrouble, DialogueStage, FoundConnection, IN_TROUBLE, May, ReplyClass, ServerTrust,
    SessionFailure, Stops,
};
use gatepost_delivery::open::{LoginSource, Opening, OpeningFailure};
use gatepost_delivery::{FindServers, Finding, NoSession, OpeningTerms, Stop, Tls, Watch};
use gatepost_guard::{Guard, NotReachable};
use gatepost_message::{Address, Millis, domain_to_ascii};
use gatepost_model::Protocol;
use gatepost_smtp::Reply;
use gatepost_smtp::client::{EhloName, OpeningStage, Stage};

use super::FallsBack;

/// Wait of mail whose reply names none and has no schedule of its own.
const WAIT: Duration = Duration::from_secs(5 * 60);

/// Server of a connection.
pub(super) struct ConnectionServer {
    pub(super) found: FoundConnection,
    /// Guard over the host; none for the site's own connections, which may lead anywhere.
    pub(super) guard: Option<Guard>,
    /// Connectors of its own certificates; none where it trusts as the relay does.
    pub(super) tls: Option<Tls>,
    /// Name in EHLO, where it is not the relay's.
    pub(super) ehlo_name: Option<EhloName>,
    /// Addresses from which the relay connects.
    pub(super) egress: Vec<IpAddr>,
    /// Log-in.
    pub(super) login: Option<LoginSource>,
}

impl FindServers for ConnectionServer {
    fn find<'a>(&'a self, terms: &'a OpeningTerms) -> Finding<'a> {
        Box::pin(async {
            let connection = &self.found.connection;
            Ok(vec![Opening {
                host: domain_to_ascii(&connection.host).unwrap_or_default(),
                port: connection.port,
                addresses: (self.addresses(terms).await).map_err(NoSession::NotOpened)?,
                protocol: Protocol::Smtp,
                mode: connection.tls,
                tls: self.tls.clone().unwrap_or_else(|| terms.tls.clone()),
                ehlo_name: match &self.ehlo_name {
                    Some(name) => name.clone(),
                    None => terms.ehlo_name.clone(),
                },
                egress: self.egress.clone(),
                login: self.login.clone(),
                timeouts: terms.timeouts,
                transcript: None,
            }])
        })
    }
}

impl ConnectionServer {
    /// Resolves the host. A customer's may not lead into the relay's own network, and what was
    /// checked is what is connected to.
    async fn addresses(&self, terms: &OpeningTerms) -> Result<Vec<SocketAddr>, OpeningFailure> {
        let connection = &self.found.connection;
        let (host, port) = (&*connection.host, connection.port);
        let unknown = |why: &str, permanent| {
            let why = format!("cannot look up the server of the connection: {why}");
            OpeningFailure::host_not_found(connection.server(), &why, permanent)
        };
        if let Some(guard) = &self.guard {
            let addresses = guard.resolve(host).await;
            let addresses = addresses.map_err(|why| {
                // Only the DNS may change its mind by itself.
                let permanent = !matches!(why, NotReachable::Unavailable(_));
                unknown(&why.to_string(), permanent)
            })?;
            return Ok(addresses
                .into_iter()
                .map(|ip| SocketAddr::new(ip, port))
                .collect());
        }
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let host = domain_to_ascii(host).ok_or_else(|| unknown("it is no domain name", true))?;
        let looking = tokio::net::lookup_host((host.as_str(), port));
        match tokio::time::timeout(terms.timeouts.lookup, looking).await {
            Ok(Ok(addresses)) => Ok(addresses.collect()),
            Ok(Err(error)) => Err(unknown(&error.to_string(), false)),
            Err(_) => Err(unknown("no answer in time", false)),
        }
    }
}

/// A connection whose settings cannot be used: no session through it begins.
pub(super) struct NoServer(pub(super) OpeningFailure);

impl FindServers for NoServer {
    fn find<'a>(&'a self, _: &'a OpeningTerms) -> Finding<'a> {
        Box::pin(async { Err(NoSession::NotOpened(self.0.clone())) })
    }
}

/// Keeper of a connection's state.
pub(super) struct ConnectionWatch {
    pub(super) states: Arc<ConnectionStates>,
    pub(super) found: FoundConnection,
    /// Time at which its mail leaves by another way, if it does.
    pub(super) falls_back: Option<FallsBack>,
}

impl Watch for ConnectionWatch {
    fn begin(&self, mailbox: Option<&Address>, recipients: u32, now: Millis) -> Result<(), Stop> {
        let limits = &self.found.connection.limits;
        let mailbox = mailbox.map(Address::as_str).unwrap_or_default();
        self.states.with(&self.found.key, |standing| {
            if let May::NotBefore(until) = standing.may_begin(now) {
                return Err(self.stop(standing.state(), until, now));
            }
            match standing.may_send(limits, mailbox, recipients, now) {
                May::Now => {
                    standing.sends(limits, mailbox, recipients, now);
                    Ok(())
                }
                May::NotBefore(until) => Err(Stop {
                    // Another mailbox may have leave.
                    whole: self.all_wait(standing, now).is_some(),
                    ..limited(until)
                }),
            }
        })
    }

    fn stopped(&self) -> Option<Stop> {
        let now = Millis::now();
        self.states.read(&self.found.key, |standing| {
            let state = standing.state();
            let Some(trouble) = state.trouble() else {
                return self.all_wait(standing, now).map(limited);
            };
            // Mail that falls back to another way does not wait.
            match self.falls_back_at(state).is_some_and(|at| at <= now) {
                true => None,
                false => Some(self.stop(state, trouble.next_probe, now)),
            }
        })
    }

    fn session_opened(&self, _: Millis) {
        self.states
            .with(&self.found.key, |standing| standing.session_opened());
    }

    fn session_refused(&self, why: &OpeningFailure, now: Millis) -> Stop {
        let words = words_of(why);
        let failure = SessionFailure {
            stage: stage_of_opening(why.stage),
            reply: why.reply.as_ref(),
            words: &words,
            is_permanent: why.permanent,
        };
        self.states.with(&self.found.key, |standing| {
            standing.session_refused(self.found.terms(), failure, now);
            let until = next_probe(standing.state(), now);
            self.stop(standing.state(), until, now)
        })
    }

    fn replaces_message_id(&self) -> bool {
        self.found.profile.message_id.is_some()
    }

    fn given_ids(&self, reply: &Reply) -> Vec<String> {
        let rule = self.found.profile.message_id.as_ref();
        rule.map_or_else(Vec::new, |rule| {
            rule.ids(&self.found.connection.host, reply)
        })
    }

    fn accepted(&self, now: Millis) {
        self.states
            .with(&self.found.key, |standing| standing.accepted(now));
    }

    fn replied(
        &self,
        stage: Stage,
        reply: &Reply,
        mailbox: Option<&Address>,
        now: Millis,
    ) -> Option<Stop> {
        let stage = match stage {
            Stage::Mail => DialogueStage::Mail,
            Stage::Recipient => DialogueStage::Recipient,
            Stage::Data | Stage::Message => DialogueStage::Data,
            Stage::Local => return None,
        };
        let mailbox = mailbox.map(Address::as_str).unwrap_or_default();
        self.states.with(&self.found.key, |standing| {
            let meaning = standing.replied(self.found.terms(), stage, reply, mailbox, now);
            let of_recipient = matches!(meaning.class, ReplyClass::Recipient | ReplyClass::Message);
            if meaning.stops == Stops::Message && of_recipient {
                return None;
            }
            // An ordinary deferral has the relay's own schedule.
            if meaning.stops == Stops::Message && meaning.wait.is_none() && reply.is_transient() {
                return None;
            }
            Some(match meaning.stops {
                Stops::Connection => {
                    let until = next_probe(standing.state(), now);
                    self.stop(standing.state(), until, now)
                }
                Stops::Mailbox | Stops::Message => Stop {
                    until: now + meaning.wait.map_or(WAIT, |wait| wait.0),
                    whole: false,
                    broken: matches!(meaning.class, ReplyClass::SetUp | ReplyClass::SenderMailbox),
                    reply: deferral(&reply.to_string()),
                },
            })
        })
    }
}

impl ConnectionWatch {
    /// Returns the time until which the limits of the connection let nothing leave, from whatever
    /// mailbox.
    fn all_wait(&self, standing: &ConnectionStanding, now: Millis) -> Option<Millis> {
        let limits = &self.found.connection.limits;
        if limits.per_mailbox {
            return None;
        }
        match standing.may_send(limits, "", 1, now) {
            May::Now => None,
            May::NotBefore(until) => Some(until),
        }
    }

    fn falls_back_at(&self, state: &ConnectionState) -> Option<Millis> {
        self.falls_back.and_then(|falls_back| falls_back.at(state))
    }

    /// Makes the stop of a connection in trouble. Mail that falls back sooner does not wait for the
    /// next probe.
    fn stop(&self, state: &ConnectionState, until: Millis, now: Millis) -> Stop {
        let words = state.trouble().map_or("", |trouble| &trouble.words);
        let falls_back = self.falls_back_at(state);
        Stop {
            until: falls_back.map_or(until, |at| until.min(at.max(now))),
            whole: true,
            broken: matches!(state, ConnectionState::Broken(_)),
            reply: deferral(words),
        }
    }
}

/// Makes the stop of a connection whose limits are reached.
fn limited(until: Millis) -> Stop {
    Stop {
        until,
        whole: true,
        broken: false,
        reply: Reply::new(451, "4.7.0", AT_ITS_LIMITS),
    }
}

/// Returns the reply with which mail of a connection waits. The server's words are bounded.
fn deferral(words: &str) -> Reply {
    // RFC 3463: X.3.2, system not accepting network messages.
    Reply::new(451, "4.3.2", format!("{IN_TROUBLE}{words}"))
}

fn next_probe(state: &ConnectionState, now: Millis) -> Millis {
    let next = |trouble: &ConnectionTrouble| trouble.next_probe;
    state.trouble().map_or(now + WAIT, next)
}

/// Returns the words for operators where a server has not replied.
pub(super) fn words_of(why: &OpeningFailure) -> String {
    match &why.reason {
        Some(reason) => reason.clone(),
        None => why.deferral.text().to_string(),
    }
}

pub(super) fn stage_of_opening(stage: OpeningStage) -> DialogueStage {
    match stage {
        OpeningStage::Connect => DialogueStage::Connect,
        OpeningStage::Tls => DialogueStage::Tls,
        OpeningStage::Greeting => DialogueStage::Greeting,
        OpeningStage::Ehlo => DialogueStage::Ehlo,
        OpeningStage::StartTls => DialogueStage::Starttls,
        OpeningStage::Auth => DialogueStage::Auth,
    }
}

/// Makes the demand on a server's certificate.
pub(super) fn trust(written: &ServerTrust) -> Result<Trust, TrustError> {
    Ok(match written {
        ServerTrust::Public => Trust::Roots(trusted_roots([])?),
        ServerTrust::Authority(pem) => Trust::Roots(private_roots(pem.as_bytes())?),
        ServerTrust::Pinned(keys) => Trust::Keys(keys.iter().map(|key| Pin::from(key.0)).collect()),
    })
}

/// Makes the connectors of a connection with certificates of its own.
pub(super) fn tls(connection: &Connection) -> Result<Tls, TrustError> {
    let own = connection.client_certificate.as_ref();
    let identity = own.map(|own| ClientIdentity {
        certificates: own.certificate.as_bytes(),
        key: own.key.reveal().as_bytes(),
    });
    Tls::new(trust(&connection.trust)?, identity)
}
