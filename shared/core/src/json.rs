//! JSON from outside, read more strictly than its grammar, so that two readers see the same document.
//!
//! serde's derives reject a member of the struct that occurs twice, but accept an array for an object
//! and do not look inside members that the struct lacks; maps and `serde_json::Value` keep the last of
//! two equal names. Here a document is read whole, once, before any member is used.

mod message;

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// How deep objects and arrays may nest.
const MAX_DEPTH: u8 = 32;

/// A JSON value, as far as the API tells values apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`, and every number that is no whole number from 0 to 2^64 − 1.
    Other,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number, written without a fraction or an exponent.
    Number(u64),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Object),
}

/// The members of an object; no name twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object(Vec<(String, Json)>);

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

    /// The number, if it is a whole one.
    #[must_use]
    pub fn as_integer(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Other | Self::Bool(_) | Self::Text(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// The items, if it is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            Self::Other | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Object(_) => None,
        }
    }

    /// Whether it is true or false, if it is either.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Other | Self::Number(_) | Self::Text(_) | Self::Array(_) | Self::Object(_) => {
                None
            }
        }
    }

    /// The object, if it is one.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            Self::Other | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Array(_) => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other | Self::Bool(_) | Self::Number(_) | Self::Array(_) | Self::Object(_) => {
                None
            }
        }
    }
}

impl Object {
    /// Reads a document that is an object; `None` for anything [`Json::parse`] rejects, and for
    /// other values.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        match Json::parse(text)? {
            Json::Object(object) => Some(object),
            Json::Other | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Array(_) => None,
        }
    }

    /// The value of a name. Names are compared to the letter; `null` is a value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The names and their values, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The value of a name, if it is a whole number.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<u64> {
        self.get(name)?.as_integer()
    }

    /// The value of a name, if it is an object.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<&Self> {
        self.get(name)?.as_object()
    }

    /// The value of a name, if it is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text()
    }
}

/// Reads a value that may nest this much deeper.
#[derive(Clone, Copy)]
struct Depth(u8);

impl Depth {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom("nested too deep"))
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

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number))
    }

    fn visit_i64<E>(self, _negative: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    #[expect(clippy::disallowed_types, reason = "how serde hands over a fraction; it is dropped")]
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
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(inner)?;
            fields.push((name, value));
        }
        let mut names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| matches!(pair, [one, next] if one == next)) {
            return Err(de::Error::custom("a name twice"));
        }
        Ok(Json::Object(Object(fields)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_texts_arrays_and_objects_are_distinguished() {
        let json = Json::parse(br#" {"n":18446744073709551615,"t":"\u00e9","a":[null],"o":{}} "#);
        let Some(Json::Object(fields)) = json else { panic!("{json:?}") };
        assert_eq!(fields.get("n"), Some(&Json::Number(u64::MAX)));
        assert_eq!(fields.get("t"), Some(&Json::Text("é".into())));
        assert_eq!(fields.get("a"), Some(&Json::Array(vec![Json::Other])));
        assert_eq!(fields.get("o"), Some(&Json::Object(Object::default())));
        for other in ["-1", "1.0", "3e2", "-0", "null", "18446744073709551616"] {
            assert_eq!(Json::parse(other.as_bytes()), Some(Json::Other), "{other}");
        }
    }

    #[test]
    fn what_could_be_misunderstood_is_not_read() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::parse(nested(32).as_bytes()).is_some());
        let deep = nested(33);
        let deep_objects = format!("{}1{}", "{\"a\":".repeat(33), "}".repeat(33));
        let bad: &[&[u8]] = &[
            b"",
            b" ",
            b"{",
            b"{} x",
            b"{}//",
            b"{}{}",
            b"{}\n{}",
            b"{\"a\":1,}",
            b"{\"a\":NaN}",
            b"{\"a\":01}",
            b"{\"a\":\"\0\"}",
            b"{\"a\":\"\n\"}",
            b"{\"a\":\"\t\"}",
            b"\xef\xbb\xbf{}",
            b"{\"a\":1,\"a\":1}",
            b"{\"a\":{\"b\":1,\"b\":2}}",
            b"{\"a\":1,\"\\u0061\":1}",
            b"{\"ignored\":\"\\ud800\"}",
            b"{\"\\ud800\":1}",
            b"{\"ignored\":[\"\xff\"]}",
            b"{\"ignored\":\"\xc0\x80\"}",
            b"{\"ignored\":\"\xed\xa0\x80\"}",
            b"\xfe\xff\x00{\x00}",
            b"1e400",
            b"{\"ignored\":[-1e999]}",
            b"{'a':1}",
            deep.as_bytes(),
            deep_objects.as_bytes(),
        ];
        for text in bad {
            assert_eq!(Json::parse(text), None, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn only_an_object_is_an_object() {
        for text in ["[]", "[1,2,3]", "1", "\"{}\"", "null"] {
            assert!(Object::parse(text.as_bytes()).is_none(), "{text}");
        }
        // Deep enough to overflow a stack that follows it down.
        assert!(Object::parse("[".repeat(100_000).as_bytes()).is_none());
    }

    #[test]
    fn an_integer_is_not_a_float_or_a_text() {
        let object = Object::parse(br#"{"a":1.0,"b":"1","c":-1,"d":3e2,"e":7,"f":null}"#).unwrap();
        for name in ["a", "b", "c", "d", "f", "g", "E"] {
            assert_eq!(object.integer(name), None, "{name}");
        }
        assert_eq!((object.integer("e"), object.text("b")), (Some(7), Some("1")));
        assert_eq!(object.get("f"), Some(&Json::Other));
    }
}
