//! Takes from a message by what it could be known again, in every way that there is, and names it
//! after another account.

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
