//! Fields that are no UTF-8, and a byte order mark.

use form_urlencoded::byte_serialize;

use super::*;

/// The result for a signed form in which a field has these bytes.
fn with_bytes(name: &'static str, bytes: &[u8]) -> Result<Verified, VerifyError> {
    let fields = with(trade(), name, Some("BYTES"));
    let text = signed(&fields);
    let (before, after) = text.split_once("BYTES").unwrap();
    let sign = Pair::one().sign(&[before.as_bytes(), bytes, after.as_bytes()].concat());
    let encoded: String = byte_serialize(bytes).collect();
    verify(&form(&fields, &sign).replace("BYTES", &encoded))
}

#[test]
fn a_broken_text_where_we_do_not_read_stops_nothing() {
    for bytes in [b"\xff".as_slice(), b"cut \xe4\xb8", b"\xed\xa0\xbd", b"+ %41\xff"] {
        for name in ["subject", "zz"] {
            let Ok(Verified::Notification(found)) = with_bytes(name, bytes) else {
                panic!("{name} {bytes:?}")
            };
            assert_eq!(found.report, trade_report(), "{name} {bytes:?}");
            assert_eq!((found.review, found.wrong_account), (None, None), "{name} {bytes:?}");
        }
    }
    // Other bytes than were signed: both are no UTF-8.
    let body = body(&with(trade(), "subject", Some("BYTES")));
    assert_eq!(verify(&body.replace("BYTES", "%FF")), Err(VerifyError::BadSignature));
}

#[test]
fn a_byte_order_mark_before_the_form_is_skipped() {
    let body = body(&trade());
    let Ok(Verified::Notification(found)) = verify(&format!("\u{feff}{body}")) else {
        panic!("{body}")
    };
    assert_eq!(found.report, trade_report());
    let twice = verify(&format!("\u{feff}\u{feff}{body}"));
    assert_eq!(twice, Err(VerifyError::BadSignature));
}

#[test]
fn a_broken_text_where_we_read_is_for_review() {
    let found = |name| match with_bytes(name, b"TRADE_SUCCESS\xff") {
        Ok(Verified::Notification(found)) => *found,
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(found("trade_status").report.outcome, None);
    assert!(found("trade_status").review.is_some());
    assert!(found("trade_no").review.is_some());
    assert_eq!(found("out_trade_no").payment, None);
    assert_eq!(found("total_amount").report.amount_minor, None);
    assert!(found("app_id").wrong_account.is_some());
    assert!(found("seller_id").wrong_account.is_some());
    // Whether it is about a trade is not known, by either rule.
    for rule in [None, Some("RSA2")] {
        let fields = with(trade(), "notify_type", Some("BYTES"));
        let text = joined(with(fields.clone(), "sign_type", rule));
        let (before, after) = text.split_once("BYTES").unwrap();
        let sign = Pair::one().sign(&[before.as_bytes(), b"\xff", after.as_bytes()].concat());
        let found = verify(&form(&fields, &sign).replace("BYTES", "%FF"));
        let Ok(Verified::Notification(found)) = found else { panic!("{rule:?}: {found:?}") };
        assert_eq!(found.report.outcome, None, "{rule:?}");
        assert!(found.review.is_some(), "{rule:?}");
    }
}
