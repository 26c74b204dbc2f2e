//! Behind a load balancer: from a network that the configuration names, the PROXY header says who
//! the client is, and the trace field shows it (proxy-protocol.txt section 2).

use test_support::{Client, Relay, RelayBuilder, Sink};

use super::header::{connect_as, connect_with, local};
use crate::{MESSAGE, trace_field_and_rest, without_marks};

fn relay(sink: &Sink) -> Relay {
    let proxied = "direction = \"inbound\"\nproxy-from = [\"127.0.0.0/8\"]";
    let implicit =
        "direction = \"submission\"\nproxy-from = [\"127.0.0.1/32\"]\ntls = \"implicit\"";
    RelayBuilder::usual(sink.address())
        .replace("direction = \"inbound\"", proxied)
        .replace("direction = \"submission\"", implicit)
        .start()
}

/// The client as the trace field has it.
fn seen_as(sink: &Sink) -> String {
    let arrived = sink.take().bytes();
    let (field, rest) = trace_field_and_rest(&arrived);
    let submitted = field.contains(" with ESMTPSA ");
    let rest = if submitted { without_marks(rest) } else { rest };
    assert_eq!(rest, MESSAGE);
    let from = field.split("\r\n").next().unwrap();
    from.strip_prefix("Received: from ").unwrap().to_owned()
}

fn delivers(mut client: Client) {
    client.expect(220);
    client.ehlo();
    let reply = client.deliver("ann@sender.example", &["user@desk.example"], MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
}

#[test]
fn the_client_is_whom_the_balancer_names() {
    let sink = Sink::start();
    let relay = relay(&sink);
    let mx = relay.address("mx");
    delivers(connect_as("192.0.2.7:4711", mx));
    assert_eq!(seen_as(&sink), "client.example ([192.0.2.7])");
    delivers(connect_as("[2001:db8::7]:4711", mx));
    assert_eq!(seen_as(&sink), "client.example ([IPv6:2001:db8::7])");
    relay.leaves_nothing(sink);
}

/// Connections of the balancer itself count with their own address.
#[test]
fn the_balancers_own_connections_are_accepted() {
    let sink = Sink::start();
    let relay = relay(&sink);
    delivers(connect_with(&local(), relay.address("mx")));
    assert_eq!(seen_as(&sink), "client.example ([127.0.0.1])");
    relay.leaves_nothing(sink);
}

/// The header comes before TLS, and not an octet of the handshake is taken for a part of it.
#[test]
fn tls_begins_behind_the_header() {
    let sink = Sink::start();
    let relay = relay(&sink);
    let mut client = connect_as("192.0.2.7:4711", relay.address("submission"));
    client.secure().unwrap();
    client.expect(220);
    client.ehlo();
    client.command("AUTH PLAIN AHVzZXIAc2VjcmV0", 235);
    let reply = client.deliver("user@desk.example", &["x@elsewhere.example"], MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    assert_eq!(seen_as(&sink), "client.example ([192.0.2.7])");
    drop(client);
    relay.leaves_nothing(sink);
}
