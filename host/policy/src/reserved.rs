//! The fields that only the relay writes: edits of these are dropped.

use std::sync::Arc;

use gatepost_authentication::claims_authserv_id;
use gatepost_message::{Edit, FieldName, TolerantNames};

/// Trace field of a message, by which loops are found: it is never changed or removed (RFC 5321
/// section 4.4).
const TRACE: &str = "Received";

/// Field that the last server writes on delivery (RFC 5321 section 4.4), and no relay.
const RETURN_PATH: &str = "Return-Path";

/// Field with the results of message authentication (RFC 8601 section 2).
const AUTHENTICATION_RESULTS: &str = "Authentication-Results";

/// Rules on the edits that only the relay may make. Those of a policy are dropped, on record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reserved(Option<Arc<Names>>);

#[derive(Debug, PartialEq, Eq)]
struct Names {
    /// Fields in which the relay writes its own findings.
    own: TolerantNames,
    /// Authserv-id of the relay in Authentication-Results.
    authserv_id: String,
}

impl Reserved {
    /// Reserves the relay's `own` fields, and Authentication-Results with its `authserv_id`.
    pub fn new<'a>(own: impl IntoIterator<Item = &'a FieldName>, authserv_id: &str) -> Self {
        let own = own.into_iter().map(FieldName::as_str);
        Self(Some(Arc::new(Names {
            own: TolerantNames::new(own),
            authserv_id: authserv_id.to_owned(),
        })))
    }

    /// Returns the reason for which a policy may not make this edit, if there is one.
    pub(crate) fn forbids(&self, edit: &Edit) -> Option<&'static str> {
        let names = self.0.as_deref()?;
        let name = edit.name().as_str();
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        let written = match edit {
            Edit::Add { body, .. } | Edit::Set { body, .. } => Some(body.as_str()),
            Edit::Remove { .. } => None,
        };
        if names.own.has(name.as_bytes()) {
            return Some("only the relay writes this field");
        }
        if is(TRACE) {
            return Some("nobody changes the trace of a message (RFC 5321 section 4.4)");
        }
        if is(RETURN_PATH) && written.is_some() {
            return Some("only the last server writes this field (RFC 5321 section 4.4)");
        }
        let claims = |body| claims_authserv_id(body, &names.authserv_id);
        if is(AUTHENTICATION_RESULTS) && written.is_some_and(claims) {
            return Some("only the relay writes it in the relay's name (RFC 8601 section 5)");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use gatepost_message::FieldBody;

    use super::*;

    fn edits(name: &str, body: &str) -> [Edit; 3] {
        let name: FieldName = name.parse().unwrap();
        let body: FieldBody = body.parse().unwrap();
        [
            Edit::Add {
                name: name.clone(),
                body: body.clone(),
            },
            Edit::Set {
                name: name.clone(),
                body,
            },
            Edit::Remove { name },
        ]
    }

    #[test]
    fn edits_of_fields_that_only_the_relay_writes_are_forbidden() {
        let tags: FieldName = "X-Desk-Tags".parse().unwrap();
        let reserved = Reserved::new([&tags], "mx.desk.example");
        for (name, body, allowed) in [
            ("X-Desk-Tags", "relay-secure", [false, false, false]),
            ("x_desk_TAGS", "relay-secure", [false, false, false]),
            ("received", "from a by b; date", [false, false, false]),
            ("Return-Path", "<a@b.example>", [false, false, true]),
            (
                "Authentication-Results",
                "MX.desk.example; dmarc=pass",
                [false, false, true],
            ),
            (
                "Authentication-Results",
                "mx.other.example; dmarc=pass",
                [true, true, true],
            ),
            ("X-Desk-Class", "human", [true, true, true]),
            ("Subject", "hello", [true, true, true]),
        ] {
            let found = edits(name, body).map(|edit| reserved.forbids(&edit).is_none());
            assert_eq!(found, allowed, "{name}: {body}");
            let free = edits(name, body).map(|edit| Reserved::default().forbids(&edit));
            assert_eq!(free, [None; 3]);
        }
    }
}
