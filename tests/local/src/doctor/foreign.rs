//! What makes an authentic message another merchant's, or another mode's.

use pay_providers::{PaymentProvider, Reading};
use serde_json::Value;

use super::attempt::Attempt;
use super::check::Scheme;
use super::edit;

/// What is configured only to narrow.
const fn members(scheme: Scheme) -> &'static [&'static str] {
    match scheme {
        Scheme::Standard => &[],
        Scheme::Provider(PaymentProvider::Stripe) => &["livemode"],
        Scheme::Provider(PaymentProvider::WeChat) => &["mchid", "appid"],
        Scheme::Provider(PaymentProvider::Alipay) => &["app_id", "seller_id"],
    }
}

/// Of a message that is foreign: what it would not be without.
pub(super) fn foreign(attempt: &Attempt<'_>) -> String {
    let members = members(attempt.case.scheme);
    let is_why = |member: &&&str| {
        let others: Vec<&str> = members.iter().filter(|other| *other != *member).copied().collect();
        is_foreign_without(attempt, &others).unwrap_or(false)
    };
    let why: Vec<&str> = members.iter().filter(is_why).copied().collect();
    let whose = match attempt.case.scheme {
        Scheme::Provider(PaymentProvider::Stripe) => "another mode's",
        Scheme::Standard | Scheme::Provider(PaymentProvider::WeChat | PaymentProvider::Alipay) => {
            "another merchant's"
        }
    };
    let why = why.join("` and `");
    format!("it would be quarantined as {whose}: it is not of the configured `{why}`")
}

fn is_foreign_without(attempt: &Attempt<'_>, left_out: &[&str]) -> Option<bool> {
    let mut entry: Value = edit::value(&attempt.case.keys);
    for member in left_out {
        entry.as_object_mut()?.remove(*member);
    }
    let case = attempt.case;
    let keys = case.scheme.keys(&edit::entry(&entry)?).ok()?;
    match keys.verify(&case.headers, &case.body, case.now).ok()?? {
        Reading::Message(message) => Some(message.foreign),
        Reading::Ignored(_) => None,
    }
}
