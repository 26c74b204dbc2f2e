//! No more domains among the recipients of a transaction than the connection allows.

use crate::{Service, TLS, submit};

#[test]
fn a_transaction_has_recipients_of_so_many_domains() {
    let to = ["a@x.example", "b@y.example", "c@x.example"];
    for (keys, transactions) in [
        ("", vec![vec!["a@x.example", "b@y.example", "c@x.example"]]),
        (
            "limits = { recipient-domains = 1 }\n",
            vec![vec!["a@x.example", "c@x.example"], vec!["b@y.example"]],
        ),
    ] {
        let service = Service::start(TLS);
        let relay = service.relay(keys).start();
        submit(&relay, &to);
        for transaction in transactions {
            assert_eq!(service.sink.take().to, transaction, "{keys}");
        }
        relay.leaves_nothing(service.sink);
    }
}
