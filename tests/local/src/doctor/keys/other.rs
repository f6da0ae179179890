//! A secret that is right, and taken for a key in another scheme's way.
//!
//! `whsec_` begins the secrets of both. To Stripe the whole text is the key; to Standard Webhooks
//! it is what the base64 behind the prefix stands for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_core::domain::Digest;
use pay_providers::standard::StandardKey;
use pay_providers::{PaymentProvider, stripe};
use ring::{digest, hmac};

use super::super::attempt::Attempt;
use super::super::check::{Keys, Scheme};
use super::super::edit;

const PREFIX: &str = "whsec_";

/// The block of HMAC-SHA256: a shorter key and the same with zeros behind it are one.
const BLOCK: usize = 64;

pub(in super::super) fn by_the_other_scheme(attempt: &Attempt<'_>) -> Option<String> {
    match attempt.case.scheme {
        Scheme::Standard => by_the_whole_text(attempt),
        Scheme::Provider(PaymentProvider::Stripe) => {
            by_the_prefix(attempt).or_else(|| by_the_decoded(attempt))
        }
        Scheme::Provider(PaymentProvider::WeChat | PaymentProvider::Alipay) => None,
    }
}

/// Standard Webhooks, signed as Stripe signs.
fn by_the_whole_text(attempt: &Attempt<'_>) -> Option<String> {
    let texts = edit::texts(&attempt.case.keys);
    let keys = |of: fn(&str) -> &str| {
        Keys::Standard(texts.iter().filter_map(|text| text_as_key(of(text))).collect())
    };
    if let Some(fit) = attempt.fits_keys(&keys(|text| text)) {
        return Some(format!(
            "the signature fits with the whole text of the secret as the key, as Stripe signs: \
             Standard Webhooks signs with the bytes that the base64 behind `whsec_` stands for{fit}"
        ));
    }
    let fit = attempt.fits_keys(&keys(|text| text.strip_prefix(PREFIX).unwrap_or_default()))?;
    Some(format!(
        "the signature fits with the text behind `whsec_` as the key: Standard Webhooks signs with \
         the bytes that this base64 stands for{fit}"
    ))
}

/// The key whose bytes are those of a text: lengths that are not taken have an equal that is.
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

/// Stripe, and the prefix is part of the key.
fn by_the_prefix(attempt: &Attempt<'_>) -> Option<String> {
    let fits = |change| attempt.fits_entry(&edit::with_texts(&attempt.case.keys, change)?);
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

/// Stripe's message, signed as Standard Webhooks signs. The key is no text, so that the check of
/// the service cannot be asked: this is the one place where a hint computes a signature.
fn by_the_decoded(attempt: &Attempt<'_>) -> Option<String> {
    let case = attempt.case;
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
