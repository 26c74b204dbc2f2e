//! Removes from a message, in every possible way, the marks by which it is recognised, and puts the
//! mark of another account on it.

const MARKS: [&str; 5] = [
    "Auto-Submitted",
    "x-auto-response-suppress",
    "X-MAILER",
    "X-Gatepost-From-Account-Id",
    "X-Gatepost-Email-Id",
];

hostile_guests::hostile!(RewritesMarks, |_message, decision| {
    for mark in MARKS {
        decision.remove_header(mark);
        decision.set_header(mark, "another");
        decision.add_header(mark, "and one more");
    }
    decision.set_header("X-Allowed", "this one");
    Verdict::Pass
});
