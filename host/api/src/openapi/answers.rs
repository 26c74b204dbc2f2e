//! Answers in the description: what each form of an answer has, and the problems.

use gatepost_operations::messages::{SubmittedMessage, SubmittedRecipient};
use gatepost_operations::{Code, ErrorKind};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::problem_statuses;
use super::schemas::{AnswerSchemas, Schemas};
use crate::condition;
use crate::route::{AnswerForm, ApiRoute, HttpMethod};
use crate::serve::BOUNDS;
use crate::table::CONDITIONAL;

/// Describes all answers of a route.
pub(crate) fn of(route: &ApiRoute, answer: AnswerSchemas) -> Value {
    let AnswerSchemas { whole, members } = answer;
    let (status, mut described) = match route.form {
        AnswerForm::Done => (204, json!({ "description": "It is done." })),
        AnswerForm::Item => (200, with_json("What was asked for.", &whole)),
        AnswerForm::OnlyItem => (200, with_json("What was asked for.", &whole["items"])),
        AnswerForm::Created(_) => (201, with_json("It was made.", &whole)),
        AnswerForm::CreatedNumber(name, _) => {
            let schema = json!({
                "type": "object", "properties": { name: whole }, "required": [name],
            });
            (201, with_json("It was made.", &schema))
        }
        AnswerForm::Begun(_) => (202, with_json("It has begun.", &whole)),
        AnswerForm::Results | AnswerForm::List(_) | AnswerForm::Page(_) => {
            (200, with_json("A page of the list.", &list(&whole)))
        }
        AnswerForm::Events => (
            200,
            with_json("A page of events.", &list(&members["events"])),
        ),
        AnswerForm::Stream => (
            200,
            json!({
                "description": "Events as they happen: `id` is the number of an event, `event` its kind, \
                    `data` the event in JSON.",
                "content": { "text/event-stream": { "schema": { "type": "string" } } },
            }),
        ),
    };
    let mut fields = Map::new();
    if matches!(
        route.form,
        AnswerForm::Created(_) | AnswerForm::CreatedNumber(..) | AnswerForm::Begun(_)
    ) {
        fields.insert("Location".to_owned(), field("Path of it."));
    }
    if condition::is_tagged(route) {
        let text = "Entity tag, for `If-Match` of a change.";
        fields.insert("ETag".to_owned(), field(text));
    }
    limits(&mut fields);
    described["headers"] = fields.into();
    let mut answers = Map::new();
    answers.insert(status.to_string(), described);
    for status in problem_statuses() {
        let may_be = match status {
            // The paths of the description know their methods.
            405 => false,
            412 => CONDITIONAL.iter().any(|(of, _)| *of == route.operation),
            422 => route.method == HttpMethod::Post,
            _ => true,
        };
        if may_be {
            answers.insert(status.to_string(), reference(status));
        }
    }
    insert_large_header(&mut answers);
    answers.into()
}

/// Inserts the answer to a header section beyond the bound, which is read before any route is known.
fn insert_large_header(answers: &mut Map<String, Value>) {
    let bound = BOUNDS.header_size >> 10;
    let text = format!("The header section of the request has more than {bound} KiB.");
    answers.insert("431".to_owned(), json!({ "description": text }));
}

/// Describes all answers to a message that is handed in.
pub(crate) fn of_messages(schemas: &mut Schemas) -> Value {
    let submitted = schemas.answer::<SubmittedMessage>();
    let mut accepted = with_json("All of it is on disk.", &submitted);
    let text = "Path of what becomes of it.";
    accepted["headers"] = json!({ "Location": field(text) });
    let mut answers = Map::new();
    let dry_run = with_json("It would be accepted; nothing was sent.", &submitted);
    answers.insert("200".to_owned(), dry_run);
    answers.insert("202".to_owned(), accepted);
    for status in problem_statuses() {
        // Its limits are those on submissions, which the answers 422 and 503 tell.
        if !matches!(status, 405 | 412 | 429) {
            answers.insert(status.to_string(), reference(status));
        }
    }
    insert_large_header(&mut answers);
    answers.into()
}

/// Describes a problem (RFC 9457).
pub(crate) fn problem(schemas: &mut Schemas) -> Value {
    let recipients = schemas.answer::<Vec<SubmittedRecipient>>();
    let code = schemas.answer::<Code>();
    json!({
        "description": "Reason for which a request was refused (RFC 9457).",
        "type": "object",
        "properties": {
            "type": text("Path of the code in the page on the API."),
            "title": text("Words of the status."),
            "status": { "type": "integer", "description": "Status." },
            "detail": text("Reason, for people."),
            "code": code,
            "kind": {
                "description": "Kind of the error.",
                "enum": ErrorKind::ALL.map(ErrorKind::word),
            },
            "what-to-do": text("Advice."),
            "field": text("Field of the request that is wrong."),
            "recipients": recipients,
        },
        "required": ["type", "title", "status", "detail", "code", "kind", "what-to-do"],
        "additionalProperties": false,
    })
}

/// Describes the answers that are problems, by the names under which operations have them.
pub(crate) fn of_problems() -> Value {
    let mut described = Map::new();
    for status in problem_statuses() {
        let title = StatusCode::from_u16(status).ok();
        let title = title.and_then(|status| status.canonical_reason());
        let codes = Code::ALL.iter().filter(|code| code.status() == status);
        let codes: Vec<_> = codes.map(|code| format!("`{code}`")).collect();
        let problem = json!({ "$ref": "#/components/schemas/Problem" });
        let mut of = json!({
            "description": format!("{}: {}.", title.unwrap_or("Refused"), codes.join(", ")),
            "content": { "application/problem+json": { "schema": problem } },
        });
        let further = match status {
            401 | 403 => Some((
                "WWW-Authenticate",
                "Scheme by which a token is presented (RFC 6750).",
            )),
            429 | 503 => Some(("Retry-After", "Seconds until it may be asked again.")),
            _ => None,
        };
        if let Some((name, text)) = further {
            of["headers"] = json!({ name: field(text) });
        }
        described.insert(name(status), of);
    }
    described.into()
}

fn name(status: u16) -> String {
    format!("Problem{status}")
}

fn reference(status: u16) -> Value {
    json!({ "$ref": format!("#/components/responses/{}", name(status)) })
}

fn with_json(description: &str, schema: &Value) -> Value {
    json!({
        "description": description,
        "content": { "application/json": { "schema": schema } },
    })
}

/// Describes a page of items.
fn list(items: &Value) -> Value {
    json!({
        "type": "object",
        "properties": {
            "items": items,
            "next": {
                "type": ["string", "null"],
                "description": "Cursor of the next page; null behind the last item.",
            },
        },
        "required": ["items", "next"],
        "additionalProperties": false,
    })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn field(description: &str) -> Value {
    json!({ "description": description, "schema": { "type": "string" } })
}

/// Describes the fields that tell what is left of the limit on requests.
fn limits(fields: &mut Map<String, Value>) {
    let policy = "Limit on requests of the token: their number, and the seconds that it is for.";
    fields.insert("RateLimit-Policy".to_owned(), field(policy));
    let left = "What is left of the limit, and the seconds until it begins again.";
    fields.insert("RateLimit".to_owned(), field(left));
}
