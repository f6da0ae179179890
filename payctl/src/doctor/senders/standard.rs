//! Standard Webhooks: a gateway of the shop's own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_providers::VerifyError;
use pay_providers::standard::{
    ID_HEADER, SIGNATURE_HEADER, SVIX_NAMES, StandardKey, TIMESTAMP_HEADER,
};
use ring::digest;

use super::{SECRET_PREFIX, SenderFacts};
use crate::doctor::headers::{HeaderFacts, OTHER_BASE64, OtherNames};
use crate::doctor::{check::SchemeKeys, edit, trial::Trial};

pub(super) const FACTS: SenderFacts = SenderFacts {
    other_names: Some(OtherNames { sender: "Svix", own: "webhook-", other: "svix-" }),
    no_key_texts: &[(
        &["whsk_"],
        "the private half of an ed25519 key is configured, and not the `whpk_` half",
    )],
    other_use: by_the_whole_text,
    of_error,
    ..SenderFacts::new(
        "Standard Webhooks",
        || SchemeKeys::Standard(Vec::new()),
        HEADERS,
        Some(|case| case.header(TIMESTAMP_HEADER).or_else(|| case.header(SVIX_NAMES[1]))),
    )
};

const HEADERS: &[HeaderFacts] = &[
    HeaderFacts::plain(ID_HEADER),
    HeaderFacts::plain(TIMESTAMP_HEADER),
    HeaderFacts { apart, ..HeaderFacts::signature(SIGNATURE_HEADER, &[OTHER_BASE64]) },
];

/// The block of HMAC-SHA256, in bytes: a shorter key is padded with zeros to this length.
const BLOCK: usize = 64;

/// Several signatures in one value are not a doubled header.
fn apart(value: &str) -> Vec<String> {
    if !value.split(' ').any(|entry| entry.matches(',').count() > 1) {
        return vec![value.to_owned()];
    }
    let tokens: Vec<&str> = value.split([',', ' ']).filter(|token| !token.is_empty()).collect();
    tokens.chunks(2).map(|entry| entry.join(",")).collect()
}

/// The version of the signatures, where the keys can verify none of them.
fn of_error(trial: &Trial<'_>, error: VerifyError) -> Option<String> {
    if error != VerifyError::NoSignature {
        return None;
    }
    let signatures = trial.case.header(SIGNATURE_HEADER)?.split(' ');
    let versions: Vec<&str> =
        signatures.filter_map(|entry| Some(entry.split_once(',')?.0)).collect();
    let keys = edit::texts(&trial.case.keys);
    let is_public = |key: &&str| key.starts_with("whpk_");
    match (versions.contains(&"v1"), versions.contains(&"v1a")) {
        (false, true) if !keys.iter().any(is_public) => {
            Some("the only known version is `v1a`: it is verified with a `whpk_` key".to_owned())
        }
        (true, false) if keys.iter().all(is_public) => {
            Some("the only known version is `v1`: it is verified with a `whsec_` secret".to_owned())
        }
        _ => None,
    }
}

/// Signed as Stripe signs.
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
    let fit =
        trial.fits_keys(&keys(|text| text.strip_prefix(SECRET_PREFIX).unwrap_or_default()))?;
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
    StandardKey::parse(&format!("{SECRET_PREFIX}{}", BASE64.encode(bytes))).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::doctor::tests::{
        BODY, NOW, STANDARD_SECRET, hint, no_hint, standard_line, with_keys,
    };
    use local::signing;

    #[test]
    fn a_secret_used_as_stripe_does_is_explained() {
        let long = format!("whsec_{}", "x".repeat(80));
        for secret in [STANDARD_SECRET, "whsec_short", "plain", &long] {
            let whole = whole_text_line(secret);
            assert!(
                hint(&whole).starts_with("the signature fits with the whole text of the secret"),
                "{secret} {}",
                hint(&whole)
            );
        }
        let mut behind = whole_text_line(STANDARD_SECRET.strip_prefix("whsec_").unwrap());
        behind["keys"] = json!([STANDARD_SECRET]);
        assert!(hint(&behind).starts_with("the signature fits with the text behind `whsec_`"));
    }

    /// A message whose key is the whole text.
    fn whole_text_line(secret: &str) -> Value {
        let mut key = secret.as_bytes().to_vec();
        if key.len() > 64 {
            key = digest::digest(&digest::SHA256, &key).as_ref().to_vec();
        }
        key.resize(64, 0);
        let key = format!("whsec_{}", BASE64.encode(key));
        let [id, timestamp, signature] = signing::standard(&key, "m", NOW, BODY).unwrap();
        let mut line = with_keys(&standard_line(BODY), json!([secret]));
        for (name, value) in [id, timestamp, signature] {
            line["headers"][name] = value.into();
        }
        line
    }

    #[test]
    fn signatures_of_another_version_are_explained() {
        let mut line = standard_line(BODY);
        line["headers"]["webhook-signature"] = "v1a,AAAA v2,AAAA".into();
        assert!(hint(&line).starts_with("the only known version is `v1a`"));
        let mut line = standard_line(BODY);
        line["keys"] = json!(["whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="]);
        assert!(hint(&line).starts_with("the only known version is `v1`: "));
        line["headers"]["webhook-signature"] = "v2,AAAA".into();
        no_hint(&line);
    }
}
