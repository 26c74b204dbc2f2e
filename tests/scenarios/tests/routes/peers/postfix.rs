//! Postfix as the server of a domain.

use test_support::{Postfix, Sink};

use super::Site;

#[test]
fn postfix_gets_mail_by_mx_over_tls_with_any_certificate() {
    let behind = Sink::start();
    let Some(postfix) = Postfix::start(behind.address()) else {
        return;
    };
    let received = Site::of(postfix.address()).delivers(behind, true);
    assert!(received.contains(" with ESMTPS id "), "{received}");
    postfix.drained();
}

#[test]
fn a_recipient_that_postfix_refuses_bounces_in_its_words() {
    let behind = Sink::start();
    let main = "smtpd_recipient_restrictions = check_recipient_access \
        inline:{{nobody@b.example=REJECT nobody of that name}}, permit_mynetworks, reject\n";
    let Some(postfix) = Postfix::with(behind.address(), main) else {
        return;
    };
    Site::of(postfix.address()).bounces(behind, "nobody of that name");
    postfix.drained();
}
