//! Whose money a notification is about.

use super::*;

#[test]
fn a_trade_of_another_merchant_or_application_is_for_a_wrong_account() {
    let account = |expected, received: Option<&str>| {
        Some(Mismatch::new(MismatchField::Account, Some(expected), received))
    };
    let (app, seller) = ("app_id=2019073166072302", "seller_id=2088531891668739");
    for (name, value, expected, received) in [
        ("app_id", Some("2019073166072303"), app, Some("app_id=2019073166072303")),
        ("app_id", Some(""), app, None),
        ("app_id", None, app, None),
        ("seller_id", Some("2088531891668738"), seller, Some("seller_id=2088531891668738")),
    ] {
        let found = notification(&with(trade(), name, value));
        assert_eq!(found.wrong_account, account(expected, received), "{name} {value:?}");
        // The payment and the report are kept for whoever reviews it.
        assert_eq!(found.payment, Some(PaymentId::parse("1217752501201407").unwrap()));
        assert_eq!(found.report, trade_report());
    }
    let both = with(with(trade(), "app_id", Some("1")), "seller_id", Some("2"));
    assert_eq!(notification(&both).wrong_account, account(app, Some("app_id=1")));
    // It is optional in a notification; the application is not.
    for seller in [None, Some("")] {
        assert_eq!(notification(&with(trade(), "seller_id", seller)).wrong_account, None);
    }
    // Keys without an account accept every account.
    let any = keys(&json!({"public_keys": [Pair::one().public_pem()]})).unwrap();
    let found = any.verify(&Headers::default(), body(&both).as_bytes(), now());
    let Ok(Verified::Notification(found)) = found else { panic!("{found:?}") };
    assert_eq!(found.wrong_account, None);
}

/// A web shop, a mini program and an app of one merchant have an `app_id` each.
#[test]
fn every_application_that_is_listed_is_ours() {
    let listed = |app_id: Value, received| {
        let mut entry = entry();
        entry["app_id"] = app_id;
        let body = body(&with(trade(), "app_id", received));
        let keys = keys(&entry).unwrap();
        let Ok(Verified::Notification(found)) =
            keys.verify(&Headers::default(), body.as_bytes(), now())
        else {
            panic!("{body}")
        };
        found.wrong_account
    };
    let both = || json!(["2019073166072302", "2021000000000002"]);
    for app_id in ["2019073166072302", "2021000000000002"] {
        assert_eq!(listed(both(), Some(app_id)), None, "{app_id}");
        assert_eq!(listed(json!([app_id]), Some(app_id)), None, "{app_id}");
    }
    let expected = "app_id=2019073166072302 or 2021000000000002";
    for (app_id, received) in
        [(Some("2021000000000003"), Some("app_id=2021000000000003")), (None, None)]
    {
        let want = Mismatch::new(MismatchField::Account, Some(expected), received);
        assert_eq!(listed(both(), app_id), Some(want), "{app_id:?}");
    }
    // Another seller is found only where one is configured.
    let other = body(&with(trade(), "seller_id", Some("2088000000000009")));
    let mut entry = entry();
    entry.as_object_mut().unwrap().remove("seller_id");
    let keys = keys(&entry).unwrap();
    assert!(keys.complete().is_ok());
    let found = keys.verify(&Headers::default(), other.as_bytes(), now());
    let Ok(Verified::Notification(found)) = found else { panic!("{found:?}") };
    assert_eq!(found.wrong_account, None);
}
