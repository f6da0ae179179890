//! The checkouts that the service orders and closes: made once by every provider, paid by the payer, and the
//! responses read by the service.

mod controls;
mod pages;
mod refused;

use pay_core::domain::{
    Checkout, CheckoutMethod, CheckoutNumber, CheckoutParameters, CheckoutReference, Description,
    MerchantAccount, Outcome, Provider, ProviderCheckout, ProviderTxn, Timestamp, WebUrl,
};
use pay_core::ports::{
    CheckoutAction, CheckoutCallError, CheckoutOrder, ProviderState, Query, QueryError, QueryState,
    SecretKeys as _, StartedCheckout,
};
use pay_core::testing::{CALLED_METHODS, a_checkout, a_checkout_order, a_code_against_checkouts};
use pay_providers::{
    CheckoutStep, Headers, ProviderKeys, Querier, RawRequest, RawResponse, Verified, WebhookKeys,
};

use super::caller::{Served, exchange};
use super::queries::query;
use crate::faults::point_of;
use crate::simulator::api::Call;
use crate::simulator::ledger::{Ledger, TradeState};
use crate::simulator::{Delivery, simulator};
use crate::{clock, defaults};

const FIRST: &str = "000007_1";
const SECOND: &str = "000007_2";
const NONCE: &str = "593bec0c930bf1afeb40b4a08c8fb242";
const HOUR_SECS: u64 = 60 * 60;

type Started = Result<StartedCheckout, CheckoutCallError>;

/// A checkout that is ordered, of 100 fen.
#[derive(Clone)]
struct Ordered {
    checkout: Checkout,
    amount: u64,
}

impl Ordered {
    fn new(method: CheckoutMethod, reference: &str) -> Self {
        let url = |path: &str| WebUrl::new(&format!("https://shop.example/{path}")).unwrap();
        let (provider, now) = (method.provider(), at(clock::now_secs()));
        let CheckoutReference { payment, number } = CheckoutReference::parse(reference).unwrap();
        let made = a_checkout(payment, number.get(), method, now);
        let callback = url(&format!("api/pay/callback/{}", provider.as_str()));
        let checkout = Checkout {
            // What means something in forms and URLs.
            parameters: CheckoutParameters {
                description: Description::new("订单 a&b=c/d").unwrap(),
                return_url: method.needs_return_url().then(|| url("paid?a=1&b=2")),
                notify_url: method.needs_notify_url().then_some(callback),
                ..made.parameters.clone()
            },
            account: querier(provider, |ours| ours.account()).unwrap(),
            expires_time: now.plus_millis(HOUR_SECS * 1000),
            ..made
        };
        Self { checkout, amount: 100 }
    }

    /// The same for another amount.
    fn of(&self, amount: u64) -> Self {
        Self { amount, ..self.clone() }
    }

    /// The same, whose last moment is in so many seconds.
    fn ending_in(mut self, secs: u64) -> Self {
        self.checkout.expires_time = at(clock::now_secs().saturating_add(secs));
        self
    }

    fn provider(&self) -> Provider {
        self.checkout.provider()
    }

    fn order(&self) -> CheckoutOrder<'_> {
        a_checkout_order(&self.checkout, self.amount)
    }

    fn step(&self) -> CheckoutStep {
        let now = at(clock::now_secs());
        querier(self.provider(), |ours| ours.checkout_request(&self.order(), NONCE, now)).unwrap()
    }

    fn request(&self) -> RawRequest {
        let CheckoutStep::Send(request) = self.step() else { panic!("{:?}", self.step()) };
        request
    }

    /// Orders it as the service does; `None` if there is no response.
    async fn send(&self, served: &Served) -> Option<Started> {
        let (status, headers, body) = exchange(served, self.request()).await?;
        let (headers, now) = (Headers::from_pairs(&headers), at(clock::now_secs()));
        let response = RawResponse { status, headers: &headers, body: &body };
        let order = self.order();
        Some(querier(self.provider(), |ours| ours.checkout_response(&order, &response, NONCE, now)))
    }

    /// The same with what is known once it is made.
    async fn made(mut self, served: &Served) -> Self {
        self.checkout.provider_id = self.send(served).await.unwrap().unwrap().provider_id;
        self
    }

    /// Closes it as the service does; `None` if there is no response.
    async fn close(&self, served: &Served) -> Option<Result<(), QueryError>> {
        let (checkout, now) = (&self.checkout, at(clock::now_secs()));
        let request = querier(self.provider(), |ours| ours.close_request(checkout, NONCE, now));
        let (status, headers, body) = exchange(served, request.unwrap()).await?;
        let headers = Headers::from_pairs(&headers);
        let response = RawResponse { status, headers: &headers, body: &body };
        Some(querier(self.provider(), |ours| ours.close_response(checkout, &response, now)))
    }

    async fn state(&self, served: &Served) -> ProviderState {
        let Checkout { reference, provider_id, account, .. } = self.checkout.clone();
        let found = query(served, &Query::Checkout { reference, provider_id, account }).await;
        let found = found.unwrap();
        assert_eq!(found.notifications[0].checkout, Some(reference.number));
        match found.state {
            QueryState::Payment(state) => state,
            other @ (QueryState::Refund(_) | QueryState::NoRefund) => panic!("{other:?}"),
        }
    }

    fn reference(&self) -> String {
        self.checkout.reference.to_string()
    }
}

fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis(secs.saturating_mul(1000)).unwrap()
}

fn querier<T>(provider: Provider, read: impl FnOnce(&dyn Querier) -> T) -> T {
    let keys = ProviderKeys::read(&defaults::provider_secrets().unwrap().to_string()).unwrap();
    read(keys.querier(provider).unwrap())
}

/// The names of the calls that make a checkout and that close one.
fn points(provider: Provider) -> (&'static str, &'static str) {
    let of = |call| point_of(provider, call).unwrap();
    (of("make-checkout"), of("close"))
}

/// What became of an order, in a word or by its code.
fn word(started: &Started) -> &str {
    match started {
        Ok(_) => "started",
        Err(CheckoutCallError::Refused { code, .. }) => code,
        Err(CheckoutCallError::Ended) => "ended",
        Err(CheckoutCallError::Unknown(error)) => error.kind(),
    }
}

/// The states of everything that is there, by reference.
fn states(served: &Served) -> Vec<(String, TradeState)> {
    let trades = served.account.trades();
    trades.iter().map(|trade| (trade.reference(), trade.state)).collect()
}

/// Waits until every webhook is sent.
async fn reported(served: &Served) {
    while served.faults.late() > 0 {
        tokio::task::yield_now().await;
    }
}

/// What webhooks say, read as the service reads them: the payment, its checkout and its outcome.
fn webhooks(served: &Served) -> Vec<(u64, Option<u32>, Option<Outcome>)> {
    let secrets = defaults::webhook_secrets().unwrap().to_string();
    let keys = WebhookKeys::from_secret(&secrets).unwrap();
    let (simulator, now) = (served.account.simulator(), clock::now_secs());
    let read = |webhook: &crate::simulator::Webhook| {
        let signed = simulator.message(None, webhook, now).unwrap();
        let headers = Headers::from_pairs(&signed.headers);
        let provider = served.account.provider();
        match keys.verify(provider, &headers, &signed.body, at(now)).unwrap() {
            Verified::Notification(found) | Verified::Hint(found, _) => {
                assert_eq!((&found.wrong_account, &found.review), (&None, &None));
                let number = found.checkout.map(CheckoutNumber::get);
                (found.payment.unwrap().get(), number, found.report.outcome)
            }
            Verified::Ignored(reason) => panic!("{reason:?}"),
        }
    };
    served.account.webhooks().iter().map(read).collect()
}

#[tokio::test]
async fn an_order_makes_one_checkout_that_the_payer_pays() {
    for method in CALLED_METHODS {
        let served = Served::start(method.provider()).await;
        let ordered = Ordered::new(method, FIRST);
        let started = ordered.send(&served).await.unwrap().unwrap();
        let fits = match (&started.action, method) {
            (
                CheckoutAction::Redirect { url },
                CheckoutMethod::StripeCheckout | CheckoutMethod::WeChatH5,
            ) => url.starts_with(&served.url),
            (CheckoutAction::Qr { text }, CheckoutMethod::WeChatNative) => {
                text.starts_with("weixin://")
            }
            (CheckoutAction::Qr { text }, CheckoutMethod::AlipayQr) => {
                text.starts_with("https://qr.alipay.com/")
            }
            (CheckoutAction::Client { parameters }, CheckoutMethod::StripeIntent) => {
                parameters.len() == 1
            }
            (
                CheckoutAction::Client { parameters },
                CheckoutMethod::WeChatJsapi | CheckoutMethod::WeChatApp,
            ) => parameters.len() >= 6,
            _ => false,
        };
        assert!(fits, "{method:?}");
        assert_eq!(started.provider_id.is_some(), method.has_provider_id(), "{method:?}");

        // The same again is the same checkout, also by its id.
        assert_eq!(word(&ordered.send(&served).await.unwrap()), "started", "{method:?}");
        let ordered = ordered.made(&served).await;
        assert_eq!(started.provider_id, ordered.checkout.provider_id, "{method:?}");
        if method.has_provider_id() {
            assert_eq!(word(&ordered.send(&served).await.unwrap()), "started", "{method:?}");
        }
        assert_eq!(states(&served), [(FIRST.to_owned(), TradeState::Open)], "{method:?}");
        // Nobody has scanned the code yet.
        let is_code = method == CheckoutMethod::AlipayQr;
        let before = if is_code { ProviderState::Absent } else { ProviderState::Open };
        assert_eq!(ordered.state(&served).await, before, "{method:?}");

        served.account.pay_checkout("7").await.unwrap();
        assert_eq!(ordered.state(&served).await, ProviderState::Paid, "{method:?}");
        let each = if method == CheckoutMethod::StripeCheckout { 2 } else { 1 };
        let paid = (7, Some(1), Some(Outcome::Paid));
        assert_eq!(webhooks(&served), vec![paid; each], "{method:?}");
        assert!(served.account.pay_checkout(FIRST).await.is_err(), "{method:?}: paid already");
    }
}

#[tokio::test]
async fn other_parameters_are_another_order_and_change_nothing() {
    for method in CALLED_METHODS {
        let served = Served::start(method.provider()).await;
        let ordered = Ordered::new(method, FIRST);
        assert!(ordered.send(&served).await.unwrap().is_ok());
        let mut described = ordered.clone();
        described.checkout.parameters.description = Description::new("another").unwrap();
        let mut later = ordered.clone();
        later.checkout.expires_time = later.checkout.expires_time.plus_millis(1000);
        let others = [ordered.of(101), described, later];
        // An intent has no last moment.
        let count = if method == CheckoutMethod::StripeIntent { 2 } else { 3 };
        for other in others.iter().take(count) {
            let expected = match method.provider() {
                // A key with other parameters: what became of the first one is not said.
                Provider::Stripe => "unusable",
                Provider::WeChat => "OUT_TRADE_NO_USED",
                Provider::Alipay => "ACQ.CONTEXT_INCONSISTENT",
            };
            assert_eq!(word(&other.send(&served).await.unwrap()), expected, "{method:?}");
        }
        let trade = served.account.checkout(FIRST).unwrap();
        assert_eq!((trade.amount, served.account.trades().len()), (100, 1), "{method:?}");
        // Another number is another checkout.
        assert!(Ordered::new(method, SECOND).send(&served).await.unwrap().is_ok());
        assert_eq!(served.account.trades().len(), 2, "{method:?}");
    }
}

#[tokio::test]
async fn a_checkout_is_closed_once_and_then_nobody_pays_it() {
    for method in CALLED_METHODS {
        let served = Served::start(method.provider()).await;
        let ordered = Ordered::new(method, FIRST).made(&served).await;
        if method == CheckoutMethod::AlipayQr {
            // There is no trade before the payer scans the code, and closing does not keep them from it.
            assert!(ordered.close(&served).await.unwrap().is_ok());
            assert_eq!(ordered.state(&served).await, ProviderState::Absent);
            served.account.pay_checkout(FIRST).await.unwrap();
            assert_eq!(ordered.state(&served).await, ProviderState::Paid);
            continue;
        }
        assert!(ordered.close(&served).await.unwrap().is_ok(), "{method:?}");
        assert_eq!(ordered.state(&served).await, ProviderState::Closed, "{method:?}");
        assert!(served.account.pay_checkout(FIRST).await.is_err(), "{method:?}");
        assert!(served.account.pay_checkout("7").await.is_err(), "{method:?}");
        reported(&served).await;
        let reports = match method.provider() {
            Provider::Stripe => vec![(7, Some(1), Some(Outcome::Closed))],
            Provider::WeChat | Provider::Alipay => Vec::new(),
        };
        assert_eq!(webhooks(&served), reports, "{method:?}");
        // Closed again it stays so, and ordered again it is not opened.
        assert!(ordered.close(&served).await.unwrap().is_ok(), "{method:?}");
        assert_eq!(word(&ordered.send(&served).await.unwrap()), "ended", "{method:?}");
        assert_eq!(states(&served), [(FIRST.to_owned(), TradeState::Closed)], "{method:?}");
    }
}

/// What is paid stays paid, and no webhook says that it was closed.
#[tokio::test]
async fn closing_what_is_paid_changes_nothing() {
    for method in CALLED_METHODS {
        let served = Served::start(method.provider()).await;
        let ordered = Ordered::new(method, FIRST).made(&served).await;
        served.account.pay_checkout(FIRST).await.unwrap();
        assert!(ordered.close(&served).await.unwrap().is_ok(), "{method:?}");
        assert_eq!(ordered.state(&served).await, ProviderState::Paid, "{method:?}");
        assert_eq!(word(&ordered.send(&served).await.unwrap()), "ended", "{method:?}");
        reported(&served).await;
        let outcomes = webhooks(&served).into_iter().map(|(.., outcome)| outcome);
        assert!(outcomes.into_iter().all(|outcome| outcome == Some(Outcome::Paid)), "{method:?}");
    }
}

/// Carries out a request at this time.
fn carried_out(provider: Provider, ledger: &mut Ledger, request: &RawRequest, now: u64) -> u16 {
    let api = simulator(provider).api;
    let uri = format!("{}{}", api.url.1, request.target);
    let mut head = http::Request::builder().method(request.method).uri(uri);
    for (name, value) in &request.headers {
        head = head.header(*name, value);
    }
    let (head, ()) = head.body(()).unwrap().into_parts();
    let call = Call { head, body: request.body.clone().into() };
    (api.respond)(ledger, &call, now).unwrap().status.as_u16()
}

/// Each provider keeps the two apart, and both may be paid.
#[tokio::test]
async fn two_checkouts_of_a_payment_are_two_at_its_provider() {
    for method in CALLED_METHODS {
        let served = Served::start(method.provider()).await;
        let first = Ordered::new(method, FIRST).made(&served).await;
        let second = Ordered::new(method, SECOND).made(&served).await;
        served.account.pay_checkout(SECOND).await.unwrap();
        assert_eq!(second.state(&served).await, ProviderState::Paid, "{method:?}");
        assert_ne!(first.state(&served).await, ProviderState::Paid, "{method:?}");
        served.account.pay_checkout(FIRST).await.unwrap();
        assert_eq!(first.state(&served).await, ProviderState::Paid, "{method:?}");
        let trades = served.account.trades();
        assert_ne!(trades[0].transaction, trades[1].transaction, "{method:?}");
    }
}

/// Only the session closes what is paid on its page.
#[tokio::test]
async fn the_intent_of_a_session_is_hidden_and_not_cancelled() {
    let served = Served::start(Provider::Stripe).await;
    let session = Ordered::new(CheckoutMethod::StripeCheckout, FIRST).made(&served).await;
    assert_eq!(session.checkout.provider_id, ProviderCheckout::new("cs_test_7_1").ok());
    let intent = Query::Object(ProviderTxn::new("pi_7_1").unwrap());
    assert!(query(&served, &intent).await.is_err(), "the payer has not begun");
    served.account.pay_checkout(FIRST).await.unwrap();
    assert!(query(&served, &intent).await.is_ok());
    let mut as_intent = session.clone();
    as_intent.checkout.provider_id = ProviderCheckout::new("pi_7_1").ok();
    assert!(as_intent.close(&served).await.unwrap().is_ok(), "refused, which decides nothing");
    assert_eq!(session.state(&served).await, ProviderState::Paid);
    // What was paid is found by our id of the payment, and refunded as ever.
    let payment = pay_core::domain::PaymentId::new(7).unwrap();
    let found = query(&served, &Query::Payment { id: payment, txn: None }).await.unwrap();
    assert_eq!(found.state, QueryState::Payment(ProviderState::Paid));
    let delivered = served.account.refund(7, 100, "re_1").await.unwrap();
    assert_eq!(delivered, [Delivery::NoResponse; 2]);
    assert!(served.account.checkout(FIRST).unwrap().is_refunded());
    assert!(MerchantAccount::new("test").is_ok_and(|test| test == session.checkout.account));
}
