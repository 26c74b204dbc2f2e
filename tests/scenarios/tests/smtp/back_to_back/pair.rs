//! Two relays, the first's next hop the second's listener, and a sink behind both.

use test_support::{Client, Relay, RelayBuilder, Sink, Taken};

/// Settings by which malformed messages pass too, since these scenarios are about octets.
const KEEPS: &str = r#"
[[policy]]
name = "header-guard"
builtin = "header-guard"
settings = { malformed = "keep", duplicates = "keep" }
"#;

pub struct Pair {
    first: Relay,
    second: Relay,
    sink: Sink,
}

impl Pair {
    pub fn start() -> Self {
        Self::with("")
    }

    /// The same with further configuration for both.
    pub fn with(config: &str) -> Self {
        let sink = Sink::start();
        let second = RelayBuilder::usual(sink.address()).with(config);
        let second = second.with(KEEPS).start();
        let first = RelayBuilder::usual(second.address("mx"));
        Self {
            first: first.with(config).with(KEEPS).start(),
            second,
            sink,
        }
    }

    /// A client of the first relay that has been greeted and has said EHLO.
    pub fn client(&self) -> Client {
        let mut client = self.first.client("mx");
        client.ehlo();
        client
    }

    /// Waits for the next message, which must be this one below two trace fields.
    pub fn brings(&self, kind: &str, message: &[u8]) -> Taken {
        let taken = self.sink.take();
        let arrived = taken.bytes();
        // Not by their names: what was sent may look like a trace field itself.
        let Some(trace) = arrived.strip_suffix(message) else {
            let same = arrived.iter().rev().zip(message.iter().rev());
            let same = same.take_while(|(arrived, sent)| arrived == sent).count();
            panic!(
                "{kind}: of {} octets the last {same} arrived as they were, among {}:\n{:?}",
                message.len(),
                arrived.len(),
                String::from_utf8_lossy(&arrived[..arrived.len().min(2000)]),
            );
        };
        let trace = String::from_utf8(trace.to_vec()).unwrap();
        let fields: Vec<&str> = trace
            .split_inclusive("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .collect();
        assert_eq!(fields.len(), 2, "{kind}: {trace}");
        let are_trace = fields.iter().all(|field| field.starts_with("Received: "));
        assert!(are_trace, "{kind}: {trace}");
        taken
    }

    /// Ends all three, and makes sure that nothing is left of which the test has not taken note.
    pub fn end(mut self) {
        let status = self.first.terminate();
        assert!(status.success(), "{status}:\n{}", self.first.log());
        let queue = self.first.json(&["queue", "list", "--messages"]);
        assert!(queue.is_empty(), "queued: {queue:?}");
        assert_eq!(self.first.bodies(), 0, "files of messages are left");
        self.second.leaves_nothing(self.sink);
    }
}
