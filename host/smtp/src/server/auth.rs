//! The exchange that AUTH begins (RFC 4954 section 4).

use crate::reply::Reply;
use crate::sasl::{self, Credentials, Mechanism, SaslError};

/// `Username:` and `Password:` in base64, the challenges of LOGIN.
const USER_CHALLENGE: &str = "VXNlcm5hbWU6";
const PASSWORD_CHALLENGE: &str = "UGFzc3dvcmQ6";

/// What the client's next line answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    Plain,
    LoginUser,
    LoginPassword { user: String },
}

/// How an exchange goes on.
pub(super) enum Step {
    /// 334 with this text, and wait for a line.
    Challenge(&'static str, Exchange),
    /// The client has said it all.
    Offered(Credentials),
    /// The exchange is over.
    Refused(Reply),
}

/// Reads what follows `AUTH`.
pub(super) fn begin(arguments: &[u8]) -> Step {
    let mut words = arguments
        .split(|&b| b == b' ')
        .filter(|word| !word.is_empty());
    let (Some(name), initial, None) = (words.next(), words.next(), words.next()) else {
        return Step::Refused(Reply::new(
            501,
            "5.5.4",
            "Write AUTH mechanism [initial-response]",
        ));
    };
    let Some(mechanism) = str::from_utf8(name).ok().and_then(Mechanism::parse) else {
        return Step::Refused(Reply::new(
            504,
            "5.5.4",
            "Mechanisms here are PLAIN and LOGIN",
        ));
    };
    let (exchange, challenge) = match mechanism {
        Mechanism::Plain => (Exchange::Plain, ""),
        Mechanism::Login => (Exchange::LoginUser, USER_CHALLENGE),
    };
    match initial {
        None => Step::Challenge(challenge, exchange),
        // `=` stands for an initial response of no octets.
        Some(b"=") => exchange.respond(b""),
        Some(response) => exchange.respond(response),
    }
}

impl Exchange {
    /// Goes on with the client's response.
    pub(super) fn respond(self, response: &[u8]) -> Step {
        if response == b"*" {
            return Step::Refused(Reply::new(501, "5.7.0", "Authentication cancelled"));
        }
        let result = match self {
            Self::Plain => sasl::plain(response),
            Self::LoginUser => match sasl::decode(response) {
                Ok(user) => {
                    return Step::Challenge(PASSWORD_CHALLENGE, Self::LoginPassword { user });
                }
                Err(error) => Err(error),
            },
            Self::LoginPassword { user } => {
                sasl::decode(response).and_then(|password| sasl::login(&user, &password))
            }
        };
        match result {
            Ok(credentials) => Step::Offered(credentials),
            Err(error @ SaslError::OtherUser) => Step::Refused(Reply::new(
                535,
                "5.7.8",
                format!("Not authenticated: {error}"),
            )),
            Err(error) => Step::Refused(Reply::new(
                501,
                "5.5.2",
                format!("Not authenticated: {error}"),
            )),
        }
    }
}
