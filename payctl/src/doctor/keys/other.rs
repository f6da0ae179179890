//! A right secret that is used as in the other scheme.
//!
//! `whsec_` begins the secrets of both. The key of Stripe is the whole text; that of Standard
//! Webhooks is what the base64 behind the prefix encodes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_core::domain::{Digest, Provider};
use pay_providers::standard::StandardKey;
use pay_providers::stripe;
use ring::{digest, hmac};

use super::super::check::SchemeKeys;
use super::super::edit;
use super::super::trial::Trial;
use crate::Scheme;

const PREFIX: &str = "whsec_";

/// The block of HMAC-SHA256, in bytes: a shorter key is padded with zeros to this length.
const BLOCK: usize = 64;

pub(in super::super) fn by_the_other_scheme(trial: &Trial<'_>) -> Option<String> {
    match trial.case.scheme {
        Scheme::Standard => by_the_whole_text(trial),
        Scheme::Provider(Provider::Stripe) => {
            by_the_prefix(trial).or_else(|| by_the_decoded(trial))
        }
        Scheme::Provider(Provider::WeChat | Provider::Alipay) => None,
    }
}

/// Standard Webhooks, signed as Stripe signs.
fn by_the_whole_text(trial: &Trial<'_>) -> Option<String> {
    let texts = edit::texts(&trial.case.keys);
    let keys = |of: fn(&str) -> &str| {
        SchemeKeys::Standard(texts.iter().filter_map(|text| text_as_key(of(text))).collect())
    };
    if let Some(fit) = trial.fits_keys(&keys(|text| text)) {
        return Some(format!(
            "the signature fits with the whole text of the secret as the key, as Stripe signs: \
             Standard Webhooks signs with the bytes that the base64 behind `whsec_` stands for{fit}"
        ));
    }
    let fit = trial.fits_keys(&keys(|text| text.strip_prefix(PREFIX).unwrap_or_default()))?;
    Some(format!(
        "the signature fits with the text behind `whsec_` as the key: Standard Webhooks signs with \
         the bytes that this base64 stands for{fit}"
    ))
}

/// The key whose bytes are those of a text, as an equivalent key of an accepted length.
fn text_as_key(text: &str) -> Option<StandardKey> {
    if text.is_empty() {
        return None;
    }
    let mut bytes = text.as_bytes().to_vec();
    if bytes.len() > BLOCK {
        bytes = digest::digest(&digest::SHA256, &bytes).as_ref().to_vec();
    }
    bytes.resize(BLOCK, 0);
    StandardKey::parse(&format!("{PREFIX}{}", BASE64.encode(bytes))).ok()
}

/// A message of Stripe, with or without the prefix in the key.
fn by_the_prefix(trial: &Trial<'_>) -> Option<String> {
    let fits = |change| trial.fits_entry(&edit::with_texts(&trial.case.keys, change)?);
    let with: fn(&str) -> String = |text| format!("{PREFIX}{text}");
    let without: fn(&str) -> String = |text| text.strip_prefix(PREFIX).unwrap_or(text).to_owned();
    if let Some(fit) = fits(with) {
        return Some(format!(
            "the signature fits with `whsec_` before the secret: it is part of the key{fit}"
        ));
    }
    let fit = fits(without)?;
    Some(format!(
        "the signature fits without the `whsec_` of the secret: the sender has left it out{fit}"
    ))
}

/// A message of Stripe, signed as Standard Webhooks signs. The key is not a text, so the service's
/// own verification cannot be used: only here does a hint compute a signature itself.
fn by_the_decoded(trial: &Trial<'_>) -> Option<String> {
    let case = trial.case;
    let named = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(stripe::SIGNATURE_HEADER);
    let (_, header) = case.headers.iter().find(named)?;
    let entries = || header.split(',').filter_map(|entry| entry.split_once('='));
    let (_, timestamp) = entries().find(|(name, _)| *name == "t")?;
    let message = [timestamp.as_bytes(), b".", &case.body].concat();
    let tags: Vec<Digest> = entries()
        .filter(|(name, _)| *name == "v1")
        .filter_map(|(_, hex)| Digest::from_hex(hex).ok())
        .collect();
    let fits = |text: &&str| {
        let encoded = text.strip_prefix(PREFIX).unwrap_or(text);
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
