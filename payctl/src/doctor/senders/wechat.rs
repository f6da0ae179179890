//! WeChat Pay.

use pay_core::json::Object;
use pay_providers::VerifyError;
use pay_providers::wechat::{
    NONCE_HEADER, SERIAL_HEADER, SIGNATURE_HEADER, SIGNATURE_TYPE, SIGNATURE_TYPE_HEADER,
    TIMESTAMP_HEADER, WeChatKeys,
};

use super::{SenderFacts, only};
use crate::doctor::check::{HeaderList, SchemeKeys};
use crate::doctor::headers::{BASE64, HeaderFacts};
use crate::doctor::{shown, trial::Trial};

pub(super) const FACTS: SenderFacts = SenderFacts {
    of_error,
    ..SenderFacts::new(
        "WeChat Pay",
        SchemeKeys::none::<WeChatKeys>,
        HEADERS,
        Some(|case| case.header(TIMESTAMP_HEADER)),
    )
};

const HEADERS: &[HeaderFacts] = &[
    HeaderFacts::plain(TIMESTAMP_HEADER),
    HeaderFacts::plain(NONCE_HEADER),
    HeaderFacts::signature(SIGNATURE_HEADER, BASE64),
    HeaderFacts::plain(SERIAL_HEADER),
    HeaderFacts::plain(SIGNATURE_TYPE_HEADER),
];

/// The length of an APIv3 key, in bytes.
const API_V3_KEY_BYTES: usize = 32;

fn of_error(trial: &Trial<'_>, error: VerifyError) -> Option<String> {
    if error == VerifyError::Probe {
        let probe =
            "WeChat Pay tests with it whether signatures are checked: rejecting it is right";
        return Some(probe.to_owned());
    }
    if error == VerifyError::Undecryptable {
        return undecryptable(trial);
    }
    serial(trial).or_else(|| {
        let found = trial.case.header(SIGNATURE_TYPE_HEADER)?;
        (error == VerifyError::BadAlgorithm)
            .then(|| only(SIGNATURE_TYPE_HEADER, &shown(found), SIGNATURE_TYPE))
    })
}

/// An authentic message that is encrypted with another APIv3 key.
fn undecryptable(trial: &Trial<'_>) -> Option<String> {
    let length = trial.case.keys.as_object()?.text("api_v3_key")?.trim().len();
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
fn serial(trial: &Trial<'_>) -> Option<String> {
    let is_serial = |name: &str| name.eq_ignore_ascii_case(SERIAL_HEADER);
    let headers = &trial.case.headers;
    let named = shown(trial.case.header(SERIAL_HEADER)?);
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
