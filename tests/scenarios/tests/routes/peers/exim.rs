//! Exim as the server of a domain.

use test_support::{Exim, Sink};

use super::Site;

#[test]
fn exim_gets_mail_by_mx_over_tls_with_any_certificate() {
    let behind = Sink::start();
    let Some(exim) = Exim::start(behind.address()) else {
        return;
    };
    let received = Site::of(exim.address()).delivers(behind, true);
    assert!(received.contains("helo=mx.desk.example"), "{received}");
    assert!(received.contains(" with esmtps "), "{received}");
    exim.drained();
}

#[test]
fn a_recipient_that_exim_refuses_bounces_in_its_words() {
    let behind = Sink::start();
    let Some(exim) = Exim::with(behind.address(), "REFUSED = nobody", "") else {
        return;
    };
    Site::of(exim.address()).bounces(behind, "550 5.1.1 nobody of that name");
    exim.drained();
}
