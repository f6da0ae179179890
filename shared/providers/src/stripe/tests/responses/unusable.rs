//! Responses that prove nothing.

use std::error::Error as _;

use proptest::prelude::*;

use super::{
    checkout::of_checkout,
    refund::{OURS, own_refund},
    *,
};
use crate::samples::checkouts::checkout;

fn queries() -> [Query; 11] {
    [
        payment(Some("pi_1")),
        payment(None),
        object("pi_1"),
        object("cs_1"),
        object("ch_1"),
        object("re_1"),
        refunds(Some("42"), "pi_1"),
        refunds(None, "pi_1"),
        own_refund(OURS, "pi_1"),
        checkout("000042_1", Some("pi_1"), "test"),
        checkout("000042_1", Some("cs_1"), "test"),
    ]
}

/// A body that each of these queries could have.
fn sample(query: &Query) -> Value {
    let refund = with(&a_refund("re_1", "succeeded"), "payment_intent", intent_in("succeeded"));
    match query {
        Query::Payment { txn: None, .. } => {
            json!({"object": "search_result", "has_more": false, "data": [intent_in("succeeded")]})
        }
        Query::Payment { .. } => with(&intent_in("succeeded"), "latest_charge", charge()),
        Query::Checkout { provider_id, .. } => match provider_id.as_ref().unwrap().as_str() {
            "pi_1" => of_checkout(&intent_in("succeeded")),
            _ => of_checkout(&session_in("complete", "paid")),
        },
        Query::Refunds { .. } => json!({"object": "list", "has_more": false, "data": [refund]}),
        Query::Refund { .. } => {
            let ours = with(&refund, "metadata", json!({"refund_id": OURS}));
            json!({"object": "list", "has_more": false, "data": [ours]})
        }
        Query::Object(id) => match id.as_str() {
            "pi_1" => intent_in("processing"),
            "cs_1" => session_in("complete", "paid"),
            "ch_1" => charge(),
            _ => refund,
        },
    }
}

#[test]
fn a_status_says_why_nothing_is_known() {
    let error = json!({"error": {"code": "resource_missing", "message": "canary"}}).to_string();
    for query in queries() {
        for status in [400, 401, 402, 403, 404, 409, 429, 500, 502, 503, 504, 599, 204, 302, 600] {
            // Not even a body that reports money counts.
            for body in [error.clone(), sample(&query).to_string(), String::new()] {
                let found = respond(&query, status, body.as_bytes()).unwrap_err();
                let kind = match found {
                    QueryError::Rejected(_) => "rejected",
                    QueryError::Unavailable(_) => "unavailable",
                    QueryError::Unusable(_) => "unusable",
                    QueryError::NoKey => "no key",
                };
                let want = match status {
                    401 | 403 => "rejected",
                    429 | 500..=599 => "unavailable",
                    _ => "unusable",
                };
                assert_eq!(kind, want, "{status}");
                let text = found.source().unwrap().to_string();
                assert_eq!(text, format!("Stripe's response has the status {status}"));
            }
        }
    }
}

#[test]
fn a_body_of_another_shape_proves_nothing() {
    for query in queries() {
        let good = sample(&query);
        assert!(!is_unusable(&query, &good), "{good}");
        for bad in [&b""[..], b"<html>", b"null", b"[]", b"{}", b"{} {}", b"\xff"] {
            let found = respond(&query, 200, bad);
            assert!(matches!(found, Err(QueryError::Unusable(_))), "{query:?} {bad:?}");
        }
        for name in ["object", "status", "data"] {
            if good.get(name).is_none() {
                continue;
            }
            for other in [Value::Null, json!(5), json!("x"), json!({}), json!([5]), json!([{}])] {
                let unreadable_refund =
                    matches!(&query, Query::Object(id) if id.as_str() == "re_1");
                if name == "status" && unreadable_refund {
                    continue;
                }
                let bad = with(&good, name, other);
                assert!(is_unusable(&query, &bad), "{query:?} {bad}");
            }
        }
        // Cut anywhere.
        let text = good.to_string();
        for end in 0..text.len() {
            let found = respond(&query, 200, &text.as_bytes()[..end]);
            assert!(matches!(found, Err(QueryError::Unusable(_))), "{end}");
        }
    }
}

/// The body is about the right thing, and not of the kind that was asked for.
#[test]
fn a_response_to_another_query_proves_nothing() {
    for query in queries() {
        for other in queries() {
            let same = sample(&other)["object"] == sample(&query)["object"];
            let body = sample(&other);
            assert!(same || is_unusable(&query, &body), "{query:?} {body}");
        }
    }
}

/// A broken text where nothing is read stops nothing; nothing of such a response is kept.
#[test]
fn a_broken_text_where_we_do_not_read_stops_nothing() {
    let body = intent_in("succeeded").to_string();
    let broken = body.replacen('{', r#"{"description":"\ud800","#, 1);
    let response = respond(&object("pi_1"), 200, broken.as_bytes()).unwrap();
    let found = &response.notifications[0];
    assert_eq!((of_payment(&response), found.body.len()), (ProviderState::Paid, 0));
    assert_eq!(found.report, reported(Some(Outcome::Paid), 90));
    let broken = body.replace("\"succeeded\"", r#""succeeded\ud800""#);
    assert!(respond(&object("pi_1"), 200, broken.as_bytes()).is_err());
}

/// Where the tree has a value, another one is put.
fn changed(value: &mut Value, place: &mut usize, other: &Value) {
    if *place == 0 {
        *value = other.clone();
    }
    *place = place.wrapping_sub(1);
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(|member| changed(member, place, other));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| changed(item, place, other)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

proptest! {
    /// Any bytes as a response are a response or an error, always the same one.
    #[test]
    fn any_bytes_are_read_or_unusable(
        body in prop::collection::vec(any::<u8>(), 0..300), which in 0..11_usize,
    ) {
        let query = &queries()[which];
        let found = respond(query, 200, &body);
        prop_assert!(matches!(found, Err(QueryError::Unusable(_))), "{found:?}");
    }

    /// A response in which anything is of any type is one that reports what can be applied, or proves nothing.
    #[test]
    fn a_member_of_any_type_is_read_or_unusable(
        which in 0..11_usize, place in 0..60_usize, kind in 0..9_usize,
    ) {
        let query = &queries()[which];
        let others = [
            Value::Null, json!(true), json!(0), json!(-1), json!(u64::MAX), json!(""), json!("pi_9"),
            json!([]), json!({}),
        ];
        let mut body = sample(query);
        changed(&mut body, &mut place.clone(), &others[kind]);
        match respond(query, 200, body.to_string().as_bytes()) {
            Ok(QueryResponse { notifications, .. }) => for one in notifications {
                prop_assert!(one.queried && one.event_id.as_str().starts_with("query."));
                prop_assert!(one.payment.is_none_or(|id| id == PaymentId::parse("42").unwrap()));
                let txn = one.report.reference.txn;
                let fits = txn.is_none_or(|txn| ["pi_1", "pi_9"].contains(&txn.as_str()));
                prop_assert!(fits);
            },
            Err(QueryError::Unusable(_)) => {}
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }
}
