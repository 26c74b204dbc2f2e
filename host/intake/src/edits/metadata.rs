//! Text that the application hands in with a submission, in the field `X-Gatepost-Metadata`. It is
//! kept beside the message and told in the events; the field never leaves the relay.

use gatepost_config::Config;
use gatepost_message::Message;
use gatepost_model::{Flow, LONGEST_METADATA};
use gatepost_smtp::Reply;

/// Returns the metadata of a submission, as it came. Whoever else sends such a field is not heard:
/// it is removed with the others [in the relay's name](super::verdict_fields).
///
/// # Errors
/// The reply that refuses a submission whose metadata could not be told unchanged.
pub fn of(config: &Config, flow: Flow, message: &Message) -> Result<Option<String>, Reply> {
    if flow != Flow::Submission {
        return Ok(None);
    }
    let name = config.headers.metadata.0.as_str();
    let mut fields = message.named(name);
    let Some(field) = fields.next() else {
        return Ok(None);
    };
    let refused = |why: &str| Err(Reply::new(550, "5.6.0", format!("{name} {why}")));
    if fields.next().is_some() {
        return refused("stands in the message more than once");
    }
    let Ok(_) = str::from_utf8(field.body_raw()) else {
        return refused("is neither ASCII nor UTF-8");
    };
    let text = field.unfolded();
    if text.len() > LONGEST_METADATA {
        return refused(&format!("has more than {LONGEST_METADATA} octets"));
    }
    if text
        .chars()
        .any(|character| character.is_control() && character != '\t')
    {
        return refused("has a control character");
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn read(flow: Flow, head: &str) -> Result<Option<String>, Reply> {
        let message = Message::from_bytes(Bytes::from(format!("{head}Subject: s\r\n\r\nx\r\n")));
        of(&Config::builtin(), flow, &message)
    }

    #[test]
    fn metadata_is_what_the_application_wrote() {
        let submitted = |head: &str| read(Flow::Submission, head);
        assert_eq!(submitted(""), Ok(None));
        assert_eq!(submitted("X-Gatepost-Metadata:\r\n"), Ok(None));
        let folded = "x-gatepost-metadata: {\"ticket\": 4711,\r\n \"name\": \"Zoë\"}\r\n";
        let whole = "{\"ticket\": 4711, \"name\": \"Zoë\"}";
        assert_eq!(submitted(folded), Ok(Some(whole.to_owned())));
        let longest = "x".repeat(LONGEST_METADATA);
        let head = format!("X-Gatepost-Metadata: {longest}\r\n");
        assert_eq!(submitted(&head), Ok(Some(longest)));
    }

    #[test]
    fn metadata_that_cannot_be_told_is_refused() {
        let longer = "x".repeat(LONGEST_METADATA + 1);
        for head in [
            &*format!("X-Gatepost-Metadata: {longer}\r\n"),
            "X-Gatepost-Metadata: a\r\nX-Gatepost-Metadata: a\r\n",
            "X-Gatepost-Metadata: a\u{7}b\r\n",
        ] {
            let reply = read(Flow::Submission, head).expect_err(head);
            assert!(reply.is_permanent(), "{reply}");
        }
    }

    #[test]
    fn strangers_have_no_metadata() {
        assert_eq!(read(Flow::Inbound, "X-Gatepost-Metadata: a\r\n"), Ok(None));
        assert_eq!(read(Flow::Internal, "X-Gatepost-Metadata: a\r\n"), Ok(None));
    }
}
