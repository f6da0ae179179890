//! Stripe.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_core::domain::Digest;
use pay_providers::VerifyError;
use pay_providers::stripe::{SIGNATURE_HEADER, StripeKeys};
use ring::hmac;

use super::{SECRET_PREFIX, SenderFacts};
use crate::doctor::headers::{HEX, HeaderFacts};
use crate::doctor::{case::Case, check::SchemeKeys, edit, trial::Trial};

pub(super) const FACTS: SenderFacts = SenderFacts {
    no_key_texts: &[
        (
            &["sk_live_", "sk_test_", "rk_live_", "rk_test_", "pk_live_", "pk_test_"],
            "a Stripe API key is configured, and not the signing secret of the endpoint",
        ),
        (&["we_"], "the id of a Stripe endpoint is configured, and not its signing secret"),
    ],
    other_use: |trial| by_the_prefix(trial).or_else(|| by_the_decoded(trial)),
    of_error,
    ..SenderFacts::new("Stripe", SchemeKeys::none::<StripeKeys>, HEADERS, Some(timestamp))
};

const HEADERS: &[HeaderFacts] =
    &[HeaderFacts { apart, ..HeaderFacts::signature(SIGNATURE_HEADER, HEX) }];

fn timestamp(case: &Case) -> Option<&str> {
    let mut entries = case.header(SIGNATURE_HEADER)?.split(',');
    entries.find_map(|entry| entry.trim().strip_prefix("t="))
}

/// A value has commas of its own: each begins with the timestamp.
fn apart(value: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for entry in value.split(',').map(str::trim) {
        match found.last_mut() {
            Some(open) if !entry.starts_with("t=") => {
                open.push(',');
                open.push_str(entry);
            }
            Some(_) | None => found.push(entry.to_owned()),
        }
    }
    found
}

/// Names and values in the header.
fn entries(case: &Case) -> impl Iterator<Item = (&str, &str)> {
    let header = case.header(SIGNATURE_HEADER).unwrap_or_default();
    header.split(',').filter_map(|entry| entry.split_once('='))
}

fn of_error(trial: &Trial<'_>, error: VerifyError) -> Option<String> {
    let has = |version: &str| entries(trial.case).any(|(name, _)| name == version);
    (error == VerifyError::NoSignature && has("v0") && !has("v1"))
        .then(|| "the only version is `v0`, which is never verified".to_owned())
}

/// With or without the prefix in the key.
fn by_the_prefix(trial: &Trial<'_>) -> Option<String> {
    let fits = |change| trial.fits_entry(&edit::with_texts(&trial.case.keys, change)?);
    if let Some(fit) = fits(|text| format!("{SECRET_PREFIX}{text}")) {
        return Some(format!(
            "the signature fits with `whsec_` before the secret: it is part of the key{fit}"
        ));
    }
    let fit = fits(|text| text.strip_prefix(SECRET_PREFIX).unwrap_or(text).to_owned())?;
    Some(format!(
        "the signature fits without the `whsec_` of the secret: the sender has left it out{fit}"
    ))
}

/// Signed as Standard Webhooks signs. The key is not a text, so the service's own verification
/// cannot be used: only here does a hint compute a signature itself.
fn by_the_decoded(trial: &Trial<'_>) -> Option<String> {
    let case = trial.case;
    let (_, timestamp) = entries(case).find(|(name, _)| *name == "t")?;
    let message = [timestamp.as_bytes(), b".", &case.body].concat();
    let tags: Vec<Digest> = entries(case)
        .filter(|(name, _)| *name == "v1")
        .filter_map(|(_, hex)| Digest::from_hex(hex).ok())
        .collect();
    let fits = |text: &&str| {
        let encoded = text.strip_prefix(SECRET_PREFIX).unwrap_or(text);
        BASE64.decode(encoded).ok().filter(|key| !key.is_empty()).is_some_and(|key| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
            tags.iter().any(|tag| hmac::verify(&key, &message, &tag.bytes()).is_ok())
        })
    };
    edit::texts(&case.keys).iter().find(|text| fits(text))?;
    Some(
        "the signature fits with the bytes that the base64 of the secret stands for as the key, as \
         Standard Webhooks signs: Stripe signs with the whole text, `whsec_` included"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::{
        BODY, NOW, STANDARD_SECRET, STRIPE_SECRET, hint, stripe_line, stripe_with,
    };
    use local::simulator::stripe;

    #[test]
    fn a_secret_used_as_standard_webhooks_does_is_explained() {
        let key = BASE64.decode(STANDARD_SECRET.strip_prefix("whsec_").unwrap()).unwrap();
        assert!(String::from_utf8(key.clone()).is_err());
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let tag = hmac::sign(&key, format!("{NOW}.{{}}").as_bytes());
        let hex = Digest::new(tag.as_ref().try_into().unwrap());
        let mut line = stripe_with(STANDARD_SECRET);
        line["headers"]["stripe-signature"] = format!("t={NOW},v1={hex}").into();
        assert!(hint(&line).starts_with("the signature fits with the bytes that the base64"));
    }

    #[test]
    fn the_prefix_is_part_of_the_key() {
        let bare = STRIPE_SECRET.strip_prefix("whsec_").unwrap();
        assert!(hint(&stripe_with(bare)).starts_with("the signature fits with `whsec_` before"));
        let [(name, value)] = stripe::sign(bare, NOW, BODY);
        let mut line = stripe_line(BODY);
        line["headers"][name] = value.into();
        assert!(hint(&line).starts_with("the signature fits without the `whsec_` of the secret"));
    }

    #[test]
    fn signatures_of_another_version_are_explained() {
        let mut line = stripe_line(BODY);
        let header = line["headers"]["stripe-signature"].as_str().unwrap().replace("v1=", "v0=");
        line["headers"]["stripe-signature"] = header.into();
        assert!(hint(&line).starts_with("the only version is `v0`"));
    }
}
