//! Messages that programs hand in: `POST /accounts/{account}/messages`.
//!
//! A message is made of parts in JSON, with its files beside it in a form (`multipart/form-data`), or
//! comes as it is (`message/rfc822`). It passes the intake as a submission over SMTP does. The answer
//! tells of each recipient, and comes once all of it is on disk.
//!
//! A body is read whole, bounded by the size of a message; all of them together are bounded, too.
//! The limits on requests do not count here: those on submissions do.

pub(crate) mod description;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use futures_util::stream;
use gatepost_directory::ApiScope;
use gatepost_http_server::HttpClientFacts;
use gatepost_message::{Address, Millis, ReversePath};
use gatepost_operations::messages::{
    self, RawMessage, SubmissionError, SubmitMessage, SubmittedMessage, SubmittingProgram,
};
use gatepost_operations::{Code, OperationError, Runtime, belonging};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, LOCATION};
use http::{HeaderMap, Response, StatusCode};
use multer::Multipart;
use ring::digest::{Context, SHA256};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::BASE;
use crate::bearer;
use crate::body;
use crate::call::ApiState;
use crate::fields::{FieldError, RequestFields};
use crate::problem::ApiProblem;
use crate::repetition;

/// Path of the route.
pub(crate) const PATH: &str = "/accounts/{account}/messages";

/// Longest time for a body.
const PATIENCE: Duration = Duration::from_secs(300);

/// KiB of all bodies that are read and handed in at a time.
pub(crate) const MEMORY: usize = 256 << 10;

/// Most parts of a form.
const MOST_PARTS: usize = 110;

/// Octets that a body may have beyond the most of a message. Files in a form are a quarter smaller
/// than in the message.
const BEYOND: u64 = 64 << 10;

/// Name of the part of a form that has the message.
const MESSAGE_PART: &str = "message";

/// Envelope of a message that comes as it is, in the query.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawEnvelope {
    /// Address to which bounces go; without one, nobody is told of them.
    from: Option<Address>,
    /// Recipients.
    to: Vec<Address>,
    /// Earliest time of the first attempt, 30 days from now at most.
    send_at: Option<Millis>,
    /// Time at which it is given up, if that is earlier than by the configuration.
    expires: Option<Millis>,
    /// Only says what would become of the message.
    #[serde(default)]
    dry_run: bool,
}

/// Message as a request has it.
enum GivenMessage {
    /// Parts, with the files beside them.
    Parts(Box<SubmitMessage>, HashMap<String, Bytes>),
    /// The message itself.
    Raw(RawMessage, Bytes),
}

/// Answers a request to hand a message in for an account.
pub(crate) async fn answer(
    state: Arc<ApiState>,
    account: String,
    request: Request,
) -> Response<Body> {
    let answered = submit(&state, &account, request).await;
    answered.unwrap_or_else(ApiProblem::response)
}

async fn submit(
    state: &ApiState,
    account: &str,
    request: Request,
) -> Result<Response<Body>, ApiProblem> {
    let token = bearer::presented(&state.directory, request.headers()).await?;
    bearer::require(&token, ApiScope::Operate)?;
    let on = state.handler.running_relay()?;
    let account = belonging::named_account(&state.directory, &token, account)?;
    let client: Option<&HttpClientFacts<()>> = request.extensions().get();
    let client = client.and_then(|client| client.address);
    let client = client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let (parts, body) = request.into_parts();
    let bound = usize::try_from(messages::longest(&on)? + BEYOND).unwrap_or(usize::MAX);
    let room = room(&state.memory, &parts.headers, bound)?;
    let octets = body::read(body, bound, PATIENCE).await?;
    let query = parts.uri.query().unwrap_or_default();
    let key = repetition::key_of(&parts.headers)?.map(|key| {
        let kind = parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        (
            key,
            digest(&[
                account.as_bytes(),
                query.as_bytes(),
                kind.unwrap_or_default(),
                &octets,
            ]),
        )
    });
    let program = SubmittingProgram {
        account: account.clone(),
        token: token.id,
        client: SocketAddr::new(client, 0),
        key,
    };
    let given = given(&parts.headers, query, octets).await?;
    // What is handed in is brought to its end even if the client goes away.
    let handed_in = tokio::spawn(async move {
        let _room = room;
        hand_in(&on, &program, given).await
    });
    match handed_in.await.map_err(OperationError::from)? {
        Ok(submitted) => Ok(told(&submitted)),
        Err(SubmissionError::Operation(error)) => Err(error.into()),
        Err(SubmissionError::Refused(error, recipients)) => {
            let recipients = serde_json::to_value(recipients).unwrap_or_default();
            Err(ApiProblem::from(error).saying("recipients", recipients))
        }
    }
}

/// Takes memory for a body of the length that it says it has.
fn room(
    memory: &Arc<Semaphore>,
    headers: &HeaderMap,
    bound: usize,
) -> Result<OwnedSemaphorePermit, ApiProblem> {
    let length = headers.get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let length: usize = length.unwrap_or(bound);
    if length > bound {
        return Err(body::too_large(bound));
    }
    // The body, and the message that is made of it.
    let needed = u32::try_from(length / 512 + 1).unwrap_or(u32::MAX);
    Arc::clone(memory)
        .try_acquire_many_owned(needed)
        .map_err(|_| {
            let text = "the relay reads as many messages as it has memory for";
            ApiProblem::new(Code::Overloaded, text)
        })
}

/// Returns the digest by which one request is told from another.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        // What ends one part cannot begin the next.
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut octets = [0; 32];
    octets.copy_from_slice(context.finish().as_ref());
    octets
}

/// Reads the message of a request, by its media type.
async fn given(
    headers: &HeaderMap,
    query: &str,
    octets: Bytes,
) -> Result<GivenMessage, ApiProblem> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "message/rfc822" => {
            let envelope: RawEnvelope = RequestFields::new(Vec::new(), query)?.into_request()?;
            let from = envelope.from;
            let raw = RawMessage {
                message_id: None,
                reverse_path: from.map_or(ReversePath::Null, ReversePath::Address),
                recipients: envelope.to,
                send_at: envelope.send_at,
                expires: envelope.expires,
                dry_run: envelope.dry_run,
            };
            Ok(GivenMessage::Raw(raw, octets))
        }
        "application/json" => {
            no_query(query)?;
            Ok(GivenMessage::Parts(
                Box::new(parts_of(&octets)?),
                HashMap::new(),
            ))
        }
        "multipart/form-data" => {
            no_query(query)?;
            form(kind, octets).await
        }
        _ => {
            let text = "a message is application/json, multipart/form-data or message/rfc822";
            Err(ApiProblem::new(Code::NotJson, text))
        }
    }
}

fn no_query(query: &str) -> Result<(), ApiProblem> {
    match query.is_empty() {
        true => Ok(()),
        false => {
            let text = "a query is for a message as it is; here all stands in the body";
            Err(ApiProblem::new(Code::NotUnderstood, text))
        }
    }
}

fn parts_of(octets: &[u8]) -> Result<SubmitMessage, ApiProblem> {
    serde_json::from_slice(octets).map_err(|error| {
        let text = format!("the message is no JSON of a message: {error}");
        ApiProblem::new(Code::NotUnderstood, text)
    })
}

/// Reads a form: the message in one part, and each file in another.
async fn form(kind: &str, octets: Bytes) -> Result<GivenMessage, ApiProblem> {
    let wrong = |error: multer::Error| {
        ApiProblem::new(
            Code::NotUnderstood,
            format!("the form cannot be read: {error}"),
        )
    };
    let boundary = multer::parse_boundary(kind).map_err(wrong)?;
    let body = stream::once(async move { Ok::<_, std::convert::Infallible>(octets) });
    let mut form = Multipart::new(body, boundary);
    let mut message = None;
    let mut files = HashMap::new();
    while let Some(part) = form.next_field().await.map_err(wrong)? {
        let name = part.name().unwrap_or_default().to_owned();
        let content = part.bytes().await.map_err(wrong)?;
        let is_new = match name.as_str() {
            MESSAGE_PART => message.replace(parts_of(&content)?).is_none(),
            _ => files.insert(name.clone(), content).is_none(),
        };
        if !is_new || files.len() > MOST_PARTS {
            let text = format!("the form has the part {name:?} twice, or more than {MOST_PARTS}");
            return Err(FieldError::new(text).of(&name).into());
        }
    }
    let message = message.ok_or_else(|| {
        FieldError::new("the form has no such part with the message in JSON").of(MESSAGE_PART)
    })?;
    Ok(GivenMessage::Parts(Box::new(message), files))
}

async fn hand_in(
    on: &Runtime,
    program: &SubmittingProgram,
    given: GivenMessage,
) -> Result<SubmittedMessage, SubmissionError> {
    match given {
        GivenMessage::Parts(message, files) => {
            let file = |name: &str| files.get(name).cloned();
            messages::submit_parts(on, program, *message, file).await
        }
        GivenMessage::Raw(message, octets) => {
            messages::submit_raw(on, program, message, &*octets).await
        }
    }
}

/// Returns the answer to a message that was accepted, or would be.
fn told(submitted: &SubmittedMessage) -> Response<Body> {
    let body = serde_json::to_vec(submitted).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = match submitted.dry_run {
        true => StatusCode::OK,
        false => StatusCode::ACCEPTED,
    };
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let trace = format!("{BASE}/messages/{}/trace", submitted.id);
    if let Ok(trace) = HeaderValue::from_str(&trace)
        && !submitted.dry_run
    {
        fields.insert(LOCATION, trace);
    }
    response
}
