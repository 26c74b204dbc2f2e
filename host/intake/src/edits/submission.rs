//! What the relay adds to a submitted message that lacks it (RFC 6409 section 8): Date and
//! Message-ID. Mail that comes in from outside is left as it is.
//!
//! They are added behind the policies, who judge what the user sent: one of them may want a
//! Message-ID of the user's own.

use gatepost_message::{Edit, FieldBody, FieldError, FieldName, Message};
use gatepost_model::{Flow, Transaction};

/// The edits that add what is missing. The Message-ID is the transaction's, at the relay's name.
///
/// # Errors
/// None in practice: nothing of what is written comes from outside.
pub fn missing_fields(
    transaction: &Transaction,
    message: &Message,
    hostname: &str,
) -> Result<Vec<Edit>, FieldError> {
    if transaction.session.flow != Flow::Submission {
        return Ok(Vec::new());
    }
    let fields = [
        ("Message-ID", format!("<{}@{hostname}>", transaction.id)),
        ("Date", transaction.time.rfc5322().to_string()),
    ];
    let missing = fields.iter().filter(|(name, _)| message.count(name) == 0);
    missing
        .map(|(name, body)| {
            Ok(Edit::Add {
                name: FieldName::new(name)?,
                body: FieldBody::new(body)?,
            })
        })
        .collect()
}
