//! Webhook signatures, from the sender's side.
//!
//! Sources: Standard Webhooks specification, "Signature scheme"; Stripe documentation, "Verify
//! webhook signatures manually"; wechatpay-go and alipay-sdk-nodejs-all for those two.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;

use crate::defaults;
use crate::keys::SigningKeys;

/// The three headers that make `body` a message of whoever holds `secret`.
///
/// `secret` is `whsec_` and base64; `timestamp_secs` is Unix time in seconds.
///
/// # Errors
///
/// `secret` is not such a secret, or its key is not 24 to 64 bytes long.
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

/// The header that makes `body` an event of whoever holds `secret`, as Stripe signs.
///
/// Of this secret the whole text is the key, `whsec_` included.
#[must_use]
pub fn stripe(secret: &str, timestamp_secs: u64, body: &[u8]) -> [(&'static str, String); 1] {
    let mut context =
        hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
    context.update(format!("{timestamp_secs}.").as_bytes());
    context.update(body);
    let mut tag = String::new();
    for byte in context.sign().as_ref() {
        tag.extend([format!("{byte:02x}")]);
    }
    [("stripe-signature", format!("t={timestamp_secs},v1={tag}"))]
}

/// The headers that make `body` a message of WeChat Pay's, signed with the key of this stack.
///
/// `nonce` is any text of visible ASCII without a comma.
///
/// # Errors
///
/// [`SigningKeys::of_the_stack`], [`SigningKey::sign`](crate::keys::SigningKey::sign).
pub fn wechat(
    timestamp_secs: u64,
    nonce: &str,
    body: &[u8],
) -> Result<[(&'static str, String); 5]> {
    let mut signed = format!("{timestamp_secs}\n{nonce}\n").into_bytes();
    signed.extend(body);
    signed.push(b'\n');
    Ok([
        ("wechatpay-timestamp", timestamp_secs.to_string()),
        ("wechatpay-nonce", nonce.to_owned()),
        ("wechatpay-signature", SigningKeys::of_the_stack()?.wechat.sign(&signed)?),
        ("wechatpay-serial", defaults::WECHAT_SERIAL.to_owned()),
        ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048".to_owned()),
    ])
}

/// The form that these fields are once Alipay has signed them, with the key of this stack. Fields
/// of an earlier signature are replaced.
///
/// # Errors
///
/// As [`wechat`].
pub fn alipay<N: AsRef<str>, V: AsRef<str>>(fields: &[(N, V)]) -> Result<String> {
    let fields = fields.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
    let fields: Vec<_> = fields.filter(|(name, _)| !["sign", "sign_type"].contains(name)).collect();
    let mut sorted = fields.clone();
    // By the name alone: `a` comes before `a1`, though `a=` would not.
    sorted.sort_unstable();
    let pairs: Vec<_> = sorted.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let signature = SigningKeys::of_the_stack()?.alipay.sign(pairs.join("&").as_bytes())?;
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields).append_pair("sign_type", "RSA2").append_pair("sign", &signature);
    Ok(form.finish())
}

#[cfg(test)]
mod tests {
    use super::{standard, stripe};

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
    fn a_secret_that_is_none_is_refused() {
        for secret in
            ["", "whsec_", "whsec_c2hvcnQ=", "whsec_***", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
        {
            assert!(standard(secret, "id", 1, b"").is_err(), "{secret}");
        }
    }

    #[test]
    fn stripe_signs_with_the_whole_text() {
        // Made with another HMAC: Python's `hmac` module.
        let [(_, signature)] = stripe("whsec_test", 1_614_265_330, b"{}");
        assert_eq!(
            signature,
            "t=1614265330,v1=5790023bd77209313f2e32e36caf5921bdd2fac398095f83dc2d2ecd5f696f50"
        );
    }
}
