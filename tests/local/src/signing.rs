//! The signatures of the shop's own gateways: Standard Webhooks, from the sender's side.
//!
//! Source: Standard Webhooks specification, "Signature scheme".

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;

/// The three headers that sign `body` with `secret`.
///
/// `secret` is `whsec_` and base64; `timestamp_secs` is Unix time in seconds.
pub fn standard(
    secret: &str,
    id: &str,
    timestamp_secs: u64,
    body: &[u8],
) -> Result<[(&'static str, String); 3]> {
    let key = secret.strip_prefix("whsec_").context("the secret does not start with whsec_")?;
    let key = BASE64.decode(key).context("what follows whsec_ is not base64")?;
    ensure!((24..=64).contains(&key.len()), "the key is not 24 to 64 bytes long");
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key));
    context.update(format!("{id}.{timestamp_secs}.").as_bytes());
    context.update(body);
    Ok([
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp_secs.to_string()),
        ("webhook-signature", format!("v1,{}", BASE64.encode(context.sign()))),
    ])
}

#[cfg(test)]
mod tests {
    use super::standard;

    #[test]
    fn the_signature_is_the_reference_librarys() {
        // The vector in the test suite of the specification's own libraries.
        let [_, _, (_, signature)] = standard(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        )
        .unwrap();
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_malformed_secret_is_rejected() {
        for secret in
            ["", "whsec_", "whsec_c2hvcnQ=", "whsec_***", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
        {
            assert!(standard(secret, "id", 1, b"").is_err(), "{secret}");
        }
    }
}
