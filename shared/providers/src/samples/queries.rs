//! What the tests of queries share, whatever the provider.

use pay_core::{
    domain::{Notification, PaymentId, Provider, ProviderTxn, RefundReference, Timestamp},
    ports::{Query, QueryError, QueryResponse, QueryState},
};
use serde_json::{Value, json};

use crate::{Headers, ProviderKeys, Querier, RawResponse};

pub(crate) const NONCE: &str = "593bec0c930bf1afeb40b4a08c8fb242";
/// The payment that is asked about.
pub(crate) const PAYMENT: u64 = 1_217_752_501_201_407;
/// Our reference of the refund that is asked about.
pub(crate) const REFUND: &str = "1217752501201407_0123456789abcdef";

/// The headers of a response.
pub(crate) type Pairs = Vec<(String, String)>;

/// What a response proves.
pub(crate) type Found = Result<QueryResponse, QueryError>;

pub(crate) fn payment(id: u64, txn: Option<&str>) -> Query {
    let txn = txn.map(|txn| ProviderTxn::new(txn).unwrap());
    Query::Payment { id: PaymentId::new(id).unwrap(), txn }
}

pub(crate) fn refund(reference: &str, txn: &str) -> Query {
    let refund = RefundReference::parse(reference).unwrap();
    Query::Refund { refund, txn: ProviderTxn::new(txn).unwrap() }
}

pub(crate) fn respond(
    querier: &dyn Querier,
    query: &Query,
    (status, headers, body): (u16, &Pairs, &[u8]),
    now: Timestamp,
) -> Found {
    let headers = Headers::from_pairs(headers);
    querier.response(query, &RawResponse { status, headers: &headers, body }, now)
}

/// The state and the one notification of a response after which nothing is to be asked.
pub(crate) fn one(found: Found) -> (QueryState, Notification) {
    let QueryResponse { state, notifications, next } = found.unwrap();
    assert_eq!(next, None);
    let [notification] = <[_; 1]>::try_from(notifications).unwrap();
    (state, notification)
}

pub(crate) fn is_unusable(found: &Found) -> bool {
    matches!(found, Err(QueryError::Unusable(_)))
}

/// Each of these members is needed in an entry of the provider secret, and is no other than a text or a
/// list of texts.
pub(crate) fn assert_needed(names: &[&str], entry: &Value, is_usable: impl Fn(&Value) -> bool) {
    assert!(is_usable(entry) && !is_usable(&json!("x")));
    for name in names {
        let mut without = entry.clone();
        without.as_object_mut().unwrap().remove(*name).unwrap();
        assert!(!is_usable(&without), "{name}");
        for bad in [json!(""), json!(" "), json!(1), json!([]), json!({}), Value::Null] {
            let mut entry = entry.clone();
            entry[name] = bad.clone();
            assert!(!is_usable(&entry), "{name} {bad}");
        }
    }
}

/// The provider secret with this entry, as it is printed.
pub(crate) fn printed_keys(provider: Provider, entry: &Value) -> String {
    let secret = json!({provider.as_str(): entry}).to_string();
    let keys = <ProviderKeys as pay_core::ports::SecretKeys>::read(&secret).unwrap();
    assert!(keys.querier(provider).is_ok());
    format!("{keys:?}")
}
