//! Policies that misbehave, one way each: the message gets what `on-error` says, 451 or passed by
//! unedited, and the same policy goes on to judge others.

use test_support::{RelayBuilder, Sink, hostile_file};

use crate::{ATTACK, INNOCENT, send_to, without_trace_field};

/// Each with the kind of its fault, and a part of what is on record of it.
const GUESTS: &[(&str, &str, &str)] = &[
    ("endless_loop", "deadline", "deadline of 50 ms"),
    ("memory_bomb", "limit", "more than 16 MiB of memory"),
    ("stack_overflow", "trap", "out of bounds memory access"),
    ("trap", "trap", "unreachable"),
    ("huge_answer", "limit", "its answer is over"),
    ("header_injection", "answer", "value of header X-Fine"),
    (
        "contradiction",
        "answer",
        "code 451 where one of 5xx is due",
    ),
    ("suppress_without_duty", "answer", "without the duty"),
    ("discards", "answer", "without the `discard` grant"),
];

#[test]
fn a_hostile_guest_costs_its_message_a_delay_at_most() {
    let sink = Sink::start();
    let relay = relay(&sink);
    for (guest, kind, says) in GUESTS {
        for on_error in ["tempfail", "skip"] {
            let listener = format!("{guest}-{on_error}");
            let reply = send_to(&relay, &listener, ATTACK);
            if on_error == "tempfail" {
                let codes = (reply.code, reply.enhanced());
                assert_eq!(codes, (451, Some("4.3.0")), "{listener}");
            } else {
                assert_eq!(reply.code, 250, "{listener}: {}", reply.text());
                let arrived = sink.take();
                assert_eq!(arrived.to, ["help@desk.example"], "{listener}");
                assert_eq!(without_trace_field(&arrived.bytes()), ATTACK, "{listener}");
            }
            let judgements = relay.judgements(&reply.transaction());
            assert_eq!(judgements.len(), 1, "{listener}: {judgements:?}");
            let error = &judgements[0]["error"];
            assert_eq!(error["kind"], *kind, "{listener}: {error}");
            let detail = error["detail"].as_str().unwrap();
            assert!(detail.contains(says), "{listener}: {error}");
            relay.logged(&format!("policy=\"{listener}\""));

            assert_eq!(send_to(&relay, &listener, INNOCENT).code, 250, "{listener}");
            assert_eq!(
                without_trace_field(&sink.take().bytes()),
                INNOCENT,
                "{listener}"
            );
        }
    }
    relay.leaves_nothing(sink);
}

/// A relay with two listeners for each guest, one for each `on-error`, and a chain of that guest
/// alone.
fn relay(sink: &Sink) -> test_support::Relay {
    let mut builder = RelayBuilder::usual(sink.address());
    for (guest, ..) in GUESTS {
        let file = hostile_file(guest);
        for on_error in ["tempfail", "skip"] {
            let name = format!("{guest}-{on_error}");
            builder = builder.judged_by(&name, &file, &format!("on-error = \"{on_error}\""));
        }
    }
    builder.start()
}
