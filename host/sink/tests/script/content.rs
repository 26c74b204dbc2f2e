use crate::{Server, deliver};

#[test]
fn the_connection_ends_in_the_middle_of_a_message() {
    let server = Server::of("[[on]]\ncommand = 'CONTENT'\nline = 3\ntimes = 1\nthen = 'close'");
    let mut client = server.ready();
    let message = b"Subject: x\r\n\r\none\r\ntwo\r\n";
    assert!(
        client
            .deliver("a@a.example", &["b@b.example"], message)
            .is_err()
    );
    assert_eq!(server.count(), 0);
    assert_eq!(deliver(&mut server.ready()).code, 250);
}

#[test]
fn a_message_is_kept_octet_for_octet_without_stuffing() {
    let server = Server::of("");
    let mut client = server.ready();
    let message = b"Subject: x\r\n\r\n..two\r\n.\n\xff\r\n";
    let reply = client
        .deliver("a@a.example", &["b@b.example"], message)
        .unwrap();
    assert_eq!((reply.code, server.octets(1)), (250, message.to_vec()));
    assert_eq!(server.kept(1)["eight_bit"], true);
}

#[test]
fn a_line_of_any_length_is_kept() {
    let server = Server::of("");
    let message = [b"x: y\r\n\r\n".as_slice(), &[b'.'; 200_000], b"\r\n"].concat();
    let reply = server
        .ready()
        .deliver("a@a.example", &["b@b.example"], &message);
    assert_eq!((reply.unwrap().code, server.octets(1)), (250, message));
}
