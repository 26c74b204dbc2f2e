//! No more recipients in a transaction than the connection allows.

use crate::{Service, TLS, submit};

#[test]
fn a_transaction_has_so_many_recipients() {
    let to = [
        "a@x.example",
        "b@x.example",
        "c@x.example",
        "d@x.example",
        "e@x.example",
    ];
    for (keys, transactions) in [
        ("", vec![5]),
        ("limits = { recipients = 2 }\n", vec![2, 2, 1]),
    ] {
        let service = Service::start(TLS);
        let relay = service.relay(keys).start();
        submit(&relay, &to);
        let taken: Vec<_> = transactions
            .iter()
            .map(|_| service.sink.take().to)
            .collect();
        let sizes: Vec<_> = taken.iter().map(Vec::len).collect();
        assert_eq!(sizes, transactions, "{keys}");
        let mut all = taken.concat();
        all.sort();
        assert_eq!(all, to);
        relay.leaves_nothing(service.sink);
    }
}
