//! What kind of message it is that is not accepted, so that the sender's setting can be found.

use pay_core::domain::Provider;
use pay_providers::{VerifyError, alipay, standard, stripe, wechat};

use super::trial::Trial;
use super::{edit, headers, shown};
use crate::Scheme;

/// Names what the error does not. This is a fact in the message, which needs no proof.
pub(super) fn named(trial: &Trial<'_>, error: VerifyError) -> Option<String> {
    let is = |of: VerifyError| error == of;
    if is(VerifyError::BadAlgorithm) {
        algorithm(trial)
    } else if is(VerifyError::BadCharset) {
        let charset = field(trial, "charset")?;
        Some(format!("`charset` is `{charset}`: it is chosen where the payment is made"))
    } else if is(VerifyError::DoubledField) {
        Some(format!("the field that is there twice is `{}`", doubled_field(trial)?))
    } else if is(VerifyError::NoSignature) {
        signatures(trial)
    } else {
        None
    }
}

fn algorithm(trial: &Trial<'_>) -> Option<String> {
    let (place, found, accepted) = match trial.case.scheme {
        Scheme::Provider(Provider::Alipay) => {
            let name = alipay::SIGNATURE_TYPE_FIELD;
            (name, field(trial, name)?, alipay::SIGNATURE_TYPE)
        }
        Scheme::Provider(Provider::WeChat) => {
            let name = wechat::SIGNATURE_TYPE_HEADER;
            let values = headers::values(&trial.case.headers, name);
            (name, shown(values.first()?), wechat::SIGNATURE_TYPE)
        }
        Scheme::Standard | Scheme::Provider(Provider::Stripe) => return None,
    };
    Some(format!("`{place}` is `{found}`, and only `{accepted}` is accepted"))
}

fn field(trial: &Trial<'_>, name: &str) -> Option<String> {
    let (fields, _) = super::alipay::fields(&trial.case.body);
    fields.iter().find(|(known, _)| known == name).map(|(_, value)| shown(value))
}

fn doubled_field(trial: &Trial<'_>) -> Option<String> {
    let (fields, _) = super::alipay::fields(&trial.case.body);
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let twice = names.array_windows().find(|[one, other]| one == other);
    twice.map(|[name, _]| shown(name))
}

/// The versions of the signatures, where the keys can verify none of them.
fn signatures(trial: &Trial<'_>) -> Option<String> {
    let (name, between, within) = match trial.case.scheme {
        Scheme::Standard => (standard::SIGNATURE_HEADER, ' ', ','),
        Scheme::Provider(Provider::Stripe) => (stripe::SIGNATURE_HEADER, ',', '='),
        Scheme::Provider(Provider::WeChat | Provider::Alipay) => return None,
    };
    let values = headers::values(&trial.case.headers, name);
    let entries = values.iter().flat_map(|value| value.split(between));
    let versions: Vec<&str> =
        entries.filter_map(|entry| Some(entry.split_once(within)?.0)).collect();
    let has = |wanted: &str| versions.contains(&wanted);
    let keys = edit::texts(&trial.case.keys);
    let public = keys.iter().filter(|key| key.starts_with("whpk_")).count();
    let (no_public, all_public) = (public == 0, public == keys.len());
    match trial.case.scheme {
        Scheme::Standard if has("v1a") && !has("v1") && no_public => {
            Some("the only known version is `v1a`: it is verified with a `whpk_` key".to_owned())
        }
        Scheme::Standard if has("v1") && !has("v1a") && all_public => {
            Some("the only known version is `v1`: it is verified with a `whsec_` secret".to_owned())
        }
        Scheme::Provider(Provider::Stripe) if has("v0") && !has("v1") => {
            Some("the only version is `v0`, which is never verified".to_owned())
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
    fn what_is_not_accepted_is_named() {
        let mut alipay = case_line(ALIPAY, "ali-node-014");
        assert_eq!(hint(&alipay), "`sign_type` is `RSA`, and only `RSA2` is accepted");
        let form = b"sign=AAAA&sign_type=RSA";
        assert_eq!(hint(&received(&alipay, form)), hint(&alipay));
        alipay = received(&alipay, b"charset=GBK&sign=AAAA");
        assert!(hint(&alipay).starts_with("`charset` is `GBK`: "));
        let twice = received(&alipay, b"b=1&a=1&b=2&sign=AAAA");
        assert_eq!(hint(&twice), "the field that is there twice is `b`");
        let mut wechat = case_line(WECHAT, "wx-go-001");
        wechat["headers"]["wechatpay-signature-type"] = "OTHER".into();
        assert!(
            hint(&wechat).starts_with("`wechatpay-signature-type` is `OTHER`, and only `WECHAT")
        );
        wechat["headers"]["wechatpay-signature-type"] = "x".repeat(1000).into();
        assert!(hint(&wechat).len() < 200);
    }

    #[test]
    fn signatures_of_another_version_are_explained() {
        let mut line = standard_line(b"{}");
        line["headers"]["webhook-signature"] = "v1a,AAAA v2,AAAA".into();
        assert!(hint(&line).starts_with("the only known version is `v1a`"));
        let mut line = standard_line(b"{}");
        line["keys"] = json!(["whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="]);
        assert!(hint(&line).starts_with("the only known version is `v1`: "));
        line["headers"]["webhook-signature"] = "v2,AAAA".into();
        no_hint(&line);
        let mut line = stripe_line(b"{}");
        let header = line["headers"]["stripe-signature"].as_str().unwrap().replace("v1=", "v0=");
        line["headers"]["stripe-signature"] = header.into();
        assert!(hint(&line).starts_with("the only version is `v0`"));
    }
}
