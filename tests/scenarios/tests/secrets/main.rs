//! Secrets stand where they have to stand, and nowhere else: in no log, no answer, no page, no record
//! and no store, in whatever form.
#![allow(clippy::unwrap_used)]

mod every_secret;
mod forms;
mod search;
