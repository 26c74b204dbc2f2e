//! Answers of operations as responses.

use axum::body::Body;
use gatepost_operations::{Code, OperationError};
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::BASE;
use crate::condition;
use crate::cursor;
use crate::fields::{FieldError, RequestFields};
use crate::route::{AnswerForm, ApiRoute};

/// Characters of a part of a path that are percent-encoded (RFC 3986 section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'@');

/// Page that a request asks for.
#[derive(Debug)]
pub(crate) struct AskedPage {
    behind: Option<Vec<Value>>,
    limit: usize,
}

impl AskedPage {
    /// Takes `limit` and `cursor` out of the fields of a request for a list, and puts in what its
    /// operation knows for them; `None` for any other request.
    ///
    /// # Errors
    /// One of them is wrong.
    pub(crate) fn take(
        route: &ApiRoute,
        fields: &mut RequestFields,
    ) -> Result<Option<Self>, FieldError> {
        let parts = match route.form {
            AnswerForm::List(members) => members.len(),
            AnswerForm::Page(pairs) => pairs.len(),
            AnswerForm::Events | AnswerForm::Stream => 1,
            _ => return Ok(None),
        };
        let limit = cursor::limit(fields.text("limit")?.as_deref())?;
        let cursor = fields.text("cursor")?;
        let read = |text: String| cursor::read(route.operation, parts, &text);
        let behind = cursor.map(read).transpose()?;
        fields.remove("limit");
        fields.remove("cursor");
        let members: &[_] = match route.form {
            AnswerForm::Page(pairs) => pairs,
            AnswerForm::Events | AnswerForm::Stream => &[("after", "")],
            _ => &[],
        };
        for (number, (member, _)) in members.iter().enumerate() {
            if fields.has(member) {
                let text = "a page goes on by `cursor`, with `next` of the page before";
                return Err(FieldError::new(text).of(member));
            }
            if let Some(behind) = &behind {
                fields.set(member, behind[number].clone());
            }
        }
        if !members.is_empty() {
            fields.set("limit", limit.into());
        }
        Ok(Some(Self { behind, limit }))
    }
}

/// Answer to a request that succeeded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AnsweredRequest {
    /// Status.
    status: u16,
    /// Path of what was made or has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// Entity tag of what is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    /// Body; `None` if there is nothing to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

impl AnsweredRequest {
    fn new(status: StatusCode, body: Value) -> Self {
        Self {
            status: status.as_u16(),
            location: None,
            tag: None,
            body: Some(body),
        }
    }

    fn list(items: Vec<Value>, next: Option<String>) -> Self {
        Self::new(StatusCode::OK, json!({"items": items, "next": next}))
    }

    fn at(status: StatusCode, path: &str, body: Value, asked: &RequestFields) -> Self {
        Self {
            location: location(path, &body, asked),
            ..Self::new(status, body)
        }
    }

    /// Makes what a request is answered with from what its operation answers.
    ///
    /// # Errors
    /// The operation answers in another form than the table says.
    pub(crate) fn of(
        route: &ApiRoute,
        asked: &RequestFields,
        page: Option<&AskedPage>,
        answer: Value,
    ) -> Result<Self, OperationError> {
        let limit = page.map_or(cursor::MOST, |page| page.limit);
        Ok(match route.form {
            AnswerForm::Done => Self {
                body: None,
                ..Self::new(StatusCode::NO_CONTENT, Value::Null)
            },
            AnswerForm::Item | AnswerForm::OnlyItem | AnswerForm::Stream => {
                let shown = shown(route, answer)?;
                Self {
                    tag: condition::tag_of(route, &shown),
                    ..Self::new(StatusCode::OK, shown)
                }
            }
            AnswerForm::Created(path) => Self::at(StatusCode::CREATED, path, answer, asked),
            AnswerForm::CreatedNumber(name, path) => {
                Self::at(StatusCode::CREATED, path, json!({ name: answer }), asked)
            }
            AnswerForm::Begun(path) => Self::at(StatusCode::ACCEPTED, path, answer, asked),
            AnswerForm::Results => Self::list(items_of(answer)?, None),
            AnswerForm::List(members) => {
                let behind = page.and_then(|page| page.behind.as_deref());
                let items = items_of(answer)?;
                let (items, next) = cursor::page_of(route.operation, items, members, behind, limit);
                Self::list(items, next)
            }
            AnswerForm::Page(pairs) => {
                let items = items_of(answer)?;
                let last = items.last().filter(|_| items.len() >= limit);
                let part = |item: &Value, name: &str| match name {
                    "" => item.clone(),
                    name => item[name].clone(),
                };
                let identity = |item: &Value| -> Vec<_> {
                    pairs.iter().map(|(_, name)| part(item, name)).collect()
                };
                let next = last.map(|item| cursor::of(route.operation, &identity(item)));
                Self::list(items, next)
            }
            AnswerForm::Events => {
                let Value::Object(mut members) = answer else {
                    return Err(unexpected());
                };
                let items = items_of(members.remove("events").unwrap_or_default())?;
                let next = members.remove("next").unwrap_or_default();
                // There is always more to come: the next request goes on here.
                Self::list(items, Some(cursor::of(route.operation, &[next])))
            }
        })
    }

    /// Returns the response.
    pub(crate) fn response(self) -> Response<Body> {
        let mut response = match &self.body {
            Some(body) => {
                let mut response = Response::new(Body::from(body.to_string()));
                let json = HeaderValue::from_static("application/json");
                response.headers_mut().insert(header::CONTENT_TYPE, json);
                response
            }
            None => Response::new(Body::empty()),
        };
        if let Ok(status) = StatusCode::from_u16(self.status) {
            *response.status_mut() = status;
        }
        for (name, value) in [(header::LOCATION, self.location), (header::ETAG, self.tag)] {
            let value = value.and_then(|of| HeaderValue::from_str(&of).ok());
            if let Some(value) = value {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// Returns the one item that an answer shows.
///
/// # Errors
/// The answer has another form.
pub(crate) fn shown(route: &ApiRoute, answer: Value) -> Result<Value, OperationError> {
    match route.form {
        AnswerForm::OnlyItem => {
            let only = items_of(answer)?.into_iter().next();
            only.ok_or_else(unexpected)
        }
        _ => Ok(answer),
    }
}

fn items_of(answer: Value) -> Result<Vec<Value>, OperationError> {
    match answer {
        Value::Array(items) => Ok(items),
        _ => Err(unexpected()),
    }
}

fn unexpected() -> OperationError {
    OperationError::new(Code::Internal, "the operation answers in another form")
}

/// Returns the path of what was made: each parameter is a member of the answer or a field of the
/// request. `None` if one is neither.
fn location(path: &str, answer: &Value, asked: &RequestFields) -> Option<String> {
    let mut location = BASE.to_owned();
    for part in path.split('/').skip(1) {
        let name = part.strip_prefix('{').and_then(|of| of.strip_suffix('}'));
        location.push('/');
        match name {
            None => location.push_str(part),
            Some(name) => {
                let text = match &answer[name] {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    _ => asked.named(name)?,
                };
                location.extend(utf8_percent_encode(&text, RESERVED));
            }
        }
    }
    Some(location)
}
