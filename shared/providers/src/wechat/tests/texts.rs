//! Texts that are no Unicode, and a byte order mark.

use pay_core::domain::{Mismatch, MismatchField, Outcome, Provider};
use serde_json::json;

use super::{
    API_V3_KEY, encrypt, envelope,
    read::{EVENT, PAYMENT, TRANSACTION},
    transaction, verified,
};
use crate::{
    Verified,
    samples::{self, unreadable},
};

/// A nickname or an attachment that was cut in the middle of a character, outside and inside.
#[test]
fn a_broken_text_where_we_do_not_read_stops_nothing() {
    let mut whole = envelope("TRANSACTION.SUCCESS", &transaction());
    let clear = transaction().to_string().replacen('{', r#"{"attach":"\ud83d","x":"y","#, 1);
    whole["resource"]["ciphertext"] = json!(encrypt(API_V3_KEY, &clear));
    let body = whole.to_string().replacen('{', r#"{"note":"支付\udc00","#, 1);
    let marked = [b"\xef\xbb\xbf", body.as_bytes()].concat();
    let cut = body.replace('付', "\u{1}").into_bytes();
    let cut = cut.into_iter().map(|byte| if byte == 1 { 0xe4 } else { byte }).collect();
    for body in [body.into_bytes(), marked, cut] {
        let Ok(Verified::Notification(found)) = verified(&body) else { panic!("{body:?}") };
        let paid = samples::report(Provider::WeChat, TRANSACTION, Outcome::Paid, (100, "CNY"));
        let want = samples::notification(Provider::WeChat, EVENT, PAYMENT, paid, &body);
        assert_eq!(*found, want);
    }
}

#[test]
fn a_broken_text_where_we_read_is_for_review() {
    let broken = |name: &str, text: &str| {
        let mut resource = transaction();
        resource[name] = json!("BROKEN");
        let clear = resource.to_string().replace("BROKEN", text);
        let mut envelope = envelope("TRANSACTION.SUCCESS", &transaction());
        envelope["resource"]["ciphertext"] = json!(encrypt(API_V3_KEY, &clear));
        let found = verified(envelope.to_string().as_bytes());
        let Ok(Verified::Notification(found)) = found else { panic!("{name}: {found:?}") };
        *found
    };
    let text = r"SUCCESS\ud800";
    let review =
        |field, name: &str| Some(Mismatch::absent(field, Some(format!("an unknown `{name}`"))));
    assert_eq!(broken("trade_state", text).review, review(MismatchField::Outcome, "trade_state"));
    let found = broken("transaction_id", text);
    assert_eq!(found.review, review(MismatchField::Reference, "transaction_id"));
    assert_eq!(broken("out_trade_no", text).payment, None);
    assert!(broken("mchid", text).wrong_account.is_some());
    assert!(broken("appid", text).wrong_account.is_some());
    let body = envelope("TRANSACTION.SUCCESS", &transaction()).to_string();
    let body = body.replace("TRANSACTION.SUCCESS", r"TRANSACTION.SUCCESS\ud800");
    let want = unreadable(Provider::WeChat, Some(EVENT), body.as_bytes());
    assert_eq!(verified(body.as_bytes()), Ok(want));
}
