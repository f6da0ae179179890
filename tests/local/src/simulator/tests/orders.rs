//! The refunds that the service orders: made once by every provider, and its responses read by the service.

use std::time::Duration;

use pay_core::domain::{
    Provider, ProviderRefund, ProviderTxn, Refund, RefundReason, RefundReference, RefundReport,
    RefundState, Timestamp,
};
use pay_core::ports::{
    Query, QueryError, QueryResponse, QueryState, RefundCallError, RefundOrder, SecretKeys as _,
};
use pay_core::testing::{a_reference, a_refund_order, a_requested_refund};
use pay_providers::{Headers, ProviderKeys, RawRequest, RawResponse};

use super::caller::{Served, exchange};
use super::queries::query;
use crate::faults::{Fault, point_of};
use crate::simulator::api::Call;
use crate::simulator::ledger::{Ledger, Orders, Trade, TradeState};
use crate::simulator::simulator;
use crate::{clock, defaults};

const ID: u64 = 117_360_123_037_075;
const REFUND: &str = "117360123037075_0123456789abcdef";
const OTHER: &str = "117360123037075_0123456789abcdee";

type Made = Result<QueryResponse, RefundCallError>;

/// A refund that is ordered.
struct Ordered {
    provider: Provider,
    reference: RefundReference,
    refund: Refund,
    txn: ProviderTxn,
}

impl Ordered {
    fn new(provider: Provider, reference: &str, amount_minor: u64) -> Self {
        let reference = RefundReference::parse(reference).unwrap();
        let txn = ProviderTxn::new(&(simulator(provider).transaction)(ID, 0)).unwrap();
        let (taken_from, time) =
            (a_reference(provider, txn.as_str()), Timestamp::from_millis(1).unwrap());
        let mut refund = a_requested_refund(reference, taken_from, amount_minor, time);
        refund.request.as_mut().unwrap().reason = RefundReason::new("退款 a&b=c").ok();
        Self { provider, reference, refund, txn }
    }

    fn order(&self) -> RefundOrder<'_> {
        a_refund_order(&self.refund, 100)
    }

    fn request(&self, now: Timestamp) -> RawRequest {
        let nonce = "593bec0c930bf1afeb40b4a08c8fb242";
        keys().querier(self.provider).unwrap().refund_request(&self.order(), nonce, now).unwrap()
    }

    /// Orders it as the service does; `None` if there is no response.
    async fn send(&self, served: &Served) -> Option<Made> {
        let now = Timestamp::from_millis(clock::now_ms()).unwrap();
        let (status, headers, body) = exchange(served, self.request(now)).await?;
        let headers = Headers::from_pairs(&headers);
        let response = RawResponse { status, headers: &headers, body: &body };
        Some(keys().querier(self.provider).unwrap().refund_response(&self.order(), &response, now))
    }

    fn query(&self) -> Query {
        Query::Refund { refund: self.reference, txn: self.txn.clone() }
    }
}

fn keys() -> ProviderKeys {
    ProviderKeys::read(&defaults::provider_secrets().unwrap().to_string()).unwrap()
}

fn point(provider: Provider) -> &'static str {
    point_of(provider, "make-refund").unwrap()
}

/// A provider at which the payment is paid.
async fn paid(provider: Provider) -> Served {
    let served = Served::start(provider).await;
    served.account.pay(ID, 100).await.unwrap();
    served
}

/// Waits until every webhook about what was ordered is made.
async fn reported(served: &Served) {
    while served.faults.late() > 0 {
        tokio::task::yield_now().await;
    }
}

fn state(made: &Made) -> QueryState {
    made.as_ref().unwrap().state
}

fn code(made: &Made) -> Option<&str> {
    match made {
        Err(RefundCallError::Refused { code, .. }) => Some(code),
        Ok(_) | Err(RefundCallError::Unknown(_)) => None,
    }
}

fn amounts(served: &Served) -> Vec<u64> {
    served.account.trade(ID).unwrap().refunds.iter().map(|refund| refund.amount).collect()
}

#[tokio::test]
async fn an_order_refunds_once_and_is_reported_by_a_webhook() {
    for provider in Provider::ALL.iter().copied() {
        let served = paid(provider).await;
        let ordered = Ordered::new(provider, REFUND, 30);
        let made = ordered.send(&served).await.unwrap();
        let at_first = match provider {
            Provider::Stripe | Provider::Alipay => RefundState::Succeeded,
            // Accepted.
            Provider::WeChat => RefundState::Pending,
        };
        assert_eq!(state(&made), QueryState::Refund(at_first), "{provider:?}");
        let notifications = made.unwrap().notifications;
        let reports: Vec<_> = notifications.iter().map(|one| one.report.refund.clone()).collect();
        let Some(Some(RefundReport::One { reference, amount_minor, .. })) = reports.first() else {
            panic!("{reports:?}");
        };
        assert_eq!(reference.as_ref().map(ProviderRefund::as_str), Some(REFUND), "{provider:?}");
        assert_eq!(*amount_minor, 30, "{provider:?}");
        let total = (provider == Provider::Alipay).then_some(Some(RefundReport::Total(30)));
        assert_eq!(reports.get(1), total.as_ref(), "{provider:?}");

        reported(&served).await;
        let found = query(&served, &ordered.query()).await.unwrap();
        assert_eq!(found.state, QueryState::Refund(RefundState::Succeeded), "{provider:?}");
        let webhooks = served.account.tracked().into_iter().filter_map(|webhook| webhook.refund);
        let webhooks: Vec<_> = webhooks.map(|refund| (refund.is_back, refund.total)).collect();
        let each = if provider == Provider::Stripe { 2 } else { 1 };
        assert_eq!(webhooks, vec![(true, 30); each], "{provider:?}");

        // The same again, at another time.
        let again = ordered.send(&served).await.unwrap();
        let again_as = match provider {
            Provider::Stripe | Provider::WeChat => RefundState::Succeeded,
            // It says that no funds changed: whether they did before is asked.
            Provider::Alipay => RefundState::Pending,
        };
        assert_eq!(state(&again), QueryState::Refund(again_as), "{provider:?}");
        reported(&served).await;
        assert_eq!(amounts(&served), [30], "{provider:?}");
        assert_eq!(served.account.tracked().len(), 1 + each, "{provider:?}: nothing new");
        assert_eq!(served.account.calls(point(provider)), 2, "{provider:?}");

        // Another one, up to what is left.
        let other = Ordered::new(provider, OTHER, 70).send(&served).await.unwrap();
        assert!(other.is_ok(), "{provider:?}");
        reported(&served).await;
        assert!(served.account.trade(ID).unwrap().is_refunded(), "{provider:?}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_changes_nothing() {
    for provider in Provider::ALL.iter().copied() {
        let served = paid(provider).await;
        let send = async |reference, amount| {
            let made = Ordered::new(provider, reference, amount).send(&served).await.unwrap();
            reported(&served).await;
            made
        };
        assert!(send(REFUND, 30).await.is_ok());
        // The same reference with another amount.
        let other = send(REFUND, 31).await;
        let expected = match provider {
            // A key with other parameters: what became of the first one is not said.
            Provider::Stripe => None,
            Provider::WeChat => Some("REFUND_FEE_MISMATCH"),
            Provider::Alipay => Some("ACQ.DISCORDANT_REPEAT_REQUEST"),
        };
        assert_eq!(code(&other), expected, "{provider:?} {other:?}");
        assert!(other.is_err());
        // More than is left.
        let beyond = send(OTHER, 71).await;
        let expected = match provider {
            Provider::Stripe => Some("invalid_request_error"),
            Provider::WeChat => None,
            Provider::Alipay => Some("ACQ.REASON_TRADE_REFUND_FEE_ERR"),
        };
        assert_eq!(code(&beyond), expected, "{provider:?} {beyond:?}");
        assert!(beyond.is_err());
        assert_eq!(amounts(&served), [30], "{provider:?}");

        served.account.refund(ID, 70, "re_console").await.unwrap();
        let nothing_left = send("117360123037075_0123456789abcded", 1).await;
        let expected = match provider {
            Provider::Stripe => Some("charge_already_refunded"),
            Provider::WeChat => None,
            Provider::Alipay => Some("ACQ.TRADE_STATUS_ERROR"),
        };
        assert_eq!(code(&nothing_left), expected, "{provider:?} {nothing_left:?}");
        assert!(nothing_left.is_err());
        assert_eq!(amounts(&served), [30, 70], "{provider:?}");

        // One that nobody has paid.
        let served = Served::start(provider).await;
        served.account.open(ID, 100).unwrap();
        let unpaid = Ordered::new(provider, REFUND, 30).send(&served).await.unwrap();
        let expected = match provider {
            Provider::Stripe => None,
            Provider::WeChat => Some("RESOURCE_NOT_EXISTS"),
            Provider::Alipay => Some("ACQ.TRADE_STATUS_ERROR"),
        };
        assert_eq!(code(&unpaid), expected, "{provider:?} {unpaid:?}");
        assert!(unpaid.is_err() && amounts(&served).is_empty());
    }
}

#[tokio::test]
async fn a_provider_may_let_refunds_wait_or_refuse_them() {
    for (provider, refused_by) in [
        (Provider::Stripe, "balance_insufficient"),
        (Provider::WeChat, "USER_ACCOUNT_ABNORMAL"),
        (Provider::Alipay, "ACQ.SELLER_BALANCE_NOT_ENOUGH"),
    ] {
        let served = paid(provider).await;
        served.account.refund_orders(Orders::Refused(refused_by.to_owned()));
        let refused = Ordered::new(provider, OTHER, 30).send(&served).await.unwrap();
        assert_eq!(code(&refused), Some(refused_by), "{refused:?}");
        assert!(amounts(&served).is_empty(), "{provider:?}");
        let absent = query(&served, &Ordered::new(provider, OTHER, 30).query()).await.unwrap();
        assert_eq!(absent.state, QueryState::NoRefund, "{provider:?}");

        served.account.refund_orders(Orders::Wait);
        let ordered = Ordered::new(provider, REFUND, 30);
        let pending = ordered.send(&served).await.unwrap();
        assert_eq!(state(&pending), QueryState::Refund(RefundState::Pending), "{provider:?}");
        reported(&served).await;
        let trade = served.account.trade(ID).unwrap();
        assert_eq!((trade.refunded(), trade.refunded_or_pending()), (0, 30), "{provider:?}");
        served.account.complete_refund(&trade.refunds[0].id).await.unwrap();
        let found = query(&served, &ordered.query()).await.unwrap();
        assert_eq!(found.state, QueryState::Refund(RefundState::Succeeded), "{provider:?}");
    }
}

/// Whatever becomes of the response, the refund is made once or not at all, and never taken for refused.
#[tokio::test]
async fn a_spoilt_response_to_an_order_proves_nothing() {
    for provider in Provider::ALL.iter().copied() {
        for (fault, is_made) in [
            (Fault::Unsigned, true),
            (Fault::WrongId, true),
            (Fault::Garbage, true),
            (Fault::WrongShape, true),
            (Fault::LoseResponse, true),
            (Fault::LateEffect(Duration::ZERO), true),
            (Fault::Reset, false),
            (Fault::Throttle, false),
            (Fault::ErrorEnvelope, false),
            (Fault::Status(400), false),
            (Fault::Status(404), false),
            (Fault::Status(409), false),
            (Fault::Status(429), false),
            (Fault::Status(500), false),
        ] {
            let served = paid(provider).await;
            if served.account.set_fault(point(provider), fault, Some(1)).is_err() {
                continue;
            }
            let ordered = Ordered::new(provider, REFUND, 30);
            let made = ordered.send(&served).await;
            let unknown = match &made {
                None => true,
                Some(Err(RefundCallError::Unknown(error))) => !matches!(error, QueryError::NoKey),
                Some(_) => false,
            };
            assert!(unknown, "{provider:?} {fault:?}: {made:?}");
            reported(&served).await;
            let want = if is_made { vec![30] } else { Vec::new() };
            assert_eq!(amounts(&served), want, "{provider:?} {fault:?}");
            // Sent again it is still one.
            assert!(ordered.send(&served).await.unwrap().is_ok(), "{provider:?} {fault:?}");
            reported(&served).await;
            assert_eq!(amounts(&served), [30], "{provider:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn orders_at_the_same_time_never_give_back_more_than_was_paid() {
    for provider in Provider::ALL.iter().copied() {
        let served = paid(provider).await;
        let orders = [REFUND, OTHER, REFUND, OTHER].map(|of| Ordered::new(provider, of, 60));
        let made = orders.iter().map(|ordered| ordered.send(&served));
        let made: Vec<_> = futures_util::future::join_all(made).await;
        reported(&served).await;
        assert_eq!(amounts(&served), [60], "{provider:?}");
        let accepted = made.iter().flatten().filter(|made| made.is_ok()).count();
        assert_eq!(accepted, 2, "{provider:?}: {made:?}");
    }
}

/// Carries out a request at this time.
fn carried_out(ledger: &mut Ledger, request: &RawRequest, now_secs: u64) -> u16 {
    let api = simulator(Provider::Stripe).api;
    let uri = format!("{}{}", api.url.1, request.target);
    let mut head = http::Request::builder().method(request.method).uri(uri);
    for (name, value) in &request.headers {
        head = head.header(*name, value);
    }
    let (head, ()) = head.body(()).unwrap().into_parts();
    let call = Call { head, body: request.body.clone().into() };
    (api.respond)(ledger, &call, now_secs).unwrap().status.as_u16()
}

/// Whoever sends again after that day, without asking first, gives money back twice.
#[test]
fn stripe_knows_a_key_for_a_day() {
    let mut ledger = Ledger::default();
    let transaction = (simulator(Provider::Stripe).transaction)(ID, 0);
    let trade = Trade::new(ID, transaction, 100, 1);
    ledger.put(Trade { state: TradeState::Paid, ..trade });
    let now = Timestamp::from_millis(1_800_000_000_000).unwrap();
    let request = Ordered::new(Provider::Stripe, REFUND, 30).request(now);
    let another = Ordered::new(Provider::Stripe, REFUND, 31).request(now);
    let (day, begin) = (24 * 60 * 60, now.secs());
    let mut refunds = |request: &RawRequest, at| {
        let status = carried_out(&mut ledger, request, at);
        (status, ledger.trade(ID).unwrap().refunds.len())
    };
    assert_eq!(refunds(&request, begin), (200, 1));
    assert_eq!(refunds(&request, begin + day - 1), (200, 1));
    assert_eq!(refunds(&another, begin + day - 1), (400, 1));
    assert_eq!(refunds(&request, begin + day), (200, 2));
}

#[test]
fn stripe_wants_a_key_a_form_and_nothing_unknown() {
    let mut ledger = Ledger::default();
    let transaction = (simulator(Provider::Stripe).transaction)(ID, 0);
    let trade = Trade::new(ID, transaction, 100, 1);
    ledger.put(Trade { state: TradeState::Paid, ..trade });
    let now = Timestamp::from_millis(1_800_000_000_000).unwrap();
    let good = Ordered::new(Provider::Stripe, REFUND, 30).request(now);
    for name in ["idempotency-key", "content-type", "authorization", "stripe-version"] {
        let mut bad = good.clone();
        bad.headers.retain(|(known, _)| *known != name);
        assert!(carried_out(&mut ledger, &bad, now.secs()) >= 400, "{name}");
    }
    for (from, to) in
        [("amount=30", "amount=x"), ("amount=30", "amount=30&reason=x"), ("amount=30", "amount=0")]
    {
        let body = String::from_utf8(good.body.clone()).unwrap().replace(from, to);
        let mut bad = RawRequest { body: body.into_bytes(), ..good.clone() };
        bad.headers.retain(|(known, _)| *known != "idempotency-key");
        bad.headers.push(("idempotency-key", to.to_owned()));
        assert_eq!(carried_out(&mut ledger, &bad, now.secs()), 400, "{to}");
    }
    assert!(ledger.trade(ID).unwrap().refunds.is_empty());
    assert_eq!(carried_out(&mut ledger, &good, now.secs()), 200);
}
