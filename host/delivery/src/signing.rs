//! Signatures of a message (DKIM), made for each attempt and last of all.
//!
//! The form in which a message travels is known only once the next hop has said what it takes: so
//! it is signed then, after conversion and in the name in which it leaves. The signatures of the
//! form that the queue has are kept with the message in hand, for its other destinations; those of
//! a converted form with that form.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_dkim::{SignError, Signer};
use gatepost_message::{Address, Message, Millis, ReversePath};
use gatepost_model::Destination;
use gatepost_smtp::Reply;
use gatepost_spool::Claim;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

/// Most sets of signatures that are kept with a message. Others are made each time.
const MOST_KEPT: usize = 8;

/// Knows the keys that sign a message, and which messages must not leave unsigned. The relay
/// implements it with the keys of its directory.
pub trait Signing: Send + Sync + 'static {
    /// Returns the keys that sign a message on this way; none if it leaves as it is.
    fn signers(&self, leaving: &Leaving<'_>) -> Vec<Arc<Signer>>;

    /// Says whether a message may leave on this way: `None` as it is, or as one of that address.
    ///
    /// # Errors
    /// A reply: it may not leave so.
    fn admit<'a>(&'a self, leaving: Leaving<'a>) -> Admitting<'a>;
}

/// Future of an admission.
pub type Admitting<'a> = Pin<Box<dyn Future<Output = Result<Option<Address>, Reply>> + Send + 'a>>;

/// Signs nothing and lets all leave.
#[derive(Debug)]
pub struct Unsigned;

impl Signing for Unsigned {
    fn signers(&self, _: &Leaving<'_>) -> Vec<Arc<Signer>> {
        Vec::new()
    }

    fn admit<'a>(&'a self, _: Leaving<'a>) -> Admitting<'a> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

/// Message on its way out, in the name in which it leaves.
#[derive(Debug, Clone, Copy)]
pub struct Leaving<'a> {
    /// The message in the queue.
    pub claim: &'a Claim,
    /// The message as it leaves, before any conversion.
    pub message: &'a Message,
    /// MAIL FROM.
    pub reverse_path: &'a ReversePath,
    /// Destination.
    pub destination: &'a Destination,
}

/// Name in which a message leaves, with the keys that sign it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SignedAs {
    author: Option<Address>,
    /// True if References names the message itself.
    names_itself: bool,
    keys: Vec<(String, String, &'static str)>,
}

impl SignedAs {
    fn new(author: Option<&Address>, names_itself: bool, signers: &[Arc<Signer>]) -> Self {
        let key = |signer: &Arc<Signer>| {
            (
                signer.domain.as_ascii().to_owned(),
                signer.selector.to_string(),
                signer.key.algorithm().word(),
            )
        };
        Self {
            author: author.cloned(),
            names_itself,
            keys: signers.iter().map(key).collect(),
        }
    }
}

/// Signatures of one form, made once.
pub(crate) type Kept = Arc<OnceCell<Bytes>>;

/// Signatures of a message in the form that the queue has.
#[derive(Debug, Default)]
pub(crate) struct KeptSignatures(Mutex<Vec<(SignedAs, Kept)>>);

impl KeptSignatures {
    /// Returns the place of the signatures of these keys, over the message in that name, and with or
    /// without itself in References.
    pub(crate) fn of(
        &self,
        author: Option<&Address>,
        names_itself: bool,
        signers: &[Arc<Signer>],
    ) -> Kept {
        let wanted = SignedAs::new(author, names_itself, signers);
        let mut kept = self.0.lock();
        if let Some((_, kept)) = kept.iter().find(|(signed, _)| *signed == wanted) {
            return Arc::clone(kept);
        }
        let made = Kept::default();
        if kept.len() < MOST_KEPT {
            kept.push((wanted, Arc::clone(&made)));
        }
        made
    }
}

/// Returns a message with its signatures, which are made if they are not kept.
///
/// # Errors
/// The message cannot be read.
pub(crate) async fn signed(
    message: &Message,
    signers: &[Arc<Signer>],
    kept: &OnceCell<Bytes>,
    now: Millis,
) -> io::Result<Message> {
    let make = || async {
        let (signers, message) = (signers.to_vec(), message.clone());
        let signing =
            tokio::task::spawn_blocking(move || gatepost_dkim::sign(&message, &signers, now));
        match signing.await.map_err(io::Error::other)? {
            Ok(fields) => {
                metrics::counter!("gatepost_signatures_total", "result" => "signed").increment(1);
                Ok(fields)
            }
            Err(SignError::Body(error)) => Err(error),
            // It leaves unsigned: nothing about it would be better later.
            Err(error) => {
                metrics::counter!("gatepost_signatures_total", "result" => "failed").increment(1);
                tracing::warn!(%error, "a message is not signed");
                Ok(Bytes::new())
            }
        }
    };
    let fields = kept.get_or_try_init(make).await?;
    Ok(match fields.is_empty() {
        true => message.clone(),
        false => gatepost_dkim::with_signatures(message, fields),
    })
}
