//! Messages of XOAUTH2 and OAUTHBEARER, which carry an access token.
//!
//! They are made at once in their full length: a string that grows leaves copies behind, which
//! nobody wipes.

use zeroize::Zeroizing;

use super::{Channel, LoginCredential, scram};

/// Writes the message of XOAUTH2, as Google and Microsoft document it.
pub(super) fn xoauth2(credential: &LoginCredential) -> Zeroizing<String> {
    let (user, token) = (credential.user(), credential.secret().as_str());
    let parts = ["user=", user, "\x01auth=Bearer ", token, "\x01\x01"];
    Zeroizing::new(parts.concat())
}

/// Writes the message of OAUTHBEARER (RFC 7628 section 3.1).
pub(super) fn oauthbearer(credential: &LoginCredential, channel: &Channel) -> Zeroizing<String> {
    let (user, token) = (
        scram::escape(credential.user()),
        credential.secret().as_str(),
    );
    let Channel { host, port, .. } = channel;
    let before = format!("n,a={user},\x01host={host}\x01port={port}\x01auth=Bearer ");
    Zeroizing::new([&before, token, "\x01\x01"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(user: &str, token: &str) -> LoginCredential {
        let token = Zeroizing::new(token.to_owned());
        LoginCredential::token(user, token).expect("a sound credential")
    }

    /// The example of RFC 7628 section 4.1.
    #[test]
    fn oauthbearer_is_written_as_in_rfc_7628() {
        let token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
        let channel = Channel::encrypted("server.example.com", 143, None);
        let message = oauthbearer(&credential("user@example.com", token), &channel);
        assert_eq!(
            *message,
            "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01\
             auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"
        );
    }

    /// The example in the documentation of Google and of Microsoft.
    #[test]
    fn xoauth2_is_written_as_its_makers_document_it() {
        let message = xoauth2(&credential("test@contoso.onmicrosoft.com", "EwBAAl3BAAUF"));
        assert_eq!(
            *message,
            "user=test@contoso.onmicrosoft.com\x01auth=Bearer EwBAAl3BAAUF\x01\x01"
        );
    }
}
