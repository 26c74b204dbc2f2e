//! Schemas of requests and answers, from their types.

use gatepost_operations::Operation;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};

/// Schemas of an operation.
pub(crate) struct OperationSchemas {
    /// Schema of the request, with all that it consists of.
    pub(crate) request: Value,
    /// Schema of the answer; types of its own stand in the components.
    pub(crate) answer: AnswerSchemas,
}

/// Schema of an answer.
pub(crate) struct AnswerSchemas {
    /// Of the whole.
    pub(crate) whole: Value,
    /// Of its members, if it is an object.
    pub(crate) members: Value,
}

/// Function that describes an operation.
pub(crate) type Describe = fn(&mut Schemas) -> OperationSchemas;

/// Describes an operation.
pub(crate) fn describe<O: Operation>(schemas: &mut Schemas) -> OperationSchemas {
    OperationSchemas {
        request: schemas.request::<O>(),
        answer: AnswerSchemas {
            whole: schemas.answer::<O::Answer>(),
            members: schemas.members::<O::Answer>(),
        },
    }
}

/// Generators of schemas, and the components that they have made.
pub(crate) struct Schemas {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.meta_schema = None;
            settings.definitions_path = "/components/schemas".into();
        });
        let requests = settings.clone().for_deserialize().with(|settings| {
            settings.inline_subschemas = true;
        });
        let answers = settings.for_serialize();
        Self {
            requests: requests.into_generator(),
            answers: answers.into_generator(),
        }
    }
}

impl Schemas {
    /// Returns the schema of a request.
    pub(crate) fn request<T: JsonSchema>(&mut self) -> Value {
        plain(T::json_schema(&mut self.requests))
    }

    /// Returns the schema of an answer.
    pub(crate) fn answer<T: JsonSchema>(&mut self) -> Value {
        plain(self.answers.subschema_for::<T>())
    }

    fn members<T: JsonSchema>(&mut self) -> Value {
        let mut schema = plain(T::json_schema(&mut self.answers));
        schema["properties"].take()
    }

    /// Returns the types of answers by their names.
    pub(crate) fn into_components(mut self) -> Map<String, Value> {
        let named = self.answers.take_definitions(true).into_iter();
        let plain = |(name, schema): (String, Value)| {
            let schema = Schema::try_from(schema).map(plain);
            (name, schema.unwrap_or(Value::Bool(true)))
        };
        named.map(plain).collect()
    }
}

/// Returns a schema whose descriptions are for people who do not read the source.
fn plain(mut schema: Schema) -> Value {
    PlainDescriptions.transform(&mut schema);
    schema.to_value()
}

/// Takes links of the source out of descriptions, and names of types, which say nothing more.
#[derive(Debug, Clone)]
struct PlainDescriptions;

impl Transform for PlainDescriptions {
    fn transform(&mut self, schema: &mut Schema) {
        schema.remove("title");
        let described = schema.get("description").and_then(Value::as_str);
        if let Some(text) = described.map(without_links) {
            schema.insert("description".to_owned(), text.into());
        }
        transform_subschemas(self, schema);
    }
}

/// Returns a text whose links in Markdown are the words that they stand on.
fn without_links(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('[') {
        plain.push_str(before);
        let Some((words, after)) = behind.split_once(']') else {
            plain.push('[');
            rest = behind;
            continue;
        };
        plain.push_str(words);
        let target = after.strip_prefix('(').and_then(|of| of.split_once(')'));
        rest = target.map_or(after, |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}
