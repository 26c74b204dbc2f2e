//! Refusals as servers write them: which lie with the recipient.
#![allow(clippy::unwrap_used, reason = "a test may")]

use gatepost_smtp::RecipientFailure::{self, Hard, Soft};
use gatepost_smtp::Reply;

/// Reads a reply as it is on the wire, its lines joined by a space.
fn of(line: &str) -> Option<RecipientFailure> {
    let (code, rest) = line.split_once([' ', '-']).unwrap();
    let first = rest.split(' ').next().unwrap();
    let (enhanced, text) = match first.parse() {
        Ok(enhanced) => (Some(enhanced), rest[first.len()..].trim_start()),
        Err(_) => (None, rest),
    };
    let reply = Reply::checked(code.parse().unwrap(), enhanced, text).unwrap();
    RecipientFailure::of_reply(&reply)
}

#[test]
fn replies_of_servers_are_told_apart() {
    for (line, expected) in [
        // Postfix.
        (
            "550 5.1.1 <bob@b.example>: Recipient address rejected: User unknown in virtual mailbox table",
            Some(Hard),
        ),
        (
            "550 5.1.1 <bob@b.example>: Recipient address rejected: User unknown in local recipient table",
            Some(Hard),
        ),
        (
            "550 5.1.0 <ann@a.example>: Sender address rejected: User unknown in virtual alias table",
            None,
        ),
        (
            "450 4.1.1 <bob@b.example>: Recipient address rejected: unverified address: connect to mx.b.example: timed out",
            Some(Soft),
        ),
        (
            "450 4.1.8 <ann@a.example>: Sender address rejected: Domain not found",
            None,
        ),
        ("554 5.7.1 <bob@b.example>: Relay access denied", None),
        (
            "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
            None,
        ),
        ("452 4.3.1 Insufficient system storage", None),
        (
            "552 5.2.2 <bob@b.example>: Recipient address rejected: Mailbox full",
            Some(Soft),
        ),
        // Dovecot.
        (
            "550 5.1.1 <bob@b.example> User doesn't exist: bob@b.example",
            Some(Hard),
        ),
        (
            "452 4.2.2 <bob@b.example> Quota exceeded (mailbox for user is full)",
            Some(Soft),
        ),
        (
            "552 5.2.2 <bob@b.example> Quota exceeded (mailbox for user is full)",
            Some(Soft),
        ),
        // Exim.
        ("550 Unrouteable address", Some(Soft)),
        ("550 Unknown user", Some(Hard)),
        (
            "550-Verification failed for <ann@a.example> Called: 192.0.2.1 Sent: RCPT TO:<ann@a.example> Response: 550 5.1.1 user unknown 550 Sender verify failed",
            None,
        ),
        ("550 relay not permitted", None),
        ("451 greylisted, user unknown until then", None),
        // Sendmail and qmail.
        ("550 5.1.1 <bob@b.example>... User unknown", Some(Hard)),
        (
            "553 5.1.8 <ann@a.example>... Domain of sender address ann@a.example does not exist",
            None,
        ),
        (
            "550 5.1.2 <bob@b.example>... Host unknown (Name server: host not found)",
            Some(Soft),
        ),
        (
            "550 sorry, no mailbox here by that name. (#5.1.1)",
            Some(Hard),
        ),
        (
            "550 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
            None,
        ),
        (
            "552 sorry, that message size exceeds my databytes limit (#5.3.4)",
            None,
        ),
        // Gmail.
        (
            "550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos or unnecessary spaces. For more information, go to https://support.google.com/mail/?p=NoSuchUser a1-20020a17.123 - gsmtp",
            Some(Hard),
        ),
        (
            "550 5.2.1 The email account that you tried to reach is inactive. For more information, go to https://support.google.com/mail/?p=DisabledUser a1.2 - gsmtp",
            Some(Hard),
        ),
        (
            "552 5.2.2 The recipient's inbox is out of storage space and inactive. Please direct the recipient to https://support.google.com/mail/?p=OverQuotaPerm a1.2 - gsmtp",
            Some(Soft),
        ),
        (
            "452 4.2.2 The recipient's inbox is out of storage space. a1.2 - gsmtp",
            Some(Soft),
        ),
        (
            "450 4.2.1 The user you are trying to contact is receiving mail too quickly. Please resend your message at a later time. a1.2 - gsmtp",
            None,
        ),
        (
            "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered. a1.2 - gsmtp",
            None,
        ),
        (
            "550 5.7.26 Your email has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM. a1.2 - gsmtp",
            None,
        ),
        (
            "550 5.7.1 Our system has detected that this message is likely unsolicited mail. a1.2 - gsmtp",
            None,
        ),
        (
            "421 4.7.0 Our system has detected an unusual rate of unsolicited mail originating from your IP address. a1.2 - gsmtp",
            None,
        ),
        (
            "550 5.4.5 Daily user sending limit exceeded. a1.2 - gsmtp",
            None,
        ),
        // Microsoft.
        (
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient bob@b.example not found by SMTP address lookup",
            Some(Hard),
        ),
        (
            "550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [DB1.prod.protection.outlook.com]",
            Some(Soft),
        ),
        (
            "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [DB1.prod.protection.outlook.com]",
            None,
        ),
        (
            "550 Requested action not taken: mailbox unavailable",
            Some(Soft),
        ),
        (
            "550 5.7.1 Service unavailable, Client host [192.0.2.1] blocked using Spamhaus. To request removal from this list see https://www.spamhaus.org/query/ip/192.0.2.1",
            None,
        ),
        (
            "550 5.7.606 Access denied, banned sending IP [192.0.2.1]. To request removal from this list please visit https://sender.office.com/",
            None,
        ),
        (
            "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.",
            None,
        ),
        (
            "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required",
            None,
        ),
        (
            "550 SC-001 (SNT004) Unfortunately, messages from 192.0.2.1 weren't sent. Please contact your Internet service provider since part of their network is on our block list",
            None,
        ),
        ("550 5.2.2 STOREDRV.Deliver; mailbox full", Some(Soft)),
        (
            "554 5.2.0 STOREDRV.Deliver.Exception:QuotaExceededException; over quota",
            Some(Soft),
        ),
        ("501 5.1.3 Invalid address", Some(Hard)),
        ("550 5.1.6 Recipient no longer on server", Some(Hard)),
        // Yahoo and AOL.
        (
            "554 delivery error: dd This user doesn't have a yahoo.example account (bob@yahoo.example) [0] - mta1.mail.yahoo.example",
            Some(Hard),
        ),
        (
            "554 delivery error: dd Not a valid recipient - mta1.mail.yahoo.example",
            Some(Hard),
        ),
        (
            "552 1 Requested mail action aborted, mailbox not found",
            Some(Hard),
        ),
        (
            "554 Message not allowed - [PH01] Email not accepted for policy reasons. Please visit https://senders.yahooinc.com/error-codes",
            None,
        ),
        (
            "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
            None,
        ),
        (
            "554 30 Sorry, your message to bob@yahoo.example cannot be delivered. This mailbox is disabled (554.30).",
            Some(Soft),
        ),
        // Apple, GMX, Web.de, T-Online, Mail.ru, Yandex, Zoho, Proofpoint, Mimecast, IronPort, Domino.
        (
            "550 5.1.1 <bob@icloud.example>: user does not exist",
            Some(Hard),
        ),
        (
            "552 5.2.2 <bob@icloud.example>: user is over quota",
            Some(Soft),
        ),
        (
            "550 Requested action not taken: mailbox unavailable For explanation visit https://postmaster.gmx.example/en/case?c=r0601",
            Some(Soft),
        ),
        (
            "554 Transaction failed Reject due to policy restrictions. For explanation visit https://postmaster.gmx.example",
            None,
        ),
        ("550 unknown recipient", Some(Hard)),
        (
            "550 Message was not accepted -- invalid mailbox. Local mailbox bob@mail.example is unavailable: user not found",
            Some(Hard),
        ),
        ("550 5.7.1 No such user!", None),
        (
            "550 5.1.1 Unknown user; please contact the postmaster",
            Some(Hard),
        ),
        (
            "550 5.1.1 User does not exist - <bob@zoho.example>",
            Some(Hard),
        ),
        (
            "554 5.1.1 Error: invalid recipients is found from 192.0.2.1",
            Some(Hard),
        ),
        (
            "550 Invalid Recipient - https://community.mimecast.example/docs/DOC-1369#550 [abc]",
            Some(Hard),
        ),
        ("550 #5.1.0 Address rejected.", Some(Soft)),
        (
            "550 5.1.1 User unknown - listed at bl.example: your IP 192.0.2.1 is on a blacklist",
            None,
        ),
        ("550 5.1.1 Mail rejected as spam", None),
        (
            "550 bob (bob@b.example) not listed in Domino Directory",
            Some(Hard),
        ),
        ("550 5.1.1 <bob@antispam.example>: User unknown", Some(Hard)),
        (
            "550 5.1.1 <policy@relay.example>: User unknown at mx.spam.example",
            Some(Hard),
        ),
        // Mailbox states, and neither.
        ("550 5.2.1 Mailbox disabled for this recipient", Some(Hard)),
        ("550 Account disabled", Some(Soft)),
        ("451 4.2.0 mailbox is locked", None),
        ("550 5.3.4 Message too big", None),
        ("550 5.6.1 Media not supported", None),
        ("550 5.4.6 Routing loop detected", None),
        ("550 5.4.4 unable to route", None),
        ("451 4.3.0 Temporary lookup failure", None),
        ("550 Rejected", None),
        ("550 No", None),
        ("250 2.1.5 user unknown", None),
    ] {
        assert_eq!(of(line), expected, "{line}");
    }
}

#[test]
fn a_report_is_read_by_its_status_and_the_words_of_the_server() {
    for (status, diagnostic, expected) in [
        (
            "5.1.1",
            "smtp; 550 5.1.1 <bob@b.example>: user unknown",
            Some(Hard),
        ),
        ("5.1.1", "", Some(Hard)),
        ("5.0.0", "smtp; 550 unknown user", Some(Hard)),
        ("5.0.0", "", None),
        ("5.1.1", "smtp; 550 5.7.1 user unknown", None),
        ("5.1.1", "smtp; 554 rejected as spam", None),
        ("5.7.1", "smtp; 550 5.7.1 not wanted here", None),
        ("4.2.2", "smtp; 452 4.2.2 mailbox full", Some(Soft)),
        ("4.4.7", "smtp; 452 4.2.2 mailbox full", Some(Soft)),
        ("5.4.7", "delivery time expired", None),
        ("5.2.2", "X-Postfix; mailbox is over quota", Some(Soft)),
    ] {
        let read = RecipientFailure::of_report(status.parse().ok(), diagnostic);
        assert_eq!(read, expected, "{status} {diagnostic}");
    }
}

#[test]
fn text_of_any_length_and_alphabet_is_read() {
    for text in ["é".repeat(5_000), "# ".repeat(5_000), "' @ ://".repeat(900)] {
        let reply = Reply::checked(550, None, &text).unwrap();
        assert_eq!(RecipientFailure::of_reply(&reply), None);
        assert_eq!(RecipientFailure::of_report(None, &text), None);
    }
}
