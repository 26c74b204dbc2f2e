//! A rotation that stays under way is reminded of: in the log, by an event, in the audit log and by
//! the doctor.

use crate::Site;

#[test]
fn two_credentials_that_stay_are_reminded_of() {
    let mut site = Site::with("[directory]\nrotation-reminder = \"1s\"\n");
    let former = site.inbound();
    let rotated = site.relay.json(&["credential", "rotate", &former.user]);
    let next = rotated[0]["user-name"].as_str().unwrap().to_owned();
    site.relay.eventually("the doctor warns", |relay| {
        let output = relay.command(&["doctor"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (said.contains("are both live since") && said.contains(&next)).then_some(())
    });
    // Upkeep looks at the start, and then every minute.
    site.relay.restart();
    site.relay.logged("are both live since");
    let reminded = site.relay.eventually("it is in the audit log", |_| {
        site.audited("rotation-reminded").pop()
    });
    assert_eq!(reminded["actor"], "gatepost");
    assert_eq!(reminded["subject"], next.as_str());
    site.relay.eventually("it is an event", |_| {
        let notices = site.notices("credential");
        (notices
            .iter()
            .any(|text| text.contains("are both live since")))
        .then_some(())
    });
    site.ends();
}
