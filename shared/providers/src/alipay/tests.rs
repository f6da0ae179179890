use form_urlencoded::Serializer;
use serde_json::{Value, json};

use super::{super::rsa::pair::Pair, *};

const VECTORS: &str = include_str!("../../vectors/alipay.json");

fn now() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000).unwrap()
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

fn judge(body: &str) -> Result<Reading, WebhookError> {
    keys(&entry()).unwrap().verify(&Headers::default(), body.as_bytes(), now())
}

type Fields = Vec<(&'static str, &'static str)>;

fn trade() -> Fields {
    vec![
        ("gmt_create", "2026-11-23 15:56:22"),
        ("charset", "utf-8"),
        // A plus, an ampersand, an equals sign and quotes, all of them text.
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

/// The text that Alipay signs of these fields.
fn signed(fields: &[(&str, &str)]) -> String {
    let fields = fields.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(*value)));
    Form(fields.collect()).signed(None)
}

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

fn message(fields: &Fields) -> Message {
    match judge(&body(fields)) {
        Ok(Reading::Message(message)) => message,
        other => panic!("{other:?}: {fields:?}"),
    }
}

#[test]
fn the_official_vectors_get_their_verdicts() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let keys = keys(&json!({"public_keys": [case["public_key"]]})).unwrap();
        let body = case["form_body"].as_str().unwrap();
        let verdict = keys.verify(&Headers::default(), body.as_bytes(), now());
        assert_eq!(verdict.is_ok(), case["expect"] == "accept", "{} {verdict:?}", case["id"]);
        if case["sign_rule"] == "exclude_sign_only" {
            assert!(matches!(verdict, Ok(Reading::Ignored(_))), "{}", case["id"]);
        }
    }
}

#[test]
fn a_trade_that_succeeded_is_paid() {
    let want = Message {
        event_id: Some("2026112300222155624068450559358070".to_owned()),
        payment: PaymentId::parse("1217752501201407").ok(),
        txn: Some(ProviderTxn::new("2026112322001468450512505578").unwrap()),
        amount_minor: Some(8888),
        currency: Some("CNY".to_owned()),
        report: Report::Outcome(Outcome::Paid),
        foreign: false,
    };
    assert_eq!(message(&trade()), want);
    // A message without the field, and one with a fee that is none.
    assert_eq!(message(&with(trade(), "sign_type", None)), want);
    assert_eq!(message(&with(trade(), "refund_fee", Some("0.00"))), want);
    assert_eq!(message(&with(trade(), "refund_fee", Some(""))), want);
    assert_eq!(message(&with(trade(), "charset", Some("UTF-8"))), want);
    assert_eq!(message(&with(trade(), "charset", None)), want);
}

#[test]
fn a_refund_is_told_from_a_payment() {
    let paid = Report::Outcome(Outcome::Paid);
    let (closed, refunded) = (Report::Outcome(Outcome::Closed), Report::Outcome(Outcome::Refunded));
    for (status, refund, report) in [
        ("TRADE_SUCCESS", None, paid),
        ("TRADE_SUCCESS", Some(("gmt_refund", "2026-11-24 10:00:00")), Report::PartialRefund),
        ("TRADE_SUCCESS", Some(("refund_fee", "0.01")), Report::PartialRefund),
        ("TRADE_SUCCESS", Some(("refund_fee", "x")), Report::PartialRefund),
        ("TRADE_FINISHED", None, paid),
        ("TRADE_FINISHED", Some(("refund_fee", "30.00")), paid),
        ("TRADE_CLOSED", None, closed),
        ("TRADE_CLOSED", Some(("refund_fee", "0.00")), closed),
        ("TRADE_CLOSED", Some(("refund_fee", "88.88")), refunded),
        ("TRADE_CLOSED", Some(("gmt_refund", "2026-11-24 10:00:00")), refunded),
    ] {
        let mut fields = with(trade(), "trade_status", Some(status));
        fields.extend(refund);
        assert_eq!(message(&fields).report, report, "{status} {refund:?}");
    }
}

#[test]
fn what_moves_no_payment_is_ignored() {
    for (name, value) in [
        ("trade_status", Some("WAIT_BUYER_PAY")),
        ("trade_status", Some("trade_success")),
        ("trade_status", None),
        ("notify_type", Some("batch_refund_notify")),
        // What the buyer's browser brings back is signed, too.
        ("notify_type", None),
    ] {
        let read = judge(&body(&with(trade(), name, value)));
        assert!(matches!(read, Ok(Reading::Ignored(_))), "{name} {value:?} {read:?}");
    }
}

#[test]
fn only_a_message_about_no_trade_may_be_signed_with_its_sign_type() {
    let platform = |kind: Option<&'static str>| {
        let fields = with(trade(), "notify_type", kind);
        let mut pairs = with(fields.clone(), "sign_type", Some("RSA2"));
        pairs.sort_unstable();
        let text: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        judge(&form(&fields, &Pair::one().sign(text.join("&").as_bytes())))
    };
    let read = platform(Some("servicemarket_order_notify"));
    assert!(matches!(read, Ok(Reading::Ignored(_))), "{read:?}");
    for trade in [Some("trade_status_sync"), Some(""), None] {
        assert_eq!(platform(trade), Err(WebhookError::BadSignature), "{trade:?}");
    }
}

#[test]
fn another_merchants_money_is_foreign() {
    for (name, value) in [
        ("app_id", Some("2019073166072303")),
        ("app_id", Some("")),
        ("app_id", None),
        ("seller_id", Some("2088531891668738")),
        ("seller_id", None),
    ] {
        assert!(message(&with(trade(), name, value)).foreign, "{name} {value:?}");
    }
}

#[test]
fn an_amount_that_is_none_fits_nothing() {
    for bad in ["", "88.888", "8888e-2", "-88.88", "88,88", "NaN"] {
        assert_eq!(message(&with(trade(), "total_amount", Some(bad))).amount_minor, None, "{bad}");
    }
    assert_eq!(message(&with(trade(), "out_trade_no", Some("20190815-57"))).payment, None);
}

#[test]
fn the_message_does_not_choose_how_it_is_checked() {
    let refused = |fields: &Fields, why| assert_eq!(judge(&body(fields)), Err(why), "{fields:?}");
    for kind in ["RSA", "rsa2", "RSA2 ", "none"] {
        refused(&with(trade(), "sign_type", Some(kind)), WebhookError::BadAlgorithm);
    }
    for charset in ["gbk", "GB2312", "utf-16", "utf8"] {
        refused(&with(trade(), "charset", Some(charset)), WebhookError::BadCharset);
    }
    let unsigned = Serializer::new(String::new()).extend_pairs(trade()).finish();
    assert_eq!(judge(&unsigned), Err(WebhookError::MissingField(SIGNATURE_FIELD)));
    for (sign, why) in [
        ("", WebhookError::MissingField(SIGNATURE_FIELD)),
        ("%", WebhookError::NoSignature),
        ("AAAA", WebhookError::BadSignature),
        (&Pair::other().sign(signed(&trade()).as_bytes()), WebhookError::BadSignature),
    ] {
        assert_eq!(judge(&form(&trade(), sign)), Err(why), "{sign}");
    }
    for body in ["", "&", "=", "{}", "%", "\u{0}", "sign", "sign="] {
        assert!(judge(body).is_err(), "{body}");
    }
}

#[test]
fn a_field_is_there_once_and_every_field_is_signed() {
    let good = body(&trade());
    assert!(judge(&good).is_ok());
    for more in ["&trade_status=TRADE_CLOSED", "&sign=AAAA", "&app_id=2019073166072302"] {
        assert_eq!(judge(&format!("{good}{more}")), Err(WebhookError::DoubledField), "{more}");
    }
    for more in ["&from=url", "&x", "&x=", "&=x"] {
        assert_eq!(judge(&format!("{good}{more}")), Err(WebhookError::BadSignature), "{more}");
    }
    // Not signed, and nothing depends on them.
    assert!(judge(&format!("&{good}&")).is_ok());
}

#[test]
fn values_are_decoded_once_after_splitting() {
    let good = body(&trade());
    // The same bytes, written otherwise.
    assert!(judge(&good.replace('+', "%20")).is_ok());
    assert!(judge(&good.replace("%2B", "%2b")).is_ok());
    for (from, to) in [
        ("%2B", "+"),
        ("%26", "&"),
        ("%25", "%"),
        ("%22", "%26quot%3B"),
        ("%E8%AF%AD", "%E8%AF"),
        ("%E8%AF%AD", "%D3%EF"),
    ] {
        assert!(good.contains(from), "{from}");
        assert!(judge(&good.replace(from, to)).is_err(), "{from} {to}");
    }
}

#[test]
fn a_changed_key_refuses_nobody() {
    let both = json!({"public_keys": [Pair::other().public_pem(), Pair::one().public_pem()]});
    let body = body(&trade());
    assert!(keys(&both).unwrap().verify(&Headers::default(), body.as_bytes(), now()).is_ok());
    let none = AlipayKeys::default();
    let refused = none.verify(&Headers::default(), body.as_bytes(), now());
    assert_eq!(refused, Err(WebhookError::NoKeys));
}

#[test]
fn keys_that_could_never_work_are_refused() {
    let public = Pair::one().public_pem();
    for bad in [
        json!([]),
        json!({}),
        json!({"public_keys": []}),
        json!({"public_keys": public}),
        json!({"public_keys": [""]}),
        json!({"public_keys": [public, null]}),
        json!({"public_keys": [public], "app_id": ""}),
        json!({"public_keys": [public], "seller_id": 2_088_531_891_668_739_u64}),
    ] {
        assert!(keys(&bad).is_err(), "{bad}");
    }
    assert!(keys(&entry()).unwrap().complete().is_ok());
    for name in ["app_id", "seller_id"] {
        let mut entry = entry();
        entry.as_object_mut().unwrap().remove(name);
        assert!(keys(&entry).unwrap().complete().is_err(), "{name}");
    }
    assert_eq!(format!("{:?}", keys(&entry()).unwrap()), "AlipayKeys(1 keys, ..)");
}

#[test]
fn one_changed_byte_is_refused() {
    let (body, plain) = (body(&trade()), trade());
    let position = |text: &str| body.find(text).unwrap();
    let unsigned = position("sign_type=RSA2")..position("sign_type=RSA2") + "sign_type=RSA2".len();
    for index in (0..body.len()).filter(|index| !unsigned.contains(index)) {
        let mut changed = body.clone().into_bytes();
        changed[index] ^= 1;
        let fields: Vec<_> = form_urlencoded::parse(&changed).into_owned().collect();
        let same = plain
            .iter()
            .all(|(name, value)| fields.iter().any(|(known, held)| known == name && held == value));
        // Hex digits have two cases.
        if same && fields.iter().any(|(name, _)| name == "sign") && fields.len() == plain.len() + 1
        {
            continue;
        }
        let verdict = keys(&entry()).unwrap().verify(&Headers::default(), &changed, now());
        assert!(verdict.is_err(), "{index} {verdict:?}");
    }
}
