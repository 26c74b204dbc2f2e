//! A partner of the account gets no mail from the desk, and is refused with the reason.

use crate::desk::Draft;
use crate::places::{ANN, NATIVE, PARTNER, SUPPORT};
use crate::site::Site;
use crate::world::message;

/// The desk writes to a person and to a partner: the person alone gets it. The partner writes, and is
/// told why nobody reads it.
pub fn partners_are_left_alone(site: &Site) {
    site.relay.json(&["partner", "add", NATIVE, PARTNER]);
    let draft = Draft {
        from: SUPPORT,
        to: &[ANN, PARTNER],
        subject: "your order",
        text: "We share it with our partner.",
        trigger: "agent",
    };
    let (_, reply) = site.desk.writes(&draft);
    assert_eq!(site.world.gets(ANN).to, [ANN]);
    let told = site.desk.told("suppressed", &reply.transaction());
    assert_eq!(told["recipient"], PARTNER);

    let before = site.desk.state().tickets.letters().count();
    let id = format!("<refused.{}@partner.example>", site.world.port());
    let text = message(PARTNER, SUPPORT, "a shared order", &id, "");
    let reply = site.world.hands_in(PARTNER, SUPPORT, &text);
    assert_eq!(reply.code, 250, "{}", reply.text());
    let refusal = site.world.gets(PARTNER);
    assert_eq!(refusal.from, "");
    let words = refusal
        .text()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(
        words.contains("A ticket-sharing agreement is in place"),
        "{words}"
    );
    assert_eq!(site.desk.state().tickets.letters().count(), before);
    site.relay.json(&["partner", "remove", NATIVE, PARTNER]);
}
