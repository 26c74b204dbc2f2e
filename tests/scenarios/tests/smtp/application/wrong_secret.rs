//! Mail waits while the application refuses the signature, with an alarm that says what to do; it
//! flows after the secret is mended. No secret is logged.

use test_support::Sink;

use super::desk::{Desk, SECRET, WRONG_SECRET, recipient, relay_to, sent};

#[test]
fn mail_waits_for_the_right_secret() {
    let (desk, world) = (Desk::answering(200), Sink::start());
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), format!("{WRONG_SECRET}\n")).unwrap();
    let keys = format!(
        "secrets = [{{ file = {:?} }}]\nretry-seconds = [1]",
        secret.path()
    );
    let relay = relay_to(desk.address, &world, &keys).start();
    let id = sent(&relay);
    assert!(!desk.take().is_signed());
    let log = relay.logged("give both sides the same secret");
    assert!(log.contains("words of the application"), "{log}");
    let alarms = "gatepost_application_alarms_total{destination=\"http:desk\"}";
    relay.eventually("the alarm is counted", |relay| {
        relay.metric(alarms).filter(|count| *count >= 1.0)
    });
    let waits = relay.eventually("the attempt is on record", |relay| {
        Some(recipient(relay, &id)).filter(|one| one["attempts"] != 0)
    });
    let shown = waits.to_string();
    assert!(shown.contains("HTTP 401"), "{shown}");
    assert!(!shown.contains("words of the application"), "{shown}");
    std::fs::write(secret.path(), format!("{SECRET}\n")).unwrap();
    relay.reload();
    relay.eventually("the application takes it", |_| {
        Some(()).filter(|()| desk.take().is_signed())
    });
    let log = relay.log();
    for secret in [SECRET, WRONG_SECRET] {
        assert!(!log.contains(&secret[8..20]), "{log}");
    }
    relay.leaves_nothing(world);
}
