//! What header-guard changes reaches the wire, and every other octet stays as it came: folding,
//! spaces, 8-bit octets, and what is no header at all.

use test_support::{RelayBuilder, Sink};

use crate::{send, without_trace_field};

const RULES: &str = r#"
[[policy]]
name = "header-guard"
builtin = "header-guard"
settings = { rules = [
    { header = "X-Set", action = { set = { value = "new" } } },
    { header = "X-Strip", action = "strip" },
    { header = "X-Missing", action = { require = { value = "added" } } },
    { header = "X-There", action = { require = { value = "not added" } } },
] }
"#;

const SENT: &[u8] = b"x-strip: one\r\n\
    SUBJECT:no space,\t  two spaces  \r\n\
    \tand a fold  \r\n\
    X-Set : old\r\n\
    \twith a fold\r\n\
    From: =?utf-8?q?J=C3=BCrgen?= <juergen@sender.example>\r\n\
    X-Strip: two\r\n\
    \tfolded\r\n\
    X-There:\r\n\
    X-SET: a second one\r\n\
    X-Latin: \xe4\xf6\xfc\r\n\
    \r\n\
    X-Strip: this is the body\r\n\
    ..\r\n\
    \xff\xfe trailing space \r\n\
    \r\n";

const ARRIVED: &[u8] = b"X-Missing: added\r\n\
    SUBJECT:no space,\t  two spaces  \r\n\
    \tand a fold  \r\n\
    X-Set: new\r\n\
    From: =?utf-8?q?J=C3=BCrgen?= <juergen@sender.example>\r\n\
    X-There:\r\n\
    X-Latin: \xe4\xf6\xfc\r\n\
    \r\n\
    X-Strip: this is the body\r\n\
    ..\r\n\
    \xff\xfe trailing space \r\n\
    \r\n";

#[test]
fn an_edit_touches_its_own_header_only() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).with(RULES).start();
    assert_eq!(send(&relay, SENT).code, 250);
    let arrived = sink.take().bytes();
    let arrived = without_trace_field(&arrived);
    assert_eq!(
        arrived.escape_ascii().to_string(),
        ARRIVED.escape_ascii().to_string()
    );
    relay.leaves_nothing(sink);
}
