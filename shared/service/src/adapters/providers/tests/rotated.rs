//! Keys that a provider no longer accepts.

use std::sync::atomic::{AtomicUsize, Ordering};

use pay_core::domain::{
    Digest, ProviderRef, Refund, RefundId, RefundReference, RefundRequest, RefundState,
};

use super::*;

/// A secret that was rotated: its new value is seen once it is read again.
#[derive(Default)]
struct Rotated {
    rereads: AtomicUsize,
    hangs: bool,
}

impl Keys<ProviderKeys> for &Rotated {
    async fn current(&self, _now: Timestamp) -> Result<Arc<ProviderKeys>, NoKeys> {
        let key = if self.rereads.load(Ordering::Relaxed) == 0 { "first" } else { "next" };
        let text = format!(r#"{{"stripe":{{"api_key":"rk_test_{key}"}}}}"#);
        ProviderKeys::read(&text).map(Arc::new).map_err(|bad| NoKeys(bad.into()))
    }

    async fn previous(&self, _now: Timestamp) -> Result<Option<Arc<ProviderKeys>>, NoKeys> {
        panic!("nothing is verified with it")
    }

    async fn reread(&self, now: Timestamp) -> Option<Arc<ProviderKeys>> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        self.rereads.fetch_add(1, Ordering::Relaxed);
        self.current(now).await.ok()
    }
}

fn rotating<'a>(server: &Server, secret: &'a Rotated) -> HttpProviders<&'a Rotated> {
    let urls = vec![(Provider::Stripe, server.url(""))];
    let ca_bundle = Some(server.ca_pem.clone());
    HttpProviders::new(Some(secret), urls, ca_bundle).with_deadline(PATIENT)
}

fn amount() -> Amount {
    Amount::new(100, Currency::new("EUR").unwrap()).unwrap()
}

/// The kinds of errors of each call, made once: a query, a refund, a checkout and its close.
async fn kinds(sender: &HttpProviders<&Rotated>) -> Vec<&'static str> {
    let (now, payment) = (Timestamp::EPOCH, PaymentId::new(5).unwrap());
    let txn = ProviderTxn::new("pi_1").unwrap();
    let query = Query::Payment { id: payment, txn: Some(txn.clone()) };
    let mut kinds = vec![sender.query(Provider::Stripe, &query, now).await.unwrap_err().kind()];

    let key = Digest::OF_NOTHING;
    let reference = RefundReference::new(payment, key);
    let refund = Refund {
        payment,
        id: RefundId::requested(reference),
        taken_from: ProviderRef { source: Provider::Stripe.source(), txn: Some(txn.clone()) },
        provider_refund: None,
        reference: None,
        amount_minor: 100,
        state: RefundState::Requested,
        request: Some(RefundRequest { key, reason: None, quarantined: None }),
        due: None,
        create_time: now,
        update_time: now,
    };
    let paid = amount();
    let order = RefundOrder { reference, refund: &refund, txn: &txn, paid, notify_url: None };
    match sender.refund(Provider::Stripe, &order, now).await.unwrap_err() {
        RefundCallError::Unknown(error) => kinds.push(error.kind()),
        refused @ RefundCallError::Refused { .. } => panic!("{refused:?}"),
    }

    let account = sender.account(Provider::Stripe, now).await.unwrap().unwrap();
    let provider_id = ProviderCheckout::new("pi_1").ok();
    let checkout = Checkout { account, provider_id, ..a_checkout() };
    let order = CheckoutOrder { checkout: &checkout, oid: OrderId::new(7).unwrap(), amount: paid };
    match sender.checkout(&order, now).await.unwrap_err() {
        CheckoutCallError::Unknown(error) => kinds.push(error.kind()),
        other @ (CheckoutCallError::Refused { .. } | CheckoutCallError::Ended) => {
            panic!("{other:?}")
        }
    }
    kinds.push(sender.close(&checkout, now).await.unwrap_err().kind());
    kinds
}

#[tokio::test]
async fn a_rejected_key_is_read_again_for_the_next_call() {
    let (server, secret) = (Server::start(vec![respond(401, "{}"); 4]), Rotated::default());
    assert_eq!(kinds(&rotating(&server, &secret)).await, ["rejected"; 4]);
    assert_eq!(secret.rereads.load(Ordering::Relaxed), 4);
    let requests = server.requests();
    let used: Vec<_> = requests.iter().map(|sent| header(sent, "authorization")).collect();
    let [first, next] = ["Bearer rk_test_first", "Bearer rk_test_next"].map(Some);
    assert_eq!(used, [first, next, next, next]);
}

#[tokio::test]
async fn whatever_else_fails_no_key_is_read_again() {
    for (status, kind) in [(500, "unavailable"), (429, "unavailable"), (418, "unusable")] {
        let (server, secret) = (Server::start(vec![respond(status, "{}"); 4]), Rotated::default());
        assert_eq!(kinds(&rotating(&server, &secret)).await, [kind; 4], "{status}");
        assert_eq!(secret.rereads.load(Ordering::Relaxed), 0, "{status}");
    }
}

/// The caller counts on its end.
#[tokio::test]
async fn reading_a_key_again_takes_no_more_time_than_the_call_has_left() {
    let server = Server::start(vec![respond(200, "{}"), respond(401, "{}")]);
    let secret = Rotated { hangs: true, ..Rotated::default() };
    let sender = rotating(&server, &secret);
    sender.call(Provider::Stripe, ProviderCall::Query, &get()).await.unwrap();
    let query = Query::Object(ProviderTxn::new("pi_1").unwrap());
    let sender = sender.with_deadline(IMPATIENT);
    let error = sender.query(Provider::Stripe, &query, Timestamp::EPOCH).await.unwrap_err();
    assert_eq!(error.kind(), "rejected");
}
