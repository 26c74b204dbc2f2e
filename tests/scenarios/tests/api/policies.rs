//! A module is activated over the API, and rolled back.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use test_support::{Sink, hostile};

use crate::with_api;

#[test]
fn a_module_is_activated_and_rolled_back() {
    let sink = Sink::start();
    let relay = with_api(&sink).start();
    let token = relay.api_token("administer", &[]);
    let digest = || {
        let listed = relay
            .api("GET", "/policies", &token, &Value::Null)
            .with_status(200);
        let mut policies = listed.body["items"].as_array().unwrap().iter();
        let guard = policies.find(|of| of["policy"] == "loop-guard").unwrap();
        guard["digest"].as_str().unwrap().to_owned()
    };
    let before = digest();
    let module = hostile("version_two");
    let module = json!({ "module": BASE64_STANDARD.encode(module) });
    let swap = relay.api("POST", "/policies/loop-guard/activate", &token, &module);
    let swap = swap.with_status(200);
    assert_eq!(swap.text_of("old"), before);
    assert_eq!(swap.text_of("new"), digest());
    let back = relay.api("POST", "/policies/loop-guard/rollback", &token, &json!({}));
    assert_eq!(back.with_status(200).text_of("new"), before);
    let wrong = json!({ "module": BASE64_STANDARD.encode("no module") });
    let refused = relay.api("POST", "/policies/loop-guard/activate", &token, &wrong);
    assert!((400..500).contains(&refused.status), "{refused:?}");
    assert_eq!(digest(), before);
    relay.leaves_nothing(sink);
}
