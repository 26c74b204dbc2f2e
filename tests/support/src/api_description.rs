//! The description of the API in OpenAPI, as a relay serves it, against which every answer in every
//! test is checked: status, media type, and the body to its last member. A request that succeeds is
//! checked as well.

use std::collections::HashMap;

use jsonschema::Validator;
use parking_lot::Mutex;
use serde_json::Value;

use crate::ApiAnswer;

static SERVED: Mutex<Option<ApiDescription>> = Mutex::new(None);

/// Description with the validators that it was read into.
struct ApiDescription {
    document: Value,
    validators: HashMap<String, Validator>,
}

/// Request as the description sees it.
pub(crate) struct SentRequest<'a> {
    pub(crate) method: &'a str,
    /// Path below `/api/v1` with its query.
    pub(crate) path: &'a str,
    pub(crate) body: &'a [u8],
}

/// Checks an answer against the description, which the first caller in a process reads.
///
/// # Panics
/// The description does not have the answer, or the request that succeeded.
#[track_caller]
pub(crate) fn check(asked: &SentRequest<'_>, answer: &ApiAnswer, read: impl FnOnce() -> Value) {
    let mut served = SERVED.lock();
    let served = served.get_or_insert_with(|| ApiDescription {
        document: read(),
        validators: HashMap::new(),
    });
    let (path, query) = asked.path.split_once('?').unwrap_or((asked.path, ""));
    let Some(template) = template(&served.document["paths"], path) else {
        return;
    };
    let method = asked.method.to_lowercase();
    let operation = served.document["paths"][&template][&method].clone();
    if operation.is_null() {
        return;
    }
    let wrong = |what: String| panic!("{} {}: {what}: {answer:?}", asked.method, asked.path);
    let mut described = operation["responses"][answer.status.to_string()].clone();
    if let Some(reference) = described["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        described = served
            .document
            .pointer(pointer)
            .cloned()
            .unwrap_or_default();
    }
    if described.is_null() {
        wrong("the description does not have the status".to_owned());
    }
    let kind = answer.fields.get("content-type").map(String::as_str);
    match described["content"].as_object() {
        None if answer.text.is_empty() => {}
        None => wrong("the description has no body".to_owned()),
        Some(kinds) => match kinds.get(kind.unwrap_or_default()) {
            None => wrong(format!(
                "the description has another media type than {kind:?}"
            )),
            Some(content) if kind.is_some_and(|kind| kind.ends_with("json")) => {
                let place = format!("{method} {template} {}", answer.status);
                if let Err(error) = served.validate(place, &content["schema"], &answer.body) {
                    wrong(error);
                }
            }
            Some(_) => {}
        },
    }
    if answer.status < 300 {
        let taken = served.request(
            &format!("{method} {template}"),
            &operation,
            query,
            asked.body,
        );
        if let Err(error) = taken {
            wrong(format!("the request was taken, and {error}"));
        }
    }
}

impl ApiDescription {
    /// Validates a value against a schema of the document, which stands at this place.
    fn validate(&mut self, place: String, schema: &Value, value: &Value) -> Result<(), String> {
        let document = &self.document;
        let validator = self.validators.entry(place).or_insert_with(|| {
            let mut root = schema.clone();
            root["components"] = document["components"].clone();
            jsonschema::validator_for(&root).unwrap_or_else(|error| panic!("{schema}: {error}"))
        });
        let errors = validator.iter_errors(value);
        let errors: Vec<_> = errors
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        match errors.is_empty() {
            true => Ok(()),
            false => Err(errors.join("; ")),
        }
    }

    /// Checks that the description has a request.
    fn request(
        &mut self,
        place: &str,
        operation: &Value,
        query: &str,
        body: &[u8],
    ) -> Result<(), String> {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let of_query = parameters.filter(|of| of["in"] == "query");
        let known: Vec<_> = of_query.filter_map(|of| of["name"].as_str()).collect();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let name = pair.split('=').next().unwrap_or_default();
            if !known.contains(&name) {
                return Err(format!("the description has no parameter {name}"));
            }
        }
        // A message as it is, or a form.
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return Ok(());
        };
        let schema = operation["requestBody"]["content"]["application/json"]["schema"].clone();
        if schema.is_null() {
            return match body.as_object().is_some_and(|of| of.is_empty()) {
                true => Ok(()),
                false => Err("the description has no body of the request".to_owned()),
            };
        }
        let checked = self.validate(place.to_owned(), &schema, &body);
        checked.map_err(|error| format!("its body is not as described: {error}"))
    }
}

/// Returns the path of the description that a path is of: the one with the fewest parameters.
fn template(paths: &Value, path: &str) -> Option<String> {
    let parts: Vec<_> = path.split('/').collect();
    let matches = |template: &&String| {
        let of_template: Vec<_> = template.split('/').collect();
        of_template.len() == parts.len()
            && (of_template.iter().zip(&parts))
                .all(|(of, part)| of == part || of.starts_with('{') && !part.is_empty())
    };
    let templates = paths.as_object()?.keys().filter(matches);
    let parameters = |template: &&String| template.matches('{').count();
    templates.min_by_key(parameters).cloned()
}
