//! What the report of a failed verification tells the administrator to do, for each reason.

/// Returns true if advice is that for a reason: the general one, or that of the service's profile.
pub fn is_for(reason: &str, advice: &str) -> bool {
    let of_profile = match reason {
        "credentials-refused" => "the server refuses the log-in: check user, password or token",
        "quota-reached" => "the mailbox has reached Google's daily limit: wait, or spread",
        "refused" => "the server does not relay for this relay: set a credential, or have",
        _ => beginning(reason),
    };
    advice.starts_with(beginning(reason)) || advice.starts_with(of_profile)
}

/// Returns the words by which the general advice for a reason begins.
fn beginning(reason: &str) -> &'static str {
    match reason {
        "credentials-refused" => "Check the user and the password, or authorize the connection",
        "only-ntlm-or-gssapi" => "The relay logs in by PLAIN, LOGIN, SCRAM, XOAUTH2 or OAUTHBEARER",
        "no-common-log-in" => "Allow PLAIN or LOGIN after TLS on the port",
        "tls-untrusted" => "Install a certificate of a public authority",
        "tls-wrong-name" => "Write the host of the connection as the certificate names it",
        "tls-expired" => "Renew the certificate of the smart host",
        "tls-version" => "Allow TLS 1.2 or TLS 1.3 on the smart host",
        "tls-not-offered" => "Switch STARTTLS on at the smart host",
        "tls-failed" => "Check that the port and the kind of TLS fit together",
        "unreachable" => "Check host and port, and whether a firewall lets",
        "sender-not-allowed" => "Let the user send as this address",
        "quota-reached" => "Wait until the limit is reset",
        "mailbox-full" => "Make room in the mailbox",
        "no-such-mailbox" => "Check the spelling of the address",
        "forwarding-forbidden" => "Exchange Online: allow automatic forwarding for this mailbox",
        "greylisted-too-long" => "Exempt the relay's addresses from greylisting",
        "never-returned" => "Look for the message in the mailbox and in its spam folder",
        "returned-unauthenticated" => {
            "Send mail for this address through the connection that logs in"
        }
        "returned-from-another-domain" => "Each domain has credentials of its own",
        "returned-to-another-address" => "Let the mail server pass mail for this address on to",
        "from-rewritten" => "Switch off the rewriting of From on the way",
        "header-lost" => "Let the header fields of the relay through",
        "header-altered" => "Pass the header fields of the relay on unchanged",
        "signature-replaced" => "Add your own DKIM signature, if you want, but leave the one",
        "confirmation-waiting" => "Enter the code at the provider, or open its link",
        "refused" => "The server's words say why",
        other => panic!("no advice is known for {other}"),
    }
}
