//! Refusals as problem details (RFC 9457).

use axum::body::Body;
use gatepost_operations::{Code, OperationError};
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::BASE;
use crate::fields::FieldError;

/// Refusal of a request.
#[derive(Debug)]
pub(crate) struct ApiProblem {
    error: OperationError,
    /// Field of the request that is wrong.
    field: Option<String>,
    /// Further fields of the header, each once.
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Further members.
    members: Map<String, Value>,
}

impl ApiProblem {
    /// Makes the refusal with a code and a sentence.
    pub(crate) fn new(code: Code, detail: impl ToString) -> Self {
        OperationError::new(code, detail).into()
    }

    /// Adds a field to the header of the response.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Adds a member.
    pub(crate) fn saying(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    /// Returns the code.
    pub(crate) fn code(&self) -> Code {
        self.error.code
    }

    /// Returns the status of the response.
    pub(crate) fn status(&self) -> StatusCode {
        self.error.code.status()
    }

    /// Returns the response.
    pub(crate) fn response(self) -> Response<Body> {
        let status = self.status();
        let OperationError { code, message } = &self.error;
        let mut problem = json!({
            "type": format!("{BASE}/docs#{code}"),
            "title": status.canonical_reason().unwrap_or("Refused"),
            "status": status.as_u16(),
            "detail": message,
            "code": code,
            "kind": code.kind().word(),
            "what-to-do": code.what_to_do(),
        });
        if let Some(members) = problem.as_object_mut() {
            members.extend(self.members);
            members.extend(self.field.map(|field| ("field".to_owned(), field.into())));
        }
        let mut response = Response::new(Body::from(problem.to_string()));
        *response.status_mut() = status;
        response.headers_mut().extend(self.headers);
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        let retry = match status {
            StatusCode::SERVICE_UNAVAILABLE => Some("1"),
            StatusCode::TOO_MANY_REQUESTS => Some("60"),
            _ => None,
        };
        if let Some(retry) = retry.map(HeaderValue::from_static) {
            (response.headers_mut().entry(header::RETRY_AFTER)).or_insert(retry);
        }
        response
    }
}

impl From<OperationError> for ApiProblem {
    fn from(error: OperationError) -> Self {
        Self {
            error,
            field: None,
            headers: Vec::new(),
            members: Map::new(),
        }
    }
}

impl From<FieldError> for ApiProblem {
    fn from(error: FieldError) -> Self {
        Self {
            error: OperationError::new(Code::NotUnderstood, &error),
            field: error.field,
            headers: Vec::new(),
            members: Map::new(),
        }
    }
}
