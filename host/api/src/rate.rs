//! Limit on the requests of a token in a minute.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use gatepost_operations::Code;
use http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use moka::sync::Cache;

use crate::problem::ApiProblem;

/// Window in which requests are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// Most tokens that are counted at a time; there are never more in force than a site issues.
const TOKENS: u64 = 10_000;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// Requests of one token in its window.
#[derive(Debug)]
struct TokenCount {
    begun: Instant,
    requests: AtomicU32,
}

/// Counts of requests by the id of the token.
pub(crate) struct TokenRate {
    counts: Cache<String, Arc<TokenCount>>,
}

/// Requests that a token has left in its window, with its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateState {
    limit: u32,
    left: u32,
    /// Seconds until the window ends.
    seconds: u64,
}

impl Default for TokenRate {
    fn default() -> Self {
        let counts = Cache::builder().max_capacity(TOKENS);
        Self {
            counts: counts.time_to_live(WINDOW).build(),
        }
    }
}

impl TokenRate {
    /// Counts a request of a token.
    ///
    /// # Errors
    /// It has made as many as it may (429).
    pub(crate) fn count(&self, token: &str, limit: NonZeroU32) -> Result<RateState, ApiProblem> {
        let count = self.counts.get_with_by_ref(token, || {
            Arc::new(TokenCount {
                begun: Instant::now(),
                requests: AtomicU32::new(0),
            })
        });
        let before = count.requests.fetch_add(1, Ordering::Relaxed);
        let left = WINDOW.saturating_sub(count.begun.elapsed());
        let limit = limit.get();
        let state = RateState {
            limit,
            left: limit.saturating_sub(before.saturating_add(1)),
            // A client that waits so long finds the next window.
            seconds: left.as_secs() + 1,
        };
        if before < limit {
            return Ok(state);
        }
        // Stays above the limit, and does not begin again at nothing.
        count.requests.store(limit, Ordering::Relaxed);
        let text = format!("the token has made {limit} requests in this minute");
        let mut problem = ApiProblem::new(Code::TooManyRequests, text);
        for (name, value) in state.fields() {
            problem = problem.with(name, &value);
        }
        Err(problem.with(RETRY_AFTER, &state.seconds.to_string()))
    }
}

impl RateState {
    /// Adds the fields of the limit to the header of a response
    /// (draft-ietf-httpapi-ratelimit-headers).
    pub(crate) fn add_to(self, headers: &mut HeaderMap) {
        for (name, value) in self.fields() {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }

    fn fields(self) -> [(HeaderName, String); 2] {
        let Self {
            limit,
            left,
            seconds,
        } = self;
        let window = WINDOW.as_secs();
        [
            (POLICY, format!("\"token\";q={limit};w={window}")),
            (STATE, format!("\"token\";r={left};t={seconds}")),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_limited_apart() {
        let rate = TokenRate::default();
        let limit = NonZeroU32::new(2).unwrap();
        let left = |token| rate.count(token, limit).map(|state| state.left).ok();
        assert_eq!(
            [left("a"), left("a"), left("a"), left("a")],
            [Some(1), Some(0), None, None]
        );
        assert_eq!(left("b"), Some(1));
    }

    #[test]
    fn a_refusal_says_when_to_come_again() {
        let rate = TokenRate::default();
        let limit = NonZeroU32::MIN;
        rate.count("a", limit).unwrap();
        let response = rate.count("a", limit).unwrap_err().response();
        assert_eq!(response.status(), 429);
        let field = |name| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(field("retry-after"), "60");
        assert_eq!(field("ratelimit"), "\"token\";r=0;t=60");
        assert_eq!(field("ratelimit-policy"), "\"token\";q=1;w=60");
    }
}
