//! Texts: JSON, tokens, and the lines of `doctor`.

use local::{defaults, tokens};
use pay_core::json::{Json, Object};
use pay_service::auth::{CALLBACK_SCOPE, TokenRules, payer, service};
use payctl::doctor;
use serde_json::Value;

use crate::NOW_SECS;
use crate::change::edited;
use crate::handlers::at;
use crate::keys::AUTH_KEY;

/// Whatever our reader accepts is JSON, and has the same meaning to another reader.
pub(crate) fn json(input: &[u8]) {
    let message = Object::parse_message(input);
    let Some(ours) = Json::parse(input) else {
        return;
    };
    // The reader of messages accepts more, and reads the rest no differently.
    assert_eq!(message.as_ref(), ours.as_object(), "{ours:?}");
    let theirs: Value =
        serde_json::from_slice(input).expect("our reader accepted what is not JSON");
    assert!(same(&ours, &theirs), "{ours:?}, elsewhere {theirs}");
    let again = Json::parse(theirs.to_string().as_bytes());
    assert!(again.is_some_and(|again| same(&again, &theirs)), "{theirs}");
}

fn same(ours: &Json, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Json::Other, Value::Null) => true,
        (Json::Other, Value::Number(number)) => number.as_u64().is_none(),
        (Json::Bool(ours), Value::Bool(theirs)) => ours == theirs,
        (Json::Number(ours), theirs @ Value::Number(_)) => theirs.as_u64() == Some(*ours),
        (Json::Text(ours), Value::String(theirs)) => ours == theirs,
        (Json::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(one, other)| same(one, other))
        }
        (Json::Object(ours), Value::Object(theirs)) => {
            ours.iter().count() == theirs.len()
                && ours
                    .iter()
                    .all(|(name, value)| theirs.get(name).is_some_and(|other| same(value, other)))
        }
        _ => false,
    }
}

/// Only a token that was issued identifies anybody: neither the input itself, nor a token that it
/// changes.
pub(crate) fn token(input: &[u8]) {
    let issued = |scope| tokens::issue(defaults::ACCESS_SECRET, 7, scope, NOW_SECS);
    let (payers, services) = (issued(None), issued(Some(CALLBACK_SCOPE)));
    let given = String::from_utf8_lossy(input).into_owned();
    let of = |good: &str| {
        let changed = edited(format!("Bearer {good}").as_bytes(), input);
        String::from_utf8_lossy(&changed).into_owned()
    };
    for header in [given.clone(), format!("Bearer {given}"), of(&payers), of(&services)] {
        let (rules, now) = (TokenRules::default(), at(NOW_SECS));
        let named = payer(Some(&header), &AUTH_KEY, &rules, now);
        let allowed = service(Some(&header), &AUTH_KEY, &rules, CALLBACK_SCOPE, now);
        let token = match header.split_once(' ') {
            Some((_, token)) => Some(token.trim_start_matches(' ')),
            None => Some(header.as_str()),
        };
        if let Ok(uid) = named {
            assert_eq!((uid.get(), token), (7, Some(payers.as_str())), "{header}");
        }
        assert!(allowed.is_err() || token == Some(services.as_str()), "{header}");
    }
}

/// Each line gets one verdict, on one line, the same each time.
pub(crate) fn doctor_line(input: &[u8]) {
    let diagnosis = || doctor::diagnose(input, NOW_SECS);
    let response = || serde_json::to_string(&diagnosis()).unwrap();
    let text = response();
    assert!(!text.contains('\n'), "{text}");
    let fields: Value = serde_json::from_str(&text).unwrap();
    let verdict = fields["verdict"].as_str().unwrap();
    assert!(["accept", "reject", "config_error"].contains(&verdict), "{text}");
    assert!(fields["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{text}");
    assert!(diagnosis().is_readable() || verdict == "config_error", "{text}");
    assert_eq!(response(), text);
}
