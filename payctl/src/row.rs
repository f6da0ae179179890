//! Items as they are in the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

/// An item: texts and numbers by name. Bytes are base64 texts.
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
        number.parse::<u64>().map_or_else(|_odd| Value::from(number.as_str()), Value::from)
    } else if let Ok(bytes) = value.as_b() {
        Value::from(BASE64.encode(bytes))
    } else {
        // A type that we never write.
        Value::Null
    }
}
