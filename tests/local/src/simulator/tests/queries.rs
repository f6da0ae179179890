//! The service's own queries: accepted by every provider, and its responses by the service.

use pay_core::domain::{
    Outcome, PaymentId, Provider, ProviderRefund, ProviderTxn, RefundReference, RefundReport,
    RefundState, Timestamp,
};
use pay_core::ports::{
    ProviderState, Query, QueryError, QueryResponse, QueryState, SecretKeys as _,
};
use pay_providers::{Headers, ProviderKeys, RawResponse};

use super::caller::{Served, exchange};
use crate::faults::Fault;
use crate::simulator::ledger::TradeRefund;
use crate::{clock, defaults};

const ID: u64 = 117_360_123_037_075;

/// Queries a provider as the service does.
pub(super) async fn query(served: &Served, query: &Query) -> Result<QueryResponse, QueryError> {
    let secret = defaults::provider_secrets().unwrap().to_string();
    let keys = ProviderKeys::read(&secret).unwrap();
    let querier = keys.querier(served.account.provider()).unwrap();
    let now = Timestamp::from_millis(clock::now_ms()).unwrap();
    let nonce = "593bec0c930bf1afeb40b4a08c8fb242";
    let request = querier.request(query, nonce, now).unwrap();
    let (status, headers, body) = exchange(served, request).await.unwrap();
    let headers = Headers::from_pairs(&headers);
    querier.response(query, &RawResponse { status, headers: &headers, body: &body }, now)
}

/// What became of the payment that was asked about.
fn of_payment(response: &QueryResponse) -> ProviderState {
    let QueryState::Payment(state) = response.state else { panic!("{response:?}") };
    state
}

fn about(txn: Option<&str>) -> Query {
    let txn = txn.map(|txn| ProviderTxn::new(txn).unwrap());
    Query::Payment { id: PaymentId::new(ID).unwrap(), txn }
}

#[tokio::test]
async fn a_payment_is_read_as_it_is_by_our_reference_and_by_its_transaction() {
    for provider in Provider::ALL.iter().copied() {
        let served = Served::start(provider).await;
        let account = &served.account;
        let state =
            async |txn: Option<&str>| of_payment(&query(&served, &about(txn)).await.unwrap());
        assert_eq!(state(None).await, ProviderState::Absent, "{provider:?}");
        account.open(ID, 100).unwrap();
        assert_eq!(state(None).await, ProviderState::Open, "{provider:?}");
        account.process(ID, 100).unwrap();
        assert_eq!(state(None).await, ProviderState::Processing, "{provider:?}");
        account.pay(ID, 100).await.unwrap();
        let transaction = (account.simulator().transaction)(ID, 0);
        for txn in [None, Some(transaction.as_str())] {
            let paid = query(&served, &about(txn)).await.unwrap();
            assert_eq!(of_payment(&paid), ProviderState::Paid, "{provider:?} {txn:?}");
            let [notification] = &paid.notifications[..] else { panic!("{paid:?}") };
            let report = &notification.report;
            assert_eq!(report.outcome, Some(Outcome::Paid));
            assert_eq!((report.amount_minor, notification.queried), (Some(100), true));
            assert_eq!(report.reference.txn.as_ref().map(ProviderTxn::as_str), Some(&*transaction));
        }
        let another = Query::Payment { id: PaymentId::new(ID + 1).unwrap(), txn: None };
        account.open(ID + 1, 1).unwrap();
        account.close(ID + 1).await.unwrap();
        let closed = query(&served, &another).await.unwrap();
        assert_eq!(of_payment(&closed), ProviderState::Closed, "{provider:?}");
    }
}

#[tokio::test]
async fn stripes_refunds_are_read_one_by_one() {
    let served = Served::start(Provider::Stripe).await;
    let account = &served.account;
    account.pay(ID, 100).await.unwrap();
    account.refund(ID, 25, "re_1").await.unwrap();
    account.refund(ID, 30, "re_2").await.unwrap();
    let paid = query(&served, &about(None)).await.unwrap();
    assert_eq!(of_payment(&paid), ProviderState::Refunded);
    let refunds = query(&served, &paid.next.unwrap()).await.unwrap();
    let amounts = refunds.notifications.iter().map(|one| match &one.report.refund {
        Some(RefundReport::One { id, amount_minor, .. }) => (id.as_str(), *amount_minor),
        other => panic!("{other:?}"),
    });
    assert_eq!(amounts.collect::<Vec<_>>(), [("re_1", 25), ("re_2", 30)]);
    for id in ["cs_test_117360123037075", "ch_117360123037075", "re_1"] {
        let object = query(&served, &Query::Object(ProviderTxn::new(id).unwrap())).await.unwrap();
        // Only of a charge it is known at once: of the others the refunds are asked for next.
        let state = match id.strip_prefix("ch_") {
            Some(_) => ProviderState::Refunded,
            None => ProviderState::Paid,
        };
        assert_eq!((of_payment(&object), object.notifications.len()), (state, 1), "{id}");
    }
}

/// Our reference of a refund.
const REFUND: &str = "117360123037075_0123456789abcdef";

/// The query of the refund at a provider where its payment is paid.
async fn of_refund(served: &Served) -> Query {
    served.account.pay(ID, 100).await.unwrap();
    let txn = ProviderTxn::new(&(served.account.simulator().transaction)(ID, 0)).unwrap();
    Query::Refund { refund: RefundReference::parse(REFUND).unwrap(), txn }
}

async fn begin(served: &Served, id: &str, reference: &str, state: RefundState) {
    let refund = TradeRefund::in_console(id, 25, state, clock::now_secs());
    let refund = TradeRefund { reference: Some(reference.to_owned()), ..refund };
    served.account.begin_refund(ID, refund).await.unwrap();
}

#[tokio::test]
async fn one_refund_is_read_as_it_is_by_our_reference() {
    for provider in Provider::ALL.iter().copied() {
        let served = Served::start(provider).await;
        let account = &served.account;
        let asked = of_refund(&served).await;
        let state = async || query(&served, &asked).await.unwrap().state;
        assert_eq!(state().await, QueryState::NoRefund, "{provider:?}");
        // Of the console, and another one of ours.
        account.refund(ID, 5, "re_8").await.unwrap();
        begin(&served, "re_9", "117360123037075_0123456789abcdee", RefundState::Succeeded).await;
        assert_eq!(state().await, QueryState::NoRefund, "{provider:?}");

        begin(&served, "re_1", REFUND, RefundState::Pending).await;
        // Alipay shows only what has succeeded.
        let [pending, failed] = match provider {
            Provider::Stripe | Provider::WeChat => {
                [RefundState::Pending, RefundState::Failed].map(QueryState::Refund)
            }
            Provider::Alipay => [QueryState::NoRefund; 2],
        };
        assert_eq!(state().await, pending, "{provider:?}");
        account.complete_refund("re_1").await.unwrap();
        let found = query(&served, &asked).await.unwrap();
        assert_eq!(found.state, QueryState::Refund(RefundState::Succeeded), "{provider:?}");
        let [notification] = &found.notifications[..] else { panic!("{found:?}") };
        assert_eq!(notification.payment, PaymentId::new(ID).ok());
        let Some(RefundReport::One { id, reference, amount_minor, state: reported }) =
            &notification.report.refund
        else {
            panic!("{found:?}");
        };
        let own = if provider == Provider::Alipay { REFUND } else { "re_1" };
        assert_eq!(
            (id.as_str(), reference.as_ref().map(ProviderRefund::as_str)),
            (own, Some(REFUND))
        );
        assert_eq!((*amount_minor, *reported), (25, RefundState::Succeeded), "{provider:?}");
        account.fail_refund("re_1").await.unwrap();
        assert_eq!(state().await, failed, "{provider:?}");
    }
}

#[tokio::test]
async fn a_spoilt_response_about_a_refund_proves_nothing() {
    for (provider, point) in [
        (Provider::Stripe, "stripe:refunds"),
        (Provider::WeChat, "wechat:refund"),
        (Provider::Alipay, "alipay:refund-query"),
    ] {
        let served = Served::start(provider).await;
        let account = &served.account;
        let asked = of_refund(&served).await;
        begin(&served, "re_1", REFUND, RefundState::Succeeded).await;
        let mut spoilt = 0;
        for fault in [
            Fault::Unsigned,
            Fault::WrongId,
            Fault::Throttle,
            Fault::Status(404),
            Fault::Status(429),
            Fault::Status(500),
            Fault::ErrorEnvelope,
            Fault::Garbage,
            Fault::WrongShape,
        ] {
            if account.set_fault(point, fault, Some(1)).is_err() {
                continue;
            }
            spoilt += 1;
            let read = query(&served, &asked).await;
            let is_known = matches!(read, Ok(_) | Err(QueryError::NoKey));
            assert!(!is_known, "{provider:?} {fault:?}: {read:?}");
        }
        assert_eq!(account.calls(point), spoilt, "{provider:?}");
        let whole = query(&served, &asked).await.unwrap().state;
        assert_eq!(whole, QueryState::Refund(RefundState::Succeeded), "{provider:?}");
    }
}

#[tokio::test]
async fn a_spoilt_response_proves_nothing() {
    for (provider, point) in [
        (Provider::Stripe, "stripe:search"),
        (Provider::WeChat, "wechat:payment"),
        (Provider::Alipay, "alipay:query"),
    ] {
        let served = Served::start(provider).await;
        let account = &served.account;
        account.pay(ID, 100).await.unwrap();
        for fault in [
            Fault::Unsigned,
            Fault::WrongId,
            Fault::Throttle,
            Fault::Status(429),
            Fault::Status(500),
            Fault::ErrorEnvelope,
            Fault::Garbage,
            Fault::WrongShape,
        ] {
            if account.set_fault(point, fault, Some(1)).is_err() {
                continue;
            }
            let read = query(&served, &about(None)).await;
            let is_unusable = match &read {
                // What a search finds about others is not about this one.
                Ok(read) => {
                    let of_a_search = (provider, fault) == (Provider::Stripe, Fault::WrongId);
                    of_a_search && of_payment(read) == ProviderState::Absent
                }
                Err(QueryError::Unavailable(_)) => {
                    matches!(fault, Fault::Throttle | Fault::Status(_) | Fault::ErrorEnvelope)
                }
                Err(QueryError::Unusable(_)) => true,
                Err(QueryError::Rejected(_) | QueryError::NoKey) => false,
            };
            assert!(is_unusable, "{provider:?} {fault:?}: {read:?}");
        }
        assert!(query(&served, &about(None)).await.is_ok(), "{provider:?}");
    }
}
