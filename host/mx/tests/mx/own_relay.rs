//! The relay and all servers that are no better are left out, and so are addresses of its network.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use gatepost_mx::Own;
use test_support::Zone;

use crate::{World, addresses, public};

fn zone() -> Zone {
    let mut zone = Zone::new();
    zone.mx("a.example", 5, "best.example")
        .mx("a.example", 10, "relay.example")
        .mx("a.example", 10, "equal.example")
        .mx("a.example", 20, "backup.example")
        .mx("b.example", 10, "relay.example")
        .mx("b.example", 20, "backup.example")
        .a("best.example", public(1))
        .a("relay.example", Ipv4Addr::LOCALHOST)
        .a("equal.example", public(3))
        .a("backup.example", public(4));
    zone
}

#[tokio::test]
async fn the_relay_is_known_by_name_by_listener_and_by_address() {
    let listener = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    for own in [
        Own {
            names: vec!["Relay.Example".to_owned()],
            ..Own::default()
        },
        Own {
            listeners: vec![listener(25)],
            ..Own::default()
        },
        Own {
            addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
            ..Own::default()
        },
    ] {
        let world = World::with(zone(), own, &["127.0.0.0/8"]);
        assert_eq!(world.hosts("a.example").await, ["best.example"]);
        assert_eq!(world.refusal("b.example").await, "554 5.4.6");
    }
    // Another server on this machine is not the relay.
    let own = Own {
        listeners: vec![listener(2525)],
        ..Own::default()
    };
    let world = World::with(zone(), own, &["127.0.0.0/8"]);
    assert_eq!(
        world.hosts("b.example").await,
        ["relay.example", "backup.example"]
    );
}

#[tokio::test]
async fn the_relay_is_known_by_an_address_that_mail_is_not_sent_to() {
    let own = Own {
        addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
        ..Own::default()
    };
    let world = World::with(zone(), own, &[]);
    assert_eq!(world.refusal("b.example").await, "554 5.4.6");
}

#[tokio::test]
async fn a_literal_of_the_relay_loops() {
    let own = Own {
        listeners: vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, 25))],
        ..Own::default()
    };
    let world = World::with(zone(), own, &["127.0.0.0/8"]);
    assert_eq!(world.refusal("[127.0.0.1]").await, "554 5.4.6");
}

#[tokio::test]
async fn an_address_inside_is_not_connected_to_unless_the_operator_allows_it() {
    let mut zone = Zone::new();
    zone.mx("a.example", 5, "mixed.example")
        .a("mixed.example", Ipv4Addr::new(10, 0, 0, 1))
        .a("mixed.example", public(1))
        .mx("b.example", 5, "inside.example")
        .a("inside.example", Ipv4Addr::new(10, 0, 0, 1));
    let world = World::with(zone.clone(), Own::default(), &[]);
    let route = world.route("a.example").await.unwrap();
    assert_eq!(addresses(&route), [IpAddr::V4(public(1))]);
    let why = world.route("b.example").await.unwrap_err();
    assert_eq!(why.reply().code(), 451);
    assert!(
        why.to_string().contains("10.0.0.1, which is private"),
        "{why}"
    );
    let world = World::with(zone, Own::default(), &["10.0.0.0/24"]);
    assert_eq!(world.hosts("b.example").await, ["inside.example"]);
}
