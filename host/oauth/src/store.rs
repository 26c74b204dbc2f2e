//! Seam to the place where tokens are kept.

use std::future::Future;
use std::pin::Pin;

use crate::TokenSet;

/// Place where the tokens of one connection are kept, encrypted.
pub trait TokenStore: Send + Sync {
    /// Returns the tokens that were stored last; none if there are none.
    fn load(&self) -> Loading<'_>;

    /// Stores tokens in place of those before. They are durable when the future is ready: the
    /// server may have made every earlier refresh token invalid.
    fn store<'a>(&'a self, tokens: &'a TokenSet) -> Storing<'a>;
}

/// Future of the stored tokens.
pub type Loading<'a> =
    Pin<Box<dyn Future<Output = Result<Option<TokenSet>, StoreError>> + Send + 'a>>;

/// Future of a finished write.
pub type Storing<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// Error of a store, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);
