mod account;
mod query;
mod refunds;
mod split;
mod texts;

use form_urlencoded::Serializer;
use pay_core::{
    domain::{
        Mismatch, MismatchField, Notification, Outcome, PaymentId, Provider, Report, Timestamp,
    },
    json::Json,
    ports::BadSecret,
};
use serde_json::{Value, json};

use super::{AlipayKeys, SIGNATURE_FIELD};
use crate::{
    Headers, Ignored, Verified, Verifier, VerifyError,
    rsa::pair::Pair,
    samples::{self, at, cases},
    sha256,
};

const VECTORS: &str = include_str!("../../vectors/alipay.json");

fn now() -> Timestamp {
    at(1_700_000_000)
}

fn keys(entry: &Value) -> Result<AlipayKeys, BadSecret> {
    AlipayKeys::from_json(&Json::parse(entry.to_string().as_bytes()).unwrap())
}

fn entry() -> Value {
    json!({
        "public_keys": [Pair::one().public_pem()],
        "app_id": "2019073166072302",
        "seller_id": "2088531891668739",
    })
}

fn verify(body: &str) -> Result<Verified, VerifyError> {
    keys(&entry()).unwrap().verify(&Headers::default(), body.as_bytes(), now())
}

type Fields = Vec<(&'static str, &'static str)>;

fn trade() -> Fields {
    vec![
        ("gmt_create", "2026-11-23 15:56:22"),
        ("charset", "utf-8"),
        // Characters that a form encodes, and texts that look encoded.
        ("subject", "语雀 1+1=2 & \"three\" &quot; %41"),
        ("fund_bill_list", "[{\"amount\":\"0.10\",\"fundChannel\":\"ALIPAYACCOUNT\"}]"),
        ("notify_id", "2026112300222155624068450559358070"),
        ("notify_type", "trade_status_sync"),
        ("trade_status", "TRADE_SUCCESS"),
        ("app_id", "2019073166072302"),
        ("seller_id", "2088531891668739"),
        ("out_trade_no", "1217752501201407"),
        ("trade_no", "2026112322001468450512505578"),
        ("total_amount", "88.88"),
        ("receipt_amount", "80.00"),
        ("sign_type", "RSA2"),
    ]
}

/// The text that Alipay signs of these fields, written without the code under test.
fn signed(fields: &Fields) -> String {
    joined(with(fields.clone(), "sign_type", None))
}

fn joined(mut fields: Fields) -> String {
    fields.sort_unstable();
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// The fields with another value under a name, or without it.
fn with(mut fields: Fields, name: &'static str, value: Option<&'static str>) -> Fields {
    fields.retain(|(known, _)| *known != name);
    fields.extend(value.map(|value| (name, value)));
    fields
}

/// The body of these fields, signed.
fn body(fields: &Fields) -> String {
    let sign = Pair::one().sign(signed(fields).as_bytes());
    form(fields, &sign)
}

fn form(fields: &Fields, sign: &str) -> String {
    Serializer::new(String::new()).extend_pairs(fields).append_pair("sign", sign).finish()
}

fn notification(fields: &Fields) -> Notification {
    match verify(&body(fields)) {
        Ok(Verified::Notification(notification)) => *notification,
        other => panic!("{other:?}: {fields:?}"),
    }
}

#[test]
fn the_official_vectors_are_accepted_and_rejected_as_published() {
    let cases = cases(VECTORS, None);
    assert_eq!(cases.len(), 5);
    for case in cases {
        let keys = keys(&json!({"public_keys": [case["public_key"]]})).unwrap();
        let body = case["form_body"].as_str().unwrap();
        let result = keys.verify(&Headers::default(), body.as_bytes(), now());
        assert_eq!(result.is_ok(), case["expect"] == "accept", "{} {result:?}", case["id"]);
        if case["sign_rule"] == "exclude_sign_only" {
            let ignored = Verified::Ignored(Ignored::OtherKind);
            assert_eq!(result, Ok(ignored), "{}", case["id"]);
        }
    }
}

/// What [`trade`] reports.
fn trade_report() -> Report {
    let txn = "2026112322001468450512505578";
    samples::report(Provider::Alipay, txn, Outcome::Paid, (8888, "CNY"))
}

#[test]
fn a_trade_that_succeeded_is_paid() {
    for fields in [
        trade(),
        with(trade(), "sign_type", None),
        // Nothing was refunded.
        with(trade(), "refund_fee", Some("0.00")),
        with(trade(), "refund_fee", Some("")),
        with(trade(), "charset", Some("UTF-8")),
        with(trade(), "charset", None),
    ] {
        let (id, payment) = ("2026112300222155624068450559358070", "1217752501201407");
        let (body, report) = (body(&fields), trade_report());
        let want = samples::notification(Provider::Alipay, id, payment, report, body.as_bytes());
        assert_eq!(notification(&fields), want, "{fields:?}");
    }
}

#[test]
fn the_event_id_is_alipays_or_else_the_digest_of_the_body() {
    for (id, usable) in [
        (Some("2026112300222155624068450559358070"), true),
        (None, false),
        (Some(""), false),
        (Some("2026#1"), false),
    ] {
        let fields = with(trade(), "notify_id", id);
        let digest = sha256(&[body(&fields).as_bytes()]).to_string();
        let want = if usable { id.unwrap() } else { &digest };
        assert_eq!(notification(&fields).event_id.as_str(), want, "{id:?}");
    }
}

#[test]
fn a_message_that_changes_no_payment_is_ignored() {
    for (name, value, reason) in [
        ("trade_status", Some("WAIT_BUYER_PAY"), Ignored::Unpaid),
        ("notify_type", Some("dut_user_sign"), Ignored::OtherKind),
        // The parameters of the buyer's return redirect are signed, too.
        ("notify_type", None, Ignored::OtherKind),
    ] {
        let found = verify(&body(&with(trade(), name, value)));
        assert_eq!(found, Ok(Verified::Ignored(reason)), "{name} {value:?}");
    }
}

#[test]
fn what_reports_money_and_cannot_be_applied_is_for_review() {
    for state in [Some("trade_success"), Some("TRADE_PENDING"), Some(""), None] {
        let found = notification(&with(trade(), "trade_status", state));
        let review = Mismatch::absent(MismatchField::Outcome, Some("an unknown `trade_status`"));
        assert_eq!(found.review, Some(review), "{state:?}");
        assert_eq!(found.report, Report { outcome: None, ..trade_report() }, "{state:?}");
        assert_eq!(found.payment, Some(PaymentId::parse("1217752501201407").unwrap()));
    }
    let found = notification(&with(trade(), "notify_type", Some("batch_refund_notify")));
    let reason = "not supported, give it another notify_url: batch_refund_notify";
    let review = Mismatch::absent(MismatchField::Payment, Some(reason));
    assert_eq!((found.payment, found.review), (None, Some(review)));
}

#[test]
fn only_a_message_that_is_not_about_a_trade_may_be_signed_with_its_sign_type() {
    let platform = |kind: Option<&'static str>| {
        let fields = with(trade(), "notify_type", kind);
        let text = joined(with(fields.clone(), "sign_type", Some("RSA2")));
        verify(&form(&fields, &Pair::one().sign(text.as_bytes())))
    };
    let ignored = Verified::Ignored(Ignored::OtherKind);
    assert_eq!(platform(Some("servicemarket_order_notify")), Ok(ignored));
    for trade in [Some("trade_status_sync"), Some(""), None] {
        assert_eq!(platform(trade), Err(VerifyError::BadSignature), "{trade:?}");
    }
}

#[test]
fn an_amount_or_a_payment_id_that_cannot_be_read_is_absent() {
    for bad in ["", "88.888", "8888e-2", "-88.88", "88,88", "NaN"] {
        let found = notification(&with(trade(), "total_amount", Some(bad)));
        assert_eq!(found.report, Report { amount_minor: None, ..trade_report() }, "{bad}");
    }
    let found = notification(&with(trade(), "out_trade_no", Some("20190815-57")));
    assert_eq!(found.payment, None);
}

/// An unknown transaction would match every record.
#[test]
fn a_transaction_that_can_be_none_is_not_an_absent_one() {
    let review = Mismatch::absent(MismatchField::Reference, Some("an unknown `trade_no`"));
    for bad in ["20261123 22", "语雀"] {
        let found = notification(&with(trade(), "trade_no", Some(bad)));
        assert_eq!(
            (found.review, found.report.reference.txn),
            (Some(review.clone()), None),
            "{bad}"
        );
    }
    let found = notification(&with(trade(), "trade_no", None));
    assert_eq!((found.review, found.report.reference.txn), (None, None));
}

#[test]
fn a_message_cannot_choose_how_it_is_verified() {
    let rejected =
        |fields: &Fields, error| assert_eq!(verify(&body(fields)), Err(error), "{fields:?}");
    for kind in ["RSA", "rsa2", "RSA2 ", "none"] {
        rejected(&with(trade(), "sign_type", Some(kind)), VerifyError::BadAlgorithm);
    }
    for charset in ["gbk", "GB2312", "utf-16", "utf8"] {
        rejected(&with(trade(), "charset", Some(charset)), VerifyError::BadCharset);
    }
    let unsigned = Serializer::new(String::new()).extend_pairs(trade()).finish();
    assert_eq!(verify(&unsigned), Err(VerifyError::MissingField(SIGNATURE_FIELD)));
    for (sign, error) in [
        ("", VerifyError::MissingField(SIGNATURE_FIELD)),
        ("%", VerifyError::NoSignature),
        ("AAAA", VerifyError::BadSignature),
        (&Pair::other().sign(signed(&trade()).as_bytes()), VerifyError::BadSignature),
    ] {
        assert_eq!(verify(&form(&trade(), sign)), Err(error), "{sign}");
    }
    for body in ["", "&", "=", "{}", "%", "\u{0}", "sign", "sign="] {
        let error = VerifyError::MissingField(SIGNATURE_FIELD);
        assert_eq!(verify(body), Err(error), "{body}");
    }
}

#[test]
fn a_field_must_occur_once_and_every_field_is_signed() {
    let good = body(&trade());
    assert!(verify(&good).is_ok());
    for more in ["&trade_status=TRADE_CLOSED", "&sign=AAAA", "&app_id=2019073166072302"] {
        assert_eq!(verify(&format!("{good}{more}")), Err(VerifyError::DoubledField), "{more}");
    }
    for more in ["&from=url", "&x", "&x=", "&=x"] {
        assert_eq!(verify(&format!("{good}{more}")), Err(VerifyError::BadSignature), "{more}");
    }
    // Empty parts are no fields.
    assert!(verify(&format!("&{good}&")).is_ok());
}

#[test]
fn values_are_decoded_once_after_splitting() {
    let good = body(&trade());
    // The same fields in another encoding.
    assert!(verify(&good.replace('+', "%20")).is_ok());
    assert!(verify(&good.replace("%2B", "%2b")).is_ok());
    for (from, to) in [
        ("%2B", "+"),
        ("%26", "&"),
        ("%25", "%"),
        ("%22", "%26quot%3B"),
        ("%E8%AF%AD", "%E8%AF"),
        ("%E8%AF%AD", "%D3%EF"),
    ] {
        // Only the fields change, not the signature after them.
        let (fields, sign) = good.split_once("&sign=").unwrap();
        assert!(fields.contains(from), "{from}");
        let changed = verify(&format!("{}&sign={sign}", fields.replace(from, to)));
        assert_eq!(changed, Err(VerifyError::BadSignature), "{from} {to}");
    }
}

#[test]
fn both_keys_are_accepted_while_one_is_changed() {
    let both = json!({"public_keys": [Pair::other().public_pem(), Pair::one().public_pem()]});
    let body = body(&trade());
    assert!(keys(&both).unwrap().verify(&Headers::default(), body.as_bytes(), now()).is_ok());
    let none = AlipayKeys::default();
    let rejected = none.verify(&Headers::default(), body.as_bytes(), now());
    assert_eq!(rejected, Err(VerifyError::NoKeys));
}

#[test]
fn keys_that_could_never_work_are_rejected() {
    let public = Pair::one().public_pem();
    for bad in [
        json!([]),
        json!({}),
        json!({"public_keys": []}),
        json!({"public_keys": public}),
        json!({"public_keys": [""]}),
        json!({"public_keys": [public, null]}),
        json!({"public_keys": [public], "app_id": ""}),
        json!({"public_keys": [public], "app_id": []}),
        json!({"public_keys": [public], "app_id": ["1", ""]}),
        json!({"public_keys": [public], "app_id": ["1", 2]}),
        json!({"public_keys": [public], "app_id": {"1": "2"}}),
        json!({"public_keys": [public], "seller_id": 2_088_531_891_668_739_u64}),
    ] {
        assert!(keys(&bad).is_err(), "{bad}");
    }
    assert!(keys(&entry()).unwrap().complete().is_ok());
    let mut entry_without = entry();
    entry_without.as_object_mut().unwrap().remove("app_id");
    assert!(keys(&entry_without).unwrap().complete().is_err());
    assert_eq!(format!("{:?}", keys(&entry()).unwrap()), "AlipayKeys(1 keys, ..)");
}

#[test]
fn one_changed_byte_is_rejected() {
    let (body, plain, our_keys) = (body(&trade()), trade(), keys(&entry()).unwrap());
    let position = |text: &str| body.find(text).unwrap();
    let unsigned = position("sign_type=RSA2")..position("sign_type=RSA2") + "sign_type=RSA2".len();
    for index in (0..body.len()).filter(|index| !unsigned.contains(index)) {
        let mut changed = body.clone().into_bytes();
        changed[index] ^= 1;
        let fields: Vec<_> = form_urlencoded::parse(&changed).into_owned().collect();
        let same = plain
            .iter()
            .all(|(name, value)| fields.iter().any(|(known, held)| known == name && held == value));
        // A hex digit of an encoded byte in the other case is the same form.
        if same && fields.iter().any(|(name, _)| name == "sign") && fields.len() == plain.len() + 1
        {
            continue;
        }
        let result = our_keys.verify(&Headers::default(), &changed, now());
        assert!(result.is_err(), "{index} {result:?}");
    }
}
