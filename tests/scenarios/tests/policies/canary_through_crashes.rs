//! A candidate that decides wrongly decides for its share alone, under load and through `kill -9` at any
//! moment: what one correspondent hears never changes.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use test_support::{Client, Sink};

use crate::Guest;
use crate::rollout_support::{tried, with_behaviour};

const CORRESPONDENTS: usize = 60;
const SENDERS: usize = 4;
const CRASHES: usize = 4;

/// Replies between a start and the crash.
const REPLIES: usize = 60;

/// Sends the message of a correspondent; returns the code of the last reply.
fn sent(address: SocketAddr, correspondent: usize, message: &[u8]) -> io::Result<u16> {
    let mut client = Client::connect(address)?;
    client.reply()?;
    client.send("EHLO client.example\r\n")?;
    client.reply()?;
    let from = format!("ann{correspondent}@sender.example");
    Ok(client.deliver(&from, &["help@desk.example"], message)?.code)
}

#[test]
fn the_share_holds_under_load_and_through_crashes() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let mut relay = guest.relay(&sink).start();
    tried(&relay, &["--canary", "30%", "--max-changed", "any"]);
    let message = with_behaviour("rejects");
    let heard: Mutex<BTreeMap<usize, Vec<u16>>> = Mutex::default();
    let next = AtomicUsize::new(0);
    for _ in 0..CRASHES {
        let address = relay.address("mx");
        let (replied, replies) = mpsc::channel();
        let send = |replied: mpsc::Sender<()>| {
            // Until the relay is gone.
            loop {
                let correspondent = next.fetch_add(1, Ordering::Relaxed) % CORRESPONDENTS;
                let Ok(code) = sent(address, correspondent, &message) else {
                    return;
                };
                heard
                    .lock()
                    .unwrap()
                    .entry(correspondent)
                    .or_default()
                    .push(code);
                // Nobody counts after the crash.
                let _ = replied.send(());
            }
        };
        thread::scope(|scope| {
            for _ in 0..SENDERS {
                let replied = replied.clone();
                scope.spawn(|| send(replied));
            }
            assert_eq!(replies.iter().take(REPLIES).count(), REPLIES);
            relay.kill();
        });
        relay.restart();
    }
    let heard = heard.into_inner().unwrap();
    for (correspondent, codes) in &heard {
        let first = codes[0];
        assert!([250, 550].contains(&first), "{codes:?}");
        assert!(
            codes.iter().all(|code| *code == first),
            "{correspondent}: {codes:?}"
        );
    }
    let refused = heard.values().filter(|codes| codes[0] == 550).count();
    let (least, most) = (CORRESPONDENTS / 10, CORRESPONDENTS / 2);
    assert!(
        (least..=most).contains(&refused),
        "{refused} of {}",
        heard.len()
    );
}
