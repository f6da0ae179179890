//! What the tests of the providers share: times, official vectors, and expected notifications.

pub(crate) mod checkouts;
pub(crate) mod orders;
pub(crate) mod queries;

use pay_core::domain::{
    EventId, Notification, Outcome, PaymentId, Provider, ProviderRef, ProviderTxn, RawBody, Report,
    Sender, Timestamp,
};
use serde_json::Value;

use crate::{Verified, sha256};

pub(crate) fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis(secs.saturating_mul(1000)).unwrap()
}

/// The cases of a file of official vectors, of a kind or without one.
pub(crate) fn cases(vectors: &str, kind: Option<&str>) -> Vec<Value> {
    let mut vectors: Value = serde_json::from_str(vectors).unwrap();
    let Value::Array(mut cases) = vectors["cases"].take() else { panic!("no cases") };
    cases.retain(|case| case["kind"].as_str() == kind);
    cases
}

/// A text of the file of our own signatures: its keys.
pub(crate) fn signing_vector(name: &str) -> String {
    let vectors: Value = serde_json::from_str(crate::SIGNING_VECTORS).unwrap();
    vectors[name].as_str().unwrap().to_owned()
}

/// The signature of a case of that file.
pub(crate) fn signature_of(id: &str) -> String {
    let cases = cases(crate::SIGNING_VECTORS, None);
    let case = cases.iter().find(|case| case["id"] == id).unwrap();
    case["signature"].as_str().unwrap().to_owned()
}

/// A report of this transaction.
pub(crate) fn report(
    provider: Provider,
    txn: &str,
    outcome: Outcome,
    (amount_minor, currency): (u64, &str),
) -> Report {
    let txn = Some(ProviderTxn::new(txn).unwrap());
    Report {
        outcome: Some(outcome),
        refund: None,
        reference: ProviderRef { source: provider.source(), txn },
        amount_minor: Some(amount_minor),
        currency: Some(currency.to_owned()),
    }
}

/// The notification that a body is read as.
pub(crate) fn notification(
    provider: Provider,
    event_id: &str,
    payment: &str,
    report: Report,
    body: &[u8],
) -> Notification {
    let payment = Some(PaymentId::parse(payment).unwrap());
    Notification { payment, report, ..without_content(provider, Some(event_id), body) }
}

/// The notification from a body that is authentic and cannot be read.
pub(crate) fn unreadable(provider: Provider, event_id: Option<&str>, body: &[u8]) -> Verified {
    Verified::Notification(Box::new(without_content(provider, event_id, body)))
}

pub(crate) fn without_content(
    provider: Provider,
    event_id: Option<&str>,
    body: &[u8],
) -> Notification {
    let digest = sha256(&[body]);
    let reference = ProviderRef { source: provider.source(), txn: None };
    Notification {
        sender: Sender::Provider(provider),
        event_id: EventId::new(event_id, digest),
        payment: None,
        checkout: None,
        claims: None,
        wrong_account: None,
        review: None,
        queried: false,
        is_shared: false,
        report: Report { reference, ..Report::NONE },
        body: RawBody::new(body, digest),
    }
}
