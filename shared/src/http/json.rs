//! JSON as the API takes it: stricter than JSON, so that nobody can be misunderstood.
//!
//! serde's derives accept an array for an object, the last of two equal names, and anything at all
//! inside an ignored field. Here a document is read whole, once, before any field is looked at.

use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Refusal;
use crate::domain::OutOfRange;

/// How deep objects and arrays may nest.
const MAX_DEPTH: u8 = 32;

/// A JSON value, as far as the API tells values apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`, `true`, `false`, and every number that is no whole number from 0 to 2^64 − 1.
    Other,
    /// A whole number, written without a fraction or an exponent.
    Number(u64),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Fields),
}

/// The members of an object; no name twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, Json)>);

impl Json {
    /// Reads a document.
    ///
    /// `None` for anything but one JSON value in UTF-8 with nothing after it, no name twice in an
    /// object, no lone surrogate in any string, nested 32 deep at most.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let json = Depth(MAX_DEPTH).deserialize(&mut deserializer).ok()?;
        deserializer.end().ok()?;
        Some(json)
    }
}

impl Fields {
    /// Reads a document that is an object.
    ///
    /// # Errors
    ///
    /// [`super::Code::InvalidRequest`] for anything [`Json::parse`] refuses, and for other values.
    pub fn parse(text: &[u8]) -> Result<Self, Refusal> {
        match Json::parse(text) {
            Some(Json::Object(fields)) => Ok(fields),
            Some(Json::Other | Json::Number(_) | Json::Text(_) | Json::Array(_)) | None => {
                Err(Refusal::invalid("the body must be one JSON object"))
            }
        }
    }

    /// The value of a name. Names are compared to the letter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// A whole number that `wrap` accepts, if the name is there.
    ///
    /// # Errors
    ///
    /// [`super::Code::InvalidRequest`] for another kind of value, or one out of range.
    pub fn number<T>(
        &self,
        name: &'static str,
        wrap: impl FnOnce(u64) -> Result<T, OutOfRange>,
    ) -> Result<Option<T>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::Number(number)) => wrap(*number)
                .map(Some)
                .map_err(|_why| Refusal::bad_field(name)),
            Some(Json::Other | Json::Text(_) | Json::Array(_) | Json::Object(_)) => {
                Err(Refusal::bad_field(name))
            }
        }
    }

    /// A text that `wrap` accepts, if the name is there.
    ///
    /// # Errors
    ///
    /// [`super::Code::InvalidRequest`] for another kind of value, or one out of range.
    pub fn text<T>(
        &self,
        name: &'static str,
        wrap: impl FnOnce(&str) -> Result<T, OutOfRange>,
    ) -> Result<Option<T>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::Text(text)) => wrap(text)
                .map(Some)
                .map_err(|_why| Refusal::bad_field(name)),
            Some(Json::Other | Json::Number(_) | Json::Array(_) | Json::Object(_)) => {
                Err(Refusal::bad_field(name))
            }
        }
    }

    /// A whole number that must be there.
    ///
    /// # Errors
    ///
    /// As [`Self::number`], and for a missing name.
    pub fn required<T>(
        &self,
        name: &'static str,
        wrap: impl FnOnce(u64) -> Result<T, OutOfRange>,
    ) -> Result<T, Refusal> {
        self.number(name, wrap)?
            .ok_or_else(|| Refusal::bad_field(name))
    }
}

/// Reads a value that may nest this much deeper.
#[derive(Clone, Copy)]
struct Depth(u8);

impl Depth {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        self.0
            .checked_sub(1)
            .map(Self)
            .ok_or_else(|| E::custom("nested too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number))
    }

    fn visit_i64<E>(self, _negative: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    #[expect(
        clippy::disallowed_types,
        reason = "how serde hands over a fraction; it is dropped"
    )]
    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let inner = self.deeper()?;
        let mut fields: Vec<(String, Json)> = Vec::new();
        // Quadratic in the names of one object; sorted once, it is not.
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(inner)?;
            fields.push((name, value));
        }
        let mut names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if names
            .windows(2)
            .any(|pair| matches!(pair, [one, next] if one == next))
        {
            return Err(de::Error::custom("a name twice"));
        }
        Ok(Json::Object(Fields(fields)))
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Depth(MAX_DEPTH).deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::OrderId;

    #[test]
    fn whole_numbers_texts_arrays_and_objects_are_told_apart() {
        let json = Json::parse(br#" {"n":18446744073709551615,"t":"\u00e9","a":[null],"o":{}} "#);
        let Some(Json::Object(fields)) = json else {
            panic!("{json:?}")
        };
        assert_eq!(fields.get("n"), Some(&Json::Number(u64::MAX)));
        assert_eq!(fields.get("t"), Some(&Json::Text("é".into())));
        assert_eq!(fields.get("a"), Some(&Json::Array(vec![Json::Other])));
        assert_eq!(fields.get("o"), Some(&Json::Object(Fields::default())));
        for other in [
            "-1",
            "1.0",
            "3e2",
            "-0",
            "null",
            "true",
            "18446744073709551616",
        ] {
            assert_eq!(Json::parse(other.as_bytes()), Some(Json::Other), "{other}");
        }
    }

    #[test]
    fn what_could_be_misunderstood_is_not_read() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::parse(nested(32).as_bytes()).is_some());
        let deep = nested(33);
        let bad: [&[u8]; 14] = [
            b"",
            b"{",
            b"{} x",
            b"{}{}",
            b"\xef\xbb\xbf{}",
            b"{\"a\":1,\"a\":1}",
            b"{\"a\":{\"b\":1,\"b\":2}}",
            b"{\"a\":1,\"\\u0061\":1}",
            b"{\"ignored\":\"\\ud800\"}",
            b"{\"ignored\":[\"\xff\"]}",
            b"\xfe\xff\x00{\x00}",
            b"1e400",
            b"{'a':1}",
            deep.as_bytes(),
        ];
        for text in bad {
            assert_eq!(Json::parse(text), None, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn only_an_object_is_a_body() {
        for text in ["[]", "[1,2,3]", "1", "\"{}\"", "null"] {
            assert!(Fields::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_field_is_there_and_fits_or_is_refused() {
        let fields = Fields::parse(br#"{"oid":7,"zero":0,"text":"7"}"#).unwrap();
        assert_eq!(fields.required("oid", OrderId::new).unwrap().get(), 7);
        assert!(fields.number("absent", OrderId::new).unwrap().is_none());
        for name in ["zero", "text", "absent", "OID"] {
            assert!(fields.required(name, OrderId::new).is_err(), "{name}");
        }
        assert!(fields.text("oid", |_| Ok(())).is_err());
    }
}
