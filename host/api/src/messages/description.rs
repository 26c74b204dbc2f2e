//! Description of the route by which programs hand in messages.

use gatepost_operations::messages::SubmitMessage;
use serde_json::{Value, json};

use super::{MESSAGE_PART, PATH, RawEnvelope};
use crate::openapi::{Schemas, key, operation, parameter};

/// Describes the route, without its answers.
pub(crate) fn described(schemas: &mut Schemas) -> Value {
    let message = schemas.request::<SubmitMessage>();
    let envelope = schemas.request::<RawEnvelope>();
    let mut described = operation(
        "message-submit",
        PATH,
        "Hands a message in, of parts, with files, or as it is.",
        "It takes a token that may operate. It is about the account of the path. A message of parts is \
         JSON, with files in a form; the query is for a message as it is.",
        "operate",
    );
    let account = json!({ "type": "string", "description": "Id or native domain of the account." });
    let mut parameters = vec![parameter("path", "account", true, account), key()];
    let members = envelope["properties"].as_object().into_iter().flatten();
    // None is required, since a message of parts has none of them.
    parameters
        .extend(members.map(|(name, schema)| parameter("query", name, false, schema.clone())));
    described["parameters"] = parameters.into();
    let form = json!({
        "type": "object",
        "properties": { MESSAGE_PART: message },
        "required": [MESSAGE_PART],
        "additionalProperties": {
            "type": "string", "contentMediaType": "application/octet-stream",
            "description": "File, under the name by which the message has it.",
        },
    });
    let raw = json!({ "type": "string", "contentMediaType": "message/rfc822" });
    described["requestBody"] = json!({
        "required": true,
        "content": {
            "application/json": { "schema": message },
            "multipart/form-data": { "schema": form },
            "message/rfc822": { "schema": raw },
        },
    });
    described
}
