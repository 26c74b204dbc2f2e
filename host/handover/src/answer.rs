//! Answers to requests, before they are pages.

use std::net::IpAddr;

use gatepost_directory::{Directory, DirectoryError, HandoverToken, Issued};
use gatepost_message::Millis;
use http::{Method, StatusCode};

use crate::PATH;

/// Answer to a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The link shows a secret: a page with the button.
    Button,
    /// The secret, for once.
    Secret(Box<Issued>),
    /// The link has expired, has been used, or never was.
    Gone,
    /// There is nothing at this path.
    NotFound,
    /// The method is neither of a page nor of its button.
    MethodNotAllowed,
    /// The network has asked too often.
    TooMany,
    /// The relay failed.
    Failed,
}

impl Answer {
    /// Answers a request of a client at this address, at this time. Blocks on the disk if the
    /// secret is shown.
    ///
    /// # Errors
    /// The handover is damaged, or the store failed.
    pub(crate) fn to(
        directory: &Directory,
        method: &Method,
        path: &str,
        (from, now): (IpAddr, Millis),
    ) -> Result<Self, DirectoryError> {
        let Some(token) = path.strip_prefix(PATH) else {
            return Ok(Self::NotFound);
        };
        let token = HandoverToken::parse(token);
        let token = token.filter(|token| directory.is_handed_over(token, now));
        Ok(match (method, token) {
            (&Method::GET | &Method::HEAD, Some(_)) => Self::Button,
            (&Method::POST, Some(token)) => {
                match directory.open_handover(&token, now, from)? {
                    Some(issued) => Self::Secret(Box::new(issued)),
                    // Somebody else was faster.
                    None => Self::Gone,
                }
            }
            (&Method::GET | &Method::HEAD | &Method::POST, None) => Self::Gone,
            _ => Self::MethodNotAllowed,
        })
    }

    /// Returns the status of the response (RFC 9110 section 15).
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Button | Self::Secret(_) => StatusCode::OK,
            Self::Gone => StatusCode::GONE,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the word of the metric.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Button => "button",
            Self::Secret(_) => "secret",
            Self::Gone => "gone",
            Self::NotFound | Self::MethodNotAllowed => "other",
            Self::TooMany => "too-many",
            Self::Failed => "failed",
        }
    }
}
