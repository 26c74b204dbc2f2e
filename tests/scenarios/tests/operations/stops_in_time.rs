//! Told to stop, the relay ends within `drain`, whatever hangs; what it had taken is kept.

use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use std::{fs, thread};

use test_support::{Client, Relay, RelayBuilder, Sink, hostile_file};

use crate::{CHAIN, MESSAGE, accepted};

const DRAIN: Duration = Duration::from_secs(4);

/// Somewhere to connect to where nobody ever says anything.
fn silent() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn relay(sink: &Sink, port: u16, more: &str) -> Relay {
    RelayBuilder::usual(sink.address())
        .replace(&format!("port = {}", sink.address().port()), &format!("port = {port}"))
        .replace(CHAIN, "chain = []")
        .with("[relay]\nhostname = \"mx.desk.example\"\nstore = \"store\"\nmin-free = \"1MiB\"\ndrain = \"4s\"")
        .with(more)
        .start()
}

fn ends(relay: &mut Relay, signal: &str) {
    let begun = Instant::now();
    relay.signal(signal);
    assert_eq!(relay.process().wait().code(), Some(0), "{}", relay.log());
    // What a busy machine adds.
    let late = begun.elapsed().saturating_sub(DRAIN);
    assert!(
        late < Duration::from_secs(3),
        "{late:?} late:\n{}",
        relay.log()
    );
}

/// A next hop that does not greet, a collector that does not answer, an operator and a monitor who
/// stay, a client that reads no replies, and one that never ends its message.
#[test]
fn stops_in_time_whatever_its_peers_do() {
    let sink = Sink::start();
    let (next_hop, port) = silent();
    let (_collector, at) = silent();
    let more =
        format!("[http]\naddress = \"127.0.0.1:0\"\n[otlp]\nendpoint = \"http://127.0.0.1:{at}\"");
    let mut relay = relay(&sink, port, &more);
    let id = accepted(&relay, &["user@desk.example"], MESSAGE);
    // The delivery is under way.
    let (_hop, _) = next_hop.accept().unwrap();

    let store = relay.directory().join("store");
    let _operator = UnixStream::connect(store.join("control.sock")).unwrap();
    let _monitor = TcpStream::connect(relay.address("http")).unwrap();
    let mut deaf = Client::connect(relay.address("mx")).unwrap();
    // Each is answered; the answers are more than the system keeps for one who does not read.
    let _talking = thread::spawn(move || {
        let nothing = "VRFY somebody\r\n".repeat(1000);
        while deaf.send(&nothing).is_ok() {}
        deaf
    });
    let mut sending = relay.client("mx");
    sending.ehlo();
    sending.command("MAIL FROM:<ann@sender.example>", 250);
    sending.command("RCPT TO:<user@desk.example>", 250);
    sending.command("DATA", 354);

    ends(&mut relay, "TERM");
    let queue = relay.json(&["queue", "list", "--messages"]);
    assert_eq!(queue.len(), 1, "{queue:?}");
    assert_eq!(queue[0]["id"], *id);
    assert_eq!(queue[0]["recipients"][0]["status"], "queued");
}

/// A policy that it is to load takes until its time is up.
#[test]
fn stops_in_time_during_a_reload() {
    let sink = Sink::start();
    let mut relay = relay(&sink, 1, "");
    let config = relay.directory().join("gatepost.toml");
    let mut text = fs::read_to_string(&config).unwrap();
    let file = hostile_file("schema_doubles");
    text += &format!("\n[[policy]]\nname = \"slow\"\nfile = {file:?}\n");
    fs::write(&config, text).unwrap();
    relay.signal("HUP");
    relay.eventually("a policy is being loaded", |relay| {
        let tasks = fs::read_dir(format!("/proc/{}/task", relay.id())).unwrap();
        let children = tasks.flatten().map(|task| task.path().join("children"));
        let mut children = children.filter_map(|path| fs::read_to_string(path).ok());
        children.any(|ids| !ids.is_empty()).then_some(())
    });
    ends(&mut relay, "INT");
}
