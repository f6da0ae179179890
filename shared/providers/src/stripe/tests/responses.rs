//! What responses to queries prove.

mod checkout;
mod lists;
mod refund;
mod unusable;

use pay_core::{
    domain::{ProviderRefund, RefundReport, RefundState},
    ports::{ProviderState, QueryResponse, QueryState},
};

use super::{
    super::querier::StripeQuerier,
    queries::{from, payment, querier, refunds},
    *,
};
use crate::{Querier, RawResponse};

fn respond(query: &Query, status: u16, body: &[u8]) -> Result<QueryResponse, QueryError> {
    respond_to(&querier(), query, status, body)
}

fn respond_to(
    querier: &StripeQuerier,
    query: &Query,
    status: u16,
    body: &[u8],
) -> Result<QueryResponse, QueryError> {
    let headers = Headers::default();
    querier.response(query, &RawResponse { status, headers: &headers, body }, at(NOW))
}

fn read(query: &Query, body: &Value) -> QueryResponse {
    respond(query, 200, body.to_string().as_bytes()).unwrap()
}

fn is_unusable(query: &Query, body: &Value) -> bool {
    let result = respond(query, 200, body.to_string().as_bytes());
    matches!(result, Err(QueryError::Unusable(_)))
}

fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[name] = value;
    object
}

fn without(object: &Value, name: &str) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove(name).unwrap();
    object
}

fn intent_in(status: &str) -> Value {
    json!({"id": "pi_1", "object": "payment_intent", "amount": 100, "amount_received": 90,
           "currency": "eur", "latest_charge": null, "metadata": {"payment_id": "42"},
           "status": status})
}

fn charge() -> Value {
    json!({"id": "ch_1", "object": "charge", "amount": 100, "amount_captured": 90,
           "amount_refunded": 0, "captured": true, "currency": "eur",
           "metadata": {"payment_id": "42"}, "payment_intent": "pi_1", "status": "succeeded"})
}

fn session_in(status: &str, payment_status: &str) -> Value {
    json!({"id": "cs_1", "object": "checkout.session", "amount_total": 90, "currency": "eur",
           "client_reference_id": "42", "metadata": {}, "payment_intent": "pi_1",
           "status": status, "payment_status": payment_status})
}

fn a_refund(id: &str, status: &str) -> Value {
    json!({"id": id, "object": "refund", "amount": 30, "charge": "ch_1", "currency": "eur",
           "metadata": {}, "payment_intent": "pi_1", "status": status})
}

/// The notification of a response about `pi_1`.
fn queried(event_id: &str, report: Report, body: &Value) -> Notification {
    let body = body.to_string();
    let read = samples::notification(Provider::Stripe, event_id, "42", report, body.as_bytes());
    Notification { queried: true, ..read }
}

/// A report about `pi_1` and this amount.
fn reported(outcome: Option<Outcome>, amount_minor: u64) -> Report {
    let report = samples::report(Provider::Stripe, "pi_1", Outcome::Paid, (amount_minor, "EUR"));
    Report { outcome, ..report }
}

/// The state of a response about a payment.
fn of_payment(response: &QueryResponse) -> ProviderState {
    let QueryState::Payment(state) = response.state else { panic!("{response:?}") };
    state
}

fn responded(
    state: ProviderState,
    notification: Notification,
    next: Option<Query>,
) -> QueryResponse {
    QueryResponse { state: QueryState::Payment(state), notifications: vec![notification], next }
}

fn its_refunds() -> Query {
    refunds(Some("42"), "pi_1")
}

#[test]
fn an_intent_says_what_became_of_a_payment() {
    use ProviderState::{Closed, Open, Paid, Processing};
    for query in [payment(Some("pi_1")), object("pi_1")] {
        for (status, state, outcome, amount) in [
            ("requires_payment_method", Open, None, 100),
            ("requires_confirmation", Open, None, 100),
            ("requires_action", Open, None, 100),
            ("requires_capture", Open, None, 100),
            ("processing", Processing, None, 100),
            // The amount that was received counts, not the amount that was requested.
            ("succeeded", Paid, Some(Outcome::Paid), 90),
            ("canceled", Closed, Some(Outcome::Closed), 100),
        ] {
            let mut intent = intent_in(status);
            intent["last_payment_error"] = json!({"code": "card_declined"});
            let report = reported(outcome, amount);
            let word = format!("query.{}.pi_1", state.as_str());
            let want = QueryResponse {
                state: QueryState::Payment(state),
                notifications: vec![queried(&word, report, &intent)],
                next: (state == Paid).then(its_refunds),
            };
            assert_eq!(read(&query, &intent), want, "{status}");
        }
        for other in [json!("paid"), json!(""), Value::Null, json!(5)] {
            assert!(is_unusable(&query, &with(&intent_in("succeeded"), "status", other)));
        }
    }
}

/// A failed refund lowers what its charge says was refunded, so that the refunds are read in any case.
#[test]
fn the_refunds_of_a_paid_intent_are_read_next() {
    let with_charge = |latest: Value| with(&intent_in("succeeded"), "latest_charge", latest);
    let refunded = |amount: Value| with_charge(with(&charge(), "amount_refunded", amount));
    for (intent, state) in [
        (refunded(json!(0)), ProviderState::Paid),
        (refunded(json!(30)), ProviderState::Refunded),
        (refunded(json!(90)), ProviderState::Refunded),
        (refunded(json!("30")), ProviderState::Paid),
        (with_charge(json!("ch_1")), ProviderState::Paid),
        (with_charge(Value::Null), ProviderState::Paid),
        (without(&intent_in("succeeded"), "latest_charge"), ProviderState::Paid),
    ] {
        for query in [payment(Some("pi_1")), object("pi_1")] {
            let response = read(&query, &intent);
            assert_eq!(
                (of_payment(&response), response.next),
                (state, Some(its_refunds())),
                "{intent}"
            );
            // What the intent reports is the same each time.
            let want = queried("query.paid.pi_1", reported(Some(Outcome::Paid), 90), &intent);
            assert_eq!(response.notifications, [want]);
        }
    }
    // Whose it is may be known by its transaction alone.
    let nobodys = with(&intent_in("succeeded"), "metadata", json!({}));
    let response = read(&object("pi_1"), &nobodys);
    assert_eq!(response.next, Some(refunds(None, "pi_1")));
    assert_eq!(response.notifications[0].payment, None);
}

#[test]
fn amounts_are_converted_to_minor_units() {
    let mut intent = intent_in("succeeded");
    intent["currency"] = json!("isk");
    intent["amount_received"] = json!(50_000);
    let response = read(&object("pi_1"), &intent);
    assert_eq!(response.notifications[0].report.amount_minor, Some(500));
    intent["amount_received"] = json!(50_050);
    let response = read(&object("pi_1"), &intent);
    assert_eq!(response.notifications[0].review.as_ref().unwrap().field, MismatchField::Amount);
    // What reports nothing is not for review.
    intent["status"] = json!("processing");
    intent["amount"] = json!(50_050);
    assert_eq!(read(&object("pi_1"), &intent).notifications[0].review, None);
}

/// Scenario: the response is about another payment, though it is authentic.
#[test]
fn a_response_about_another_payment_is_unusable() {
    let succeeded = intent_in("succeeded");
    let by_txn = payment(Some("pi_1"));
    for metadata in [
        json!({"payment_id": "43"}),
        json!({"payment_id": "x"}),
        json!({"payment_id": 42}),
        json!("42"),
    ] {
        assert!(is_unusable(&by_txn, &with(&succeeded, "metadata", metadata)));
    }
    // The record has this transaction.
    for metadata in [json!({}), json!({"order": "7"}), Value::Null] {
        let response = read(&by_txn, &with(&succeeded, "metadata", metadata));
        assert_eq!(response.notifications[0].payment, Some(PaymentId::parse("42").unwrap()));
        assert_eq!(response.next, Some(its_refunds()));
    }
    for other in [json!("pi_2"), json!("PI_1"), Value::Null, json!(5)] {
        assert!(is_unusable(&by_txn, &with(&succeeded, "id", other.clone())));
        assert!(is_unusable(&object("pi_1"), &with(&succeeded, "id", other)));
    }
    for (query, body) in [
        (object("ch_1"), with(&charge(), "id", json!("ch_2"))),
        (object("cs_1"), with(&session_in("complete", "paid"), "id", json!("cs_2"))),
        (object("re_1"), a_refund("re_2", "succeeded")),
    ] {
        assert!(is_unusable(&query, &body), "{body}");
    }
}

#[test]
fn a_charge_says_what_became_of_its_intent() {
    use ProviderState::{Open, Paid, Processing, Refunded};
    let charged = |status: &str, captured: Value| {
        with(&with(&charge(), "status", json!(status)), "captured", captured)
    };
    for (charge, state, outcome) in [
        (charged("succeeded", json!(true)), Paid, Some(Outcome::Paid)),
        (charged("succeeded", json!(false)), Open, None),
        (charged("failed", json!(false)), Open, None),
        (charged("pending", json!(true)), Processing, None),
    ] {
        let word = format!("query.{}.ch_1", state.as_str());
        let notification = queried(&word, reported(outcome, 90), &charge);
        let next = (state == Paid).then(its_refunds);
        let want = responded(state, notification, next);
        assert_eq!(read(&object("ch_1"), &charge), want, "{charge}");
    }
    let refunded = read(&object("ch_1"), &with(&charge(), "amount_refunded", json!(30)));
    assert_eq!((of_payment(&refunded), refunded.next), (Refunded, Some(its_refunds())));
    assert_eq!(refunded.notifications[0].event_id.as_str(), "query.paid.ch_1");
    for bad in [charged("succeeded", Value::Null), charged("new", json!(true))] {
        assert!(is_unusable(&object("ch_1"), &bad), "{bad}");
    }
    let bare = read(&object("ch_1"), &with(&charge(), "payment_intent", Value::Null));
    let review = bare.notifications[0].review.clone().unwrap();
    assert!(review.received.unwrap().starts_with("a charge without a PaymentIntent"));
    assert_eq!(bare.next, None);
}

#[test]
fn a_session_says_what_became_of_a_payment() {
    use ProviderState::{Closed, Open, Paid, Processing};
    for (status, payment_status, state, outcome) in [
        ("complete", "paid", Paid, Some(Outcome::Paid)),
        ("complete", "unpaid", Processing, None),
        ("open", "unpaid", Open, None),
        ("expired", "unpaid", Closed, Some(Outcome::Closed)),
    ] {
        let session = session_in(status, payment_status);
        let word = format!("query.{}.cs_1", state.as_str());
        let notification = queried(&word, reported(outcome, 90), &session);
        let want = responded(state, notification, None);
        assert_eq!(read(&object("cs_1"), &session), want, "{session}");
    }
    // Nobody began to pay.
    let open = with(&session_in("open", "unpaid"), "payment_intent", Value::Null);
    let found = read(&object("cs_1"), &open).notifications.remove(0);
    assert_eq!((found.report.reference.txn, found.review), (None, None));
    let without_intent = with(&session_in("complete", "paid"), "payment_intent", Value::Null);
    let review = read(&object("cs_1"), &without_intent).notifications.remove(0).review.unwrap();
    assert_eq!(review.field, MismatchField::Reference);

    let free = session_in("complete", "no_payment_required");
    for free in [free.clone(), with(&free, "client_reference_id", json!("customer-5"))] {
        let response = read(&object("cs_1"), &free);
        let found = &response.notifications[0];
        assert_eq!((of_payment(&response), found.report.outcome), (Closed, None), "{free}");
        assert_eq!(found.review.as_ref().unwrap().field, MismatchField::Outcome, "{free}");
    }
    for (status, payment_status) in
        [("complete", "partly"), ("expired", "paid"), ("expired", ""), ("new", "paid"), ("", "")]
    {
        let session = session_in(status, payment_status);
        assert!(is_unusable(&object("cs_1"), &session), "{session}");
    }
}

/// A thin event about a refund: its payment may not be known to be paid yet.
#[test]
fn a_refund_says_what_its_intent_says() {
    let expanded = with(&intent_in("succeeded"), "latest_charge", json!("ch_1"));
    let refund = with(&a_refund("re_1", "pending"), "payment_intent", expanded.clone());
    let response = read(&object("re_1"), &refund);
    let paid = queried("query.paid.pi_1", reported(Some(Outcome::Paid), 90), &refund);
    assert_eq!((of_payment(&response), response.next), (ProviderState::Paid, Some(its_refunds())));
    assert_eq!(response.notifications, [paid]);
    let no_intent = with(&expanded, "object", json!("charge"));
    assert!(is_unusable(&object("re_1"), &with(&refund, "payment_intent", no_intent)));
    // Without it there is the refund alone.
    for (status, state, refund_state) in [
        ("succeeded", ProviderState::Refunded, RefundState::Succeeded),
        ("pending", ProviderState::Paid, RefundState::Pending),
        ("failed", ProviderState::Paid, RefundState::Failed),
    ] {
        let response = read(&object("re_1"), &a_refund("re_1", status));
        assert_eq!((of_payment(&response), response.next), (state, None), "{status}");
        let found = &response.notifications[0];
        let Some(RefundReport::One { state, .. }) = &found.report.refund else { panic!() };
        assert_eq!((*state, found.payment), (refund_state, None), "{status}");
        assert_eq!(found.event_id.as_str(), format!("query.{}.re_1", refund_state.as_str()));
    }
    let bare = with(&a_refund("re_1", "succeeded"), "payment_intent", Value::Null);
    let review = read(&object("re_1"), &bare).notifications.remove(0).review.unwrap();
    assert_eq!(review.field, MismatchField::Reference);
}

#[test]
fn what_is_not_ours_is_dropped_where_the_account_is_shared() {
    let shared = from(&json!({"api_key": "rk_test_1", "shared": true})).unwrap();
    let left = |query: &Query, body: &Value| {
        let response = respond_to(&shared, query, 200, body.to_string().as_bytes()).unwrap();
        let alone = read(query, body);
        assert_eq!((alone.state, alone.notifications.len()), (response.state, 1), "{body}");
        let next = alone.next.filter(|_| !response.notifications.is_empty());
        assert_eq!(response.next, next, "{body}");
        response.notifications.len()
    };
    let others =
        [(json!({}), 0), (json!({"payment_id": "x"}), 1), (json!({"payment_id": "42"}), 1)];
    for (metadata, want) in others {
        let intent = with(&intent_in("succeeded"), "metadata", metadata.clone());
        assert_eq!(left(&object("pi_1"), &intent), want, "{metadata}");
        let refund = with(&a_refund("re_1", "succeeded"), "payment_intent", intent);
        assert_eq!(left(&object("re_1"), &refund), want, "{metadata}");
        assert_eq!(left(&object("ch_1"), &with(&charge(), "metadata", metadata)), want);
    }
    let session = session_in("complete", "paid");
    assert_eq!(left(&object("cs_1"), &session), 1);
    let other = with(&session, "client_reference_id", json!("customer-5"));
    assert_eq!(left(&object("cs_1"), &other), 0);
    // Whoever asked knew whose it is; and of a refund alone it is not known.
    let bare = with(&intent_in("succeeded"), "metadata", json!({}));
    assert_eq!(left(&payment(Some("pi_1")), &bare), 1);
    assert_eq!(left(&object("re_1"), &a_refund("re_1", "succeeded")), 1);
}

/// Whoever has them may pay, and the event log is read by more people than the key.
#[test]
fn no_secret_of_a_checkout_is_kept() {
    let mut intent = intent_in("requires_action");
    intent["client_secret"] = json!("pi_1_secret_canary");
    intent["next_action"] = json!({"redirect_to_url": {"url": "https://canary.example"}});
    let mut session = session_in("open", "unpaid");
    session["url"] = json!("https://checkout.stripe.com/canary");
    session["payment_intent"] = intent.clone();
    let list = json!({"object": "search_result", "has_more": false, "data": [intent]});
    let refund = with(&a_refund("re_1", "pending"), "payment_intent", intent.clone());
    for (query, body) in [
        (object("pi_1"), intent),
        (object("cs_1"), session),
        (payment(None), list),
        (object("re_1"), refund),
    ] {
        let body = format!("{body:#}");
        let response = respond(&query, 200, body.as_bytes()).unwrap();
        let kept = String::from_utf8(response.notifications[0].body.kept().to_vec()).unwrap();
        assert!(kept.contains("\"requires_action\"") && !kept.contains("canary"), "{kept}");
    }
}
