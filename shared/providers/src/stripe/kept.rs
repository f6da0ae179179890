//! What the event log keeps of a response: nothing that anybody could pay with.

use serde_json::Value;

/// Members that let whoever has them pay, or see what the payer is to do next.
const SECRETS: [&str; 3] = ["client_secret", "next_action", "url"];

/// A response without its secrets.
pub(super) struct Kept(Option<Value>);

impl Kept {
    /// Of a response; nothing of one in which some text is broken.
    pub(super) fn of(body: &[u8]) -> Self {
        let mut value = serde_json::from_slice(body).ok();
        if let Some(value) = &mut value {
            remove_secrets(value);
        }
        Self(value)
    }

    /// All of it.
    pub(super) fn whole(&self) -> Vec<u8> {
        written(self.0.as_ref())
    }

    /// One item of a list.
    pub(super) fn item(&self, index: usize) -> Vec<u8> {
        let data = self.0.as_ref().and_then(|value| value.get("data"));
        written(data.and_then(|data| data.get(index)))
    }
}

fn written(value: Option<&Value>) -> Vec<u8> {
    value.map_or_else(Vec::new, |value| value.to_string().into_bytes())
}

/// At any depth; the parser limits it.
fn remove_secrets(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !SECRETS.contains(&name.as_str()));
            members.values_mut().for_each(remove_secrets);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_secrets),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
