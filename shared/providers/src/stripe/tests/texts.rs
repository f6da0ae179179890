//! Texts that are no Unicode, and a byte order mark.

use super::*;

/// The result for an event of a payment, with this JSON in place of a part of it.
fn edited(event: &str, from: &str, to: &str) -> Verified {
    assert_eq!(event.matches(from).count(), 1, "{from}");
    let body = event.replace(from, to);
    verify(&sign(SECRET, NOW, &body), &body, &our_keys(), NOW).unwrap()
}

fn paid() -> String {
    event("payment_intent.succeeded", &intent()).to_string()
}

#[test]
fn a_broken_text_where_we_do_not_read_stops_nothing() {
    let want = samples::report(Provider::Stripe, "pi_1", Outcome::Paid, (90, "EUR"));
    for (from, to) in [
        ("{\"data\"", "\u{feff}{\"data\""),
        ("\"metadata\":{", r#""description":"\ud800","metadata":{"#),
        ("\"metadata\":{", r#""metadata":{"name":"\udc00","\ud800":"x","#),
        ("\"livemode\"", r#""request":{"deep":[["\ud83d"]]},"livemode""#),
    ] {
        let Verified::Notification(found) = edited(&paid(), from, to) else { panic!("{to}") };
        assert_eq!(found.payment, Some(PaymentId::parse("42").unwrap()), "{to}");
        assert_eq!((found.report, found.review), (want.clone(), None), "{to}");
    }
    // Cut in the middle of a character.
    let cut = paid().replace("\"metadata\"", "\"a\":\"\u{1}\",\"metadata\"").into_bytes();
    let cut: Vec<u8> = cut.into_iter().map(|byte| if byte == 1 { 0xe4 } else { byte }).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, &[format!("{NOW}.").as_bytes(), &cut].concat());
    let header = format!("t={NOW},v1={}", Digest::new(tag.as_ref().try_into().unwrap()));
    let headers = [(SIGNATURE_HEADER.to_owned(), header)];
    let found = our_keys().verify(&Headers::from_pairs(&headers), &cut, at(NOW));
    let Ok(Verified::Notification(found)) = found else { panic!("{found:?}") };
    assert_eq!(found.report, want);
}

/// It is never taken for another text, and never for an absent one.
#[test]
fn a_broken_text_where_we_read_is_for_review() {
    let notification = |from: &str, to: &str| match edited(&paid(), from, to) {
        Verified::Notification(notification) => *notification,
        other @ (Verified::Hint(..) | Verified::Ignored(_)) => panic!("{to}: {other:?}"),
    };
    for (from, to) in [
        (r#""payment_intent.succeeded""#, r#""payment_intent.succeeded\ud800""#),
        (r#""event""#, r#""event\ud800""#),
    ] {
        let found = notification(from, to);
        assert_eq!((found.payment, found.event_id.as_str()), (None, "evt_1"), "{to}");
    }
    assert_eq!(notification(r#""42""#, r#""42\ud800""#).payment, None);
    assert!(notification(r#""pi_1""#, r#""pi_1\ud800""#).review.is_some());
    assert_eq!(notification(r#""eur""#, r#""eur\ud800""#).report.currency, None);
    let account = notification(r#""data""#, r#""account":"\ud800","data""#);
    assert!(account.wrong_account.is_some());
    let session = json!({"id": "cs_1", "amount_total": 100, "currency": "eur", "metadata": {},
        "payment_intent": "pi_1", "payment_status": "paid", "client_reference_id": "42"});
    let session = event("checkout.session.completed", &session).to_string();
    for (from, to) in
        [(r#""paid""#, r#""paid\ud800""#), (r#""pi_1""#, r#""\ud800""#), (r#""42""#, r#""\ud800""#)]
    {
        let Verified::Notification(found) = edited(&session, from, to) else { panic!("{to}") };
        assert!(found.review.is_some(), "{to}");
    }
}
