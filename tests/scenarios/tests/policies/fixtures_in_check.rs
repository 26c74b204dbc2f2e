//! Every fixture through `gatepost check`: verdict, reply, class, reasons, edits and route, without
//! a relay that runs.

use gatepost_fixture::Decided;
use gatepost_model::Plan;
use serde_json::{Value, json};
use test_support::ChainCase;

use crate::check;

#[test]
fn every_fixture_is_judged_as_expected() {
    for (case, report) in check::reports() {
        let name = &case.name;
        assert_eq!(report["file"], json!(case.path), "{name}");
        if let Some(difference) = case.fixture.compare(&decided(report)) {
            panic!("{name}:\n{}", difference.diff);
        }
        recipients(case, report);
    }
}

/// Returns the decision of the whole chain. Effects and protected fields are not part of it.
fn decided(report: &Value) -> Decided {
    let policies = || report["policies"].as_array().unwrap().iter();
    if let Some(fault) = policies().find_map(|call| call["error"].as_str()) {
        return Decided::failed(fault);
    }
    let verdict = match text(&report["verdict"]) {
        accepted if accepted == "accept" => "pass".to_owned(),
        other => other,
    };
    let reply = &report["reply"];
    let refused = reply["code"] != 250;
    let reply = || {
        let (enhanced, text) = (text(&reply["enhanced"]), text(&reply["text"]));
        format!("{} {enhanced} {text}", reply["code"])
    };
    let edits = report["edits"].as_array().unwrap().iter().map(|edit| {
        let (action, name) = (text(&edit["action"]), text(&edit["name"]));
        let body = edit["body"].as_str().map(|body| format!(": {body}"));
        format!("{action} {name}{}", body.unwrap_or_default())
    });
    let mut tags = texts(&report["tags"]);
    // The relay's own on a report, which no policy has put.
    tags.retain(|tag| !tag.starts_with("report-"));
    let route = &report["route"];
    let plan = (route.is_object()).then(|| serde_json::from_value::<Plan>(route.clone()).unwrap());
    Decided {
        reply: refused.then(reply),
        class: Some(text(&report["class"])),
        reply_allowed: report["reply-allowed"].as_bool(),
        reasons: Some(
            policies()
                .flat_map(|call| texts(&call["reasons"]))
                .collect(),
        ),
        tags: Some(tags),
        edits: Some(edits.collect()),
        plan: plan.map(|plan| plan.steps.iter().map(ToString::to_string).collect()),
        ..Decided::new(Some(&verdict))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(text).collect()
}

/// Each recipient of the envelope has the verdict and the route of the message.
fn recipients(case: &ChainCase, report: &Value) {
    let recipients = report["recipients"].as_array().unwrap().iter();
    let addresses: Vec<&Value> = recipients.clone().map(|of| &of["address"]).collect();
    assert_eq!(
        json!(addresses),
        json!(case.fixture.rcpt_to),
        "{}",
        case.name
    );
    let route = match case.hop() {
        Some("application") => &json!("default"),
        _ => &report["route"],
    };
    for recipient in recipients {
        assert_eq!(recipient["verdict"], report["verdict"], "{}", case.name);
        assert_eq!(&recipient["route"], route, "{}", case.name);
    }
}
