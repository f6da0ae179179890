//! JSON objects from outside, read so that nobody can read them otherwise.
//!
//! A doubled name is refused here: libraries differ in which one counts, and what one of them
//! checked another may not have seen. This knows nothing of what the objects mean.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::{Map, Value};

/// An object whose names are all different. Of what its values hold nothing is promised.
pub(crate) struct Object(Map<String, Value>);

impl Object {
    /// Reads a whole JSON text; `None` if it is no object, or has a name twice.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// The value of a name. `null` is a value.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The value of a name, if it is an integer that fits: no float, no text.
    pub(crate) fn integer(&self, name: &str) -> Option<u64> {
        self.get(name)?.as_u64()
    }

    /// The value of a name, if it is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name is there twice"));
            }
        }
        Ok(Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_without_doubled_names_is_read() {
        for good in ["{}", r#" {"a":1,"A":2} "#, r#"{"a":{"a":1.5e300}}"#] {
            assert!(Object::parse(good.as_bytes()).is_some(), "{good}");
        }
        for bad in [
            "",
            "null",
            "[]",
            r#"["a",1]"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":1}x"#,
            "\u{feff}{}",
            r#"{"a":1e400}"#,
            r#"{"b":"\ud800"}"#,
        ] {
            assert!(Object::parse(bad.as_bytes()).is_none(), "{bad}");
        }
        assert!(Object::parse(b"{\"a\":\"\xff\"}").is_none());
        assert!(Object::parse("[".repeat(100_000).as_bytes()).is_none());
    }

    #[test]
    fn an_integer_is_not_a_float_or_a_text() {
        let object = Object::parse(br#"{"a":1.0,"b":"1","c":-1,"d":3e2,"e":7,"f":null}"#).unwrap();
        for name in ["a", "b", "c", "d", "f", "g"] {
            assert_eq!(object.integer(name), None, "{name}");
        }
        assert_eq!(object.integer("e"), Some(7));
        assert_eq!(object.get("f"), Some(&Value::Null));
    }
}
