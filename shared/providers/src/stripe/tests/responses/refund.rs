//! What the list of refunds proves about one refund of ours.

use super::*;

/// Our reference of the refund that is asked about.
pub(super) const OURS: &str = "42_0123456789abcdef";

pub(super) fn own_refund(reference: &str, txn: &str) -> Query {
    samples::queries::refund(reference, txn)
}

fn asked() -> Query {
    own_refund(OURS, "pi_1")
}

fn named(id: &str, status: &str, reference: &str) -> Value {
    with(&a_refund(id, status), "metadata", json!({"refund_id": reference}))
}

fn list(refunds: &[Value]) -> Value {
    json!({"object": "list", "has_more": false, "data": refunds})
}

/// Others of the same payment: of the console, and of ours.
fn others() -> [Value; 3] {
    [
        a_refund("re_8", "succeeded"),
        named("re_9", "failed", "42_0123456789abcdee"),
        with(&a_refund("re_7", "succeeded"), "metadata", Value::Null),
    ]
}

#[test]
fn the_refund_with_our_reference_says_where_it_stands() {
    for (status, state) in [
        ("succeeded", RefundState::Succeeded),
        ("pending", RefundState::Pending),
        ("requires_action", RefundState::Pending),
        ("failed", RefundState::Failed),
        ("canceled", RefundState::Failed),
    ] {
        for place in 0..=others().len() {
            let ours = named("re_1", status, OURS);
            let mut refunds = others().to_vec();
            refunds.insert(place, ours.clone());
            // It is there, whatever else is.
            for more in [json!(false), json!(true)] {
                let found = read(&asked(), &with(&list(&refunds), "has_more", more));
                let id = ProviderRefund::new("re_1").unwrap();
                let reference = Some(ProviderRefund::new(OURS).unwrap());
                let one = RefundReport::One { id, reference, amount_minor: 30, state };
                let report = reported(Some(Outcome::Refunded), 1);
                let report = Report { refund: Some(one), amount_minor: None, ..report };
                let event = format!("query.{}.re_1", state.as_str());
                let want = QueryResponse {
                    state: QueryState::Refund(state),
                    notifications: vec![queried(&event, report, &ours)],
                    next: None,
                };
                assert_eq!(found, want, "{status} {place}");
            }
        }
    }
}

/// Somebody may have made it by hand for another payment of the shop.
#[test]
fn a_refund_with_our_reference_is_of_the_payment_in_it() {
    let mut refund = named("re_1", "succeeded", OURS);
    refund["metadata"]["payment_id"] = json!("43");
    let found = read(&asked(), &list(&[refund]));
    assert_eq!(found.notifications[0].payment, Some(PaymentId::parse("42").unwrap()));
}

#[test]
fn a_complete_list_without_it_has_no_such_refund() {
    for refunds in [Vec::new(), others().to_vec()] {
        let list = list(&refunds);
        let body = list.to_string();
        let found = read(&asked(), &list);
        assert_eq!((found.state, found.next), (QueryState::NoRefund, None));
        let event = format!("query.absent.{OURS}");
        let want = Notification {
            payment: Some(PaymentId::parse("42").unwrap()),
            queried: true,
            ..samples::without_content(Provider::Stripe, Some(&event), body.as_bytes())
        };
        assert_eq!(found.notifications, [want]);
        for other in [json!(true), json!("false"), json!(0), Value::Null] {
            assert!(is_unusable(&asked(), &with(&list, "has_more", other)));
        }
        assert!(is_unusable(&asked(), &without(&list, "has_more")));
    }
    // A 404 never counts: the key may be of another account or mode.
    let error = json!({"error": {"code": "resource_missing"}}).to_string();
    let found = respond(&asked(), 404, error.as_bytes());
    assert!(matches!(found, Err(QueryError::Unusable(_))));
}

#[test]
fn what_may_be_ours_and_cannot_be_read_proves_nothing() {
    let ours = named("re_1", "succeeded", OURS);
    for (name, other) in [
        ("status", json!("returned")),
        ("status", Value::Null),
        ("id", Value::Null),
        ("id", json!("re 1")),
        ("amount", json!("30")),
        ("amount", Value::Null),
        ("currency", json!(5)),
        ("currency", Value::Null),
        ("payment_intent", json!("pi_2")),
        ("payment_intent", Value::Null),
        ("object", json!("charge")),
    ] {
        let body = list(&[a_refund("re_8", "succeeded"), with(&ours, name, other.clone())]);
        assert!(is_unusable(&asked(), &body), "{name} {other}");
    }
    for name in ["status", "id", "amount", "currency", "payment_intent"] {
        assert!(is_unusable(&asked(), &list(&[without(&ours, name)])), "{name}");
    }
    // No whole number of minor units.
    let isk = with(&with(&ours, "currency", json!("isk")), "amount", json!(3050));
    assert!(is_unusable(&asked(), &list(&[isk])));
    // Another one, or ours: that cannot be told.
    for metadata in
        [json!("x"), json!(5), json!([]), json!({"refund_id": 5}), json!({"refund_id": null})]
    {
        let odd = with(&a_refund("re_8", "succeeded"), "metadata", metadata.clone());
        assert!(is_unusable(&asked(), &list(std::slice::from_ref(&odd))), "{metadata}");
        assert!(is_unusable(&asked(), &list(&[ours.clone(), odd])), "{metadata}");
    }
    // Others stop nothing.
    let odd = with(&a_refund("re_8", "succeeded"), "status", json!("returned"));
    assert_eq!(read(&asked(), &list(&[odd, ours.clone()])).notifications.len(), 1);
    // A refund of another PaymentIntent: the list is another one than was asked for.
    let other = with(&a_refund("re_8", "succeeded"), "payment_intent", json!("pi_2"));
    assert!(is_unusable(&asked(), &list(&[ours.clone(), other.clone()])));
    assert!(is_unusable(&asked(), &list(&[other])));
    // Money may have gone back twice: a person looks.
    let again = named("re_2", "failed", OURS);
    assert!(is_unusable(&asked(), &list(&[again, ours])));
}

#[test]
fn another_reference_is_another_refund() {
    for other in [
        "42_0123456789abcdee",
        "43_0123456789abcdef",
        "42_0123456789ABCDEF",
        "42_0123456789abcdef ",
        "42",
        "",
    ] {
        let found = read(&asked(), &list(&[named("re_1", "succeeded", other)]));
        assert_eq!(found.state, QueryState::NoRefund, "{other}");
    }
}

/// The record decides about another amount or currency.
#[test]
fn what_a_refund_is_about_is_reported_as_it_is() {
    let ours = named("re_1", "succeeded", OURS);
    let isk = with(&with(&ours, "currency", json!("isk")), "amount", json!(3000));
    for (refund, amount, currency) in
        [(with(&ours, "amount", json!(31)), 31, "EUR"), (isk, 30, "ISK")]
    {
        let found = read(&asked(), &list(&[refund]));
        let report = found.notifications[0].report.clone();
        let Some(RefundReport::One { amount_minor, .. }) = report.refund else { panic!() };
        assert_eq!((amount_minor, report.currency.as_deref()), (amount, Some(currency)));
    }
}
