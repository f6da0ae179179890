//! A message of a kind that is not taken: named, so that the sender's settings can be found.

use pay_providers::{PaymentProvider, WebhookError, alipay, standard, stripe, wechat};

use super::attempt::Attempt;
use super::check::Scheme;
use super::{edit, headers, shown};

/// Names what the error does not. A fact of the message, and no check is needed for it.
pub(super) fn named(attempt: &Attempt<'_>, error: WebhookError) -> Option<String> {
    let is = |of: WebhookError| error == of;
    if is(WebhookError::BadAlgorithm) {
        algorithm(attempt)
    } else if is(WebhookError::BadCharset) {
        let charset = field(attempt, "charset")?;
        Some(format!("`charset` is `{charset}`: it is chosen where the payment is made"))
    } else if is(WebhookError::DoubledField) {
        Some(format!("the field that is there twice is `{}`", doubled_field(attempt)?))
    } else if is(WebhookError::NoSignature) {
        signatures(attempt)
    } else {
        None
    }
}

fn algorithm(attempt: &Attempt<'_>) -> Option<String> {
    let (place, found, taken) = match attempt.case.scheme {
        Scheme::Provider(PaymentProvider::Alipay) => {
            let name = alipay::SIGNATURE_TYPE_FIELD;
            (name, field(attempt, name)?, alipay::SIGNATURE_TYPE)
        }
        Scheme::Provider(PaymentProvider::WeChat) => {
            let name = wechat::SIGNATURE_TYPE_HEADER;
            let values = headers::values(&attempt.case.headers, name);
            (name, shown(values.first()?), wechat::SIGNATURE_TYPE)
        }
        Scheme::Standard | Scheme::Provider(PaymentProvider::Stripe) => return None,
    };
    Some(format!("`{place}` is `{found}`, and `{taken}` alone is taken"))
}

fn field(attempt: &Attempt<'_>, name: &str) -> Option<String> {
    let (fields, _) = super::alipay::fields(&attempt.case.body);
    fields.iter().find(|(known, _)| known == name).map(|(_, value)| shown(value))
}

fn doubled_field(attempt: &Attempt<'_>) -> Option<String> {
    let (fields, _) = super::alipay::fields(&attempt.case.body);
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let twice = names.array_windows().find(|[one, other]| one == other);
    twice.map(|[name, _]| shown(name))
}

/// The versions of the signatures, where none is of a kind that the keys can check.
fn signatures(attempt: &Attempt<'_>) -> Option<String> {
    let (name, between, within) = match attempt.case.scheme {
        Scheme::Standard => (standard::SIGNATURE_HEADER, ' ', ','),
        Scheme::Provider(PaymentProvider::Stripe) => (stripe::SIGNATURE_HEADER, ',', '='),
        Scheme::Provider(PaymentProvider::WeChat | PaymentProvider::Alipay) => return None,
    };
    let values = headers::values(&attempt.case.headers, name);
    let entries = values.iter().flat_map(|value| value.split(between));
    let versions: Vec<&str> =
        entries.filter_map(|entry| Some(entry.split_once(within)?.0)).collect();
    let has = |wanted: &str| versions.contains(&wanted);
    let keys = edit::texts(&attempt.case.keys);
    let public = keys.iter().filter(|key| key.starts_with("whpk_")).count();
    let (no_public, all_public) = (public == 0, public == keys.len());
    match attempt.case.scheme {
        Scheme::Standard if has("v1a") && !has("v1") && no_public => Some(
            "of what is known there is `v1a` alone: it is checked with a `whpk_` key".to_owned(),
        ),
        Scheme::Standard if has("v1") && !has("v1a") && all_public => Some(
            "of what is known there is `v1` alone: it is checked with a `whsec_` secret".to_owned(),
        ),
        Scheme::Provider(PaymentProvider::Stripe) if has("v0") && !has("v1") => {
            Some("`v0` alone is there, which is no signature to check".to_owned())
        }
        Scheme::Standard | Scheme::Provider(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{
        ALIPAY, WECHAT, case_line, hint, no_hint, received, standard_line, stripe_line,
    };

    #[test]
    fn what_is_not_taken_is_named() {
        let mut alipay = case_line(ALIPAY, "ali-node-014");
        assert_eq!(hint(&alipay), "`sign_type` is `RSA`, and `RSA2` alone is taken");
        let form = b"sign=AAAA&sign_type=RSA";
        assert_eq!(hint(&received(&alipay, form)), hint(&alipay));
        alipay = received(&alipay, b"charset=GBK&sign=AAAA");
        assert!(hint(&alipay).starts_with("`charset` is `GBK`: "));
        let twice = received(&alipay, b"b=1&a=1&b=2&sign=AAAA");
        assert_eq!(hint(&twice), "the field that is there twice is `b`");
        let mut wechat = case_line(WECHAT, "wx-go-001");
        wechat["headers"]["wechatpay-signature-type"] = "OTHER".into();
        assert!(hint(&wechat).starts_with("`wechatpay-signature-type` is `OTHER`, and `WECHAT"));
        wechat["headers"]["wechatpay-signature-type"] = "x".repeat(1000).into();
        assert!(hint(&wechat).len() < 200);
    }

    #[test]
    fn signatures_of_another_version_are_told() {
        let mut line = standard_line(b"{}");
        line["headers"]["webhook-signature"] = "v1a,AAAA v2,AAAA".into();
        assert!(hint(&line).starts_with("of what is known there is `v1a` alone"));
        let mut line = standard_line(b"{}");
        line["keys"] = json!(["whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="]);
        assert!(hint(&line).starts_with("of what is known there is `v1` alone: "));
        line["headers"]["webhook-signature"] = "v2,AAAA".into();
        no_hint(&line);
        let mut line = stripe_line(b"{}");
        let header = line["headers"]["stripe-signature"].as_str().unwrap().replace("v1=", "v0=");
        line["headers"]["stripe-signature"] = header.into();
        assert!(hint(&line).starts_with("`v0` alone is there"));
    }
}
