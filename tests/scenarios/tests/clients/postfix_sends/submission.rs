//! Postfix uses the relay as its smart host: with a user's name and password, under TLS.

use test_support::{Postfix, RelayBuilder, Sink, debian_library};

use crate::{assert_whole, awkward};

#[test]
fn mail_goes_out_in_a_users_name() {
    if !debian_library("libsasl2-modules") {
        return;
    }
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let server = relay.address("submission");
    let password = format!(
        "smtp_sasl_auth_enable = yes\n\
         smtp_sasl_security_options = noanonymous\n\
         smtp_sasl_password_maps = inline:{{ [127.0.0.1]:{}=user:secret }}",
        server.port()
    );
    let Some(postfix) = Postfix::with(server, &password) else {
        return;
    };
    postfix.sendmail("user@desk.example", &["x@elsewhere.example"], &awkward());
    let taken = sink.take();
    assert_eq!(taken.from, "user@desk.example");
    assert_eq!(taken.to, ["x@elsewhere.example"]);
    let field = taken.header("Received").unwrap();
    assert!(field.contains(" with ESMTPSA id "), "{field}");
    assert_whole(&taken, &awkward());
    postfix.drained();
    relay.leaves_nothing(sink);
}
