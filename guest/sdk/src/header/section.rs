//! The header section, read once and indexed: one call to the host for all of it, instead of one
//! for each name.

use crate::bounds;

/// Fields of a header section, as far as they are [read](crate::bounds).
///
/// The section is read as the relay reads it, generously: a line with a colon begins a field,
/// whatever its name; a line that begins with white space continues the field above it.
///
/// ```
/// use gatepost_sdk::Message;
///
/// /// The hosts that have stamped it, the last one first.
/// fn stamps(message: &dyn Message) -> Vec<String> {
///     let section = message.section();
///     section.named("Received").map(|field| field.value()).collect()
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Section {
    octets: Vec<u8>,
    spans: Vec<FieldSpan>,
    cut: bool,
}

/// Position of a field in the octets.
#[derive(Debug, Clone, Copy)]
struct FieldSpan {
    begin: u32,
    colon: u32,
    end: u32,
}

/// One field of a [`Section`].
///
/// ```
/// use gatepost_sdk::Message;
///
/// /// How long the longest of them is, name and folds included.
/// fn longest(message: &dyn Message) -> usize {
///     message.section().fields().map(|field| field.raw().len()).max().unwrap_or_default()
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    raw: &'a [u8],
    colon: usize,
}

impl Section {
    /// Reads a section of `size` octets through `chunk`, which returns `length` octets from
    /// `offset`, fewer at the end.
    pub(crate) fn read(size: u64, chunk: impl Fn(u64, u32) -> Vec<u8>) -> Self {
        // The relay hands over at most so much at a time.
        const CHUNK: usize = 1 << 20;
        let whole = usize::try_from(size).unwrap_or(usize::MAX);
        let wanted = whole.min(bounds::SECTION);
        let mut octets = Vec::new();
        while octets.len() < wanted {
            let length = (wanted - octets.len()).min(CHUNK);
            let more = chunk(
                octets.len() as u64,
                u32::try_from(length).unwrap_or(u32::MAX),
            );
            if more.is_empty() {
                break;
            }
            if octets.is_empty() {
                octets = more;
                octets.reserve_exact(wanted.saturating_sub(octets.len()));
            } else {
                octets.extend_from_slice(&more);
            }
        }
        let mut section = Self {
            cut: octets.len() < whole,
            spans: Vec::with_capacity((octets.len() / 40).min(bounds::FIELDS)),
            octets,
        };
        section.index();
        section
    }

    /// Reads a section from octets at hand.
    #[cfg(test)]
    pub(crate) fn of(octets: &[u8]) -> Self {
        Self::read(octets.len() as u64, |offset, length| {
            let rest = octets.get(offset as usize..).unwrap_or_default();
            rest.get(..rest.len().min(length as usize))
                .unwrap_or_default()
                .to_vec()
        })
    }

    fn index(&mut self) {
        let mut begin = 0;
        while begin < self.octets.len() {
            let rest = self.octets.get(begin..).unwrap_or_default();
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let line = rest.get(..length).unwrap_or_default();
            let end = begin + length;
            match line {
                b"\r\n" | b"\n" => break,
                [b' ' | b'\t', ..] => {
                    if let Some(field) = self.spans.last_mut() {
                        field.end = end as u32;
                    }
                }
                _ => {
                    let Some(colon) = memchr::memchr(b':', line) else {
                        break;
                    };
                    if self.spans.len() == bounds::FIELDS {
                        self.cut = true;
                        break;
                    }
                    self.spans.push(FieldSpan {
                        begin: begin as u32,
                        colon: colon as u32,
                        end: end as u32,
                    });
                }
            }
            begin = end;
        }
    }

    /// Returns true if the message has more octets or fields than were read, so that this section
    /// may lack some.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Returns the octets, folds included, with the empty line that ends the section if there is
    /// one.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Returns all fields, top to bottom.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = Field<'_>> + DoubleEndedIterator {
        self.spans.iter().map(|span| self.at(*span))
    }

    fn at(&self, span: FieldSpan) -> Field<'_> {
        let all = span.begin as usize..span.end as usize;
        Field {
            raw: self.octets.get(all).unwrap_or_default(),
            colon: span.colon as usize,
        }
    }

    /// Returns the fields of a name, in any case, top to bottom.
    pub fn named<'a>(&'a self, name: &'a str) -> impl DoubleEndedIterator<Item = Field<'a>> {
        self.fields().filter(move |field| field.is(name))
    }

    /// Does the same as [`Message::header`](crate::Message::header).
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.named(name).next().map(|field| field.value())
    }

    /// Does the same as [`Message::headers_named`](crate::Message::headers_named).
    pub(crate) fn headers_named(&self, name: &str) -> Vec<String> {
        self.named(name).map(|field| field.value()).collect()
    }

    /// Does the same as [`Message::count`](crate::Message::count).
    pub(crate) fn count(&self, name: &str) -> u32 {
        u32::try_from(self.named(name).count()).unwrap_or(u32::MAX)
    }

    /// Does the same as [`Message::headers`](crate::Message::headers).
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let fields = self.fields().map(|field| {
            let body = field.body();
            let body = body.strip_suffix(b"\n").unwrap_or(body);
            let body = body.strip_suffix(b"\r").unwrap_or(body);
            let body = body.get(..body.len().min(bounds::FIELD)).unwrap_or(body);
            let text = |octets| String::from_utf8_lossy(octets).into_owned();
            (text(field.name()), text(body))
        });
        fields.collect()
    }

    /// Returns the values of the uppermost fields of a name, at most `fields` of them and `octets`
    /// in total. Servers on a message's way put theirs on top, so these are the newest.
    ///
    /// ```
    /// use gatepost_sdk::Message;
    ///
    /// /// By whom the message was forwarded lately.
    /// fn forwarders(message: &dyn Message) -> Vec<String> {
    ///     message.section().uppermost("X-Forwarded-To", 10, 4096)
    /// }
    /// ```
    pub fn uppermost(&self, name: &str, fields: usize, octets: usize) -> Vec<String> {
        let mut left = octets;
        let mut values = Vec::new();
        for field in self.named(name).take(fields) {
            let length = field.body().len();
            if length > left {
                // The field that does not fit is cut.
                let beginning = field.text(left).replace(['\r', '\n'], "");
                values.push(beginning.trim().to_owned());
                break;
            }
            left -= length;
            values.push(field.value());
        }
        values
    }

    /// Returns the field with this number, counted from the top.
    pub fn field(&self, number: usize) -> Option<Field<'_>> {
        self.spans.get(number).map(|span| self.at(*span))
    }
}

impl<'a> Field<'a> {
    /// Returns the whole field, with its folds and its line end.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Returns the name's octets, without the white space that old software put before the colon
    /// (RFC 5322 section 4.5).
    pub fn name(&self) -> &'a [u8] {
        let mut name = self.raw.get(..self.colon).unwrap_or_default();
        while let [rest @ .., b' ' | b'\t'] = name {
            name = rest;
        }
        name
    }

    /// Returns true if the field has this name, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name.as_bytes())
    }

    /// Returns everything behind the colon, folds and line end included, however long it is.
    pub fn body(&self) -> &'a [u8] {
        self.raw.get(self.colon + 1..).unwrap_or_default()
    }

    /// Returns true if the body is longer than [`Self::value`] and [`Self::text`] return.
    pub fn is_cut(&self) -> bool {
        self.body().len() > bounds::FIELD
    }

    /// Returns at most the first `most` octets of the body as they stand, folds included; octets
    /// that are not UTF-8 are replaced.
    pub fn text(&self, most: usize) -> String {
        let body = self.body();
        let kept = body.get(..body.len().min(most)).unwrap_or_default();
        let text = String::from_utf8_lossy(kept);
        match kept.len() == body.len() {
            true => text.into_owned(),
            false => bounds::list(&text, most).to_owned(),
        }
    }

    /// Returns the body unfolded (RFC 5322 section 2.2.3) and trimmed; octets that are not UTF-8
    /// are replaced by U+FFFD. Of a field that [is cut](Self::is_cut), returns the beginning, which
    /// ends between two words.
    pub fn value(&self) -> String {
        let body = match self.is_cut() {
            false => self.body(),
            true => {
                let kept = self.body().get(..bounds::FIELD).unwrap_or_default();
                let ends = |octet: &u8| matches!(octet, b',' | b';' | b' ' | b'\t' | b'\n');
                let end = kept.iter().rposition(ends).map_or(0, |at| at + 1);
                kept.get(..end).unwrap_or_default()
            }
        };
        let body = body.trim_ascii();
        let mut unfolded = Vec::with_capacity(body.len());
        for line in body.split_inclusive(|octet| *octet == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            unfolded.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        }
        String::from_utf8(unfolded)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use gatepost_message::Message;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Asserts that a policy sees the fields that the relay sees.
        #[test]
        fn a_section_reads_as_the_relay_reads_it(
            lines in prop::collection::vec(
                prop_oneof!["[A-Za-z-]{1,9} ?: ?[a-z ]{0,9}", "[ \t][a-z:]{0,9}", "[ -~é]{0,9}"],
                0..9,
            ),
            end in prop::sample::select(&["\r\n", "\n", "\r\n\r\nbody: x\r\n"][..]),
        ) {
            let text = lines.join(if lines.len() % 2 == 0 { "\r\n" } else { "\n" }) + end;
            let message = Message::from_bytes(Bytes::from(text));
            let section = Section::of(message.head());
            let ours: Vec<_> = section
                .fields()
                .map(|field| (field.name().to_vec(), field.value()))
                .collect();
            let theirs: Vec<_> = message
                .fields()
                .map(|field| (field.name_raw().to_vec(), field.unfolded()))
                .collect();
            prop_assert_eq!(ours, theirs);
            prop_assert!(!section.is_cut());
        }
    }

    #[test]
    fn too_many_fields_are_cut() {
        let all = Section::of("a:b\r\n".repeat(bounds::FIELDS).as_bytes());
        assert!(!all.is_cut());
        let more = Section::of("a:b\r\n".repeat(bounds::FIELDS + 1).as_bytes());
        assert!(more.is_cut());
        assert_eq!(more.fields().len(), bounds::FIELDS);
    }

    #[test]
    fn a_long_field_ends_between_two_words() {
        let long = format!("To: {}\r\n", "ann@x.example, ".repeat(9_000));
        let section = Section::of(long.as_bytes());
        let to = section.field(0).unwrap();
        assert!(to.is_cut());
        assert!(to.value().len() <= bounds::FIELD);
        assert!(to.value().ends_with("ann@x.example,"));
        let word = format!("To: {}\r\n", "a".repeat(bounds::FIELD));
        assert_eq!(Section::of(word.as_bytes()).field(0).unwrap().value(), "");
    }

    #[test]
    fn too_long_a_section_is_cut() {
        let field = format!("X: {}\r\n", "x".repeat(900)).repeat(2_000);
        let section = Section::of(field.as_bytes());
        assert!(section.is_cut());
        assert!(section.octets().len() <= bounds::SECTION);
    }
}
