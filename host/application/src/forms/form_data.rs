//! `multipart/form-data` (RFC 7578).

use std::io;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue};

use super::{RequestForm, unguessable};
use crate::segments::Segment;

/// Form with the parts that were added so far.
pub(super) struct FormData {
    boundary: String,
    segments: Vec<Segment>,
}

impl FormData {
    /// Begins a form.
    ///
    /// # Errors
    /// The system gives no random octets for the boundary.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            boundary: unguessable()?,
            segments: Vec::new(),
        })
    }

    /// Adds a text in UTF-8, as browsers send those of a form.
    pub(super) fn text(self, name: &str, text: impl Into<Bytes>) -> Self {
        self.field(name, Segment::Octets(text.into()))
    }

    /// Adds a field without a media type.
    pub(super) fn field(self, name: &str, segment: Segment) -> Self {
        self.part(name, None, None, segment)
    }

    /// Adds a value of a media type.
    pub(super) fn value(self, name: &str, media_type: &str, value: Bytes) -> Self {
        self.part(name, None, Some(media_type), Segment::Octets(value))
    }

    /// Adds a file.
    pub(super) fn file(self, name: &str, file: &str, media_type: &str, segment: Segment) -> Self {
        self.part(name, Some(file), Some(media_type), segment)
    }

    fn part(
        mut self,
        name: &str,
        file: Option<&str>,
        media_type: Option<&str>,
        segment: Segment,
    ) -> Self {
        let between = if self.segments.is_empty() { "" } else { "\r\n" };
        let file = file.map(|file| format!("; filename=\"{}\"", quotable(file)));
        let kind = media_type.map(|kind| format!("\r\nContent-Type: {kind}"));
        let head = format!(
            "{between}--{}\r\nContent-Disposition: form-data; name=\"{}\"{}{}\r\n\r\n",
            self.boundary,
            quotable(name),
            file.unwrap_or_default(),
            kind.unwrap_or_default(),
        );
        self.segments
            .extend([Segment::Octets(head.into()), segment]);
        self
    }

    /// Ends the form.
    ///
    /// # Errors
    /// None in practice: the boundary is one that a field can have.
    pub(super) fn end(mut self) -> io::Result<RequestForm> {
        let end = format!("\r\n--{}--\r\n", self.boundary);
        self.segments.push(Segment::Octets(end.into()));
        let value = format!("multipart/form-data; boundary={}", self.boundary);
        let value = HeaderValue::try_from(value).map_err(io::Error::other)?;
        Ok(RequestForm {
            fields: HeaderMap::from_iter([(CONTENT_TYPE, value)]),
            segments: self.segments,
        })
    }
}

/// Returns a name as browsers write it between quotation marks.
fn quotable(name: &str) -> String {
    let name = name.replace('"', "%22");
    name.replace('\r', "%0D").replace('\n', "%0A")
}
