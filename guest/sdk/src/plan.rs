//! Plans of delivery: the answers of the hook `route`.

use std::fmt;

use crate::{NextHop, Protocol, Reply};

/// Decision before an attempt at delivery.
///
/// ```
/// use gatepost_sdk::*;
///
/// /// After ten attempts it is enough.
/// fn with_patience(attempt: &Attempt) -> Routing {
///     match attempt.previous {
///         0..10 => Routing::Pass,
///         _ => Routing::Fail(Reply::new(550, "5.4.7", "The next hop has not answered for long")),
///     }
/// }
/// let first = Attempt { recipient: "ann@sender.example".into(), previous: 0 };
/// assert_eq!(with_patience(&first), Routing::Pass);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Routing {
    /// No opinion: the next policy decides, and in the end the configured default.
    Pass,
    /// Delivery by this plan.
    Deliver(Plan),
    /// Kept for an operator, with the reason.
    Hold(String),
    /// Dropped without a word to the sender, with the reason for the record; only if the site
    /// grants it.
    Discard(String),
    /// Delay, with a 4xx reply.
    Defer(Reply),
    /// Failure, with a 5xx reply of which the sender is told.
    Fail(Reply),
}

/// Way to a recipient. The relay looks its names up when it delivers.
///
/// ```
/// use gatepost_sdk::Way;
///
/// assert_eq!(Way::Connection("acme".into()).to_string(), "connection acme");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Through the connection of this name: the account's own, else the site's.
    Connection(String),
    /// Through the connection that serves this address: the most specific one of the address, its
    /// brand and its domain.
    ConnectionOf(String),
    /// To the servers of the recipient's domain.
    Mx,
    /// To whoever receives the recipient's mail on this relay.
    Inside,
    /// To the application's LMTP server of this name.
    Lmtp(String),
    /// To the application's HTTP endpoint of this name.
    Http(String),
    /// Into the Maildir of this name.
    Maildir(String),
    /// To this server; only if the site grants it.
    NextHop(NextHop),
}

/// Writes a way as fixtures and the trace have it.
impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(name) => write!(f, "connection {name}"),
            Self::ConnectionOf(address) => write!(f, "connection-of {address}"),
            Self::Mx => f.write_str("mx"),
            Self::Inside => f.write_str("inside"),
            Self::Lmtp(name) => write!(f, "lmtp {name}"),
            Self::Http(name) => write!(f, "http {name}"),
            Self::Maildir(name) => write!(f, "maildir {name}"),
            Self::NextHop(hop) => {
                let NextHop { host, port, .. } = hop;
                write!(f, "next-hop {host}:{port} tls={}", hop.tls.word())?;
                match hop.protocol {
                    Protocol::Smtp => Ok(()),
                    Protocol::Lmtp => f.write_str(" protocol=lmtp"),
                }
            }
        }
    }
}

/// Condition under which the next step of a plan is taken: both limits must be reached.
///
/// ```
/// let within_an_hour = gatepost_sdk::GoOn { failures: 3, seconds: 3600 };
/// assert_eq!(within_an_hour.seconds, 3600);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoOn {
    /// Deferred attempts on this step, at least one.
    pub failures: u32,
    /// Seconds since the first attempt on this step.
    pub seconds: u32,
}

/// One step of a plan.
///
/// ```
/// use gatepost_sdk::Plan;
///
/// let plan = Plan::by_connection("acme").go_on_after(3, 3600);
/// assert_eq!(plan.steps[0].to_string(), "connection acme go-on-after=3,3600");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Way to the recipient.
    pub way: Way,
    /// Condition for the next step; without one this step is kept to the end.
    pub go_on_after: Option<GoOn>,
    /// Pool of egress addresses from which the relay connects.
    pub egress: Option<String>,
}

/// Writes a step as fixtures and the trace have it.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.way)?;
        if let Some(GoOn { failures, seconds }) = self.go_on_after {
            write!(f, " go-on-after={failures},{seconds}")?;
        }
        match &self.egress {
            Some(egress) => write!(f, " egress={egress}"),
            None => Ok(()),
        }
    }
}

/// Steps by which a message is delivered, in order. The relay takes at most 8, and names of 1 to 64
/// letters, digits, `-`, `.` and `_`.
///
/// ```
/// use gatepost_sdk::*;
///
/// /// By the customer's own service, and by MX if that has been down for an hour.
/// fn plan() -> Routing {
///     let plan = Plan::by_connection("acme").go_on_after(3, 3600).then_by_mx();
///     Routing::Deliver(plan.expire_after(24 * 3600))
/// }
/// # let Routing::Deliver(plan) = plan() else { panic!() };
/// # assert_eq!(plan.steps.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Steps in order.
    pub steps: Vec<Step>,
    /// Address in whose name the message leaves, in From and in the reverse-path.
    pub send_as: Option<String>,
    /// Seconds after acceptance at which the recipient is given up, if that is earlier than the
    /// relay would.
    pub expire_after: Option<u32>,
    /// Seconds for which the queue may keep this answer.
    pub holds_for: Option<u32>,
}

impl Plan {
    /// Makes a plan of one step.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// assert_eq!(Plan::by(Way::Mx), Plan::by_mx());
    /// ```
    pub fn by(way: Way) -> Self {
        let empty = Self {
            steps: Vec::with_capacity(1),
            send_as: None,
            expire_after: None,
            holds_for: None,
        };
        empty.then(way)
    }

    /// Makes a plan of one step, through a connection.
    pub fn by_connection(name: impl Into<String>) -> Self {
        Self::by(Way::Connection(name.into()))
    }

    /// Makes a plan of one step, through the connection that serves an address.
    pub fn by_connection_of(address: impl Into<String>) -> Self {
        Self::by(Way::ConnectionOf(address.into()))
    }

    /// Makes a plan of one step, to the servers of the recipient's domain.
    pub fn by_mx() -> Self {
        Self::by(Way::Mx)
    }

    /// Makes a plan of one step, to whoever receives the recipient's mail on this relay.
    pub fn inside() -> Self {
        Self::by(Way::Inside)
    }

    /// Adds a step.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// let plan = Plan::by_mx().go_on_after(5, 0).then(Way::Http("app".into()));
    /// assert_eq!(plan.steps[1].to_string(), "http app");
    /// ```
    #[must_use]
    pub fn then(mut self, way: Way) -> Self {
        self.steps.push(Step {
            way,
            go_on_after: None,
            egress: None,
        });
        self
    }

    /// Adds a step through a connection.
    #[must_use]
    pub fn then_by_connection(self, name: impl Into<String>) -> Self {
        self.then(Way::Connection(name.into()))
    }

    /// Adds a step to the servers of the recipient's domain.
    #[must_use]
    pub fn then_by_mx(self) -> Self {
        self.then(Way::Mx)
    }

    /// Lets the next step be taken after this many deferred attempts on the step added last, and
    /// this many seconds since the first of them.
    #[must_use]
    pub fn go_on_after(mut self, failures: u32, seconds: u32) -> Self {
        if let Some(last) = self.steps.last_mut() {
            last.go_on_after = Some(GoOn { failures, seconds });
        }
        self
    }

    /// Sets the pool of egress addresses of the step added last.
    #[must_use]
    pub fn egress(mut self, pool: impl Into<String>) -> Self {
        if let Some(last) = self.steps.last_mut() {
            last.egress = Some(pool.into());
        }
        self
    }

    /// Sets the address in whose name the message leaves.
    #[must_use]
    pub fn send_as(mut self, address: impl Into<String>) -> Self {
        self.send_as = Some(address.into());
        self
    }

    /// Sets the seconds after acceptance at which the recipient is given up.
    #[must_use]
    pub fn expire_after(mut self, seconds: u32) -> Self {
        self.expire_after = Some(seconds);
        self
    }

    /// Sets the seconds for which the queue may keep this answer.
    #[must_use]
    pub fn holds_for(mut self, seconds: u32) -> Self {
        self.holds_for = Some(seconds);
        self
    }
}
