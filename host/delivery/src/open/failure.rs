//! Failures to open a session.

use gatepost_smtp::Reply;
use gatepost_smtp::client::{Failure, OpeningStage};

use super::login::NoCredential;
use super::opening::Opening;

/// Failure to open a session. It is the connection's, and says nothing about any message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{server}: {}", deferral.text())]
pub struct OpeningFailure {
    /// Stage that failed.
    pub stage: OpeningStage,
    /// Server as `host:port`.
    pub server: String,
    /// Reply of the server, if it sent one.
    pub reply: Option<Reply>,
    /// Reason that the server gave inside of AUTH, such as an error in JSON; printable and bounded.
    pub reason: Option<String>,
    /// True if a later try will fail in the same way, as far as is known.
    pub permanent: bool,
    /// Reply by which the messages that wait are deferred; always transient. It is the server's own
    /// if that is transient, or else the relay's.
    pub deferral: Reply,
}

impl OpeningFailure {
    /// Makes the failure of a session that had begun.
    pub(crate) fn at(opening: &Opening, stage: OpeningStage, failure: Failure) -> Self {
        let stage = match failure {
            Failure::Tls(_) => OpeningStage::Tls,
            _ => stage,
        };
        let (deferral, permanent) = (failure.reply(), failure.is_permanent());
        let (reply, reason) = match failure {
            Failure::SessionRefused { reply, reason, .. } => (Some(reply), reason),
            _ => (None, None),
        };
        Self {
            stage,
            server: opening.server(),
            reply,
            reason,
            permanent,
            deferral,
        }
    }

    /// Makes the failure of an address where nobody answered, or of a host that has none.
    pub(crate) fn unreached(server: String, enhanced: &'static str, why: &str) -> Self {
        Self {
            stage: OpeningStage::Connect,
            server,
            reply: None,
            reason: None,
            permanent: false,
            deferral: Reply::new(451, enhanced, why),
        }
    }

    /// Makes the failure of a server whose host leads nowhere. It is permanent if nothing but a
    /// change will help.
    pub fn host_not_found(server: String, why: &str, permanent: bool) -> Self {
        // RFC 3463: X.4.3, directory server failure.
        Self {
            permanent,
            ..Self::unreached(server, "4.4.3", why)
        }
    }

    /// Makes the failure of a session that is not even begun, since the settings of that stage cannot
    /// be used. Nothing but a change will help.
    pub fn not_begun(server: String, stage: OpeningStage, why: &str) -> Self {
        // RFC 3463: X.3.5, system incorrectly configured.
        Self {
            stage,
            permanent: true,
            ..Self::unreached(server, "4.3.5", why)
        }
    }

    /// Makes the failure of a log-in that has no credential.
    pub(crate) fn without_credential(opening: &Opening, why: &NoCredential) -> Self {
        Self {
            stage: OpeningStage::Auth,
            server: opening.server(),
            reply: None,
            reason: None,
            permanent: why.permanent,
            deferral: Reply::new(451, "4.7.8", why.to_string()),
        }
    }

    /// Returns true if the server has refused the credential, and might accept another.
    pub(crate) fn refuses_credential(&self) -> bool {
        let refused = self.reply.as_ref().is_some_and(Reply::is_permanent);
        self.stage == OpeningStage::Auth && (refused || self.reason.is_some())
    }

    /// Returns true if the other addresses of the server would fare no better: trying a wrong
    /// password on each would lock the user out.
    pub(crate) fn is_of_all_addresses(&self) -> bool {
        self.stage == OpeningStage::Auth && (self.permanent || self.reason.is_some())
    }

    /// Returns how much the failure says about the server, to choose one where several addresses
    /// failed: a server that has too many connections tells more than an address where nobody
    /// answers.
    pub(crate) fn rank(&self) -> u8 {
        match &self.reply {
            Some(reply) if reply.code() == 421 => 3,
            Some(reply) if reply.is_transient() => 2,
            _ if self.stage > OpeningStage::Connect => 1,
            _ => 0,
        }
    }
}
