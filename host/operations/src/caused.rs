//! Lists of messages by their cause: the reason of a quarantine, or the reply for which a recipient
//! waits. The store keeps no index of these texts: pages of it are looked through.

use std::future::Future;

use gatepost_spool::{Filter, SpoolError, Summary};

use crate::code::Code;
use crate::error::OperationError;

/// Messages of a page that is looked through.
const PAGE: usize = 1000;

/// Most messages that one request looks through.
const MOST: usize = 100_000;

/// Most octets of a cause.
const LONGEST: usize = 255;

/// Lists messages whose causes hold a text, in any case of its letters.
///
/// # Errors
/// The text is too long, too many messages would be looked through, or the store cannot be read.
pub(crate) async fn list<Page>(
    mut filter: Filter,
    cause: &str,
    causes: impl Fn(&Summary) -> Vec<String>,
    page: impl Fn(Filter) -> Page,
) -> Result<Vec<Summary>, OperationError>
where
    Page: Future<Output = Result<Vec<Summary>, SpoolError>>,
{
    if cause.len() > LONGEST {
        let text = format!("cause: {LONGEST} octets at most");
        return Err(OperationError::new(Code::NotUnderstood, text));
    }
    let cause = cause.to_lowercase();
    let is_caused = |message: &Summary| {
        let mut causes = causes(message).into_iter();
        causes.any(|of| of.to_lowercase().contains(&cause))
    };
    let wanted = std::mem::replace(&mut filter.limit, PAGE);
    let mut found = Vec::new();
    let mut looked_at = 0;
    while found.len() < wanted {
        let messages = page(filter.clone()).await?;
        let is_last = messages.len() < PAGE;
        looked_at += messages.len();
        filter.after = messages.last().map(|last| last.id);
        found.extend(messages.into_iter().filter(is_caused));
        if is_last {
            break;
        }
        if looked_at >= MOST && found.len() < wanted {
            let text = format!(
                "{MOST} messages were looked through: name an account, a recipient or a destination, or \
                 ask for fewer"
            );
            return Err(OperationError::new(Code::NotUnderstood, text));
        }
    }
    found.truncate(wanted);
    Ok(found)
}
