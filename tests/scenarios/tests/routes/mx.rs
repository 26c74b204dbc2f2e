//! Mail by MX (RFC 5321 section 5.1), and the queue before its servers.

mod dead_destination;
mod fallback;
mod greylisted;
mod implicit;
mod no_such_domain;
mod null_mx;
mod opportunistic;
mod own_address;
mod own_exchange;
mod preference;
mod servfail;
mod too_much;
