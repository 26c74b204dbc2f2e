//! OpenSMTPD as the server of a domain. With the one of Debian 12 every handshake fails.

use test_support::{OpenSmtpd, Sink};

use super::Site;

#[test]
fn opensmtpd_gets_mail_by_mx() {
    let behind = Sink::start();
    let Some(opensmtpd) = OpenSmtpd::start(behind.address()) else {
        return;
    };
    let received = Site::of(opensmtpd.address()).delivers(behind, false);
    assert!(received.contains("from mx.desk.example "), "{received}");
    opensmtpd.drained();
}

#[test]
fn opensmtpd_gets_mail_in_plaintext_where_its_tls_fails() {
    let behind = Sink::start();
    let Some(opensmtpd) = OpenSmtpd::with_broken_tls(behind.address()) else {
        return;
    };
    let received = Site::of(opensmtpd.address()).delivers(behind, false);
    assert!(received.contains(" with ESMTP id "), "{received}");
    opensmtpd.logged("io-error: ");
    opensmtpd.drained();
}

#[test]
fn a_recipient_that_opensmtpd_refuses_bounces_in_its_words() {
    let behind = Sink::start();
    let Some(opensmtpd) = OpenSmtpd::refusing(behind.address(), "nobody@b.example") else {
        return;
    };
    Site::of(opensmtpd.address()).bounces(behind, "550 Invalid recipient");
    opensmtpd.drained();
}
