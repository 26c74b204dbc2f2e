//! A mailbox forwards a message to an alias once: the message is not multi-hop, and its author is
//! the requester.

use crate::{ITS_OWN, Site, author};

const MESSAGE: &str = "X-Forwarded-To: help@acme.desk.test\r\n\
    X-Forwarded-For: tom@customer.test help@acme.desk.test\r\n\
    Delivered-To: tom@customer.test\r\n\
    Received: from out.author.example by mx.customer.test with ESMTPS id 1\r\n \
    for <sales@customer.test>; Mon, 5 Jan 2026 01:00:01 +0000\r\n\
    From: Ann Author <ann@author.example>\r\n\
    To: Sales <sales@customer.test>\r\n\
    Subject: A question to an alias\r\n\
    Date: Mon, 5 Jan 2026 01:00:00 +0000\r\n\
    Message-ID: <6@author.example>\r\n\
    \r\n\
    Is it still there?\r\n";

#[test]
fn a_message_forwarded_once_by_an_alias_is_not_multi_hop() {
    let (zone, _) = author("none");
    let site = Site::start(zone, "{}");
    assert_eq!(site.direct(ITS_OWN, MESSAGE.as_bytes()).code, 250);
    let taken = site.sink.take();
    assert_eq!(taken.header("X-Gatepost-Tags"), None);
    assert_eq!(taken.header("X-Gatepost-Requester"), None);
    site.ends();
}
