//! Secrets.

use pay_core::json::{Json, Object};
use pay_providers::WebhookKeys;
use pay_service::auth::AuthKey;

/// Shorter ones are found in other words.
const KEY_TEXT_MIN: usize = 16;

/// A secret makes keys or is refused, and neither the keys nor the refusal says what was in it.
pub(crate) fn secret(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let said = format!(
        "{:?} {:?} {}",
        WebhookKeys::from_secret(&text),
        AuthKey::from_secret(&text),
        WebhookKeys::from_secret(&text).map_or_else(|bad| bad.to_string(), |_| String::new()),
    );
    let secret = Object::parse(text.as_bytes()).unwrap_or_default();
    let mut texts = Vec::new();
    secret.iter().for_each(|(_, value)| collect(value, &mut texts));
    for key in texts.into_iter().filter(|text| text.len() >= KEY_TEXT_MIN) {
        assert!(!said.contains(key), "{said} tells {key}");
    }
}

/// Every text of the secret. Names are none of it: WeChat Pay's serials are there to be seen.
fn collect<'a>(value: &'a Json, texts: &mut Vec<&'a str>) {
    match value {
        Json::Text(text) => texts.push(text),
        Json::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Json::Object(object) => object.iter().for_each(|(_, value)| collect(value, texts)),
        Json::Other | Json::Bool(_) | Json::Number(_) => {}
    }
}
