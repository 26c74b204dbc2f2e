//! A domain that is in production is in no sandbox, and the reverse: the account that has it is named,
//! with its kind.

use test_support::{RelayBuilder, Sink};

use crate::text;

#[test]
fn a_domain_in_production_is_not_taken_into_a_sandbox() {
    let world = Sink::start();
    let relay = RelayBuilder::usual(world.address()).start();
    let account = |native: &str, kind: &str| {
        let add = ["account", "add", "--product", "Desk", "--native-domain"];
        let made = relay.json(&[&add[..], &[native, "--kind", kind]].concat());
        text(&made[0], "id")
    };
    let connect = |account: &str| {
        let add = [
            "connector",
            "add",
            "--kind",
            "two-way",
            "--account",
            account,
        ];
        let made = relay.json(&[&add[..], &["--domain", "acme.test"]].concat());
        text(&made[0], "id")
    };
    let real = account("acme.desk.test", "production");
    let trial = account("trial.desk.test", "sandbox");
    let (of_real, of_trial) = (connect(&real), connect(&trial));
    relay.json(&["connector", "vouch", &of_real]);
    let clash = |said: &str| {
        let named = format!("acme.test already belongs to account {real} (production)");
        assert!(said.contains(&named), "{said}");
        assert!(
            said.contains("cannot be in a sandbox and in production at once"),
            "{said}"
        );
    };
    clash(&relay.refuses(&["connector", "vouch", &of_trial]));
    relay.json(&["account", "set-production", &trial]);
    clash(&relay.refuses(&["account", "set-sandbox", &trial]));
    relay.leaves_nothing(world);
}
