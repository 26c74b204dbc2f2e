//! Cost of a message in the store, with the commits on the disk: `cargo bench -p gatepost-spool`.
//! Most of it is the disk's; a batch shares a commit.

#![allow(clippy::unwrap_used)] // what is measured is known

#[path = "../tests/behaviour/common/mod.rs"]
mod common;

use common::{LEASE, START, delivered, message, open, report, wait};
use divan::Bencher;
use divan::counter::ItemsCount;
use gatepost_message::TransactionId;
use gatepost_spool::{Claim, NewBody, NewMessage, Owner, Queue as _, SqliteSpool};

fn main() {
    divan::main();
}

/// Numbers of messages handed in at a time.
const BATCHES: [usize; 3] = [1, 20, 100];

fn batch(size: usize) -> Vec<NewMessage> {
    let new = |_| NewMessage {
        body: NewBody::Inline(vec![b'x'; 10 << 10].into()),
        ..message(TransactionId::new(), &["help@desk.example"])
    };
    (0..size).map(new).collect()
}

/// Hands in all messages, then waits for each.
fn accept(spool: &SqliteSpool, messages: Vec<NewMessage>) {
    let tickets: Vec<_> = messages
        .into_iter()
        .map(|message| spool.accept(message))
        .collect();
    tickets.into_iter().for_each(|ticket| wait(ticket).unwrap());
}

fn claim(spool: &SqliteSpool, limit: usize) -> Vec<Claim> {
    wait(spool.claim(Owner::new(), START, limit, LEASE)).unwrap()
}

fn record(spool: &SqliteSpool, claims: &[Claim]) {
    let reports = claims
        .iter()
        .map(|claim| spool.record(report(claim, &delivered())));
    let tickets: Vec<_> = reports.collect();
    tickets
        .into_iter()
        .for_each(|ticket| assert_eq!(wait(ticket).unwrap().applied, 1));
}

#[divan::bench(args = BATCHES, sample_count = 20, sample_size = 1)]
fn accept_10_kib(bencher: Bencher, size: usize) {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let bencher = bencher.counter(ItemsCount::new(size));
    bencher
        .with_inputs(|| batch(size))
        .bench_local_values(|messages| accept(&spool, messages));
}

/// Accepts messages that delivery claims at once, so that they go to the journal.
#[divan::bench(args = BATCHES, sample_count = 20, sample_size = 1)]
fn accept_10_kib_to_the_journal(bencher: Bencher, size: usize) {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let owner = Owner::new();
    spool.attach(owner, LEASE);
    let bencher = bencher.counter(ItemsCount::new(size));
    let taken = || {
        // Waiting claims are taken, so that the next messages may be handed off.
        wait(spool.claim(owner, START, 1000, LEASE)).unwrap();
        batch(size)
    };
    bencher
        .with_inputs(taken)
        .bench_local_values(|messages| accept(&spool, messages));
}

#[divan::bench(args = BATCHES, sample_count = 20, sample_size = 1)]
fn claim_due(bencher: Bencher, size: usize) {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let bencher = bencher.counter(ItemsCount::new(size));
    bencher
        .with_inputs(|| accept(&spool, batch(size)))
        .bench_local_values(|()| {
            let claims = claim(&spool, size);
            assert_eq!(claims.len(), size);
            claims
        });
}

#[divan::bench(args = BATCHES, sample_count = 20, sample_size = 1)]
fn record_delivered(bencher: Bencher, size: usize) {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let bencher = bencher.counter(ItemsCount::new(size));
    let claimed = || {
        accept(&spool, batch(size));
        claim(&spool, size)
    };
    bencher
        .with_inputs(claimed)
        .bench_local_values(|claims| record(&spool, &claims));
}
