//! Causes in the messages of WeChat Pay.

use pay_core::domain::Provider;
use pay_core::json::Object;
use pay_providers::wechat;

use super::check::HeaderList;
use super::trial::Trial;
use super::{edit, shown};
use crate::Scheme;

/// The length of an APIv3 key, in bytes.
const API_V3_KEY_BYTES: usize = 32;

/// An authentic message that is encrypted with another APIv3 key.
pub(super) fn undecryptable(trial: &Trial<'_>) -> Option<String> {
    let case = trial.case;
    let trimmed = edit::with_texts(&case.keys, |text| text.trim().to_owned());
    let opens = trimmed
        .and_then(|entry| case.scheme.keys(&entry).ok())
        .is_some_and(|keys| keys.verify(&case.headers, &case.body, case.now).is_ok());
    if opens {
        return Some(
            "`api_v3_key` has white space around it: without it, the message is decrypted"
                .to_owned(),
        );
    }
    let length = case.keys.as_object()?.text("api_v3_key")?.len();
    Some(if length == API_V3_KEY_BYTES {
        "the signature is right; `api_v3_key` is not the key that the message was encrypted with: \
         was it changed at WeChat Pay?"
            .to_owned()
    } else {
        format!(
            "the signature is right; `api_v3_key` is {length} bytes long, and one of \
             {API_V3_KEY_BYTES} is needed"
        )
    })
}

/// A message whose serial names another key than that of the signature, or one that is not
/// configured.
pub(super) fn serial(trial: &Trial<'_>) -> Option<String> {
    if trial.case.scheme != Scheme::Provider(Provider::WeChat) {
        return None;
    }
    let is_serial = |name: &str| name.eq_ignore_ascii_case(wechat::SERIAL_HEADER);
    let headers = &trial.case.headers;
    let named = headers.iter().find(|(name, _)| is_serial(name)).map(|(_, value)| shown(value))?;
    let keys = trial.case.keys.as_object()?.object("public_keys")?;
    for (known, _) in keys.iter() {
        let rewritten: HeaderList = headers
            .iter()
            .map(|(name, value)| {
                let value = if is_serial(name) { known } else { value };
                (name.clone(), value.to_owned())
            })
            .collect();
        if let Some(fit) = trial.fits_headers(&rewritten) {
            let known = shown(known);
            return Some(format!(
                "the signature fits with the key of serial `{known}`, and the message names \
                 `{named}`: is a key under a wrong serial?{fit}"
            ));
        }
    }
    unknown(&named, keys)
}

fn unknown(named: &str, keys: &Object) -> Option<String> {
    let known: Vec<String> = keys.iter().map(|(serial, _)| shown(serial)).collect();
    let is_known = known.iter().any(|serial| serial.eq_ignore_ascii_case(named));
    (!is_known && !known.is_empty()).then(|| {
        let known = known.join("`, `");
        format!("the message is signed with the key of serial `{named}`; configured is `{known}`")
    })
}

#[cfg(test)]
mod tests;
