//! Connections: named ways out, such as a customer's own mail service.
//!
//! What is written about a connection is a [`ConnectionDraft`]. With a [`Profile`], which knows the
//! service, it becomes a [`Connection`], or a list of sentences about what is wrong. Its secrets
//! are [`Secret`]s, which nothing shows.
//!
//! Delivery finds connections by the seam [`Connections`], and asks the [`ConnectionStates`]
//! whether a session may begin and a message may leave. A server's reply is
//! [classified](classify()) by the profile. A refused session never fails a message: it breaks or
//! pauses the connection, whose mail then waits until a probe finds that it works again.

#![forbid(unsafe_code)]

mod classify;
mod connection;
mod draft;
mod message_id;
mod name;
mod profile;
mod seam;
mod secret;
mod sqlite;
mod standing;
mod states;
mod window;

pub use classify::{Classified, DialogueStage, ReplyClass, ReplyRule, Stops, classify};
pub use connection::{
    ClientCertificate, Connection, ConnectionLimits, Ehlo, Oauth, OauthGrant, PinnedKey,
    SaslMechanism, ServerCredential, ServerTrust, Serves, TokenUser,
};
pub use draft::{ConnectionDraft, DraftProblem, GrantKind};
pub use gatepost_message::Period;
pub use message_id::MessageIdRule;
pub use name::{ConnectionKey, ConnectionName, ConnectionNameError};
pub use profile::{Profile, ProfileError, Profiles};
pub use seam::{Connections, FoundConnection, rank};
pub use secret::Secret;
pub use sqlite::{NoStandings, SqliteStandings};
pub use standing::{
    AT_ITS_LIMITS, Authorization, ConnectionStanding, ConnectionState, ConnectionTrouble,
    IN_TROUBLE, May, RefusedTest, SessionFailure, StandingTerms,
};
pub use states::{ConnectionStates, StandingError, StandingStore, is_soon};
