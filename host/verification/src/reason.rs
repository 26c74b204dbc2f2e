//! Reasons for which a verification fails: each with its code, its title, and advice.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Reason for which a verification failed. The code is stable: the directory stores it, and
/// programs compare it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureReason {
    /// The smart host refuses user, password or token.
    CredentialsRefused,
    /// The smart host offers no log-in but NTLM or GSSAPI.
    OnlyNtlmOrGssapi,
    /// The smart host offers no log-in that the connection can use.
    NoCommonLogIn,
    /// The certificate of the smart host is signed by nobody who is trusted.
    TlsUntrusted,
    /// The certificate is for another name.
    TlsWrongName,
    /// The certificate has expired, or is not valid yet.
    TlsExpired,
    /// The smart host speaks no version of TLS that is allowed.
    TlsVersion,
    /// The smart host offers no TLS.
    TlsNotOffered,
    /// The handshake failed for another cause.
    TlsFailed,
    /// No session comes about.
    Unreachable,
    /// The user may not send as the address.
    SenderNotAllowed,
    /// A limit of the service is reached.
    QuotaReached,
    /// A mailbox is full.
    MailboxFull,
    /// The mailbox does not exist.
    NoSuchMailbox,
    /// The customer's service does not allow forwarding to the outside.
    ForwardingForbidden,
    /// The server put the message off until its time was over, to see if it is tried again.
    GreylistedTooLong,
    /// The message was accepted, and did not come back.
    NeverReturned,
    /// It came back past the authenticated session, or nothing proves its origin.
    ReturnedUnauthenticated,
    /// It came back over the session of another domain.
    ReturnedFromAnotherDomain,
    /// It came back to another address than it should have.
    ReturnedToAnotherAddress,
    /// The author in From is another.
    FromRewritten,
    /// A header field that must survive did not come back.
    HeaderLost,
    /// A header field that must survive came back with another value.
    HeaderAltered,
    /// The relay's signature was taken off, and another put in its place.
    SignatureReplaced,
    /// The provider wants the forwarding to be confirmed by a code.
    ConfirmationWaiting,
    /// A server refused for another cause, which its words say.
    Refused,
}

impl FailureReason {
    /// All reasons.
    pub const ALL: [Self; 26] = [
        Self::CredentialsRefused,
        Self::OnlyNtlmOrGssapi,
        Self::NoCommonLogIn,
        Self::TlsUntrusted,
        Self::TlsWrongName,
        Self::TlsExpired,
        Self::TlsVersion,
        Self::TlsNotOffered,
        Self::TlsFailed,
        Self::Unreachable,
        Self::SenderNotAllowed,
        Self::QuotaReached,
        Self::MailboxFull,
        Self::NoSuchMailbox,
        Self::ForwardingForbidden,
        Self::GreylistedTooLong,
        Self::NeverReturned,
        Self::ReturnedUnauthenticated,
        Self::ReturnedFromAnotherDomain,
        Self::ReturnedToAnotherAddress,
        Self::FromRewritten,
        Self::HeaderLost,
        Self::HeaderAltered,
        Self::SignatureReplaced,
        Self::ConfirmationWaiting,
        Self::Refused,
    ];

    /// Returns the stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::CredentialsRefused => "credentials-refused",
            Self::OnlyNtlmOrGssapi => "only-ntlm-or-gssapi",
            Self::NoCommonLogIn => "no-common-log-in",
            Self::TlsUntrusted => "tls-untrusted",
            Self::TlsWrongName => "tls-wrong-name",
            Self::TlsExpired => "tls-expired",
            Self::TlsVersion => "tls-version",
            Self::TlsNotOffered => "tls-not-offered",
            Self::TlsFailed => "tls-failed",
            Self::Unreachable => "unreachable",
            Self::SenderNotAllowed => "sender-not-allowed",
            Self::QuotaReached => "quota-reached",
            Self::MailboxFull => "mailbox-full",
            Self::NoSuchMailbox => "no-such-mailbox",
            Self::ForwardingForbidden => "forwarding-forbidden",
            Self::GreylistedTooLong => "greylisted-too-long",
            Self::NeverReturned => "never-returned",
            Self::ReturnedUnauthenticated => "returned-unauthenticated",
            Self::ReturnedFromAnotherDomain => "returned-from-another-domain",
            Self::ReturnedToAnotherAddress => "returned-to-another-address",
            Self::FromRewritten => "from-rewritten",
            Self::HeaderLost => "header-lost",
            Self::HeaderAltered => "header-altered",
            Self::SignatureReplaced => "signature-replaced",
            Self::ConfirmationWaiting => "confirmation-waiting",
            Self::Refused => "refused",
        }
    }

    /// Returns the reason of a code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// Returns what went wrong, for a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::CredentialsRefused => "the smart host refuses the log-in",
            Self::OnlyNtlmOrGssapi => "the smart host offers no log-in but NTLM or GSSAPI",
            Self::NoCommonLogIn => "the smart host offers no log-in that the connection can use",
            Self::TlsUntrusted => "the smart host's certificate is not trusted",
            Self::TlsWrongName => "the smart host's certificate is for another name",
            Self::TlsExpired => "the smart host's certificate is not valid at this time",
            Self::TlsVersion => "the smart host speaks no version of TLS that is safe",
            Self::TlsNotOffered => "the smart host offers no TLS",
            Self::TlsFailed => "no TLS with the smart host comes about",
            Self::Unreachable => "the server cannot be reached",
            Self::SenderNotAllowed => "the user may not send as this address",
            Self::QuotaReached => "a limit of the mail service is reached",
            Self::MailboxFull => "the mailbox is full",
            Self::NoSuchMailbox => "the mailbox does not exist",
            Self::ForwardingForbidden => "the mail service forbids forwarding to the outside",
            Self::GreylistedTooLong => "the server put the message off for too long",
            Self::NeverReturned => "the message was accepted, and never came back",
            Self::ReturnedUnauthenticated => "the message came back unauthenticated",
            Self::ReturnedFromAnotherDomain => "the message came back from another domain",
            Self::ReturnedToAnotherAddress => "the message came back to another address",
            Self::FromRewritten => "From was rewritten on the way",
            Self::HeaderLost => "a header field was lost on the way",
            Self::HeaderAltered => "a header field was altered on the way",
            Self::SignatureReplaced => "the signature was replaced on the way",
            Self::ConfirmationWaiting => "the provider waits for a code that confirms forwarding",
            Self::Refused => "the message was refused",
        }
    }

    /// Returns what to do, for a customer's administrator.
    pub fn advice(self) -> &'static str {
        match self {
            Self::CredentialsRefused => {
                "Check the user and the password, or authorize the connection again if it logs in \
                 by OAuth. Exchange Online: allow Authenticated SMTP for the mailbox \
                 (Set-CASMailbox -SmtpClientAuthenticationDisabled $false), and better log in by \
                 OAuth, since passwords are being switched off. Google: use an app password, or \
                 OAuth."
            }
            Self::OnlyNtlmOrGssapi => {
                "The relay logs in by PLAIN, LOGIN, SCRAM, XOAUTH2 or OAUTHBEARER. Exchange \
                 Server: allow basic authentication after TLS on the receive connector \
                 (Set-ReceiveConnector -AuthMechanism Tls,BasicAuth,BasicAuthRequireTLS)."
            }
            Self::NoCommonLogIn => {
                "Allow PLAIN or LOGIN after TLS on the port that the connection names, or choose \
                 the port of submission, which is 587 or 465. A connection that logs in by OAuth \
                 needs a server that offers XOAUTH2 or OAUTHBEARER."
            }
            Self::TlsUntrusted => {
                "Install a certificate of a public authority with all its intermediate \
                 certificates, or give the connection the authority that signed it (ca) or the \
                 key itself (pin)."
            }
            Self::TlsWrongName => {
                "Write the host of the connection as the certificate names it, or install a \
                 certificate for that host."
            }
            Self::TlsExpired => {
                "Renew the certificate of the smart host, and check that the server has loaded \
                 the new one."
            }
            Self::TlsVersion => {
                "Allow TLS 1.2 or TLS 1.3 on the smart host: older versions are not safe."
            }
            Self::TlsNotOffered => {
                "Switch STARTTLS on at the smart host, or name its port of implicit TLS, which \
                 is mostly 465. A firewall that inspects SMTP may hide STARTTLS: switch its \
                 inspection off."
            }
            Self::TlsFailed => {
                "Check that the port and the kind of TLS fit together: implicit TLS for 465, \
                 STARTTLS for 587 and 25."
            }
            Self::Unreachable => {
                "Check host and port, and whether a firewall lets the relay's addresses through \
                 (gatepost egress lists them)."
            }
            Self::SenderNotAllowed => {
                "Let the user send as this address. Exchange Online: give it Send As permission \
                 on the mailbox (Add-RecipientPermission -AccessRights SendAs), or log in as the \
                 mailbox itself. Google: add the address under Send mail as. Postfix: see \
                 smtpd_sender_login_maps."
            }
            Self::QuotaReached => {
                "Wait until the limit is reset, which mostly takes a day, or have the service \
                 raise it. Then verify again."
            }
            Self::MailboxFull => "Make room in the mailbox, and verify again.",
            Self::NoSuchMailbox => {
                "Check the spelling of the address, and that the mailbox has been created. An \
                 alias or a distribution group cannot be a support address."
            }
            Self::ForwardingForbidden => {
                "Exchange Online: allow automatic forwarding for this mailbox in the outbound \
                 spam policy (Set-HostedOutboundSpamFilterPolicy -AutoForwardingMode On). Google: \
                 allow automatic forwarding under Apps, Gmail, End User Access."
            }
            Self::GreylistedTooLong => {
                "Exempt the relay's addresses from greylisting (gatepost egress lists them), and \
                 verify again."
            }
            Self::NeverReturned => {
                "Look for the message in the mailbox and in its spam folder. If it is there, \
                 forwarding or the route to the relay is missing; if not, the mail server's log \
                 says where it went. No filter may hold it back."
            }
            Self::ReturnedUnauthenticated => {
                "Send mail for this address through the connection that logs in with the \
                 credential of its domain, and not by MX. If it leaves through your own smart \
                 host, publish SPF for that host, or let it sign with DKIM in your domain."
            }
            Self::ReturnedFromAnotherDomain => {
                "Each domain has credentials of its own: let the mail server use those of this \
                 address's domain on the route to the relay."
            }
            Self::ReturnedToAnotherAddress => {
                "Let the mail server pass mail for this address on to the address that the \
                 instructions name, and to no other: an alias, a group or a forwarding of \
                 another mailbox is in between."
            }
            Self::FromRewritten => {
                "Switch off the rewriting of From on the way: address rewriting, sender \
                 canonical maps, or a service that sets the user who logged in as author."
            }
            Self::HeaderLost => {
                "Let the header fields of the relay through: header firewall, header_checks, \
                 content filters and gateways may remove them."
            }
            Self::HeaderAltered => {
                "Pass the header fields of the relay on unchanged: header_checks, content \
                 filters and gateways may rewrite them."
            }
            Self::SignatureReplaced => {
                "Add your own DKIM signature, if you want, but leave the one that the message \
                 came with."
            }
            Self::ConfirmationWaiting => {
                "Enter the code at the provider, or open its link, and verify again."
            }
            Self::Refused => "The server's words say why. Mend that, and verify again.",
        }
    }

    /// Returns true if no later try succeeds before a person changes something, as far as is known.
    pub fn waits_for_a_person(self) -> bool {
        !matches!(
            self,
            Self::TlsFailed
                | Self::Unreachable
                | Self::QuotaReached
                | Self::MailboxFull
                | Self::GreylistedTooLong
                | Self::NeverReturned
                | Self::Refused
        )
    }

    /// Returns true if the smart host itself refused, so that mail cannot leave through it in the
    /// name of the address. Nothing else changes the From that a customer sees.
    pub fn is_of_smart_host(self) -> bool {
        matches!(
            self,
            Self::CredentialsRefused
                | Self::OnlyNtlmOrGssapi
                | Self::NoCommonLogIn
                | Self::SenderNotAllowed
        )
    }
}

impl fmt::Display for FailureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}
