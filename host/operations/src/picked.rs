//! Fields of requests and answers that the audit log has.
//!
//! Only fields with the names below are looked at: those that name what was changed. A secret, a
//! module or a list of addresses is not even serialised for it.

use std::collections::BTreeMap;
use std::fmt;

use gatepost_intake::look_ups::without_secrets;
use serde::Serialize;
use serde::ser::{Impossible, SerializeMap, SerializeStruct, Serializer};
use serde_json::Value;

/// Names of fields that name what is changed, the most telling first.
pub(crate) const SUBJECTS: [&str; 19] = [
    "user-name",
    "credential",
    "address",
    "domain",
    "names",
    "name",
    "policy",
    "entry",
    "url",
    "partner",
    "selector",
    "recipient",
    "ids",
    "destination",
    "import",
    "connector",
    "native-domain",
    "id",
    "all",
];

/// Names of other fields that say more.
const DETAILS: [&str; 15] = [
    "account",
    "scope",
    "for",
    "kind",
    "queued",
    "force",
    "reason",
    "brand",
    "dry-run",
    "outbound",
    "withdraw-outbound",
    "networks",
    "dkim-domains",
    "arc-sealers",
    "expires",
];

/// Most characters of a field.
const LONGEST: usize = 200;

/// Most values of a list.
const MOST: usize = 5;

/// Fields that were found, by name.
#[derive(Debug, Default)]
pub(crate) struct Picked(BTreeMap<&'static str, String>);

impl Picked {
    /// Picks the fields of a request or an answer. Those that were picked before stay.
    pub(crate) fn add(&mut self, of: &impl Serialize) {
        // What is no struct has no fields.
        let _ = of.serialize(&mut *self);
    }

    /// Returns a field.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns the most telling field, and all others but the account in words.
    pub(crate) fn told(mut self) -> (String, Option<String>) {
        let account = self.0.remove("account");
        let subject = SUBJECTS.into_iter().find_map(|name| self.0.remove(name));
        let subject = subject.or(account);
        let subject = subject.unwrap_or_default();
        // Requests and answers name the same thing in several ways.
        let mut told = vec![subject.clone()];
        let mut others = Vec::new();
        for (name, value) in self.0 {
            if !told.contains(&value) {
                others.push(format!("{name} {value}"));
                told.push(value);
            }
        }
        let detail = (!others.is_empty()).then(|| others.join(", "));
        (subject, detail)
    }

    fn pick<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        let name = name.replace('_', "-");
        let known = SUBJECTS.into_iter().chain(DETAILS);
        let Some(known) = known.into_iter().find(|known| *known == name) else {
            return;
        };
        let Some(text) = serde_json::to_value(value).ok().and_then(text_of) else {
            return;
        };
        let text = match known {
            "url" => without_secrets(&text),
            _ => text,
        };
        let short: String = text.chars().take(LONGEST).collect();
        self.0.entry(known).or_insert(short);
    }
}

/// Returns a value as text; `None` for one that says nothing.
fn text_of(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(true) => Some("yes".to_owned()),
        Value::Array(values) if !values.is_empty() => {
            let number = values.len();
            let shown: Vec<_> = values.into_iter().take(MOST).filter_map(text_of).collect();
            let more = match number.saturating_sub(MOST) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            Some(shown.join(" ") + &more)
        }
        _ => None,
    }
}

/// Answer of the serializer: nothing, since fields go into [`Picked`].
type Done = Result<(), fmt::Error>;

macro_rules! without_fields {
    ($($name:ident($($of:ty),*);)*) => {
        $(fn $name(self, $(_: $of),*) -> Done {
            Ok(())
        })*
    };
}

impl<'a> Serializer for &'a mut Picked {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Impossible<(), fmt::Error>;
    type SerializeTuple = Impossible<(), fmt::Error>;
    type SerializeTupleStruct = Impossible<(), fmt::Error>;
    type SerializeTupleVariant = Impossible<(), fmt::Error>;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), fmt::Error>;

    without_fields! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Done {
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, fmt::Error> {
        let key = None;
        Ok(Entries { picked: self, key })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, fmt::Error> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, fmt::Error> {
        Err(fmt::Error)
    }
}

impl SerializeStruct for &mut Picked {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Done {
        self.pick(name, value);
        Ok(())
    }

    fn end(self) -> Done {
        Ok(())
    }
}

/// Entries of a map: a struct with flattened fields is one.
pub(crate) struct Entries<'a> {
    picked: &'a mut Picked,
    key: Option<String>,
}

impl SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        self.key = serde_json::to_value(key).ok().and_then(text_of);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        if let Some(key) = self.key.take() {
            self.picked.pick(&key, value);
        }
        Ok(())
    }

    fn end(self) -> Done {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct Inner {
        user_name: &'static str,
        secret: &'static str,
    }

    #[derive(Serialize)]
    struct Request {
        account: &'static str,
        password: Unseen,
        url: &'static str,
        ids: Vec<u32>,
        #[serde(flatten)]
        inner: Inner,
    }

    /// A value that must not be serialised.
    struct Unseen;

    impl Serialize for Unseen {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("a field that is not picked is serialised")
        }
    }

    #[test]
    fn only_known_fields_are_looked_at_and_bounded() {
        let mut picked = Picked::default();
        picked.add(&Request {
            account: "acme",
            password: Unseen,
            url: "https://u:secret@feed.example/list?token=secret",
            ids: (0..9).collect(),
            inner: Inner {
                user_name: "in-a",
                secret: "gpst_secret",
            },
        });
        assert_eq!(picked.get("account"), Some("acme"));
        let (subject, detail) = picked.told();
        assert_eq!(subject, "in-a");
        let detail = detail.unwrap();
        assert_eq!(
            detail,
            "ids 0 1 2 3 4 and 4 more, url https://feed.example/list"
        );
    }

    #[test]
    fn what_is_no_struct_has_nothing_to_tell() {
        let mut picked = Picked::default();
        picked.add(&());
        picked.add(&vec!["a"]);
        picked.add(&"a");
        assert_eq!(picked.told(), (String::new(), None));
    }
}
