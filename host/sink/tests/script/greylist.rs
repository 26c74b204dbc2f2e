use crate::{Server, deliver, deliver_to};

#[test]
fn the_first_try_of_a_triple_is_refused() {
    let server = Server::of("greylist = {}");
    let mut client = server.ready();
    assert_eq!(deliver(&mut client).code, 451);
    assert_eq!(deliver(&mut client).code, 250);
    assert_eq!(deliver_to(&mut client, "other@b.example").code, 451);
}

#[test]
fn all_tries_within_the_period_are_refused() {
    let server = Server::of("greylist = { period = '1h', reply = '450 4.2.0 Greylisted' }");
    let mut client = server.ready();
    for _ in 0..3 {
        assert_eq!(deliver(&mut client).text(), "4.2.0 Greylisted");
    }
    let server = Server::of("greylist = { period = '0s' }");
    assert_eq!(deliver(&mut server.ready()).code, 250);
}
