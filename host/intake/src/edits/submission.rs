//! Fields that the relay adds to a submitted message that lacks them (RFC 6409 section 8): Date and
//! Message-ID. Inbound mail is left as it is.
//!
//! They are added after the policies, which judge the message as the user sent it: a policy may
//! require a Message-ID of the user's own.

use gatepost_message::{Edit, FieldBody, FieldError, FieldName, Message};
use gatepost_model::{Flow, Transaction};

/// Returns the edits that add the missing fields. The Message-ID consists of the transaction's id
/// and the relay's host name.
///
/// # Errors
/// None in practice: nothing in these fields comes from outside.
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
