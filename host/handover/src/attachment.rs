//! Attachments behind links that the relay has signed.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_application::{AttachmentLink, PieceBody, taken_apart};
use gatepost_message::Millis;
use gatepost_spool::QueueAdmin;
use http::header::{self, HeaderValue};
use http::{Method, Response};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;

/// Body of a response.
pub(crate) type PageBody = UnsyncBoxBody<Bytes, io::Error>;

/// Answers a request by a valid link; `None` if the link has ended, or the queue has the message no
/// more.
///
/// # Errors
/// The message cannot be read.
pub(crate) async fn response(
    queue: &Arc<dyn QueueAdmin>,
    method: &Method,
    link: AttachmentLink,
) -> io::Result<Option<Response<PageBody>>> {
    if link.until < Millis::now() {
        return Ok(None);
    }
    let record = queue
        .show(link.transaction)
        .await
        .map_err(io::Error::other)?;
    let Some(record) = record else {
        return Ok(None);
    };
    let content = taken_apart(&record.message).await?;
    let attachment = link
        .number
        .checked_sub(1)
        .and_then(|at| content.attachments.get(at));
    let Some(attachment) = attachment else {
        return Ok(None);
    };
    let body = match *method == Method::HEAD {
        true => PieceBody::begin(std::iter::empty(), attachment.size),
        false => PieceBody::begin(attachment.pieces(&record.message), attachment.size),
    };
    let mut response = Response::new(body.boxed_unsync());
    let fields = response.headers_mut();
    for (name, value) in [
        // Whatever it is, no browser is to run it in the name of this host.
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox",
        ),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONNECTION, "close"),
    ] {
        fields.insert(name, HeaderValue::from_static(value));
    }
    let disposition = format!("attachment; filename*=UTF-8''{}", encoded(&attachment.name));
    if let Ok(disposition) = HeaderValue::try_from(disposition) {
        fields.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(Some(response))
}

/// Writes a name as a parameter of a field (RFC 8187 section 3.2).
fn encoded(name: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
    let octets = name.bytes().map(|octet| match plain(octet) {
        true => char::from(octet).to_string(),
        false => format!("%{octet:02X}"),
    });
    octets.collect()
}
