//! Where a field ends is not signed: one signed text, split into fields in other ways.

use form_urlencoded::Serializer;
use pay_core::domain::{Mismatch, MismatchField, Notification, RefundReport, Report};
use proptest::{prelude::*, sample::select, test_runner::TestCaseResult};

use super::{
    Outcome, Pair, Provider, Verified, VerifyError, joined, signed, trade, trade_report, verify,
    with,
};
use crate::samples;

type Texts = Vec<(String, String)>;

/// The payment of an attacker, who wrote this text of it, and is to become that of a dear order.
const TEXT: &str = "x&out_trade_no=42&total_amount=40000.00&trade_status=TRADE_SUCCESS&zz=";

/// What becomes of these fields under the signature of this text.
fn posted(fields: &Texts, text: &str) -> Result<Verified, VerifyError> {
    let sign = Pair::one().sign(text.as_bytes());
    let form =
        Serializer::new(String::new()).extend_pairs(fields).append_pair("sign", &sign).finish();
    verify(&form)
}

fn post(fields: &Texts, text: &str) -> Notification {
    match posted(fields, text) {
        Ok(Verified::Notification(found)) => *found,
        other => panic!("{other:?}: {fields:?}"),
    }
}

/// What is read, without what differs with the bytes of the body.
fn content(found: &Notification) -> impl PartialEq + std::fmt::Debug + use<> {
    let Notification { payment, wrong_account, review, report, .. } = found.clone();
    (payment, wrong_account, review, report)
}

fn is_ambiguous(found: &Notification) -> bool {
    let reason = Mismatch::absent(MismatchField::Payment, Some("an ambiguous signed text"));
    let ambiguous = found.review == Some(reason);
    let reference = samples::report(Provider::Alipay, "x", Outcome::Paid, (1, "CNY")).reference;
    let nothing = Report {
        reference: pay_core::domain::ProviderRef { txn: None, ..reference },
        ..Report::NONE
    };
    // Nothing of it is used.
    assert!(!ambiguous || (found.payment.is_none() && found.report == nothing), "{found:?}");
    ambiguous
}

/// The text split at these of its borders only: `true` begins a field.
fn split(text: &str, begins: &[bool]) -> Texts {
    let mut fields: Texts = Vec::new();
    for (index, piece) in text.split('&').enumerate() {
        match (piece.split_once('='), fields.last_mut()) {
            (Some((name, value)), last)
                if last.as_ref().is_none_or(|(before, _)| {
                    before.as_str() < name && begins.get(index) != Some(&false)
                }) =>
            {
                fields.push((name.to_owned(), value.to_owned()));
            }
            (_, Some((_, value))) => *value = format!("{value}&{piece}"),
            (_, None) => panic!("the text begins with no field: {text}"),
        }
    }
    fields
}

#[test]
fn a_text_that_the_buyer_wrote_makes_no_field() {
    for name in ["body", "passback_params", "subject"] {
        let genuine = with(trade(), name, Some(TEXT));
        let text = signed(&genuine);
        let owned: Texts = with(genuine, "sign_type", None)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        assert!(is_ambiguous(&post(&owned, &text)), "{name}");
        // Everything before and after what the attacker wrote becomes part of other fields.
        let mut attacks = 0;
        for first in 0..text.split('&').count() {
            let begins: Vec<_> = text
                .split('&')
                .enumerate()
                .map(|(index, piece)| {
                    index >= first && (TEXT.contains(piece) || piece.starts_with("zz="))
                        || index == 0
                })
                .collect();
            let fields = split(&text, &begins);
            attacks += usize::from(fields.contains(&("out_trade_no".into(), "42".into())));
            assert!(is_ambiguous(&post(&fields, &text)), "{name} {fields:?}");
        }
        assert!(attacks > 0, "{name}");
    }
}

/// With `sign_type` among the fields the platform signs messages of its own. One of them, with that
/// field hidden in another, is no trade.
#[test]
fn a_platform_message_that_hides_its_sign_type_is_no_trade() {
    let text = joined(with(trade(), "sign_type", Some("RSA2")));
    let begins: Vec<_> = text.split('&').map(|piece| !piece.starts_with("sign_type=")).collect();
    let fields = split(&text, &begins);
    assert!(fields.iter().all(|(name, _)| name != "sign_type"), "{fields:?}");
    assert!(is_ambiguous(&post(&fields, &text)));
}

/// The other way round: a trade's notification, split so that it looks like the platform's.
#[test]
fn a_trade_that_looks_like_a_platform_message_is_ambiguous() {
    let text = signed(&with(trade(), "body", Some("x&notify_type=x&sign_type=RSA2&zz=")));
    let ours = ["app_id=", "body=", "notify_type=x", "sign_type=", "zz="];
    let begins: Vec<_> =
        text.split('&').map(|piece| ours.iter().any(|start| piece.starts_with(start))).collect();
    for begins in [begins.clone(), vec![true; begins.len()]] {
        let fields: Texts = split(&text, &begins);
        assert!(is_ambiguous(&post(&fields, &text)), "{fields:?}");
    }
}

#[test]
fn a_refund_that_may_be_the_end_of_a_text_is_ambiguous() {
    for (text, more, ambiguous) in [
        ("passback_params", &[("refund_fee", "88.88")][..], true),
        ("passback_params", &[("refund_fee", "0.00")], false),
        ("passback_params", &[("refund_fee", "1"), ("gmt_refund", "2026-11-24 10:00:00")], false),
        ("body", &[("refund_fee", "88.88")], false),
        ("body", &[("gmt_refund", "2026-11-24 10:00:00")], false),
        ("subject", &[("refund_fee", "88.88")], false),
    ] {
        let mut fields = with(trade(), text, Some("x"));
        fields.extend(more);
        let text = signed(&fields);
        let fields = split(&text, &vec![true; text.split('&').count()]);
        assert_eq!(is_ambiguous(&post(&fields, &text)), ambiguous, "{text}");
    }
}

/// Somebody may have written the fee; that money went back is signed.
#[test]
fn a_fee_that_may_be_the_end_of_a_text_is_no_total() {
    for (text, status, refund, is_for_review) in [
        ("passback_params", "TRADE_SUCCESS", None, true),
        ("passback_params", "TRADE_CLOSED", None, false),
        ("body", "TRADE_SUCCESS", Some(RefundReport::Total(100)), false),
        ("body", "TRADE_CLOSED", Some(RefundReport::Total(100)), false),
    ] {
        let mut fields = with(with(trade(), "trade_status", Some(status)), text, Some("x"));
        fields.extend([("refund_fee", "1.00"), ("gmt_refund", "2026-11-24 10:00:00")]);
        let signed = signed(&fields);
        let found = post(&split(&signed, &vec![true; signed.split('&').count()]), &signed);
        let outcome = (!is_for_review).then_some(Outcome::Refunded);
        let want = Report { outcome, refund, ..trade_report() };
        assert_eq!(
            (found.report, found.review.is_some()),
            (want, is_for_review),
            "{text} {status}"
        );
    }
}

/// Pieces of which an attacker makes a text: names that are read, in every order, and others.
fn texts() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "x",
        "",
        "=",
        "a=b",
        "&",
        "body=y",
        "zz=",
        "out_trade_no=42",
        "total_amount=40000.00",
        "trade_status=TRADE_SUCCESS",
        "trade_status=TRADE_CLOSED",
        "gmt_refund=2026",
        "refund_fee=88.88",
        "refund_fee=0.00",
        "app_id=1",
        "seller_id=1",
        "trade_no=7",
        "notify_id=1",
        "notify_type=x",
        "notify_type=trade_status_sync",
        "charset=gbk",
        "sign_type=RSA2",
        "sign=AAAA",
    ]);
    prop::collection::vec(piece, 0..6).prop_map(|pieces| format!("x&{}", pieces.join("&")))
}

/// Refund fields of a genuine notification, and what they make of a trade that succeeded.
fn refunds() -> impl Strategy<Value = (Refund, Refunded)> {
    let (time, part) = (("gmt_refund", "2026-11-24 10:00:00"), ("refund_fee", "30.00"));
    select(vec![
        (vec![], Refunded::Nothing),
        (vec![("refund_fee", "0.00")], Refunded::Nothing),
        (vec![time, part], Refunded::Total(3000)),
        (vec![time], Refunded::Unknown),
    ])
}

type Refund = Vec<(&'static str, &'static str)>;

/// What the refund fields of a genuine notification say.
#[derive(Clone, Copy, Debug)]
enum Refunded {
    Nothing,
    Total(u64),
    Unknown,
}

impl Refunded {
    /// What is read of it, beside a text that the buyer wrote: the outcome, the total, and whether a
    /// person must look.
    fn beside(self, text: &str) -> (Option<Outcome>, Option<RefundReport>, bool) {
        match self {
            Self::Nothing => (Some(Outcome::Paid), None, false),
            // The fee may be the end of the text, and that there was a refund is certain.
            Self::Total(_) if text == "passback_params" => (None, None, true),
            Self::Total(total) => {
                (Some(Outcome::Refunded), Some(RefundReport::Total(total)), false)
            }
            Self::Unknown => (None, None, true),
        }
    }
}

fn no_other_reading(
    name: &'static str,
    text: &str,
    (refund, refunded): (Refund, Refunded),
    begins: &[bool],
) -> TestCaseResult {
    let mut genuine: Texts = with(trade(), "sign_type", None)
        .into_iter()
        .chain(refund)
        .filter(|(known, _)| *known != name)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    genuine.push((name.to_owned(), text.to_owned()));
    genuine.sort_unstable();
    let pairs: Vec<_> = genuine.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let signed = pairs.join("&");
    let found = post(&genuine, &signed);
    // Nothing that the text holds is read.
    if !is_ambiguous(&found) {
        let (outcome, total, is_for_review) = refunded.beside(name);
        let report = Report { outcome, refund: total, ..trade_report() };
        prop_assert_eq!(&found.report, &report);
        prop_assert_eq!(found.review.is_some(), is_for_review);
        prop_assert_eq!(&found.wrong_account, &None);
        prop_assert_eq!(found.payment.unwrap().to_string(), "1217752501201407");
    }
    // Split anew, it is read as before.
    match posted(&split(&signed, begins), &signed) {
        Ok(Verified::Notification(again)) => prop_assert_eq!(content(&again), content(&found)),
        // A field that the text must not have, which is found before the signature is checked.
        Err(VerifyError::BadCharset | VerifyError::BadAlgorithm | VerifyError::DoubledField) => {}
        // Another text than was signed.
        Err(VerifyError::BadSignature) => prop_assert!(text.contains("&sign")),
        other => panic!("{other:?}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..<_>::default() })]

    #[test]
    fn no_splitting_of_a_genuine_notification_changes_what_is_read(
        name in select(vec!["body", "passback_params", "subject"]),
        text in texts(),
        refund in refunds(),
        begins in prop::collection::vec(any::<bool>(), 32),
    ) {
        no_other_reading(name, &text, refund, &begins)?;
    }
}
