//! One client: it orders, creates payments, has them paid, closed and refunded, reads them, and delivers
//! notifications of providers, valid and invalid.

mod checkouts;
mod quarantine;
mod refunds;

use fastrand::Rng;
use pay_core::domain::{Outcome, Provider};
use serde_json::json;
use tokio::time::Instant;

use super::deliver::EntryPoint;
use super::payer;
use super::place::Place;
use super::world::{Known, Sent};
use crate::clock;
use crate::messages::Message;
use crate::simulator::ledger::TradeState;
use crate::simulator::{RefundReports, simulator};

/// How many users the shop has.
const USERS: u64 = 16;

/// The first user's id.
const FIRST_USER: u64 = 1000;

/// The source that a gateway of the shop's own reports for its own payments.
const OWN_SOURCE: u64 = 9;

/// One client.
#[derive(Debug)]
pub(super) struct Client<'a> {
    entry_point: &'a EntryPoint<'a>,
    random: Rng,
}

impl<'a> Client<'a> {
    pub(super) fn new(entry_point: &'a EntryPoint<'a>, random: Rng) -> Self {
        Self { entry_point, random }
    }

    /// Acts until the end. The last action is completed.
    pub(super) async fn run(mut self, end: Instant) {
        while Instant::now() < end {
            match self.random.u8(..100) {
                0..15 => self.order().await,
                15..25 => self.create_again().await,
                25..33 => self.read().await,
                33..77 => self.notify().await,
                77..79 => self.close().await,
                79..89 => self.refund().await,
                89..92 => self.deliver_again().await,
                92..95 => self.give_back().await,
                _ => self.send_invalid().await,
            }
        }
    }

    /// A new order and its payment. One in five is created twice at the same time.
    async fn order(&mut self) {
        let uid = FIRST_USER.saturating_add(self.random.u64(..USERS));
        let amount = self.random.u64(1..=5000);
        let shop = self.entry_point.stack.shop();
        shop.add_user(uid);
        let oid = shop.add_order(uid, amount);
        let key = self.random.bool().then(|| format!("key-{:016x}", self.random.u64(..)));
        let known = Known { uid, oid, amount, key: key.clone(), payments: Vec::new() };
        self.entry_point.world().orders.push(known);
        let key = key.as_deref();
        if self.random.u8(..100) < 20 {
            // With the same key, or both without one.
            let create = || self.entry_point.create(uid, oid, amount, key);
            tokio::join!(create(), create());
            return;
        }
        let created = self.entry_point.create(uid, oid, amount, key).await.payment();
        if let Some(payment) = created.filter(|of| Place::of(*of) == Place::Checkouts) {
            self.check_out(uid, payment).await;
            if self.random.bool() {
                self.pay_checkout(payment).await;
            }
        }
    }

    fn some_order(&mut self) -> Option<Known> {
        self.random.choice(&self.entry_point.world().orders).cloned()
    }

    /// The payment of an existing order once more.
    async fn create_again(&mut self) {
        let Some(order) = self.some_order() else { return };
        let Known { uid, oid, amount, key, .. } = order;
        let key = match self.random.u8(..3) {
            0 => None,
            1 => key,
            _ => Some(format!("key-{:016x}", self.random.u64(..))),
        };
        self.entry_point.create(uid, oid, amount, key.as_deref()).await;
    }

    /// Reads a payment by its id, its order or its owner.
    async fn read(&mut self) {
        let Some(order) = self.some_order() else { return };
        let (route, body) = match (self.random.u8(..3), order.payments.last()) {
            (0, Some(id)) => ("detail", json!({"id": id})),
            (1, _) => ("list", json!({"limit": 5})),
            _ => ("detail", json!({"oid": order.oid})),
        };
        self.entry_point.request(route, order.uid, None, &body).await;
    }

    /// Something becomes of a payment, and a notification reports it.
    async fn notify(&mut self) {
        let Some(order) = self.some_order() else { return };
        let Some(payment) = self.random.choice(&order.payments).copied() else { return };
        match Place::of(payment) {
            Place::Simulator(provider) => return self.pay(&order, payment, provider).await,
            Place::Checkouts => return self.use_checkouts(&order, payment).await,
            Place::Messages(_) | Place::Gateway => {}
        }
        let outcome = self.outcome();
        // Sometimes a gateway of the shop's own sends it in place of the provider. So it is with a refund
        // where the provider would be asked for it: it knows nothing of this payment.
        let is_listed = |provider| simulator(provider).refund_reports == RefundReports::Listed;
        let sender = Place::of(payment).provider().filter(|provider| {
            let refunded = outcome.0 == Outcome::Refunded;
            self.random.u8(..100) < 85 && !(refunded && is_listed(*provider))
        });
        self.send(&order, payment, outcome, sender).await;
    }

    /// Something happens at the provider. Sometimes a gateway of the shop's own reports it, too.
    async fn pay(&mut self, order: &Known, payment: u64, provider: Provider) {
        let Ok(account) = self.entry_point.stack.account(provider) else { return };
        let paid = account.trade(payment).filter(|trade| trade.state == TradeState::Paid);
        if paid.is_some_and(|trade| trade.amount == order.amount) && self.random.u8(..100) < 20 {
            return self.send(order, payment, PAID, None).await;
        }
        if let Err(error) = payer::act(account, &mut self.random, payment, order.amount).await {
            let what = format!("the simulator of {}: {error:#}", provider.as_str());
            self.entry_point.world().unexpected.push(what);
        }
    }

    /// What became of a payment, and how much is refunded if not all of it.
    fn outcome(&mut self) -> (Outcome, Option<u64>) {
        let outcome = match self.random.u8(..100) {
            0..55 => Outcome::Paid,
            55..67 => Outcome::Failed,
            67..80 => Outcome::Closed,
            80..90 => Outcome::Refunded,
            _ => return (Outcome::Refunded, Some(1)),
        };
        (outcome, None)
    }

    async fn send(
        &mut self,
        order: &Known,
        payment: u64,
        (outcome, refund): (Outcome, Option<u64>),
        sender: Option<Provider>,
    ) {
        let id = format!("{:016x}", self.random.u64(..));
        let amount = order.amount;
        let now_secs = clock::now_secs();
        let message = Message { payment, amount, outcome, refund, id: id.clone(), now_secs };
        let by_provider = sender.and_then(|sender| Some((sender, message.from(sender).ok()?.body)));
        let (sender, id, body) = match by_provider {
            Some((provider, body)) => (Some(provider), message.event_id(provider), body),
            None => (None, id, native(order, payment, (outcome, refund))),
        };
        let sent = Sent { sender, id, payment, body, genuine: true, kept: false };
        self.deliver_first(sent).await;
    }

    async fn deliver_first(&self, sent: Sent) {
        let at = {
            let mut world = self.entry_point.world();
            world.facts.messages.push(sent.clone());
            world.facts.messages.len().saturating_sub(1)
        };
        let (_, kept) = self.entry_point.deliver(&sent).await;
        self.note(at, kept);
    }

    fn note(&self, at: usize, kept: bool) {
        if let Some(sent) = self.entry_point.world().facts.messages.get_mut(at) {
            sent.kept |= kept;
        }
    }

    /// An earlier message once more.
    async fn deliver_again(&mut self) {
        let found = {
            let world = self.entry_point.world();
            let messages = world.facts.messages.iter().enumerate();
            self.random.choice(messages).map(|(at, sent)| (at, sent.clone()))
        };
        let Some((at, sent)) = found else { return };
        let (_, kept) = self.entry_point.deliver(&sent).await;
        self.note(at, kept);
    }

    /// A message that must not be applied: unsigned, of another amount, about a payment that does
    /// not exist, or of another provider.
    async fn send_invalid(&mut self) {
        let Some(mut order) = self.some_order() else { return };
        let Some(payment) = self.random.choice(&order.payments).copied() else { return };
        let (place, own) = (Place::of(payment), Place::of(payment).provider());
        let other = Provider::ALL.iter().copied().find(|other| own != Some(*other));
        match self.random.u8(..4) {
            0 => {
                let id = format!("{:016x}", self.random.u64(..));
                let body = native(&order, payment, PAID);
                let sent = Sent { sender: None, id, payment, body, genuine: false, kept: false };
                self.deliver_first(sent).await;
            }
            1 => {
                order.amount = order.amount.saturating_add(1);
                self.send(&order, payment, PAID, own).await;
            }
            2 => {
                let unknown = payment.saturating_add(1);
                self.send(&order, unknown, PAID, own).await;
            }
            // It would hide what the simulator knows.
            _ if place.is_simulated() => {}
            _ => self.send(&order, payment, PAID, other).await,
        }
    }
}

/// A payment in full.
const PAID: (Outcome, Option<u64>) = (Outcome::Paid, None);

/// A native notification.
fn native(order: &Known, payment: u64, (outcome, refund): (Outcome, Option<u64>)) -> Vec<u8> {
    let status = match outcome {
        Outcome::Refunded if refund.is_some() => 1,
        Outcome::Paid => 1,
        Outcome::Failed => 2,
        Outcome::Closed => 3,
        Outcome::Refunded => 4,
    };
    let place = Place::of(payment);
    let of_provider = |provider: Provider| provider.source().get().into();
    // Which provider collects it is not known before it is paid.
    let own = if place == Place::Checkouts { 0 } else { OWN_SOURCE };
    let source: u64 = place.provider().map_or(own, of_provider);
    let Known { uid, oid, amount, .. } = order;
    json!({
        "id": payment, "uid": uid, "oid": oid, "amount": amount, "source": source,
        "status": status, "refunded": refund,
    })
    .to_string()
    .into_bytes()
}
