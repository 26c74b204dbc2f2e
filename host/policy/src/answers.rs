//! Answers to the look-ups of one call: kept as they are given, and given again.
//!
//! A call sees its transaction, its message, facts, and the answers to its look-ups of the memory, the
//! directory and the relay's identity. Only these answers change from one run to the next. So a call
//! repeats exactly where they are [kept](KeptAnswers) and [given again](GivenAnswers).

use std::fmt;
use std::sync::Arc;

use gatepost_contract::directory::{
    CredentialScope, Directory, DomainState, Partner, PartnerSource, ReceivingDomain,
};
use gatepost_contract::identity::Identity;
use gatepost_counters::Memory;
use gatepost_message::{Millis, TransactionId};
use gatepost_model::{Machine, Scope};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::memory::PolicyContext;

/// One look-up of a call, without its answer. The policy, the transaction and the time are the call's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookUp {
    /// Sum of a count in the last seconds.
    Counted(String, u32),
    /// Mark.
    Seen(String),
    /// Machine that writes to an account from an address.
    Machine(String, String),
    /// Domain at which an account receives mail for an address.
    Destination(String, String),
    /// The same for mail that came to the address's forwarding target.
    DestinationByTarget(String, String),
    /// Support address of an account.
    IsSupportAddress(String, String),
    /// Domain of an account's own.
    OwnDomain(String, String),
    /// Partner of an account.
    Partner(String, String),
    /// Knowledge of all addresses of an account.
    KnowsAddresses(String),
    /// Name of an account's product.
    Product(String),
    /// Credential of a user.
    Credential(String),
    /// Settings of an account for a policy.
    Settings(String, String),
    /// Name of the relay.
    HostName,
    /// Email id of the transaction.
    EmailId,
    /// Email id of this relay's own.
    IsOurs(String),
    /// Message-ID of a message of ours.
    OurMessageId(String),
}

impl fmt::Display for LookUp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counted(key, seconds) => write!(formatter, "count {key} in {seconds} s"),
            Self::Seen(key) => write!(formatter, "mark {key}"),
            Self::Machine(_, address) => write!(formatter, "machine {address}"),
            Self::Destination(_, address) => write!(formatter, "receiving domain of {address}"),
            Self::DestinationByTarget(_, address) => {
                write!(
                    formatter,
                    "receiving domain of {address}, by its forwarding target"
                )
            }
            Self::IsSupportAddress(_, address) => write!(formatter, "support address {address}"),
            Self::OwnDomain(_, domain) => write!(formatter, "own domain {domain}"),
            Self::Partner(_, address) => write!(formatter, "partner {address}"),
            Self::KnowsAddresses(_) => formatter.write_str("whether all addresses are known"),
            Self::Product(_) => formatter.write_str("product"),
            Self::Credential(user) => write!(formatter, "credential of {user}"),
            Self::Settings(..) => formatter.write_str("settings of the account"),
            Self::HostName => formatter.write_str("name of the relay"),
            Self::EmailId => formatter.write_str("email id"),
            Self::IsOurs(id) => write!(formatter, "email id {id}"),
            Self::OurMessageId(id) => write!(formatter, "Message-ID {id}"),
        }
    }
}

/// Answer to a look-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookUpAnswer {
    /// Sum of a count.
    Number(u64),
    /// Yes or no.
    Is(bool),
    /// Text, if there is one.
    Text(Option<String>),
    /// Machine, if it is one.
    Machine(Option<Machine>),
    /// Domain, if the address is the account's.
    Domain(Option<Box<ReceivingDomain>>),
    /// State of a domain, if it is the account's.
    State(Option<DomainState>),
    /// Source of a partner, if it is one, and whether its whole domain is.
    Partner(Option<(bool, PartnerSource)>),
    /// Scope of a credential, if it is valid.
    Scope(Option<CredentialScope>),
}

/// A look-up with its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered(pub LookUp, pub LookUpAnswer);

/// Octets of look-ups and answers that are kept of one call. A policy may ask for much more; what is not
/// kept is looked up anew in a replay, and named there.
const MOST_KEPT: usize = 256 << 10;

/// Look-ups without an answer that are named of one call.
const MOST_UNKNOWN: usize = 1_000;

/// Octets that are counted for an answer besides the texts of its look-up.
const ENTRY_COST: usize = 256;

/// Answers to the look-ups of one call, in the order in which it asked, up to a bound.
#[derive(Debug, Clone, Default)]
pub struct KeptAnswers(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    answers: Vec<Answered>,
    octets: usize,
}

impl LookUp {
    /// Returns the octets of its texts.
    fn octets(&self) -> usize {
        match self {
            Self::Counted(text, _)
            | Self::Seen(text)
            | Self::KnowsAddresses(text)
            | Self::Product(text)
            | Self::Credential(text)
            | Self::IsOurs(text)
            | Self::OurMessageId(text) => text.len(),
            Self::Machine(one, other)
            | Self::Destination(one, other)
            | Self::DestinationByTarget(one, other)
            | Self::IsSupportAddress(one, other)
            | Self::OwnDomain(one, other)
            | Self::Partner(one, other)
            | Self::Settings(one, other) => one.len() + other.len(),
            Self::HostName | Self::EmailId => 0,
        }
    }
}

impl Kept {
    fn add(&mut self, look_up: LookUp, answer: impl FnOnce() -> LookUpAnswer) {
        let octets = self.octets.saturating_add(look_up.octets() + ENTRY_COST);
        if octets <= MOST_KEPT {
            self.octets = octets;
            self.answers.push(Answered(look_up, answer()));
        }
    }
}

impl KeptAnswers {
    /// Returns sources that answer as these do, and keep their answers here.
    pub fn keeping(&self, sources: &PolicyContext) -> PolicyContext {
        PolicyContext::from_one(Arc::new(Keeping {
            sources: sources.clone(),
            kept: self.clone(),
        }))
    }

    /// Takes the answers kept so far.
    pub fn take(&self) -> Vec<Answered> {
        std::mem::take(&mut *self.0.lock()).answers
    }
}

/// Type of an answer of the sources' own.
trait KeptForm: Sized {
    fn kept(&self) -> LookUpAnswer;
    /// Returns `None` if the kept answer is one to another question.
    fn given(kept: &LookUpAnswer) -> Option<Self>;
}

macro_rules! answers {
    ($($answer:ty: $variant:ident |$value:ident| $kept:expr, $given:expr;)*) => {$(
        impl KeptForm for $answer {
            fn kept(&self) -> LookUpAnswer {
                let $value = self.clone();
                LookUpAnswer::$variant($kept)
            }

            fn given(kept: &LookUpAnswer) -> Option<Self> {
                let LookUpAnswer::$variant($value) = kept.clone() else {
                    return None;
                };
                $given
            }
        }
    )*};
}
answers! {
    u64: Number |value| value, Some(value);
    bool: Is |value| value, Some(value);
    String: Text |value| Some(value), value;
    Option<String>: Text |value| value, Some(value);
    Option<Machine>: Machine |value| value, Some(value);
    Option<ReceivingDomain>: Domain |value| value.map(Box::new), Some(value.map(|of| *of));
    Option<DomainState>: State |value| value, Some(value);
    Option<Partner>: Partner |value| value.map(|of| (of.by_domain, of.source)),
        Some(value.map(|(by_domain, source)| Partner { by_domain, source }));
    Option<CredentialScope>: Scope |value| value, Some(value);
}

/// Sources that put other sources between a call and its answers.
trait Between: Send + Sync {
    fn sources(&self) -> &PolicyContext;
    fn answer<A: KeptForm>(&self, look_up: LookUp, ask: impl FnOnce() -> A) -> A;
}

/// Sources whose answers are kept.
struct Keeping {
    sources: PolicyContext,
    kept: KeptAnswers,
}

impl Between for Keeping {
    fn sources(&self) -> &PolicyContext {
        &self.sources
    }

    fn answer<A: KeptForm>(&self, look_up: LookUp, ask: impl FnOnce() -> A) -> A {
        let answer = ask();
        self.kept.0.lock().add(look_up, || answer.kept());
        answer
    }
}

/// Answers that one call is given again. The same question asked again gets the next answer to it, if
/// there is one.
#[derive(Debug, Clone)]
pub struct GivenAnswers {
    own: Arc<Vec<Answered>>,
    others: Arc<[Arc<Vec<Answered>>]>,
    /// Positions in `own` of answers that were given.
    used: Arc<Mutex<Vec<usize>>>,
    unknown: Arc<Mutex<Vec<LookUp>>>,
}

impl GivenAnswers {
    /// Makes the answers of one call. `own` are those that this very call got; `others` are those of
    /// the other calls of its transaction, of which only answers of the directory and the identity
    /// are the same for each policy.
    pub fn new(own: Arc<Vec<Answered>>, others: Arc<[Arc<Vec<Answered>>]>) -> Self {
        Self {
            own,
            others,
            used: Arc::default(),
            unknown: Arc::default(),
        }
    }

    /// Returns sources that give these answers. What is not among them, the `present` sources answer.
    pub fn before(&self, present: &PolicyContext) -> PolicyContext {
        PolicyContext::from_one(Arc::new(Giving {
            present: present.clone(),
            given: self.clone(),
        }))
    }

    /// Returns the look-ups that were answered by the present sources.
    pub fn take_unknown(&self) -> Vec<LookUp> {
        std::mem::take(&mut *self.unknown.lock())
    }

    fn find<A: KeptForm>(&self, look_up: &LookUp) -> Option<A> {
        let mut used = self.used.lock();
        let known = self.own.iter().enumerate();
        let mut found = known.filter(|(_, Answered(known, _))| known == look_up);
        let last = self.own.iter().rposition(|of| of.0 == *look_up);
        let at = (found.find(|(at, _)| !used.contains(at))).map_or(last, |(at, _)| Some(at));
        if let Some(at) = at {
            used.push(at);
            return A::given(&self.own.get(at)?.1);
        }
        let is_of_policy = matches!(
            look_up,
            LookUp::Counted(..) | LookUp::Seen(_) | LookUp::Settings(..)
        );
        let others = self.others.iter().filter(|_| !is_of_policy);
        let mut others = others.flat_map(|of| of.iter());
        let other = others.find(|Answered(known, _)| known == look_up)?;
        A::given(&other.1)
    }
}

struct Giving {
    present: PolicyContext,
    given: GivenAnswers,
}

impl Between for Giving {
    fn sources(&self) -> &PolicyContext {
        &self.present
    }

    fn answer<A: KeptForm>(&self, look_up: LookUp, ask: impl FnOnce() -> A) -> A {
        if let Some(answer) = self.given.find(&look_up) {
            return answer;
        }
        let mut unknown = self.given.unknown.lock();
        if unknown.len() < MOST_UNKNOWN && !unknown.contains(&look_up) {
            unknown.push(look_up);
        }
        drop(unknown);
        ask()
    }
}

macro_rules! between {
    ($($sources:ty),*) => {$(
        impl Memory for $sources {
            fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64 {
                self.answer(LookUp::Counted(key.to_owned(), seconds), || self.sources().memory.counted(scope, key, seconds, now))
            }
            fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool {
                self.answer(LookUp::Seen(key.to_owned()), || self.sources().memory.seen(scope, key, now))
            }
            fn machine(&self, account: &str, address: &str, now: Millis) -> Option<Machine> {
                self.answer(LookUp::Machine(account.to_owned(), address.to_owned()), || self.sources().memory.machine(account, address, now))
            }
        }
        impl Directory for $sources {
            fn destination(&self, account: &str, address: &str) -> Option<ReceivingDomain> {
                self.answer(LookUp::Destination(account.to_owned(), address.to_owned()), || self.sources().directory.destination(account, address))
            }
            fn destination_by_target(&self, account: &str, address: &str) -> Option<ReceivingDomain> {
                self.answer(LookUp::DestinationByTarget(account.to_owned(), address.to_owned()), || self.sources().directory.destination_by_target(account, address))
            }
            fn is_support_address(&self, account: &str, address: &str) -> bool {
                self.answer(LookUp::IsSupportAddress(account.to_owned(), address.to_owned()), || self.sources().directory.is_support_address(account, address))
            }
            fn own_domain(&self, account: &str, domain: &str) -> Option<DomainState> {
                self.answer(LookUp::OwnDomain(account.to_owned(), domain.to_owned()), || self.sources().directory.own_domain(account, domain))
            }
            fn partner(&self, account: &str, address: &str) -> Option<Partner> {
                self.answer(LookUp::Partner(account.to_owned(), address.to_owned()), || self.sources().directory.partner(account, address))
            }
            fn knows_addresses(&self, account: &str) -> bool {
                self.answer(LookUp::KnowsAddresses(account.to_owned()), || self.sources().directory.knows_addresses(account))
            }
            fn product(&self, account: &str) -> Option<String> {
                self.answer(LookUp::Product(account.to_owned()), || self.sources().directory.product(account))
            }
            fn credential(&self, user: &str) -> Option<CredentialScope> {
                self.answer(LookUp::Credential(user.to_owned()), || self.sources().directory.credential(user))
            }
            fn settings(&self, account: &str, policy: &str) -> Option<String> {
                self.answer(LookUp::Settings(account.to_owned(), policy.to_owned()), || self.sources().directory.settings(account, policy))
            }
        }
        impl Identity for $sources {
            fn host_name(&self) -> String {
                self.answer(LookUp::HostName, || self.sources().identity.host_name())
            }
            fn email_id(&self, transaction: TransactionId) -> String {
                self.answer(LookUp::EmailId, || self.sources().identity.email_id(transaction))
            }
            fn is_ours(&self, email_id: &str) -> bool {
                self.answer(LookUp::IsOurs(email_id.to_owned()), || self.sources().identity.is_ours(email_id))
            }
            fn our_message_id(&self, message_id: &str) -> Option<String> {
                self.answer(LookUp::OurMessageId(message_id.to_owned()), || self.sources().identity.our_message_id(message_id))
            }
        }
    )*};
}
between!(Keeping, Giving);
