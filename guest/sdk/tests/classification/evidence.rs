//! Every kind of evidence, in the form in which real programs write it, and people who look like
//! machines.

use gatepost_sdk::MessageClass::{self, *};
use gatepost_sdk::classification::{Classifier, Rule};

use crate::{Mail, classified, transaction};

const ANN: &str = "ann@sender.example";

/// Returns the class of a message with these fields from this reverse-path, and true if a machine
/// may answer.
fn classify_fields(from: &str, fields: &str) -> (MessageClass, bool) {
    let author = if fields.contains("From:") {
        ""
    } else {
        "From: Ann Weaver <ann@sender.example>\n"
    };
    let text =
        format!("{author}To: help@desk.example\n{fields}\n\nOut of office, said the machine.\n");
    let found = classified(text.as_bytes(), from, &["help@desk.example"]);
    (found.class, found.reply_allowed)
}

#[track_caller]
fn assert_classes(cases: &[(&str, &str, (MessageClass, bool))]) {
    for (from, fields, expected) in cases {
        assert_eq!(
            classify_fields(from, fields),
            *expected,
            "MAIL FROM:<{from}>\n{fields}"
        );
    }
}

/// Asserts that all of these messages have one class, and that a machine may answer all or none.
#[track_caller]
fn assert_each(expected: (MessageClass, bool), cases: &[(&str, &str)]) {
    for (from, fields) in cases {
        assert_classes(&[(from, fields, expected)]);
    }
}

#[test]
fn people_are_human() {
    assert_each(
        (Human, true),
        &[
            (ANN, "Subject: The light is blinking"),
            (
                ANN,
                "Subject: Re: Automatic reply: Your ticket\nIn-Reply-To: <1@x.example>",
            ),
            (ANN, "Subject: AW: Abwesenheitsnotiz: Lampe"),
            (ANN, "Subject: Out of office: how do I set it?"),
            (ANN, "Subject: Fwd: Undelivered Mail Returned to Sender"),
            (
                ANN,
                "Subject: hello\nAuto-Submitted: no\nPrecedence: normal",
            ),
            (ANN, "Subject: hello\nAuto-Submitted: no (I am; really)"),
            (ANN, "Subject: hello\nX-Auto-Response-Suppress: None"),
            (ANN, "Subject: hello\nX-Auto-Response-Suppress: DR, RN, NRN"),
        ],
    );
}

#[test]
fn people_at_forms_and_services_are_human() {
    assert_each(
        (Human, true),
        &[
            // A form on a web page
            ("noreply@shop.example", "Subject: Contact form"),
            (
                "bounces+12-ab-help=desk.example@em.shop.example",
                "From: form@shop.example\nReply-To: ann@sender.example\nSubject: hello\n\
             X-SG-EID: abc",
            ),
            // An inbox rule of Exchange that forwards.
            (
                ANN,
                "Subject: hello\nX-MS-Exchange-Inbox-Rules-Loop: bo@desk.example",
            ),
            (
                ANN,
                "Subject: Vacation: my request\nX-MS-Exchange-Inbox-Rules-Loop: bo@desk.example",
            ),
            // Mailbox providers that number everybody's mail.
            (ANN, "Subject: hello\nFeedback-ID: i1234567:Fastmail"),
            (ANN, "Subject: hello\nFeedback-ID: 1234:user:proton"),
            (
                ANN,
                "Subject: hello\nFeedback-ID: rr080:zu080:rf080:ZohoMail",
            ),
            // A company that sends all its mail through a service for bulk mail.
            (
                "bounces+12-ab-help=desk.example@em.sender.example",
                "Subject: hello\nX-SG-EID: abc\nUser-Agent: Mozilla Thunderbird",
            ),
            (
                "bounces+12-ab-help=desk.example@em.sender.example",
                "Subject: hello\nX-SG-EID: abc\nThread-Index: AQHVx1w0",
            ),
            (
                "0100017a-0001@mail.sender.example",
                "Subject: hello\nX-Mailer: Amazon WorkMail\nX-SES-Outgoing: 2021.04.29-192.0.2.1\n\
             Feedback-ID: 1.us-east-1.aBc=:AmazonSES",
            ),
            // Written at Yahoo.
            (
                ANN,
                "Subject: hello\nX-Yahoo-Newman-Property: ymail-3\n\
             X-Yahoo-Newman-Id: 123456.78901.bm@omp1.yahoo.example",
            ),
        ],
    );
}

#[test]
fn people_whose_mail_was_forwarded_are_human() {
    assert_each(
        (Human, true),
        &[
            // Forwarded by Exchange Online, Google, Postfix with SRS; signed by BATV.
            ("bounces+SRS=44ldt=IX@customer.example", "Subject: hello"),
            (
                "bo+caf_=help=desk.example@customer.example",
                "Subject: hello",
            ),
            (
                "SRS0=ab12=XY=sender.example=ann@customer.example",
                "Subject: hello",
            ),
            ("prvs=0123456789=ann@sender.example", "Subject: hello"),
            (ANN, "Subject: hello\nX-Mailer: Zimbra 7.1.3_GA_3346"),
            (ANN, "Subject: hello\nX-Loop: bo@customer.example"),
            (
                "feature-request@sender.example",
                "From: feature-request@sender.example\nSubject: hi",
            ),
        ],
    );
}

#[test]
fn people_whom_no_machine_may_answer_are_human() {
    assert_each(
        (Human, false),
        &[
            // Suppresses absence notices, as some servers do for everybody.
            (ANN, "Subject: hello\nX-Auto-Response-Suppress: OOF"),
            (ANN, "Subject: hello\nX-Loop: help@desk.example"),
            (
                "help@desk.example",
                "From: help@desk.example\nSubject: hello",
            ),
            (
                "postmaster@sender.example",
                "From: Bo <postmaster@sender.example>\nSubject: your IP",
            ),
            (ANN, "Subject: hello\nAuto-Submitted: auto-forwarded"),
            (ANN, "Subject: hello\nX-Autogenerated: Forward"),
        ],
    );
}

/// Does the same as [`classify_fields`] for a whole message.
fn classify_message(from: &str, message: &str) -> (MessageClass, bool) {
    let found = classified(message.as_bytes(), from, &["help@desk.example"]);
    (found.class, found.reply_allowed)
}

#[test]
fn people_who_send_through_a_service_are_human() {
    // Gmail's "send mail as" through each of them.
    for (path, fields) in [
        (
            "0102018f-1@eu-west-1.ses.example",
            "X-SES-Outgoing: 2026.05.02-192.0.2.7\nFeedback-ID: ::1.eu-west-1.aBc=:AmazonSES",
        ),
        (
            "bounces+12-ab-help=desk.example@em.sender.example",
            "X-SG-EID: u001.abc",
        ),
        (
            "bounce+1.2-help=desk.example@mg.sender.example",
            "X-Mailgun-Sid: WyI\nX-Mailgun-Sending-Ip: 192.0.2.7",
        ),
        (
            "pm_bounces@pm-bounces.sender.example",
            "X-PM-Message-Id: 1\nX-PM-Tag: smtp\nFeedback-ID: s1-_:s1:a1:postmark",
        ),
        (
            "bounces-1-help=desk.example@bm.sender.example",
            "X-Mailin-EID: MTIz\nFeedback-ID: 192.0.2.7:1:1:Sendinblue",
        ),
    ] {
        for mark in [
            "X-Gmail-Original-Message-ID: <CAJ2k=9@mail.gmail.com>",
            "User-Agent: Mozilla Thunderbird",
        ] {
            let fields = format!("Subject: The lamp\n{fields}\n{mark}");
            assert_eq!(classify_fields(path, &fields), (Human, true), "{fields}");
        }
    }
}

#[test]
fn forms_pass_on_what_a_visitor_wrote() {
    assert_classes(&[
        (
            "www-data@web1.host.example",
            "From: www-data@web1.host.example\nReply-To: bo@visitor.example\nSubject: Form",
            (Human, true),
        ),
        (
            "noreply@shop.example",
            "From: Shop <noreply@shop.example>\nReply-To: bo@visitor.example\nSubject: Contact",
            (Human, true),
        ),
        // The visitor is the author; only the reverse-path is the server's.
        (
            "apache@web1.host.example",
            "From: Bo <bo@visitor.example>\nSubject: Contact",
            (Human, true),
        ),
        // An answer would go to the site.
        (
            "wordpress@shop.example",
            "From: Shop <wordpress@shop.example>\nSubject: New entry",
            (Human, false),
        ),
        // A notice says that it is one, whoever is in Reply-To.
        (
            "noreply@shop.example",
            "From: noreply@shop.example\nReply-To: help@other.example\n\
             Auto-Submitted: auto-generated",
            (AutoGenerated, false),
        ),
    ]);
}

#[test]
fn lists_that_lead_to_the_help_desk_do_not_count() {
    let group = "To: help@customer.example\nList-ID: <help.customer.example>\nPrecedence: list\n\
                 List-Post: <mailto:help@customer.example>\nX-Google-Group-Id: 12\n\
                 Mailing-list: list help@customer.example; contact help+owners@customer.example\n\
                 List-Unsubscribe: <mailto:googlegroups-manage+12+unsubscribe@googlegroups.com>";
    let bounces = "help-bounces@customer.example";
    let mail =
        |fields: &str| format!("From: Bo <bo@x.example>\n{group}\n{fields}\n\nMy lamp blinks.\n");
    // A team's address, by its name, or the recipient's own, whatever its name.
    assert_eq!(
        classify_message(bounces, &mail("Subject: lamp")),
        (Human, true)
    );
    assert_eq!(
        classify_message(bounces, &mail("Auto-Submitted: auto-replied")).0,
        AutoReplied
    );
    let wool = mail("Subject: lamp")
        .replace("help.customer", "wool.customer")
        .replace("help@customer", "wool@customer");
    assert_eq!(classify_message(bounces, &wool), (List, false));
    let found = classified(wool.as_bytes(), bounces, &["wool@customer.example"]);
    assert_eq!((found.class, found.reply_allowed), (Human, true));
    let found = classified(wool.as_bytes(), bounces, &["desk@customer.example"]);
    assert_eq!((found.class, found.reply_allowed), (Human, true));
}

#[test]
fn marks_of_forwarding_servers_do_not_count() {
    assert_classes(&[
        (
            ANN,
            "Subject: lamp\nAuto-Submitted: auto-forwarded\nX-Forwarded-To: help@desk.example",
            (Human, true),
        ),
        (
            "help+SRS=44ldt=IX=sender.example=ann@customer.example",
            "Subject: lamp\nAuto-Submitted: auto-forwarded",
            (Human, true),
        ),
        // A rule of Microsoft 365 that redirects, and one that forwards.
        (
            "help+SRS=44ldt=IX=sender.example=ann@customer.example",
            "Subject: lamp\nAuto-Submitted: auto-generated\nResent-From: help@customer.example\n\
             X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent",
            (Human, true),
        ),
        (
            ANN,
            "Subject: FW: lamp\nAuto-Submitted: auto-generated\n\
             X-MS-Exchange-Inbox-Rules-Loop: ann@sender.example",
            (Human, true),
        ),
        // Redirected, but a machine's answer by its subject.
        (
            "help+SRS=44ldt=IX=sender.example=ann@customer.example",
            "Subject: Automatic reply: lamp\nAuto-Submitted: auto-generated\n\
             X-MS-Exchange-Inbox-Rules-Loop: help@customer.example",
            (AutoReplied, false),
        ),
    ]);
}

#[test]
fn typed_answers_outweigh_what_is_usual_of_machines() {
    let answer = "Subject: RE: lamp\nIn-Reply-To: <1@desk.example>\nThread-Index: AQHVx1w0\n\
                  X-Mailer: Microsoft Outlook 16.0";
    for (from, fields, reply) in [
        (
            ANN,
            "X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply",
            true,
        ),
        (ANN, "X-Auto-Response-Suppress: All", false),
        (ANN, "X-Auto-Response-Suppress: DR, OOF", true),
        (ANN, "List-Unsubscribe: <https://crm.example/u/1>", true),
        (ANN, "X-OTRS-Priority: 5 very high", true),
        (
            "alerts@sender.example",
            "From: Watch <alerts@sender.example>",
            true,
        ),
        (
            "notify@sender.example",
            "From: Notify <notify@sender.example>",
            true,
        ),
        (
            "no.reply@sender.example",
            "From: Nora Reply <no.reply@sender.example>",
            true,
        ),
    ] {
        assert_eq!(
            classify_fields(from, &format!("{answer}\n{fields}")),
            (Human, reply),
            "{fields}"
        );
    }
    // An Exchange group suppresses answers when it passes on a member's mail.
    let group = "From: ann@sender.example\nTo: team@customer.example\nSubject: lamp\n\
                 X-Auto-Response-Suppress: DR, OOF, AutoReply\n\nMy lamp blinks.\n";
    assert_eq!(classify_message(ANN, group), (Human, true));
    let direct = group.replace("team@customer", "help@desk");
    assert_eq!(classify_message(ANN, &direct), (AutoGenerated, false));
    // An explicit mark still counts.
    assert_eq!(
        classify_fields(ANN, &format!("{answer}\nAuto-Submitted: auto-generated")).0,
        AutoGenerated
    );
    assert_eq!(
        classify_fields(ANN, &format!("{answer}\nList-Id: <wool.l.example>")).0,
        List
    );
}

#[test]
fn people_at_machine_like_addresses_are_human() {
    for address in [
        "it-admin",
        "purchase-request",
        "casino-reply",
        "milano-response",
        "sysadmin",
    ] {
        let path = format!("{address}@sender.example");
        let fields = format!("From: {path}\nSubject: lamp");
        assert_eq!(classify_fields(&path, &fields), (Human, true), "{address}");
    }
    assert_classes(&[
        (
            "alerts@sender.example",
            "From: alerts@sender.example\nSubject: x",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "From: System Administrator <ann@sender.example>\nSubject: Undeliverable: your bill",
            (Human, true),
        ),
        (
            ANN,
            "Subject: Auto: the gear box of my Golf\nX-SES-Outgoing: 1\nReply-To: bo@x.example",
            (Human, true),
        ),
        (
            ANN,
            "Subject: [EXTERNAL] RE: Bo is out of the office\n\
             X-Auto-Response-Suppress: OOF\nIn-Reply-To: <1@x.example>",
            (Human, true),
        ),
        (
            ANN,
            "Subject: lamp\nX-Mailer: Vacation Home Manager 3",
            (Human, true),
        ),
        (
            ANN,
            "Subject: lamp\nX-Mailer: vacation 1.2.8",
            (AutoReplied, false),
        ),
        (
            ANN,
            "From: help@desk.example\nSubject: our form",
            (Human, false),
        ),
        (
            ANN,
            "From: help@desk.example\nReply-To: bo@x.example\nSubject: our form",
            (Human, true),
        ),
    ]);
}

#[test]
fn unmarked_machines_are_found_by_other_signs() {
    assert_classes(&[
        // Domino
        (
            ANN,
            "Subject: AUTO: Ann Weaver is out of the office (returning 02.05.2026)",
            (AutoReplied, false),
        ),
        // Exchange 2003, and on premises
        (
            ANN,
            "Subject: Automatische Antwort: Lampe\nIn-Reply-To: <1@desk.example>",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: Abwesenheitsnotiz: Lampe\nIn-Reply-To: <1@desk.example>",
            (AutoReplied, false),
        ),
        // TMDA, Mailman
        (
            ANN,
            "Subject: Please confirm your message\nIn-Reply-To: <1@desk.example>",
            (AutoReplied, false),
        ),
        (
            "wool-bounces@l.example",
            "Subject: Your message to wool awaits moderator approval\n\
             Precedence: bulk\nX-List-Administrivia: yes",
            (AutoReplied, false),
        ),
        (
            "root@web1.example",
            "From: root <root@web1.example>\nSubject: Anacron job 'cron.daily' on web1",
            (AutoGenerated, false),
        ),
        (
            "nobody@web1.example",
            "From: nobody@web1.example\nSubject: x",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "Subject: [Warning] Nightly (2 objects) 1 warning",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "Subject: Message from \"RNP0026738A1B2C\"",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "Subject: x\n\
             X-MS-Mail-Application: Microsoft Power Automate; User-Agent: azure-logic-apps/1.0",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "Subject: Angenommen: lamp\n\
             X-MS-Exchange-Generated-Message-Source: Resource Booking Attendant",
            (AutoReplied, false),
        ),
        // Certified mail: receipts of delivery
        (
            "certified@pec.example",
            "From: certified@pec.example\nX-Ricevuta: avvenuta-consegna",
            (Bounce, false),
        ),
    ]);
    let ours =
        "--b\nContent-Type: message/rfc822\n\nFrom: help@desk.example\nSubject: x\n\ny\n--b--\n";
    let with = |fields: &str, text: &str| {
        format!("{fields}\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n{text}\n{ours}")
    };
    for (fields, text, expected) in [
        // Exim, with author and reverse-path of its site.
        (
            "From: ndr@x.example\nSubject: Mail delivery failed: returning message to sender",
            "This message was created automatically by mail delivery software.",
            Bounce,
        ),
        (
            "From: staff@mailbox.example\nSubject: complaint about message from 192.0.2.1",
            "",
            AutoGenerated,
        ),
        (
            "From: Bo <bo@x.example>\nSubject: What did you mean?",
            "I do not understand what could not be delivered.",
            Human,
        ),
    ] {
        assert_eq!(
            classify_message(ANN, &with(fields, text)).0,
            expected,
            "{fields}"
        );
    }
}

#[test]
fn failure_in_a_gateways_answer_is_a_bounce() {
    let with = |fields: &str, id: &str| {
        format!(
            "From: status@sms.example\nSubject: SMS to +49 151 not delivered, undeliverable\n\
             In-Reply-To: <{id}>\n{fields}\n\nYour SMS could not be delivered.\n"
        )
    };
    let path = "status@sms.example";
    assert_eq!(
        classify_message(path, &with("X-SMS: 1", "1@desk.example")).0,
        Bounce
    );
    // Somebody else's message, or a person's mail program
    assert_eq!(
        classify_message(path, &with("X-SMS: 1", "1@x.example")).0,
        Human
    );
    assert_eq!(
        classify_message(path, &with("X-Mailer: Apple Mail", "1@desk.example")),
        (Human, true)
    );
}

#[test]
fn calendar_replies_without_own_words_are_auto_replied() {
    let with = |text: &str, fields: &str| {
        format!(
            "From: Ann Weaver <ann@sender.example>\nSubject: Accepted: talk\n{fields}\
             Content-Type: multipart/alternative; boundary=b\n\n--b\n\n{text}\n--b\n\
             Content-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR\n--b--\n"
        )
    };
    assert_eq!(classify_message(ANN, &with("", "")).0, AutoReplied);
    assert_eq!(
        classify_message(ANN, &with("Ann Weaver has accepted", "")).0,
        AutoReplied
    );
    assert_eq!(
        classify_message(
            ANN,
            &with("I come, but later.", "Auto-Submitted: auto-generated\n")
        )
        .0,
        AutoReplied
    );
    assert_eq!(
        classify_message(ANN, &with("I come, but later.", "")),
        (Human, true)
    );
    assert_eq!(
        classify_message(ANN, &with("I cannot.\nAnn Weaver", "")),
        (Human, true)
    );
}

#[test]
fn null_reverse_path_with_other_marks_may_be_no_bounce() {
    assert_classes(&[
        (
            "",
            "Subject: Thank you for your letter\nPrecedence: bulk",
            (AutoReplied, false),
        ),
        (
            "",
            "Subject: New ticket\nX-Mailer: OTRS Mail Service (6)",
            (AutoGenerated, false),
        ),
        (
            "",
            "Subject: Re: lamp\nIn-Reply-To: <1@desk.example>",
            (AutoReplied, false),
        ),
        // Unknown words, but with a server's reply.
        (
            "",
            "Subject: Re: lamp\nPrecedence: bulk\n\nTo bo@x.example: 550 5.1.1 unknown",
            (Bounce, false),
        ),
        (
            "",
            "Subject: Undeliverable: lamp\nPrecedence: bulk",
            (Bounce, false),
        ),
    ]);
}

#[test]
fn unmarked_letters_to_many_need_two_signs() {
    let text = "What we have got in may be of interest.\n".repeat(10);
    let with = |fields: &str, end: &str| {
        format!("From: Ann <ann@sender.example>\n{fields}\n\n{text}{end}\n")
    };
    let undisclosed = "To: undisclosed-recipients:;\nSubject: Wool";
    assert_eq!(
        classify_message(
            ANN,
            &with(undisclosed, "Unsubscribe: https://sender.example/u")
        )
        .0,
        List
    );
    assert_eq!(
        classify_message(
            ANN,
            &with("Subject: Newsletter 5", "Zum Abbestellen hier klicken.")
        )
        .0,
        List
    );
    // One sign is not enough, and an answer goes to somebody.
    assert_eq!(classify_message(ANN, &with(undisclosed, "Ann")).0, Human);
    assert_eq!(
        classify_message(ANN, &with("Subject: Wool", "How can I unsubscribe?")).0,
        Human
    );
    let answer = "Subject: Re: Newsletter 5\nIn-Reply-To: <1@desk.example>";
    assert_eq!(
        classify_message(ANN, &with(answer, "Unsubscribe: https://sender.example/u")).0,
        Human
    );
}

#[test]
fn agents_words_in_a_help_desks_notice_are_human() {
    let desk = "To: help@desk.example\nSubject: Re: [Wool Shop] lamp\n\
                In-Reply-To: <1@desk.example>\nAuto-Submitted: auto-generated\n\
                X-Auto-Response-Suppress: All\nX-Mailer: Zendesk Mailer";
    let above = "##- Please type your reply above this line -##\n\n";
    let with = |from: &str, text: &str| format!("From: {from}\n{desk}\n\n{above}{text}\n");
    let agent = with("\"Bo (Wool Shop)\" <help@wool.example>", "It is the fuse.");
    assert_eq!(classify_message(ANN, &agent), (Human, false));
    let system = with(
        "Wool Shop <help@wool.example>",
        "Your request (12) was received.",
    );
    assert_eq!(classify_message(ANN, &system).0, AutoReplied);
    // A shared mailbox suppresses nothing: its agent may be answered.
    assert_eq!(
        classify_fields(
            ANN,
            "Subject: Re: lamp\nIn-Reply-To: <1@desk.example>\nX-Front-Id: 1"
        ),
        (Human, true)
    );
}

#[test]
fn nobody_is_remembered_by_one_weak_sign_or_by_what_others_added() {
    let certain = |from: &str, fields: &str| {
        let text = format!("From: {from}\n{fields}\n\nx\n");
        classified(text.as_bytes(), from, &["help@desk.example"]).is_certain()
    };
    for fields in [
        "Auto-Submitted: auto-generated",
        "Auto-Submitted: auto-replied",
        "X-JIRA-FingerPrint: 1",
    ] {
        assert!(certain(ANN, fields), "{fields}");
        assert!(
            !certain(ANN, &format!("{fields}\nX-Forwarded-To: help@desk.example")),
            "{fields}"
        );
    }
    assert!(!certain("noreply@sender.example", "Subject: x"));
    assert!(certain("noreply@sender.example", "Precedence: bulk"));
    for fields in [
        "Subject: x",
        "X-Auto-Response-Suppress: All",
        "Precedence: bulk",
        "List-Id: <wool.l.example>",
    ] {
        assert!(!certain(ANN, fields), "{fields}");
    }
}

#[test]
fn mail_of_help_desk_agents_is_human_and_not_answered() {
    assert_classes(&[
        (
            ANN,
            "Subject: Re: [#12] lamp\nX-Mailer: Zendesk Mailer\nX-Zendesk-From-Account-Id: 1a",
            (Human, false),
        ),
        (
            ANN,
            "Subject: Re: [Ticket#2025] lamp\nX-Mailer: OTRS Mail Service (6.0)\nX-Powered-By: OTRS",
            (Human, false),
        ),
        (
            ANN,
            "Subject: [example #12] lamp\nPrecedence: bulk\nRT-Ticket: example #12\nManaged-By: RT 5",
            (Human, false),
        ),
        (
            ANN,
            "Subject: [example #12] AutoReply: lamp\nPrecedence: bulk\nRT-Ticket: example #12\nManaged-By: RT 5",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: Re: lamp\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n\
             X-Gatepost-From-Account-Id: acme\nX-Gatepost-Trigger: agent",
            (Human, false),
        ),
        (
            ANN,
            "Subject: Re: lamp\nX-Gatepost-From-Account-Id: acme\nX-Gatepost-Trigger: Automatic",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "Subject: Re: lamp\nAuto-Submitted: auto-replied\nX-Gatepost-Trigger: automatic",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: Ticket received\nX-Mailer: Zammad Mail Service\nPrecedence: bulk\nX-Auto-Response-Suppress: All",
            (AutoGenerated, false),
        ),
        (
            "",
            "Content-Type: multipart/report; report-type=delivery-status\nX-Gatepost-Trigger: agent",
            (Bounce, false),
        ),
    ]);
}

#[test]
fn the_names_of_a_sites_own_fields_can_be_set() {
    let classifier = Classifier::new("X-Desk-Trigger", "X-Desk-Account");
    let classified = |fields: &str| {
        let text = format!("From: {ANN}\r\nAuto-Submitted: auto-generated\r\n{fields}\r\n\r\n");
        let message = Mail(gatepost_message::Message::from_bytes(text.into()));
        classifier
            .classify(&transaction(ANN, &["help@desk.example"]), &message)
            .class
    };
    assert_eq!(classified("X-Desk-Trigger: agent"), Human);
    assert_eq!(classified("X-Gatepost-Trigger: agent"), AutoGenerated);
}

#[test]
fn bounces_are_found() {
    assert_classes(&[
        ("", "Subject: anything", (Bounce, false)),
        // Postfix, also with its reverse-path lost.
        (
            "x@fwd.example",
            "From: MAILER-DAEMON@mx.example (Mail Delivery System)\nSubject: Undelivered Mail Returned to Sender\n\
             Auto-Submitted: auto-replied\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"",
            (Bounce, false),
        ),
        // Exim
        (
            "",
            "From: Mail Delivery System <Mailer-Daemon@mx.example>\nX-Failed-Recipients: a@b.example\n\
             Auto-Submitted: auto-replied\nSubject: Mail delivery failed: returning message to sender",
            (Bounce, false),
        ),
        (
            "x@fwd.example",
            "X-Failed-Recipients: a@b.example\nSubject: x",
            (Bounce, false),
        ),
        // qmail, and its double bounce
        (
            "",
            "From: MAILER-DAEMON@mx.example\nSubject: failure notice",
            (Bounce, false),
        ),
        (
            "#@[]",
            "From: MAILER-DAEMON@mx.example\nSubject: failure notice",
            (Bounce, false),
        ),
        // Sendmail
        (
            "MAILER-DAEMON@mx.example",
            "From: Mail Delivery Subsystem <MAILER-DAEMON@mx.example>\nAuto-Submitted: auto-generated (failure)\n\
             Subject: Returned mail: see transcript for details",
            (Bounce, false),
        ),
        // Exchange, with the reverse-path lost
        (
            "x@fwd.example",
            "From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@corp.example>\n\
             Subject: Unzustellbar: Lampe\nX-MS-Exchange-Message-Is-Ndr:",
            (Bounce, false),
        ),
        // Domino, GroupWise, and mail systems that tell it in the subject alone.
        (
            "",
            "From: Postmaster@corp.example\nSubject: DELIVERY FAILURE: User ann not listed",
            (Bounce, false),
        ),
        (
            "postmaster@corp.example",
            "From: Postmaster <postmaster@corp.example>\nSubject: Undeliverable mail",
            (Bounce, false),
        ),
        (
            "x@fwd.example",
            "From: <>\nSubject: Mail delivery failed",
            (Bounce, false),
        ),
        // The reverse-path of an answer, but a mail system's subject.
        (
            "",
            "Auto-Submitted: auto-replied\nSubject: 退信: 灯",
            (Bounce, false),
        ),
        // No word of the report in the header section.
        (
            "x@fwd.example",
            "Subject: x\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n",
            (Bounce, false),
        ),
    ]);
}

#[test]
fn automatic_answers_are_found() {
    assert_each(
        (AutoReplied, false),
        &[
            (
                ANN,
                "Subject: Re: lamp\nAuto-Submitted: auto-replied (vacation)",
            ),
            (
                "",
                "Subject: Auto: lamp\nAuto-Submitted: auto-replied (vacation)",
            ),
            ("", "Subject: Out of office: lamp"),
            // As stored, with the reverse-path in its header section.
            (
                "",
                "Return-Path: <>\nSubject: lamp\nAuto-Submitted: auto-replied",
            ),
            (
                "",
                "Return-Path: <>\nSubject: Automatic reply: lamp\n\
             X-MS-Exchange-Inbox-Rules-Loop: ann@sender.example",
            ),
            (ANN, "Subject: Auto reply: lamp\nX-Apple-Action: VACATION"),
            (ANN, "Subject: away\nX-Autoreply: yes"),
            (
                ANN,
                "Subject: away\nX-Autorespond: lamp\nX-Loop: ann@sender.example",
            ),
            (ANN, "Subject: away\nX-Autoresponder: 1"),
            (ANN, "Subject: away\nX-Auto-Reply-From: ann@sender.example"),
            (ANN, "Subject: away\nX-Mail-Autoreply: 1"),
            (ANN, "Subject: away\nX-Autogenerated: Reply"),
            (ANN, "Subject: away\nX-POST-MessageClass: 9; Autoresponder"),
            (ANN, "Subject: away\nDelivered-To: Autoresponder"),
            (ANN, "Subject: away\nPrecedence: auto_reply"),
            (ANN, "Subject: away\nX-Precedence: auto-reply"),
            (
                ANN,
                "Subject: x\nX-Auto-Response-Suppress: All\nX-MS-Exchange-Inbox-Rules-Loop: ann@sender.example",
            ),
            (
                ANN,
                "Subject: Out of Office AutoReply: lamp\nX-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent",
            ),
            (
                "autoreply@corp.example",
                "From: autoreply@corp.example\nSubject: We got it",
            ),
            (
                "",
                "Subject: Read: lamp\nContent-Type: multipart/report; report-type=disposition-notification",
            ),
            (
                ANN,
                "Subject: Lu : lampe\nContent-Type: multipart/report;\n report-type=\"disposition-notification\";\n boundary=b",
            ),
        ],
    );
    assert_each((Human, true), &[(ANN, "Subject: away\nX-Autoreply: no")]);
}

#[test]
fn automatic_answers_are_found_by_their_subjects() {
    assert_each(
        (AutoReplied, false),
        &[
            // Exchange marks its automatic replies as auto-generated; the subject tells.
            (
                ANN,
                "Subject: Automatic reply: lamp\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All",
            ),
            // Encoded, in an old charset.
            (
                ANN,
                "Subject: =?iso-8859-1?Q?R=E9ponse_automatique_=3A?= lampe\nX-Auto-Response-Suppress: All",
            ),
            (
                ANN,
                "Subject: =?iso-2022-jp?B?GyRCPCtGMEpWPy4bKEI=?= lamp\nPrecedence: bulk",
            ),
            (
                ANN,
                "Subject: =?koi8-r?B?4dfUz8/U18XUOg==?= x\nPrecedence: bulk",
            ),
        ],
    );
}

#[test]
fn automatic_subjects_in_any_language_need_a_second_sign() {
    let subjects = [
        "Automatic reply: x",
        "Automatische Antwort: x",
        "Réponse automatique : x",
        "Respuesta automática: x",
        "Resposta automática: x",
        "Risposta automatica: x",
        "Automatisch antwoord: x",
        "Automatiskt svar: x",
        "Automatisk svar: x",
        "Automaattinen vastaus: x",
        "Odpowiedź automatyczna: x",
        "Automatická odpověď: x",
        "Automatická odpoveď: x",
        "Automatikus válasz: x",
        "Răspuns automat: x",
        "Автоматичен отговор: x",
        "Автоматический ответ: x",
        "Автоматична відповідь: x",
        "Automatski odgovor: x",
        "Samodejni odgovor: x",
        "Αυτόματη απάντηση: x",
        "Otomatik yanıt: x",
        "OTOMATİK YANIT: x",
        "رد تلقائي: x",
        "תשובה אוטומטית: x",
        "自動応答: x",
        "自動返信: x",
        "자동 회신: x",
        "自动答复: x",
        "自动回复：x",
        "自動回覆: x",
        "ตอบกลับอัตโนมัติ: x",
        "Trả lời tự động: x",
        "Balasan otomatis: x",
        "स्वचालित उत्तर: x",
        "Automaatvastus: x",
        "Automātiska atbilde: x",
        "Automatinis atsakymas: x",
        "پاسخ خودکار: x",
        "Resposta automàtica: x",
    ];
    for subject in subjects {
        assert_eq!(
            classify_fields(ANN, &format!("Subject: {subject}")),
            (Human, true),
            "{subject}"
        );
        for second in [
            "X-Auto-Response-Suppress: All",
            "Precedence: junk",
            "X-MS-Exchange-Inbox-Rules-Loop: a@b.example",
        ] {
            let class = classify_fields(ANN, &format!("Subject: {subject}\n{second}")).0;
            assert_eq!(class, AutoReplied, "{subject} with {second}");
        }
        assert_eq!(
            classify_fields("", &format!("Subject: {subject}")).0,
            AutoReplied,
            "{subject}"
        );
        assert_eq!(
            classify_fields(ANN, &format!("Subject: Re: {subject}\nX-Loop: a@b.example")).0,
            Human,
            "{subject}"
        );
    }
}

#[test]
fn generated_mail_is_found() {
    assert_classes(&[
        (
            ANN,
            "Subject: x\nAuto-Submitted: auto-generated",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "Subject: x\nAuto-Submitted: auto-notified; owner-email=\"a@b.example\"",
            (AutoGenerated, false),
        ),
        (
            "root@host.example",
            "Subject: Cron <root@host> x\nX-Cron-Env: <SHELL=/bin/sh>",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "Subject: x\nX-Auto-Response-Suppress: All",
            (AutoGenerated, false),
        ),
        (ANN, "Subject: x\nPrecedence: bulk", (AutoGenerated, false)),
        (
            ANN,
            "Subject: x\nX-FC-MachineGenerated: true",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "Subject: x\nX-FC-MachineGenerated: false",
            (Human, true),
        ),
        (
            ANN,
            "Subject: x\nX-AMAZON-MAIL-RELAY-TYPE: notification",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "Subject: x\nX-Autogenerated: Letter",
            (AutoGenerated, false),
        ),
        (
            "no-reply@shop.example",
            "From: Shop <no-reply@shop.example>\nSubject: Your order",
            (AutoGenerated, false),
        ),
        (
            "x@ses.example",
            "Subject: x\nX-SES-Outgoing: 2020\nFeedback-ID: 1.us:AmazonSES",
            (AutoGenerated, false),
        ),
        (
            "jira@x.example",
            "From: Ann (Jira) <jira@x.example>\nSubject: x\nList-Id: <dev.x.example>\nX-JIRA-FingerPrint: 1",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "Subject: x\nContent-Type: multipart/report; report-type=feedback-report\nPrecedence: list",
            (AutoGenerated, false),
        ),
        (
            "a@x.example",
            "From: a@x.example\nSubject: Report Domain: y.example Submitter: x.example Report-ID: <1>",
            (AutoGenerated, false),
        ),
    ]);
}

#[test]
fn mailing_lists_are_found() {
    assert_classes(&[
        (
            "wool-bounces@l.example",
            "List-Id: <wool.l.example>\nPrecedence: list",
            (List, false),
        ),
        (
            ANN,
            "List-Unsubscribe: <https://x.example/u>",
            (List, false),
        ),
        (ANN, "Precedence: list", (List, false)),
        (ANN, "X-Mailing-List: wool@l.example", (List, false)),
        (ANN, "X-BeenThere: wool@l.example", (List, false)),
        (
            "owner-wool@l.example",
            "Sender: owner-wool@l.example\nPrecedence: bulk",
            (List, false),
        ),
        // Whatever its name, an address of the message gets the answers.
        (
            ANN,
            "Reply-To: help@desk.example\nPrecedence: bulk",
            (List, false),
        ),
        (
            "bounces+12-ab-help=desk.example@em.shop.example",
            "From: Shop <news@shop.example>\nX-SG-EID: abc",
            (List, false),
        ),
        // A machine's answer to the list.
        (
            ANN,
            "List-Id: <wool.l.example>\nAuto-Submitted: auto-replied",
            (AutoReplied, false),
        ),
        (
            "wool-bounces@l.example",
            "List-Id: <wool.l.example>\nSubject: Welcome\nX-List-Administrivia: yes",
            (AutoGenerated, false),
        ),
        // News from nobody.
        (
            "no-reply@shop.example",
            "From: Shop <no-reply@shop.example>\nList-Unsubscribe: <https://x.example/u>",
            (List, false),
        ),
    ]);
}

#[test]
fn the_evidence_names_field_and_rule() {
    let text = b"From: ann@sender.example\nAuto-Submitted: auto-replied (vacation)\n\n";
    let found = classified(text, ANN, &["help@desk.example"]);
    let said: Vec<String> = found.evidence_of_class().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["Auto-Submitted: auto-replied (vacation) [auto-replied]"]
    );
}

#[test]
fn the_documentation_has_every_rule() {
    let page = include_str!("../../../../docs/loop-guard.md");
    for rule in Rule::ALL {
        let name = format!("| `{}` |", rule.name());
        let is_row = |line: &str| line.starts_with(&name) && line.contains(rule.source());
        assert!(page.lines().any(is_row), "{rule:?}");
    }
}
