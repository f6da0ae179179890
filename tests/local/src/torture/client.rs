//! One client: it orders, pays, looks, and hands in what payment providers say, good and bad.

use pay_providers::PaymentProvider;
use serde_json::json;
use tokio::time::Instant;

use super::deliver::Door;
use super::world::{Known, Sent};
use crate::clock;
use crate::messages::{Message, Outcome};
use crate::seeded::Seeded;

/// How many users the shop has.
const USERS: u64 = 16;

/// Where the users' ids begin.
const FIRST_USER: u64 = 1000;

/// The source of money that a gateway of ours reports by itself.
const OWN_SOURCE: u64 = 9;

/// One client.
#[derive(Debug)]
pub(super) struct Client<'a> {
    door: &'a Door<'a>,
    random: Seeded,
}

impl<'a> Client<'a> {
    pub(super) fn new(door: &'a Door<'a>, random: Seeded) -> Self {
        Self { door, random }
    }

    /// Acts until the end, and finishes what it has begun.
    pub(super) async fn run(mut self, end: Instant) {
        while Instant::now() < end {
            match self.random.below(100) {
                0..20 => self.order().await,
                20..35 => self.ask_again().await,
                35..45 => self.look().await,
                45..85 => self.report().await,
                85..95 => self.deliver_again().await,
                _ => self.mislead().await,
            }
        }
    }

    /// A new order and its payment; one in five is asked for twice at once.
    async fn order(&mut self) {
        let uid = FIRST_USER.saturating_add(self.random.below(USERS));
        let amount = self.random.below(5000).saturating_add(1);
        let shop = self.door.stack.shop();
        shop.add_user(uid);
        let oid = shop.add_order(uid, amount);
        let key = self.random.percent(50).then(|| format!("key-{:016x}", self.random.next()));
        let known = Known { uid, oid, amount, key: key.clone(), payments: Vec::new() };
        self.door.world().orders.push(known);
        let key = key.as_deref();
        if self.random.percent(20) {
            // With the same key, or each without one.
            let create = || self.door.create(uid, oid, amount, key);
            tokio::join!(create(), create());
        } else {
            self.door.create(uid, oid, amount, key).await;
        }
    }

    fn some_order(&mut self) -> Option<Known> {
        self.random.pick(&self.door.world().orders).cloned()
    }

    /// The payment of an order that has been asked for before.
    async fn ask_again(&mut self) {
        let Some(order) = self.some_order() else { return };
        let Known { uid, oid, amount, key, .. } = order;
        let key = match self.random.below(3) {
            0 => None,
            1 => key,
            _ => Some(format!("key-{:016x}", self.random.next())),
        };
        self.door.create(uid, oid, amount, key.as_deref()).await;
    }

    /// Asks for a payment, by its id, its order or its owner.
    async fn look(&mut self) {
        let Some(order) = self.some_order() else { return };
        let (route, body) = match (self.random.below(3), order.payments.last()) {
            (0, Some(id)) => ("detail", json!({"id": id})),
            (1, _) => ("list", json!({"limit": 5})),
            _ => ("detail", json!({"oid": order.oid})),
        };
        self.door.ask(route, order.uid, None, &body).await;
    }

    /// What a provider says about a payment.
    async fn report(&mut self) {
        let Some(order) = self.some_order() else { return };
        let Some(payment) = self.random.pick(&order.payments).copied() else { return };
        let outcome = self.outcome();
        let home = home(payment);
        // Now and then a gateway of ours says it for the provider.
        let sender = home.filter(|_| self.random.percent(85));
        self.send(&order, payment, outcome, sender).await;
    }

    fn outcome(&mut self) -> Outcome {
        match self.random.below(100) {
            0..55 => Outcome::Paid,
            55..67 => Outcome::Failed,
            67..80 => Outcome::Closed,
            80..90 => Outcome::Refunded,
            _ => Outcome::PartlyRefunded,
        }
    }

    async fn send(
        &mut self,
        order: &Known,
        payment: u64,
        outcome: Outcome,
        sender: Option<PaymentProvider>,
    ) {
        let id = format!("{:016x}", self.random.next());
        let amount = order.amount;
        let message =
            Message { payment, amount, outcome, id: id.clone(), now_secs: clock::now_secs() };
        let by_provider = sender.and_then(|sender| Some((sender, message.body(sender).ok()?)));
        let (sender, body) = by_provider.map_or_else(
            || (None, native(order, payment, outcome)),
            |(who, body)| (Some(who), body),
        );
        let id = match sender {
            Some(PaymentProvider::Stripe) => format!("evt_{id}"),
            Some(PaymentProvider::WeChat | PaymentProvider::Alipay) | None => id,
        };
        let sent = Sent { sender, id, payment, body, genuine: true, kept: false };
        self.deliver_first(sent).await;
    }

    async fn deliver_first(&self, sent: Sent) {
        let at = {
            let mut world = self.door.world();
            world.facts.messages.push(sent.clone());
            world.facts.messages.len().saturating_sub(1)
        };
        let (_, kept) = self.door.deliver(&sent).await;
        self.note(at, kept);
    }

    fn note(&self, at: usize, kept: bool) {
        if let Some(sent) = self.door.world().facts.messages.get_mut(at) {
            sent.kept |= kept;
        }
    }

    /// A message once more, whenever it was first sent.
    async fn deliver_again(&mut self) {
        let found = {
            let world = self.door.world();
            let messages: Vec<_> = world.facts.messages.iter().enumerate().collect();
            self.random.pick(&messages).map(|(at, sent)| (*at, (*sent).clone()))
        };
        let Some((at, sent)) = found else { return };
        let (_, kept) = self.door.deliver(&sent).await;
        self.note(at, kept);
    }

    /// A message that does not fit: unsigned, of another amount, about nobody's payment, or of a
    /// second provider's money.
    async fn mislead(&mut self) {
        let Some(mut order) = self.some_order() else { return };
        let Some(payment) = self.random.pick(&order.payments).copied() else { return };
        let other = PaymentProvider::ALL.into_iter().find(|other| home(payment) != Some(*other));
        match self.random.below(4) {
            0 => {
                let id = format!("{:016x}", self.random.next());
                let body = native(&order, payment, Outcome::Paid);
                let sent = Sent { sender: None, id, payment, body, genuine: false, kept: false };
                self.deliver_first(sent).await;
            }
            1 => {
                order.amount = order.amount.saturating_add(1);
                self.send(&order, payment, Outcome::Paid, home(payment)).await;
            }
            2 => {
                let nobodys = payment.saturating_add(1);
                self.send(&order, nobodys, Outcome::Paid, home(payment)).await;
            }
            _ => self.send(&order, payment, Outcome::Paid, other).await,
        }
    }
}

/// By whom a payment is paid; none is a gateway of ours.
fn home(payment: u64) -> Option<PaymentProvider> {
    match payment % 4 {
        0 => Some(PaymentProvider::Stripe),
        1 => Some(PaymentProvider::WeChat),
        2 => Some(PaymentProvider::Alipay),
        _ => None,
    }
}

/// What a gateway of ours says; it has no word for a partial refund.
fn native(order: &Known, payment: u64, outcome: Outcome) -> Vec<u8> {
    let status = match outcome {
        Outcome::Paid => 1,
        Outcome::Failed => 2,
        Outcome::Closed => 3,
        Outcome::Refunded => 4,
        Outcome::PartlyRefunded => 0,
    };
    let source = home(payment).map_or(OWN_SOURCE, |provider| u64::from(provider.source().get()));
    let Known { uid, oid, amount, .. } = order;
    json!({
        "id": payment, "uid": uid, "oid": oid, "amount": amount, "source": source,
        "status": status,
    })
    .to_string()
    .into_bytes()
}
