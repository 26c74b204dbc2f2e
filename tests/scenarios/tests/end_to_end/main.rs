//! The three set-ups of a connector, each from the operator's first command to a conversation that goes
//! back and forth, with a real server of the customer's and a help desk behind the relay; and what
//! becomes of mail while credentials are changed, and domains are disconnected and connected again.
//!
//! The customer's server is Postfix. The customer's correspondents have a server that takes
//! everything, and write to the customer's server as anybody does. The [desk](desk::Desk) is an
//! application as docs/application.md describes it.
#![allow(clippy::unwrap_used)]

mod another_connector;
mod checks;
mod customer;
mod desk;
mod disconnected_under_load;
mod forwarded;
mod load;
mod outbound_only;
mod places;
mod rotated_under_load;
mod second;
mod site;
mod two_way;
mod world;
