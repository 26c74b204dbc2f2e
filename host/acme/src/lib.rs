//! Certificates by ACME (RFC 8555).
//!
//! An [`AcmeKeeper`] holds one certificate for the names of the [`AcmeSettings`]. It registers an
//! account with the authority, orders, proves that the names lead to this relay (by HTTP-01, RFC 8555
//! section 8.3, or by TLS-ALPN-01, RFC 8737), and orders again in time. What it gets is shown in the
//! next handshake, by [`IssuedCertificate`]: nothing is restarted or reloaded for it.
//!
//! Account, certificate and the record of attempts lie in the folder `acme` of the store, so that a
//! restart asks the authority nothing, and waits that were due before it are due after it.
//!
//! The authority is not trusted with more than it needs: every answer is bounded in size and time, and
//! a certificate is used only if it has the key that was made for it, and every name.
//!
//! Metrics: `gatepost_acme_orders_total{result}`, `gatepost_acme_certificate_expires_timestamp_seconds`.

#![forbid(unsafe_code)]

mod account;
mod attempts;
mod challenges;
mod error;
mod folder;
mod inspect;
mod keeper;
mod obtain;
mod server;
mod settings;
mod stored;
mod transport;

pub use error::AcmeError;
pub use gatepost_certificates::IssuedCertificate;
pub use inspect::inspect;
pub use keeper::{AcmeKeeper, PreparedAcme};
pub use server::ChallengeServer;
pub use settings::{AcmeSettings, ChallengeKind, ExternalAccount};
