//! AUTH (RFC 4954 section 4): its arguments, and the replies to errors of SASL.

use gatepost_sasl::{Binding, Exchange, Mechanism, SaslError, Step};

use crate::reply::Reply;

/// Reads the arguments of AUTH; `binding` is the channel binding of the connection. Returns the
/// next step of the exchange, or the reply that refuses it.
pub(super) fn begin(arguments: &[u8], binding: Option<Binding>) -> Result<Step, Reply> {
    let mut words = arguments
        .split(|&b| b == b' ')
        .filter(|word| !word.is_empty());
    let (Some(name), initial, None) = (words.next(), words.next(), words.next()) else {
        let text = "Write AUTH mechanism [initial-response]";
        return Err(Reply::new(501, "5.5.4", text));
    };
    let name = str::from_utf8(name).unwrap_or_default();
    let Some(mechanism) = Mechanism::parse(name, binding.is_some()) else {
        let text = format!("Mechanisms here are {}", mechanisms(binding.is_some()));
        return Err(Reply::new(504, "5.5.4", text));
    };
    let (challenge, exchange) = Exchange::begin(mechanism, binding);
    match initial {
        None => Ok(Step::Challenge(challenge.to_owned(), exchange)),
        // `=` stands for an initial response of no octets.
        Some(b"=") => respond(exchange, b""),
        Some(response) => respond(exchange, response),
    }
}

/// Continues an exchange with the client's response.
pub(super) fn respond(exchange: Exchange, response: &[u8]) -> Result<Step, Reply> {
    exchange.respond(response).map_err(refusal)
}

/// Returns the reply to an exchange that failed.
pub(super) fn refusal(error: SaslError) -> Reply {
    let (code, enhanced) = match error {
        SaslError::Base64 | SaslError::Form => (501, "5.5.2"),
        SaslError::Cancelled => (501, "5.7.0"),
        SaslError::OtherUser | SaslError::Binding | SaslError::Nonce => (535, "5.7.8"),
        SaslError::Random => (454, "4.7.0"),
    };
    Reply::new(code, enhanced, format!("Not authenticated: {error}"))
}

/// Returns the names of the mechanisms on offer, separated by spaces.
pub(super) fn mechanisms(with_binding: bool) -> String {
    let names = Mechanism::offered(with_binding).iter();
    names.map(|of| of.name()).collect::<Vec<_>>().join(" ")
}
