//! A credential is cancelled in an emergency: it is refused for good at once, also if it was retired.

use crate::Site;

#[test]
fn a_cancelled_credential_has_no_grace() {
    let site = Site::start();
    let (one, other) = (site.submission(), site.submission());
    let (mut open, reply) = one.log_in(&site.relay, "submission");
    assert_eq!(reply.code, 235);
    site.relay.json(&["credential", "cancel", &one.user]);
    open.command("NOOP", 421);
    let refused = || (535, "5.7.8".to_owned());
    assert_eq!(one.answer(&site.relay, "submission"), refused());

    (site.relay).json(&["credential", "retire", &other.user, "--force"]);
    assert_eq!(other.answer(&site.relay, "submission").0, 454);
    site.relay.json(&["credential", "cancel", &other.user]);
    assert_eq!(other.answer(&site.relay, "submission"), refused());
    site.ends();
}
