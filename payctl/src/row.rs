//! Items as they are in the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_core::domain::{Provider, Source};
use serde_json::{Map, Value, json};

/// An item: texts, whole numbers and truths by name. Every other value has its type beside it, as in
/// DynamoDB's own JSON: bytes are `{"B": "<base64>"}`, a fraction is `{"N": "1.5"}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row(pub Map<String, Value>);

impl Row {
    /// Whether it has an attribute.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A number, if the attribute is one.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    /// A text, if the attribute is one.
    #[must_use]
    pub fn get_text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A text; empty if the attribute is none.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.get_text(name).unwrap_or_default()
    }

    /// The provider that its `source` is the number of, if it is one of ours.
    pub(crate) fn provider(&self) -> Option<Provider> {
        Source::new(self.number("source")?).ok().and_then(Provider::of_source)
    }

    /// Bytes, if the attribute is some.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        BASE64.decode(self.0.get(name)?.get("B")?.as_str()?).ok()
    }
}

impl From<HashMap<String, AttributeValue>> for Row {
    fn from(item: HashMap<String, AttributeValue>) -> Self {
        Self(item.into_iter().map(|(name, value)| (name, plain(&value))).collect())
    }
}

fn plain(value: &AttributeValue) -> Value {
    if let Ok(text) = value.as_s() {
        Value::from(text.as_str())
    } else if let Ok(number) = value.as_n() {
        number.parse::<u64>().map_or_else(|_odd| json!({ "N": number }), Value::from)
    } else if let Ok(is) = value.as_bool() {
        Value::from(*is)
    } else if let Ok(bytes) = value.as_b() {
        json!({ "B": BASE64.encode(bytes) })
    } else {
        // A type that we never write: which one says enough.
        let odd = [
            (value.is_null(), "NULL"),
            (value.is_l(), "L"),
            (value.is_m(), "M"),
            (value.is_ns(), "NS"),
            (value.is_ss(), "SS"),
            (value.is_bs(), "BS"),
        ];
        let name = odd.into_iter().find_map(|(is, name)| is.then_some(name)).unwrap_or("?");
        json!({ name: "…" })
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::primitives::Blob;

    use super::*;

    #[test]
    fn a_value_that_is_no_text_and_no_whole_number_keeps_its_type() {
        let item = HashMap::from([
            ("s".to_owned(), AttributeValue::S("1".to_owned())),
            ("n".to_owned(), AttributeValue::N("1".to_owned())),
            ("f".to_owned(), AttributeValue::N("1.5".to_owned())),
            ("b".to_owned(), AttributeValue::B(Blob::new(b"1"))),
            ("t".to_owned(), AttributeValue::Bool(true)),
            ("null".to_owned(), AttributeValue::Null(true)),
        ]);
        let row = Row::from(item);
        let want = json!({
            "s": "1", "n": 1, "f": {"N": "1.5"}, "b": {"B": "MQ=="}, "t": true, "null": {"NULL": "…"},
        });
        assert_eq!(Value::Object(row.0.clone()), want);
        assert_eq!((row.bytes("b"), row.bytes("s")), (Some(b"1".to_vec()), None));
        assert_eq!((row.number("n"), row.number("f"), row.text("f")), (Some(1), None, ""));
    }
}
