//! The connection that serves a sender, by address, brand or domain: the most specific one carries
//! the mail, whether it is a customer's or the site's.

mod customers;
mod sites;
