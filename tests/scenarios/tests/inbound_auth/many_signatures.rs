//! A message has three hundred signatures: the relay checks the first few, and looks up no more
//! keys.

use crate::{STRANGER, Signer, Site, author, eml};

#[test]
fn only_the_first_of_many_signatures_are_looked_up() {
    let (mut zone, author) = author("reject");
    let names: Vec<&'static str> = (0..300)
        .map(|number| &*format!("d{number}.example").leak())
        .collect();
    let message = eml("question");
    let mut signatures = author.signature(&message);
    for name in names {
        signatures.extend(Signer::new(name, &mut zone).signature(&message));
    }
    let site = Site::start(zone, "{}");
    let message = [&signatures[..], &message].concat();
    assert_eq!(
        site.direct(STRANGER, &message).code,
        250,
        "the author's is the first"
    );
    let keys = (site.dns.asked().iter())
        .filter(|question| question.name.contains("._domainkey."))
        .count();
    assert!((1..=16).contains(&keys), "{keys} keys were asked for");
    site.sink.take();
    site.ends();
}
