//! A provider that runs: the shop's account there, what happens on it, and the webhooks about that.
//!
//! The ledger is the truth. A webhook is made from it, and may be lost.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use pay_core::domain::{Provider, RefundState};

use super::ledger::{Ledger, Occasion, Orders, Trade, TradeRefund, TradeState};
use super::{Simulator, Webhook, simulator};
use crate::faults::{Fault, Faults};
use crate::{client, clock};

/// The shop's account at a provider. Clones share their state.
#[derive(Debug, Clone)]
pub struct Account {
    provider: Provider,
    state: Arc<Mutex<State>>,
    faults: Faults,
    http: reqwest::Client,
}

#[derive(Debug, Default)]
struct State {
    ledger: Ledger,
    /// Where webhooks go; nowhere before the API is served.
    webhook_url: Option<String>,
    webhooks: Vec<Webhook>,
    tracked: Vec<Tracked>,
    /// Every response to a webhook; `None` where there was none.
    responses: Vec<Option<(u16, Bytes)>>,
    calls: BTreeMap<&'static str, usize>,
}

/// What a webhook is about, and whether it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    /// The provider's id of the webhook.
    pub id: String,
    /// Our id of the payment.
    pub payment: u64,
    /// The provider's id of the transaction.
    pub transaction: String,
    /// The refund that it reports; `None` if it reports none.
    pub refund: Option<TrackedRefund>,
    /// Whether a response said that it was received.
    pub acknowledged: bool,
}

/// The refund that a webhook reports, as it was then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedRefund {
    /// The provider's id of it.
    pub id: String,
    /// Whether the money was back.
    pub is_back: bool,
    /// How much of the payment was back in all, in minor units.
    pub total: u64,
}

/// What became of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It got a response with this status; of one that was sent twice, the second.
    Status(u16),
    /// It got no response.
    NoResponse,
    /// It will be sent later.
    Later,
    /// It will never be sent.
    Lost,
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::NoResponse => f.write_str("no response"),
            Self::Later => f.write_str("later"),
            Self::Lost => f.write_str("lost"),
        }
    }
}

impl Account {
    /// An account on which nothing has happened.
    ///
    /// # Errors
    ///
    /// There is no HTTP client.
    pub(crate) fn new(provider: Provider, faults: Faults) -> Result<Self> {
        Ok(Self { provider, state: Arc::default(), faults, http: client::client("")? })
    }

    /// The provider.
    #[must_use]
    pub const fn provider(&self) -> Provider {
        self.provider
    }

    /// What the provider signs with and sends.
    #[must_use]
    pub const fn simulator(&self) -> &'static Simulator {
        simulator(self.provider)
    }

    /// A payment as it is there now.
    #[must_use]
    pub fn trade(&self, payment: u64) -> Option<Trade> {
        self.lock().ledger.trade(payment).cloned()
    }

    /// Every payment that is there now, with the lowest id of ours first.
    #[must_use]
    pub fn trades(&self) -> Vec<Trade> {
        self.lock().ledger.trades().cloned().collect()
    }

    /// Stores a payment, and reports nothing; replaces one with its id.
    pub fn put(&self, trade: Trade) {
        self.lock().ledger.put(trade);
    }

    /// The payer begins to pay this amount, in minor units of CNY: the payment can be queried from now on.
    ///
    /// # Errors
    ///
    /// The payment has ended there.
    pub fn open(&self, payment: u64, amount: u64) -> Result<()> {
        self.move_to(payment, amount, TradeState::Open).map(drop)
    }

    /// The payer has paid this amount, and the money is on its way.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn process(&self, payment: u64, amount: u64) -> Result<()> {
        self.move_to(payment, amount, TradeState::Processing).map(drop)
    }

    /// The payer pays this amount, in minor units of CNY. Returns what became of the webhooks.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub async fn pay(&self, payment: u64, amount: u64) -> Result<Vec<Delivery>> {
        let trade = self.move_to(payment, amount, TradeState::Paid)?;
        self.report(&trade, Occasion::Paid).await
    }

    /// The payer tries to pay this amount in vain.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub async fn fail(&self, payment: u64, amount: u64) -> Result<Vec<Delivery>> {
        let trade = self.move_to(payment, amount, TradeState::Open)?;
        self.report(&trade, Occasion::Failed).await
    }

    /// The payment can no longer be paid.
    ///
    /// # Errors
    ///
    /// It is not known there, or is paid.
    pub async fn close(&self, payment: u64) -> Result<Vec<Delivery>> {
        let trade = self.checkout(&payment.to_string());
        let trade = trade.with_context(|| format!("payment {payment} is not known there"))?;
        let trade = self.move_to(payment, trade.amount, TradeState::Closed)?;
        self.report(&trade, Occasion::Closed).await
    }

    /// Somebody gives this amount back in the provider's console, by a refund with this id of the provider.
    ///
    /// # Errors
    ///
    /// The payment is not paid, the id is taken, or more would go back than was paid.
    pub async fn refund(&self, payment: u64, amount: u64, id: &str) -> Result<Vec<Delivery>> {
        let (state, now_secs) = (RefundState::Succeeded, clock::now_secs());
        let refund = TradeRefund::in_console(id, amount, state, now_secs);
        self.begin_refund(payment, refund).await
    }

    /// Begins a refund, which may be in any state.
    ///
    /// # Errors
    ///
    /// As [`Self::refund`].
    pub async fn begin_refund(&self, payment: u64, refund: TradeRefund) -> Result<Vec<Delivery>> {
        let trade = self.lock().ledger.refund(payment, refund.clone())?.clone();
        self.report(&trade, Occasion::Refund { refund: &refund, is_new: true }).await
    }

    /// A refund that was begun succeeds.
    ///
    /// # Errors
    ///
    /// There is no refund with this id of the provider.
    pub async fn complete_refund(&self, id: &str) -> Result<Vec<Delivery>> {
        self.move_refund(id, RefundState::Succeeded).await
    }

    /// A refund fails, even one that had succeeded.
    ///
    /// # Errors
    ///
    /// As [`Self::complete_refund`].
    pub async fn fail_refund(&self, id: &str) -> Result<Vec<Delivery>> {
        self.move_refund(id, RefundState::Failed).await
    }

    /// Decides what becomes of the refunds that are ordered from now on.
    pub fn refund_orders(&self, orders: Orders) {
        self.lock().ledger.orders = orders;
    }

    /// Every webhook so far, lost ones included, in the order in which they were made.
    #[must_use]
    pub fn webhooks(&self) -> Vec<Webhook> {
        self.lock().webhooks.clone()
    }

    /// What is known of every webhook, in the order of [`Self::webhooks`].
    #[must_use]
    pub fn tracked(&self) -> Vec<Tracked> {
        self.lock().tracked.clone()
    }

    /// Every response to a webhook so far, status and body; `None` where there was none.
    #[must_use]
    pub fn responses(&self) -> Vec<Option<(u16, Bytes)>> {
        self.lock().responses.clone()
    }

    /// Sends a webhook, signed anew. Fault rules for webhooks apply.
    ///
    /// # Errors
    ///
    /// The provider's key is unusable.
    pub async fn send(&self, webhook: &Webhook) -> Result<Delivery> {
        Ok(match self.faults.arrive(self.simulator().webhook_point) {
            Some(Fault::Lose) => Delivery::Lost,
            Some(Fault::Twice) => {
                self.post(webhook).await?;
                self.post(webhook).await?
            }
            Some(Fault::LateEffect(after)) => {
                let (account, webhook) = (self.clone(), webhook.clone());
                self.faults.later(after, async move { drop(account.post(&webhook).await) });
                Delivery::Later
            }
            // No other fault is for webhooks.
            _ => self.post(webhook).await?,
        })
    }

    /// Loses every webhook from now on, or none.
    pub fn lose_webhooks(&self, lose: bool) {
        let point = self.simulator().webhook_point;
        self.faults.clear_at(point);
        if lose {
            self.faults.set(point, Fault::Lose, None);
        }
    }

    /// Makes calls, or webhooks, of this name fail: the next `times`, or all from now on.
    ///
    /// # Errors
    ///
    /// Such a call cannot have this fault.
    pub fn set_fault(&self, point: &str, fault: Fault, times: Option<usize>) -> Result<()> {
        let name = self.provider.as_str();
        let own = point.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'));
        ensure!(own && fault.is_for(point), "{point} of {name} cannot have {}", fault.name());
        self.faults.set(point, fault, times);
        Ok(())
    }

    /// Makes everything work again; calls that hang stay hung.
    pub fn clear_faults(&self) {
        self.faults.clear_at(&format!("{}:", self.provider.as_str()));
    }

    /// How many calls of this name there were, failed ones included.
    #[must_use]
    pub fn calls(&self, point: &str) -> usize {
        self.lock().calls.get(point).copied().unwrap_or(0)
    }

    /// Sends webhooks to the API at this URL from now on.
    pub(crate) fn send_to(&self, api: &str) {
        let url = format!("{api}/api/pay/callback/{}", self.provider.as_str());
        self.lock().webhook_url = Some(url);
    }

    /// Counts a call.
    pub(super) fn count(&self, point: &'static str) {
        let mut state = self.lock();
        let calls = state.calls.entry(point).or_default();
        *calls = calls.saturating_add(1);
    }

    /// Reads what the provider knows, or changes it.
    pub(super) fn with_ledger<T>(&self, edit: impl FnOnce(&mut Ledger) -> T) -> T {
        edit(&mut self.lock().ledger)
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Moves a payment, which is made if it is not known. Returns it as it is then.
    fn move_to(&self, payment: u64, amount: u64, to: TradeState) -> Result<Trade> {
        let (transaction, now) = ((self.simulator().transaction)(payment, 0), clock::now_secs());
        let mut state = self.lock();
        let known = state.ledger.by_reference(&payment.to_string()).cloned();
        let known = known.unwrap_or_else(|| Trade::new(payment, transaction, amount, now));
        let ended = matches!(known.state, TradeState::Paid | TradeState::Closed);
        ensure!(!ended, "payment {payment} is {:?} there", known.state);
        let trade = Trade { amount, state: to, time_secs: now, ..known };
        state.ledger.put(trade.clone());
        Ok(trade)
    }

    async fn move_refund(&self, id: &str, to: RefundState) -> Result<Vec<Delivery>> {
        let (trade, refund) = {
            let mut state = self.lock();
            let (trade, refund) = state.ledger.move_refund(id, to, clock::now_secs())?;
            (trade.clone(), refund.clone())
        };
        self.report(&trade, Occasion::Refund { refund: &refund, is_new: false }).await
    }

    pub(super) async fn report(
        &self,
        trade: &Trade,
        occasion: Occasion<'_>,
    ) -> Result<Vec<Delivery>> {
        let webhooks = (self.simulator().webhooks)(trade, occasion, clock::now_secs())?;
        let refund = match occasion {
            Occasion::Refund { refund, .. } => Some(TrackedRefund {
                id: refund.id.clone(),
                is_back: refund.state == RefundState::Succeeded,
                total: trade.refunded(),
            }),
            Occasion::Paid | Occasion::Failed | Occasion::Closed => None,
        };
        {
            let mut state = self.lock();
            state.webhooks.extend(webhooks.clone());
            state.tracked.extend(webhooks.iter().map(|webhook| Tracked {
                id: webhook.id.clone(),
                payment: trade.payment,
                transaction: trade.transaction.clone(),
                refund: refund.clone(),
                acknowledged: false,
            }));
        }
        let mut deliveries = Vec::new();
        for webhook in &webhooks {
            deliveries.push(self.send(webhook).await?);
        }
        Ok(deliveries)
    }

    async fn post(&self, webhook: &Webhook) -> Result<Delivery> {
        let Some(url) = self.lock().webhook_url.clone() else { return Ok(Delivery::NoResponse) };
        let signed = self.simulator().message(None, webhook, clock::now_secs())?;
        let mut request = self.http.post(url).body(signed.body);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        let response = match request.send().await {
            Ok(response) => {
                let status = response.status();
                response.bytes().await.ok().map(|body| (status, body))
            }
            Err(_) => None,
        };
        let mut state = self.lock();
        let acknowledged = response.as_ref().is_some_and(|(status, _)| status.is_success());
        if let Some(tracked) = state.tracked.iter_mut().find(|one| one.id == webhook.id) {
            tracked.acknowledged |= acknowledged;
        }
        let response = response.map(|(status, body)| (status.as_u16(), body));
        let delivery =
            response.as_ref().map_or(Delivery::NoResponse, |(status, _)| Delivery::Status(*status));
        state.responses.push(response);
        Ok(delivery)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
