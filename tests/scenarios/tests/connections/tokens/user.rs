//! With a grant, the user of a session is the mailbox that the message leaves from, so that each
//! has a session of its own; with `user` it is that one, whatever the message.

use super::{Provider, service};
use crate::{Service, submit_from};

#[test]
fn the_user_is_the_mailbox_unless_it_is_set() {
    let (ann, bob) = ("ann@sender.example", "bob@sender.example");
    let users = [ann, bob, "desk"].map(|name| format!("{{ name = '{name}', token = 'token-1' }}"));
    for (keys, expected) in [
        ("", [(ann, 1), (bob, 2)]),
        ("user = 'desk'\n", [("desk", 1), ("desk", 1)]),
    ] {
        let provider = Provider::start();
        let service = Service::start(&service(&users.join(", ")));
        let keys = provider.by_client_credentials() + keys;
        let relay = provider.trusted_by(service.relay(&keys)).start();
        for (from, (user, session)) in [ann, bob].into_iter().zip(expected) {
            submit_from(&relay, from, &["x@elsewhere.example"]);
            let taken = service.sink.take();
            assert_eq!((&*taken.from, taken.user.as_deref()), (from, Some(user)));
            assert_eq!(taken.connection, session, "{user}");
        }
        // One token serves both.
        assert_eq!(provider.server.requests().len(), 1);
        relay.leaves_nothing(service.sink);
    }
}
