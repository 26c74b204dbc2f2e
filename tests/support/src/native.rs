//! A policy run natively, as the plain Rust that it is: what the host hands to a guest, without a
//! sandbox in between.

use std::collections::HashSet;

use gatepost_message::Message;

/// A message as a policy sees it.
#[derive(Debug, Clone, Copy)]
pub struct NativeMessage<'a>(pub &'a Message);

impl gatepost_sdk::Message for NativeMessage<'_> {
    fn header(&self, name: &str) -> Option<String> {
        self.0.header(name)
    }

    fn headers_named(&self, name: &str) -> Vec<String> {
        self.0.headers_named(name)
    }

    fn count(&self, name: &str) -> u32 {
        u32::try_from(self.0.count(name)).unwrap_or(u32::MAX)
    }

    fn headers(&self) -> Vec<(String, String)> {
        let field = |field: gatepost_message::Field<'_>| {
            let value = String::from_utf8_lossy(field.body_raw()).into_owned();
            (field.name().into_owned(), value)
        };
        self.0.fields().map(field).collect()
    }

    fn header_chunk(&self, offset: u64, length: u32) -> Vec<u8> {
        let head = self.0.head();
        let begin = head.len().min(offset as usize);
        let end = head.len().min(begin + length as usize);
        head[begin..end].to_vec()
    }

    fn header_size(&self) -> u64 {
        self.0.head().len() as u64
    }

    fn body_size(&self) -> u64 {
        self.0.body().len()
    }

    fn body_chunk(&self, offset: u64, length: u32) -> Vec<u8> {
        let mut chunk = vec![0; length as usize];
        let count = self.0.body().read_at(offset, &mut chunk);
        chunk.truncate(count.unwrap_or_else(|error| panic!("the body: {error}")));
        chunk
    }
}

/// What a policy may look up: a time that stands still, and the keys that it marked as seen.
#[derive(Debug, Clone, Default)]
pub struct NativeFacts {
    /// Marked before this message.
    pub seen: HashSet<String>,
}

impl gatepost_sdk::Facts for NativeFacts {
    fn now(&self) -> u64 {
        1_700_000_000_000
    }

    fn counted(&self, _: &str, _: u32) -> u64 {
        0
    }

    fn seen(&self, key: &str) -> bool {
        self.seen.contains(key)
    }

    fn log(&self, _: gatepost_sdk::Level, _: &str) {}
}
