//! A message that cannot be taken now is put off, with the reply and a time to try again.

use super::{Desk, to_ann};

#[test]
fn without_room_on_the_disk_a_message_is_put_off() {
    let full = "[relay]\nhostname = \"mx.desk.example\"\nstore = \"store\"\nmin-free = \"1PiB\"\n";
    let desk = Desk::with(|relay| relay.with(full));
    let put_off = desk.hands_in(to_ann("x"), &[]).with_status(503);
    assert_eq!(put_off.code(), "message.deferred");
    assert!(
        put_off.text_of("detail").starts_with("452 4.3.1"),
        "{put_off:?}"
    );
    assert_eq!(put_off.fields["retry-after"], "1");
    desk.ends();
}
