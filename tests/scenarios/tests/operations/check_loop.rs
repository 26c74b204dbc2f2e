//! The same file twice shows what a loop would meet: `gatepost check` remembers, for the run,
//! what a policy wants remembered.

use serde_json::Value;
use test_support::run;

#[test]
fn the_same_message_a_second_time_is_a_loop() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("notification.eml");
    let message = "From: <support@customer.example>\n\
        To: help@desk.example\n\
        X-Gatepost-Email-Id: 01J9ZQ4T6M8K\n\
        \n\
        Your ticket was updated.\n";
    std::fs::write(&file, message).unwrap();
    let file = file.to_string_lossy();
    let output = run(&["check", "--json", &file, &file]);
    assert!(output.status.success(), "{output:?}");
    let reports: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(reports[0]["verdict"], "accept");
    assert_eq!(reports[0]["effects"][0]["action"], "mark-seen");
    assert_eq!(reports[1]["verdict"], "reject");
    assert_eq!(reports[1]["reply"]["enhanced"], "5.4.6");
    let reason = &reports[1]["policies"][0]["reasons"][0];
    assert!(
        reason
            .as_str()
            .unwrap()
            .contains("has already come to help@desk.example"),
        "{reason}"
    );
}
