//! Instructions for the administrator of a customer's mail server.
//!
//! They are made for one connector, of its [`Facts`], and for the [`Software`] that the customer
//! runs: the lines of its configuration as they are to be entered, the records of the DNS, and what
//! an administrator has to know. They never hold the secret of a credential, which is handed over
//! by another way: the facts have no place for one.
//!
//! Nothing here reads a file, a clock or a store. The words are templates in `texts`.

#![forbid(unsafe_code)]

mod facts;
mod form;
mod render;
mod software;

pub use facts::{AddressFacts, Arrangement, Facts, LogIn, Record, STANDARD_HEADERS};
pub use form::Form;
pub use render::{InstructionsError, render};
pub use software::Software;
