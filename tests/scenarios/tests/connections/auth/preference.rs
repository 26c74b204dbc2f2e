//! Of the mechanisms that the service offers, the one is taken that the connection names first.

use crate::{LOGIN, Service, USER};

#[test]
fn the_first_named_mechanism_that_is_offered_is_taken() {
    for (named, offered, taken) in [
        ("'login', 'plain'", "'PLAIN', 'LOGIN'", "LOGIN"),
        ("'plain', 'login'", "'PLAIN', 'LOGIN'", "PLAIN"),
        (
            "'scram-sha-256-plus', 'login', 'plain'",
            "'PLAIN', 'LOGIN'",
            "LOGIN",
        ),
        (
            "'plain', 'scram-sha-256'",
            "'SCRAM-SHA-256', 'XOAUTH2'",
            "SCRAM-SHA-256",
        ),
    ] {
        let all = "'PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'";
        assert!(LOGIN.contains(all));
        let service = Service::start(&LOGIN.replace(all, offered));
        let came = service.takes(&format!("{USER}mechanisms = [{named}]\n"));
        assert_eq!(came.mechanism.as_deref(), Some(taken), "{named}");
    }
}
