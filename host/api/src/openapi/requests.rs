//! Requests in the description: parameters of the path, the query and the header, and the body.

use serde_json::{Map, Value, json};

use crate::cursor;
use crate::fields;
use crate::repetition;
use crate::route::{AnswerForm, ApiRoute, HttpMethod};
use crate::stream;
use crate::table::CONDITIONAL;

/// Parts of a request.
pub(crate) struct RequestParts {
    pub(crate) parameters: Vec<Value>,
    pub(crate) body: Option<Value>,
}

impl RequestParts {
    /// Divides the members of a request as the route takes them.
    pub(crate) fn of(route: &ApiRoute, request: &Value) -> Self {
        let mut members = Members::of(request);
        for (member, _) in paged_by(route.form) {
            members.take(member);
        }
        if route.form.is_paged() {
            members.take("limit");
        }
        let mut parameters: Vec<_> = (route.parameters())
            .map(|name| {
                let member = fields::member_of(name, |of| members.has(of));
                let schema = member.and_then(|member| members.take(member));
                let schema = schema.map_or_else(|| not_in_request(name), |(_, of)| of);
                parameter("path", name, true, given_as_text(schema))
            })
            .collect();
        let has_body = !matches!(route.method, HttpMethod::Get | HttpMethod::Delete);
        if !has_body {
            for (name, is_required, schema) in members.drain() {
                parameters.push(parameter(
                    "query",
                    &name,
                    is_required,
                    given_as_text(schema),
                ));
            }
        }
        parameters.extend(of_page(route.form));
        parameters.extend(of_header(route));
        let body = (has_body && !members.is_empty()).then(|| members.body());
        Self { parameters, body }
    }
}

/// Describes a parameter that says whose a thing is, and that the request itself does not have.
fn not_in_request(name: &str) -> Value {
    let described = match name {
        "account" => "Id or native domain of the account.",
        _ => "Thing that the request is about.",
    };
    json!({ "type": "string", "description": described })
}

/// Members of a request that are not taken yet.
struct Members {
    schemas: Map<String, Value>,
    required: Vec<String>,
}

impl Members {
    fn of(request: &Value) -> Self {
        let schemas = request["properties"].as_object().cloned();
        let required = request["required"].as_array().into_iter().flatten();
        let required = required.filter_map(|name| name.as_str().map(str::to_owned));
        Self {
            schemas: schemas.unwrap_or_default(),
            required: required.collect(),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.schemas.contains_key(name)
    }

    fn is_empty(&self) -> bool {
        self.schemas.is_empty()
    }

    /// Takes a member out; returns whether it is required, and its schema.
    fn take(&mut self, name: &str) -> Option<(bool, Value)> {
        let schema = self.schemas.remove(name)?;
        let before = self.required.len();
        self.required.retain(|required| required != name);
        Some((self.required.len() < before, schema))
    }

    fn drain(&mut self) -> Vec<(String, bool, Value)> {
        let names: Vec<_> = self.schemas.keys().cloned().collect();
        let taken = names.into_iter().filter_map(|name| {
            let (is_required, schema) = self.take(&name)?;
            Some((name, is_required, schema))
        });
        taken.collect()
    }

    /// Returns the body that has what is left.
    fn body(self) -> Value {
        let is_required = !self.required.is_empty();
        let mut schema = json!({
            "type": "object",
            "properties": self.schemas,
            "additionalProperties": false,
        });
        if is_required {
            schema["required"] = self.required.into();
        }
        json!({
            "required": is_required,
            "content": { "application/json": { "schema": schema } },
        })
    }
}

/// Members of a request for a page that its cursor sets.
fn paged_by(form: AnswerForm) -> &'static [(&'static str, &'static str)] {
    match form {
        AnswerForm::Page(pairs) => pairs,
        AnswerForm::Events | AnswerForm::Stream => &[("after", "")],
        _ => &[],
    }
}

fn of_page(form: AnswerForm) -> Vec<Value> {
    if !form.is_paged() {
        return Vec::new();
    }
    let limit = json!({
        "type": "integer", "minimum": 1, "maximum": cursor::MOST, "default": cursor::USUAL,
        "description": "Most items of the page.",
    });
    let next = json!({
        "type": "string", "maxLength": cursor::LONGEST, "description": "`next` of the page before.",
    });
    vec![
        parameter("query", "limit", false, limit),
        parameter("query", "cursor", false, next),
    ]
}

fn of_header(route: &ApiRoute) -> Vec<Value> {
    let mut parameters = Vec::new();
    if route.method == HttpMethod::Post {
        parameters.push(key());
    }
    if (CONDITIONAL.iter()).any(|(operation, _)| *operation == route.operation) {
        let text = "The change is made if the resource still has this entity tag.";
        let schema = json!({ "type": "string", "description": text });
        parameters.push(parameter("header", "If-Match", false, schema));
    }
    if route.form == AnswerForm::Stream {
        let text = "Number of the event behind which the stream begins.";
        let schema = json!({ "type": "integer", "minimum": 0, "description": text });
        parameters.push(parameter("header", stream::LAST_EVENT_ID, false, schema));
    }
    parameters
}

/// Describes the key under which a request may be repeated.
pub(crate) fn key() -> Value {
    let schema = json!({
        "type": "string",
        "pattern": "^[!-~]{1,255}$",
        "description": "Key under which the request is executed once, however often it is sent within \
            a day.",
    });
    parameter("header", repetition::FIELD, false, schema)
}

/// Describes a parameter.
pub(crate) fn parameter(place: &str, name: &str, is_required: bool, mut schema: Value) -> Value {
    let description = schema
        .as_object_mut()
        .and_then(|of| of.remove("description"));
    let mut described = json!({ "name": name, "in": place, "required": is_required });
    if let Some(description) = description {
        described["description"] = description;
    }
    described["schema"] = schema;
    described
}

/// Returns the schema of a member that is given as text, which cannot be null: it is left out.
fn given_as_text(mut schema: Value) -> Value {
    let Some(members) = schema.as_object_mut() else {
        return schema;
    };
    if members.get("default").is_some_and(Value::is_null) {
        members.remove("default");
    }
    if let Some(Value::Array(kinds)) = members.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            members.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(words)) = members.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    let Some(Value::Array(ways)) = members.get_mut("anyOf") else {
        return schema;
    };
    ways.retain(|way| way["type"] != "null");
    if let [Value::Object(only)] = ways.as_slice() {
        let only = only.clone();
        members.remove("anyOf");
        for (name, value) in only {
            members.entry(name).or_insert(value);
        }
    }
    schema
}
