//! Lists: the intents of a payment, and the refunds of an intent.

use super::*;

fn found(data: &[Value]) -> Value {
    json!({"object": "search_result", "url": "/v1/payment_intents/search", "has_more": false,
           "data": data})
}

fn list(data: &[Value]) -> Value {
    json!({"object": "list", "url": "/v1/refunds", "has_more": false, "data": data})
}

fn an_intent(id: &str, status: &str) -> Value {
    with(&intent_in(status), "id", json!(id))
}

fn names(response: &QueryResponse) -> Vec<&str> {
    response.notifications.iter().map(|one| one.event_id.as_str()).collect()
}

/// A search may be late: it never proves that there is none.
#[test]
fn nothing_found_is_absent_and_reports_nothing() {
    let other = with(&intent_in("succeeded"), "metadata", json!({"payment_id": "43"}));
    let nobodys = with(&intent_in("succeeded"), "metadata", json!({}));
    for data in [vec![], vec![other, nobodys]] {
        let body = without(&found(&data), "url");
        let response = read(&payment(None), &body);
        assert_eq!((of_payment(&response), response.next), (ProviderState::Absent, None));
        let want = Report { reference: ProviderRef { txn: None, ..reference() }, ..Report::NONE };
        assert_eq!(response.notifications, [queried("query.absent", want, &body)]);
    }
}

#[test]
fn one_intent_found_is_read_as_if_it_was_named() {
    for (status, state, outcome, amount) in [
        ("succeeded", ProviderState::Paid, Some(Outcome::Paid), 90),
        ("canceled", ProviderState::Closed, Some(Outcome::Closed), 100),
        ("processing", ProviderState::Processing, None, 100),
        ("requires_action", ProviderState::Open, None, 100),
    ] {
        let intent = intent_in(status);
        let other = with(&intent_in("succeeded"), "metadata", json!({"payment_id": "43"}));
        let response = read(&payment(None), &found(&[other, intent.clone()]));
        let name = format!("query.{}.pi_1", state.as_str());
        let want = queried(&name, reported(outcome, amount), &intent);
        assert_eq!((of_payment(&response), response.next), (state, None), "{status}");
        assert_eq!(response.notifications, [want], "{status}");
    }
}

/// Each one is money: the first pays, and the record quarantines the others.
#[test]
fn every_paid_intent_is_reported_oldest_first() {
    let intents = [
        an_intent("pi_4", "requires_payment_method"),
        an_intent("pi_3", "succeeded"),
        an_intent("pi_2", "canceled"),
        an_intent("pi_1", "succeeded"),
    ];
    let mut body = found(&intents);
    // More may be paid, but these are.
    for has_more in [json!(false), json!(true)] {
        body["has_more"] = has_more;
        let response = read(&payment(None), &body);
        assert_eq!(names(&response), ["query.paid.pi_1", "query.paid.pi_3"]);
        assert_eq!((of_payment(&response), response.next), (ProviderState::Paid, None));
        let bodies: Vec<_> = response.notifications.iter().map(|one| one.body.kept()).collect();
        let want = [&intents[3], &intents[1]].map(|intent| intent.to_string().into_bytes());
        assert_eq!(bodies, want);
    }
    let refunded = with(&charge(), "amount_refunded", json!(30));
    for (latest, state) in [
        (refunded, ProviderState::Refunded),
        // It was not expanded: ask.
        (json!("ch_1"), ProviderState::Paid),
        (without(&charge(), "amount_refunded"), ProviderState::Paid),
    ] {
        body["data"][1]["latest_charge"] = latest;
        let response = read(&payment(None), &body);
        let next = Some(refunds(Some("42"), "pi_3"));
        assert_eq!((of_payment(&response), response.next), (state, next));
    }
}

#[test]
fn of_unpaid_intents_the_one_that_may_be_paid_first_counts() {
    for (statuses, name) in [
        (["canceled", "requires_action"], "query.open.pi_1"),
        (["requires_action", "canceled"], "query.open.pi_2"),
        (["processing", "requires_action"], "query.processing.pi_2"),
        (["requires_action", "processing"], "query.processing.pi_1"),
        (["canceled", "canceled"], "query.closed.pi_2"),
        (["requires_action", "requires_confirmation"], "query.open.pi_2"),
    ] {
        let intents = [an_intent("pi_2", statuses[0]), an_intent("pi_1", statuses[1])];
        let mut body = found(&intents);
        assert_eq!(names(&read(&payment(None), &body)), [name], "{statuses:?}");
        for more in [json!(true), Value::Null, json!("false")] {
            body["has_more"] = more;
            assert!(is_unusable(&payment(None), &body), "{body}");
        }
    }
}

#[test]
fn each_refund_is_reported_oldest_first() {
    let refunds_of_it = [
        a_refund("re_5", "requires_action"),
        a_refund("re_4", "canceled"),
        a_refund("re_3", "pending"),
        a_refund("re_2", "failed"),
        a_refund("re_1", "succeeded"),
    ];
    let query = refunds(Some("42"), "pi_1");
    let response = read(&query, &list(&refunds_of_it));
    assert_eq!((of_payment(&response), &response.next), (ProviderState::Refunded, &None));
    let states = [
        ("re_1", RefundState::Succeeded),
        ("re_2", RefundState::Failed),
        ("re_3", RefundState::Pending),
        ("re_4", RefundState::Failed),
        ("re_5", RefundState::Pending),
    ];
    let want = states.iter().zip(refunds_of_it.iter().rev()).map(|((id, state), body)| {
        let name = format!("query.{}.{id}", state.as_str());
        let id = ProviderRefund::new(id).unwrap();
        let refund =
            Some(RefundReport::One { id, reference: None, amount_minor: 30, state: *state });
        let report = reported(Some(Outcome::Refunded), 1);
        queried(&name, Report { refund, amount_minor: None, ..report }, body)
    });
    assert_eq!(response.notifications, want.collect::<Vec<_>>());
    // The newest ones of many: each one counts by itself.
    let more = with(&list(&refunds_of_it), "has_more", json!(true));
    assert_eq!(read(&query, &more).notifications.len(), 5);
    // None went back.
    let response = read(&query, &list(&refunds_of_it[..4]));
    assert_eq!((of_payment(&response), response.notifications.len()), (ProviderState::Paid, 4));
    assert_eq!(read(&query, &list(&[])).notifications, []);
}

/// A refund has metadata of its own, which is not where its money comes from.
#[test]
fn a_refund_is_of_the_payment_of_its_intent() {
    let id = |id: &str| Some(PaymentId::parse(id).unwrap());
    let named = |refund: &str| {
        with(&a_refund("re_1", "succeeded"), "metadata", json!({"payment_id": refund}))
    };
    for (asked, refund, want) in [
        (Some("42"), a_refund("re_1", "succeeded"), id("42")),
        (Some("42"), named("43"), id("42")),
        (None, named("43"), id("43")),
        (None, a_refund("re_1", "succeeded"), None),
    ] {
        let response = read(&refunds(asked, "pi_1"), &list(&[refund]));
        assert_eq!(response.notifications[0].payment, want, "{asked:?}");
    }
    // It may be expanded.
    let expanded = with(&a_refund("re_1", "succeeded"), "payment_intent", intent_in("succeeded"));
    assert_eq!(read(&refunds(None, "pi_1"), &list(&[expanded])).notifications.len(), 1);
    for other in [json!("pi_2"), Value::Null, json!(5), json!({"id": "pi_2"})] {
        let other = with(&a_refund("re_1", "succeeded"), "payment_intent", other);
        let both = list(&[a_refund("re_2", "succeeded"), other]);
        assert!(is_unusable(&refunds(Some("42"), "pi_1"), &both), "{both}");
    }
}

#[test]
fn a_refund_in_a_list_that_cannot_be_read_is_for_review_and_stops_no_other() {
    for (name, other) in
        [("status", json!("returned")), ("status", Value::Null), ("amount", json!("30"))]
    {
        let odd = with(&a_refund("re_2", "succeeded"), name, other);
        let body = list(&[odd, a_refund("re_1", "succeeded")]);
        let response = read(&refunds(Some("42"), "pi_1"), &body);
        assert_eq!(names(&response), ["query.succeeded.re_1", "query.unknown.re_2"], "{name}");
        assert!(response.notifications[0].review.is_none(), "{name}");
        let odd = &response.notifications[1];
        assert!(odd.review.is_some() && odd.report.outcome.is_none(), "{name}");
    }
    let no_id = without(&a_refund("re_1", "succeeded"), "id");
    assert!(is_unusable(&refunds(Some("42"), "pi_1"), &list(&[no_id])));
}

fn reference() -> ProviderRef {
    reported(None, 1).reference
}
