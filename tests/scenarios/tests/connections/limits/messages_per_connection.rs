//! No more messages in a session than the connection allows.

use crate::{Service, TLS, submit};

#[test]
fn a_session_carries_so_many_messages() {
    for (keys, sessions) in [
        ("", [1, 1, 1, 1, 1]),
        (
            "limits = { messages-per-connection = 2 }\n",
            [1, 1, 2, 2, 3],
        ),
    ] {
        let service = Service::start(TLS);
        let relay = service.relay(keys).start();
        for session in sessions {
            submit(&relay, &["x@elsewhere.example"]);
            assert_eq!(service.sink.take().connection, session, "{keys}");
        }
        relay.leaves_nothing(service.sink);
    }
}
