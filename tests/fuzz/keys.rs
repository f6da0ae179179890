//! The keys of the targets, and secrets that are none.

use std::sync::LazyLock;

use local::defaults;
use pay_core::json::{Json, Object};
use pay_providers::WebhookKeys;
use pay_service::auth::AuthKey;
use serde_json::json;

/// What tokens are checked with.
pub(crate) static AUTH_KEY: LazyLock<AuthKey> = LazyLock::new(|| {
    let secret = json!({"access_secret": defaults::ACCESS_SECRET}).to_string();
    AuthKey::from_secret(&secret).unwrap()
});

/// What webhooks are checked with.
pub(crate) static WEBHOOK_KEYS: LazyLock<WebhookKeys> = LazyLock::new(|| {
    WebhookKeys::from_secret(&defaults::webhook_secrets().unwrap().to_string()).unwrap()
});

/// A shorter text may occur in a message by chance, in bytes.
const KEY_TEXT_MIN: usize = 16;

/// A secret is read into keys or rejected, and neither the keys nor the error prints any of it.
pub(crate) fn secret(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let printed = format!(
        "{:?} {:?} {}",
        WebhookKeys::from_secret(&text),
        AuthKey::from_secret(&text),
        WebhookKeys::from_secret(&text).map_or_else(|bad| bad.to_string(), |_| String::new()),
    );
    let secret = Object::parse(text.as_bytes()).unwrap_or_default();
    let mut texts = Vec::new();
    secret.iter().for_each(|(_, value)| collect(value, &mut texts));
    for key in texts.into_iter().filter(|text| text.len() >= KEY_TEXT_MIN) {
        assert!(!printed.contains(key), "{printed} has {key}");
    }
}

/// Every text of the secret but the names: WeChat Pay's serials are public.
fn collect<'a>(value: &'a Json, texts: &mut Vec<&'a str>) {
    match value {
        Json::Text(text) => texts.push(text),
        Json::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Json::Object(object) => object.iter().for_each(|(_, value)| collect(value, texts)),
        Json::Other | Json::Bool(_) | Json::Number(_) => {}
    }
}
