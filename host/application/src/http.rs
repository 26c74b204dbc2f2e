//! Delivery by HTTP: a signed POST for each group of recipients.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use gatepost_http_client::{Answer, HttpClient, HttpError, StreamedBody};
use gatepost_message::Millis;
use gatepost_smtp::Reply;
use http::header::{CONTENT_LENGTH, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Request};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use crate::body::PieceBody;
use crate::forms::RequestForm;
use crate::letter::LetterRecipient;
use crate::segments::{Segment, pieces};
use crate::signature::{WebhookId, sign};
use crate::{Alarm, HttpSettings, Letter, Outcome, Reach};

/// The most octets of an answer that are read: the status decides.
const ANSWER: usize = 4096;

/// Shortest wait that an application may ask for: it is not asked again at once.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// Longest wait that an application may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// Delivers to the recipients, group by group. The groups are the same for the same recipients,
/// whatever their order. Where nothing gets there, one group has tried for all that follow.
pub(crate) async fn deliver(
    client: &HttpClient,
    links: Option<&str>,
    settings: &HttpSettings,
    letter: &Letter<'_>,
) -> Vec<Outcome> {
    let mut order: Vec<usize> = (0..letter.rcpt_to.len()).collect();
    order.sort_by_key(|at| letter.rcpt_to[*at].address.as_str());
    let mut outcomes = vec![None; order.len()];
    let mut down: Option<Outcome> = None;
    for group in order.chunks(settings.recipients) {
        let recipients: Vec<LetterRecipient<'_>> =
            group.iter().map(|at| letter.rcpt_to[*at]).collect();
        let part = Letter {
            rcpt_to: &recipients,
            ..letter.clone()
        };
        let outcome = match &down {
            Some(outcome) => outcome.clone(),
            None => post(client, links, settings, &part).await,
        };
        if outcome.reach() == Reach::Down {
            down = Some(outcome.clone());
        }
        for at in group {
            outcomes[*at] = Some(outcome.clone());
        }
    }
    // Each recipient is in one group.
    outcomes.into_iter().flatten().collect()
}

/// Posts a letter; returns the outcome for all its recipients.
async fn post(
    client: &HttpClient,
    links: Option<&str>,
    settings: &HttpSettings,
    letter: &Letter<'_>,
) -> Outcome {
    let request = match request(links, settings, letter).await {
        Ok(request) => request,
        Err(error) => return Outcome::unreadable(&error),
    };
    let exchange = async {
        let answer = client.send_streamed(request).await?;
        Ok(judged(settings, answer).await)
    };
    match timeout(settings.timeout, exchange).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => unanswered(&error),
        Err(_) => {
            let reply = Reply::new(451, "4.4.2", "The application did not answer in time");
            Outcome::waits(Alarm::Silent, reply)
        }
    }
}

/// Makes the request of a letter. It reads the whole body once, to sign it, and finds there
/// whether the message is what was stored.
async fn request(
    links: Option<&str>,
    settings: &HttpSettings,
    letter: &Letter<'_>,
) -> io::Result<Request<StreamedBody>> {
    let RequestForm { fields, segments } = RequestForm::of(links, settings, letter).await?;
    let segments: Arc<[Segment]> = segments.into();
    let addresses = letter.rcpt_to.iter().map(|recipient| recipient.address);
    let id = WebhookId::new(letter.transaction, addresses).to_string();
    let timestamp = Millis::now().0 / 1000;
    let signature = {
        let (message, secrets, id) = (letter.message.clone(), settings.secrets.clone(), id.clone());
        let segments = Arc::clone(&segments);
        let signing = tokio::task::spawn_blocking(move || {
            if secrets.is_empty() {
                return Ok(String::new());
            }
            sign(&secrets, &id, timestamp, pieces(segments, message))
        });
        signing.await.map_err(io::Error::other)??
    };
    let lengths = segments
        .iter()
        .map(|segment| segment.length(letter.message));
    let length = lengths.sum();
    let body = PieceBody::begin(pieces(segments, letter.message.clone()), length);
    let mut request = Request::post(settings.url.uri().clone())
        .header(CONTENT_LENGTH, length)
        .header(USER_AGENT, concat!("gatepost/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .body(body.boxed_unsync())
        .map_err(io::Error::other)?;
    if !settings.secrets.is_empty() {
        let signature = HeaderValue::try_from(signature).map_err(io::Error::other)?;
        request.headers_mut().insert("webhook-signature", signature);
    }
    request.headers_mut().extend(fields);
    Ok(request)
}

/// Judges an answer by its status.
async fn judged(settings: &HttpSettings, answer: Answer) -> Outcome {
    let status = answer.status().as_u16();
    if answer.status().is_success() {
        return Outcome::delivered(&format!("Taken by the application (HTTP {status})"));
    }
    let retry_after = answer.headers().get(RETRY_AFTER).and_then(seconds);
    // The words are for the log; an answer that is longer, or breaks off, has none.
    let words = answer.body(ANSWER).await.unwrap_or_default();
    let words = String::from_utf8_lossy(&words).into_owned();
    let outcome = if settings.fails(status) {
        let text = format!("The application refused the message (HTTP {status})");
        Outcome::of(Reply::new(550, "5.3.0", text), None)
    } else {
        let text = format!("The application did not take the message (HTTP {status})");
        let alarm = match status {
            401 | 403 => Alarm::Unauthorized(status),
            300..=399 | 404 | 405 | 410 => Alarm::WrongUrl(status),
            413 => Alarm::TooLarge,
            415 => Alarm::WrongForm,
            _ => Alarm::Failing(status),
        };
        Outcome::waits(alarm, Reply::new(451, "4.3.0", text))
    };
    Outcome {
        retry_after,
        ..outcome.with_detail(&words)
    }
}

/// Reads a Retry-After in seconds (RFC 9110 section 10.2.3); one with a date counts as none.
fn seconds(value: &HeaderValue) -> Option<Duration> {
    let seconds: u64 = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).clamp(SHORTEST_WAIT, LONGEST_WAIT))
}

/// Returns the outcome of a request without an answer.
fn unanswered(error: &HttpError) -> Outcome {
    let (alarm, code, text) = match error {
        HttpError::Tls { .. } => (
            Alarm::Certificate,
            "4.7.5",
            "The application's certificate does not verify",
        ),
        HttpError::Connect { .. } => (
            Alarm::Unreachable,
            "4.4.1",
            "The application does not answer",
        ),
        _ => (
            Alarm::Silent,
            "4.4.2",
            "The connection to the application broke",
        ),
    };
    Outcome::waits(alarm, Reply::new(451, code, text)).with_detail(&error.to_string())
}
