//! What a connection is made of, and what profiles know of services.
#![allow(clippy::unwrap_used)]

mod drafts;
mod page;
mod profiles;
mod services;
mod standing;
