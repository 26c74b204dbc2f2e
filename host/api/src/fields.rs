//! Fields of a request: the parameters of its path, its query, and the members of its body.
//!
//! The request's own type decides what they are. A field that it does not have is refused, except a
//! parameter of the path, which may be there to say whose a thing is.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use percent_encoding::percent_decode_str;
use serde::Deserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::problem::ApiProblem;
use crate::text_value::TextValue;

/// Other names under which requests have a parameter of a path.
const OTHER_NAMES: [(&str, &str); 6] = [
    ("credential", "user-name"),
    ("message", "id"),
    ("token", "id"),
    ("authorization", "id"),
    ("connection", "name"),
    ("endpoint", "name"),
];

/// Most fields of a query.
const MOST: usize = 64;

/// Value of a field.
#[derive(Debug, Clone, PartialEq)]
enum GivenField {
    /// Texts of a path or a query.
    Texts(Vec<String>),
    /// Member of a body.
    Member(Value),
}

/// Fields of a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct RequestFields {
    path: Vec<(String, String)>,
    given: BTreeMap<String, GivenField>,
}

impl RequestFields {
    /// Takes the parameters of a path, decoded, and the fields of a query, which are decoded here.
    ///
    /// # Errors
    /// The query has too many fields.
    pub(crate) fn new(path: Vec<(String, String)>, query: &str) -> Result<Self, FieldError> {
        let mut given: BTreeMap<String, GivenField> = BTreeMap::new();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        for (number, pair) in pairs.enumerate() {
            if number == MOST {
                let text = format_args!("the query has more than {MOST} fields");
                return Err(FieldError::new(text));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name)?;
            let value = decoded(value).map_err(|error| error.of(&name))?;
            match given.entry(name).or_insert(GivenField::Texts(Vec::new())) {
                GivenField::Texts(texts) => texts.push(value),
                GivenField::Member(_) => {}
            }
        }
        Ok(Self { path, given })
    }

    /// Adds the members of a body.
    ///
    /// # Errors
    /// The query has one of them, too.
    pub(crate) fn add_members(&mut self, members: Map<String, Value>) -> Result<(), FieldError> {
        for (name, value) in members {
            if self.given.contains_key(&name) {
                let error = FieldError::new("both the query and the body have it");
                return Err(error.of(&name));
            }
            self.given.insert(name, GivenField::Member(value));
        }
        Ok(())
    }

    /// Returns the parameters of the path alone.
    pub(crate) fn only_path(&self) -> Self {
        Self {
            path: self.path.clone(),
            given: BTreeMap::new(),
        }
    }

    /// Returns a parameter of the path.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let mut named = self.path.iter().filter(|(of, _)| of == name);
        named.next().map(|(_, value)| value.as_str())
    }

    /// Puts another text in the place of a parameter of the path.
    pub(crate) fn set_parameter(&mut self, name: &str, text: String) {
        self.path.retain(|(of, _)| of != name);
        self.path.push((name.to_owned(), text));
    }

    /// Takes a parameter of the path away, so that the request does not have it.
    pub(crate) fn remove_parameter(&mut self, name: &str) {
        self.path.retain(|(of, _)| of != name);
    }

    /// Returns the text of a field that was given once.
    ///
    /// # Errors
    /// It was given more than once, or is no text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, FieldError> {
        match self.given.get(name) {
            None | Some(GivenField::Member(Value::Null)) => Ok(None),
            Some(GivenField::Member(Value::String(text))) => Ok(Some(text.clone())),
            Some(GivenField::Member(_)) => Err(FieldError::new("it is no text").of(name)),
            Some(GivenField::Texts(texts)) => match texts.as_slice() {
                [text] => Ok(Some(text.clone())),
                _ => Err(FieldError::new("it is given more than once").of(name)),
            },
        }
    }

    /// Returns a field for a `Location`: of the path, or one that was given as a text.
    pub(crate) fn named(&self, name: &str) -> Option<String> {
        let of_path = self.parameter(name).map(str::to_owned);
        of_path.or_else(|| self.text(name).ok().flatten())
    }

    /// Returns a number that was set.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        match self.given.get(name)? {
            GivenField::Member(value) => value.as_u64(),
            GivenField::Texts(_) => None,
        }
    }

    /// Returns true if the query or the body has a field.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// Takes a field away.
    pub(crate) fn remove(&mut self, name: &str) {
        self.given.remove(name);
    }

    /// Sets a field, in the place of what was given.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.given
            .insert(name.to_owned(), GivenField::Member(value));
    }

    /// Makes the request.
    ///
    /// # Errors
    /// A field is missing, unknown or wrong.
    pub(crate) fn into_request<T: DeserializeOwned>(self) -> Result<T, ApiProblem> {
        Ok(T::deserialize(self)?)
    }

    /// Returns all fields of a type with these, each once.
    fn of_type(mut self, known: &[&str]) -> Result<BTreeMap<String, GivenField>, FieldError> {
        for (parameter, text) in self.path {
            let Some(name) = member_of(&parameter, |name| known.contains(&name)) else {
                continue;
            };
            if self.given.contains_key(name) {
                let error = FieldError::new("the path has it already");
                return Err(error.of(name));
            }
            (self.given).insert(name.to_owned(), GivenField::Texts(vec![text]));
        }
        Ok(self.given)
    }
}

/// Returns the member of a request that a parameter of the path is, if the request has it.
pub(crate) fn member_of(parameter: &str, has: impl Fn(&str) -> bool) -> Option<&str> {
    let others = OTHER_NAMES.iter().filter(|(of, _)| *of == parameter);
    let mut names = [parameter]
        .into_iter()
        .chain(others.map(|(_, other)| *other));
    names.find(|name| has(name))
}

/// Decodes a name or a value of a query (the URL standard's application/x-www-form-urlencoded).
fn decoded(text: &str) -> Result<String, FieldError> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8();
    let wrong = |_| FieldError::new("the query is not UTF-8");
    decoded.map(|text| text.into_owned()).map_err(wrong)
}

impl<'de> Deserializer<'de> for RequestFields {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.deserialize_struct("", &[], visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        let fields = self.of_type(known)?.into_iter();
        visitor.visit_map(FieldAccess {
            fields,
            current: None,
        })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Access to fields one by one, which gives each error the name of its field.
struct FieldAccess {
    fields: std::collections::btree_map::IntoIter<String, GivenField>,
    current: Option<(String, GivenField)>,
}

impl<'de> MapAccess<'de> for FieldAccess {
    type Error = FieldError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, FieldError> {
        self.current = self.fields.next();
        let Some((name, _)) = &self.current else {
            return Ok(None);
        };
        seed.deserialize(name.as_str().into_deserializer())
            .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, FieldError> {
        let Some((name, given)) = self.current.take() else {
            return Err(FieldError::new("a value has no name"));
        };
        let value = match given {
            GivenField::Texts(texts) => seed.deserialize(TextValue(texts)),
            GivenField::Member(value) => seed.deserialize(value).map_err(FieldError::new),
        };
        value.map_err(|error| error.of(&name))
    }
}

/// Reason why fields make no request, with the name of the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldError {
    pub(crate) field: Option<String>,
    pub(crate) message: String,
}

impl FieldError {
    pub(crate) fn new(message: impl Display) -> Self {
        Self {
            field: None,
            message: message.to_string(),
        }
    }

    /// Names the field, unless it has a name.
    pub(crate) fn of(mut self, name: &str) -> Self {
        self.field.get_or_insert_with(|| name.to_owned());
        self
    }
}

impl Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{field}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for FieldError {}

impl serde::de::Error for FieldError {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(message)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let known = match expected {
            [] => "there are none here".to_owned(),
            names => format!("there are {}", names.join(", ")),
        };
        Self::new(format_args!("there is no such field; {known}")).of(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new("it is missing").of(field)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    struct Asked {
        user_name: String,
        #[serde(default)]
        limit: Option<usize>,
        #[serde(default)]
        kinds: Vec<TestedKind>,
        #[serde(default)]
        wait: bool,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum TestedKind {
        Delivered,
        Failed,
    }

    fn asked(path: &[(&str, &str)], query: &str, body: Value) -> Result<Asked, FieldError> {
        let path = path
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let mut fields = RequestFields::new(path.collect(), query)?;
        let Value::Object(members) = body else {
            panic!("no object")
        };
        fields.add_members(members)?;
        Asked::deserialize(fields)
    }

    #[test]
    fn texts_become_what_the_request_has() {
        let path = [("account", "acme"), ("credential", "in-a")];
        let made = asked(
            &path,
            "limit=7&kinds=delivered&kinds=failed&wait=true",
            json!({}),
        );
        let expected = Asked {
            user_name: "in-a".to_owned(),
            limit: Some(7),
            kinds: vec![TestedKind::Delivered, TestedKind::Failed],
            wait: true,
        };
        assert_eq!(made, Ok(expected));
        let made = asked(&[], "", json!({"user-name": "in+a", "limit": 7}));
        assert_eq!(made.map(|of| of.limit), Ok(Some(7)));
        let made = asked(&[], "user-name=a+b%2Bc%C3%A4", json!({}));
        assert_eq!(made.map(|of| of.user_name), Ok("a b+c\u{e4}".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let path = [("credential", "in-a")];
        for (query, body, field) in [
            ("limit=many", json!({}), "limit"),
            ("limit=1&limit=2", json!({}), "limit"),
            ("limits=1", json!({}), "limits"),
            ("kinds=lost", json!({}), "kinds"),
            ("wait=1", json!({}), "wait"),
            ("", json!({"limit": "7"}), "limit"),
            ("", json!({"user-name": "in-b"}), "user-name"),
            ("limit=1", json!({"limit": 2}), "limit"),
        ] {
            let error = asked(&path, query, body.clone()).unwrap_err();
            assert_eq!(error.field.as_deref(), Some(field), "{query} {body}");
        }
        let error = asked(&[], "", json!({})).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("user-name"));
    }
}
