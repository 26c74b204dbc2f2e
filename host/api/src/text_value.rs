//! Values of a path or a query, read as the type that the request has.

use std::fmt::Display;
use std::str::FromStr;

use serde::Deserializer;
use serde::de::value::{SeqDeserializer, StringDeserializer};
use serde::de::{IntoDeserializer, Visitor};

use crate::fields::FieldError;

/// Texts that were given under one name.
pub(crate) struct TextValue(pub(crate) Vec<String>);

impl TextValue {
    fn one(self) -> Result<String, FieldError> {
        match <[String; 1]>::try_from(self.0) {
            Ok([text]) => Ok(text),
            Err(_) => Err(FieldError::new("it is given more than once")),
        }
    }

    fn parsed<T: FromStr<Err: Display>>(self, what: &str) -> Result<T, FieldError> {
        let text = self.one()?;
        (text.parse()).map_err(|error| FieldError::new(format_args!("it is no {what}: {error}")))
    }
}

impl<'de> IntoDeserializer<'de, FieldError> for TextValue {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $what:literal;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
            visitor.$visit(self.parsed($what)?)
        })*
    };
}

impl<'de> Deserializer<'de> for TextValue {
    type Error = FieldError;

    parsed! {
        deserialize_bool visit_bool "yes or no, which is true or false";
        deserialize_i8 visit_i8 "number";
        deserialize_i16 visit_i16 "number";
        deserialize_i32 visit_i32 "number";
        deserialize_i64 visit_i64 "number";
        deserialize_u8 visit_u8 "number";
        deserialize_u16 visit_u16 "number";
        deserialize_u32 visit_u32 "number";
        deserialize_u64 visit_u64 "number";
        deserialize_f32 visit_f32 "number";
        deserialize_f64 visit_f64 "number";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_string(self.one()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        let each = self.0.into_iter().map(|text| Self(vec![text]));
        visitor.visit_seq(SeqDeserializer::new(each))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        let word: StringDeserializer<FieldError> = self.one()?.into_deserializer();
        visitor.visit_enum(word)
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier
        ignored_any
    }
}
