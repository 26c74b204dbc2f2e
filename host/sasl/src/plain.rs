//! Messages of PLAIN (RFC 4616) and LOGIN, which send the password.

use zeroize::Zeroizing;

use crate::{Claim, LONGEST_NAME, Mechanism, Proof, SaslError, prepare};

/// Reads the message of PLAIN: `[authzid] NUL authcid NUL passwd` (RFC 4616 section 2).
pub(crate) fn plain(message: &str) -> Result<Claim, SaslError> {
    let mut parts = message.split('\0');
    let (Some(authorization), Some(user), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(SaslError::Form);
    };
    // No user may act for another.
    if !authorization.is_empty() && prepare(authorization) != prepare(user) {
        return Err(SaslError::OtherUser);
    }
    claim(Mechanism::Plain, user, password)
}

/// Makes a claim of the two responses of LOGIN.
pub(crate) fn login(user: &str, password: &str) -> Result<Claim, SaslError> {
    claim(Mechanism::Login, user, password)
}

fn claim(mechanism: Mechanism, user: &str, password: &str) -> Result<Claim, SaslError> {
    let user = prepare(user).into_owned();
    let sound = |text: &str| !text.is_empty() && !text.contains('\0');
    if !sound(&user) || user.len() > LONGEST_NAME || !sound(password) {
        return Err(SaslError::Form);
    }
    Ok(Claim {
        mechanism,
        user,
        proof: Proof::Password(Zeroizing::new(password.to_owned())),
    })
}
