//! Tries to add a header and a body through the value of another header.

hostile_guests::hostile!(HeaderInjection, |_message, decision| {
    decision.add_header(
        "X-Fine",
        "yes\r\nBcc: <victim@elsewhere.example>\r\n\r\nA new body",
    );
    Verdict::Pass
});
