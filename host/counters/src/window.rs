//! Time as counts know it: by the minute, for a day.

use gatepost_message::Millis;

/// Milliseconds in a bucket of a count.
pub(crate) const BUCKET_MILLIS: u64 = 60_000;

/// Longest window of a count, in seconds.
pub const LONGEST_WINDOW: u32 = 24 * 3600;

/// Returns the bucket of a time.
pub fn bucket(at: Millis) -> u64 {
    at.0 / BUCKET_MILLIS
}

/// Returns the first bucket that a window of so many seconds before `now` touches.
pub fn first_bucket(now: Millis, seconds: u32) -> u64 {
    let length = u64::from(seconds.min(LONGEST_WINDOW)) * 1000;
    bucket(Millis(now.0.saturating_sub(length)))
}
