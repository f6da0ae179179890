//! What a scenario is made of.

use std::collections::BTreeSet;

use pay_core::{
    domain::{
        Amount, CheckoutMethod, Currency, Decision, Description, Digest, EventKey, Notification,
        OrderId, PaymentId, Provider, RawBody, RefundId, RefundReference, Sender, TimeToLive,
        Timestamp, UserId, WebUrl,
    },
    ports::{Order, Query, TraceParent},
    testing::{Call, SeededIds},
    usecases::{
        checkout::{AskedCheckout, CheckoutPayment},
        close::ClosePayment,
        create::CreatePayment,
        refund::RefundPayment,
    },
};

use super::{
    actor::{Actor, Role, When},
    bugs::{Bug, StoreBug},
    recovery::run_alone,
    report::USUAL_FAULTS,
    world::{Fakes, World},
};

/// The merchant account at every provider.
pub(crate) const ACCOUNT: &str = "merchant_1";

/// The one that a service has the keys of whose configuration was changed.
const OTHER_ACCOUNT: &str = "merchant_2";

/// The key of the refund that gives back the money of a quarantined notification: there is such money of one
/// transaction at most.
pub(crate) const QUARANTINED_KEY: Digest = Digest::new([201; 32]);

/// Actors at work at the same time on one world.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The world at the start.
    pub(crate) world: World,
    pub(crate) actors: Vec<Actor>,
    /// How many faults a schedule may have, unless the environment says otherwise.
    pub(crate) faults: usize,
    /// A call that may fail every time: its failures are not counted.
    pub(crate) down: Option<Call>,
    /// The bug of the store, if it has one.
    pub(crate) store_bug: Option<StoreBug>,
    /// All that clients can get.
    pub(crate) responses: BTreeSet<&'static str>,
    /// All that can become of the payments.
    pub(crate) ends: BTreeSet<&'static str>,
}

impl Scenario {
    pub(crate) fn new(
        name: &'static str,
        world: World,
        actors: impl IntoIterator<Item = Actor>,
    ) -> Self {
        let (mut world, actors) = (world, actors.into_iter());
        let actors: Vec<_> = actors.map(|actor| actor.in_world(&mut world)).collect();
        Self {
            name,
            world,
            actors,
            faults: USUAL_FAULTS,
            down: None,
            store_bug: None,
            responses: BTreeSet::new(),
            ends: BTreeSet::new(),
        }
    }

    pub(crate) fn with_faults(self, faults: usize) -> Self {
        Self { faults, ..self }
    }

    pub(crate) fn with_down(self, call: Call) -> Self {
        Self { down: Some(call), ..self }
    }

    /// Sets all that clients can get, and all that can become of the payments; ` | ` is between
    /// them.
    pub(crate) fn expecting(self, responses: &[&'static str], ends: &'static str) -> Self {
        let responses = responses.iter().flat_map(|responses| responses.split(" | ")).collect();
        Self { responses, ends: ends.split(" | ").collect(), ..self }
    }
}

pub(crate) fn uid(uid: u64) -> UserId {
    UserId::new(uid).unwrap()
}

pub(crate) fn oid(oid: u64) -> OrderId {
    OrderId::new(oid).unwrap()
}

pub(crate) fn id(id: u64) -> PaymentId {
    PaymentId::new(id).unwrap()
}

/// A shop where user 1 has order 1 and order 2, of 100 each; the indexes lag.
pub(crate) fn shop() -> World {
    let mut world = World::default();
    world.table.lagging = true;
    world.shop.users.insert(uid(1));
    for number in [1, 2] {
        let order = Order { uid: uid(1), amount_minor: 100, paid: false };
        world.shop.orders.insert(oid(number), order);
    }
    world
}

/// The world after these actors, one after another, without faults.
pub(crate) fn after(world: World, actors: &[Actor]) -> World {
    after_with(world, actors, None)
}

/// The same, while a call failed each time.
pub(crate) fn after_with(mut world: World, actors: &[Actor], down: Option<Call>) -> World {
    for actor in actors {
        let actor = actor.clone().in_world(&mut world);
        run_alone(&Fakes::new(None), (&actor, 0), down, &mut world).unwrap();
    }
    world.table.catch_up();
    world
}

/// The payment that actor `number` creates at its first attempt.
pub(crate) fn payment_of(number: u64) -> PaymentId {
    id(number.saturating_mul(10).saturating_add(10))
}

/// When actor `number` makes this attempt: each at a time of its own.
pub(crate) fn time(number: u64, attempt: u64) -> Timestamp {
    let after = number.saturating_mul(10).saturating_add(attempt.saturating_mul(100));
    Timestamp::from_millis(1_800_000_000_000).unwrap().plus_millis(after.saturating_mul(1_000))
}

pub(crate) fn trace() -> TraceParent {
    TraceParent::start(1, 1)
}

/// The ids of actor `number`: at the first attempt `first`, if it has one, then its own.
pub(crate) fn ids(number: u64, attempt: u64, first: Option<PaymentId>) -> SeededIds {
    let ids = SeededIds::new(number);
    let own =
        (0..4).map(|next| payment_of(number).get().saturating_add(attempt).saturating_add(next));
    let first = first.filter(|_| attempt == 0);
    ids.first(first.into_iter().chain(own.map(id)));
    ids
}

/// User 1's request for order 1.
pub(crate) fn request(minor: u64, key: Option<u8>) -> CreatePayment {
    let amount = Amount::new(minor, Currency::new("CNY").unwrap()).unwrap();
    let key = key.map(|byte| Digest::new([byte; 32]));
    CreatePayment { uid: uid(1), oid: oid(1), amount, key, queried: false, time_to_live: None }
}

const fn actor(number: u64, role: Role) -> Actor {
    let (first_id, hears_of_refunds, when, account) = (None, false, When::Now, ACCOUNT);
    Actor { number, role, first_id, hears_of_refunds, when, account, time_to_live: None, bug: None }
}

/// Actor `number`, who creates a payment.
pub(crate) const fn creating(number: u64, request: CreatePayment) -> Actor {
    actor(number, Role::Create(request))
}

/// Actor `number`, who delivers a notification once its payment exists.
pub(crate) fn delivering(number: u64, notification: Notification) -> Actor {
    actor(
        number,
        Role::Deliver { notification: Box::new(notification), early: false, lossy: false },
    )
}

/// Actor `number`, who delivers a notification once that is true, or never.
pub(crate) fn perhaps_delivering(number: u64, notification: Notification) -> Actor {
    let notification = Box::new(notification);
    actor(number, Role::Deliver { notification, early: false, lossy: true })
}

/// Actor `number`, who delivers a notification whether its payment exists or not.
pub(crate) fn delivering_early(number: u64, notification: Notification) -> Actor {
    actor(number, Role::Deliver { notification: Box::new(notification), early: true, lossy: false })
}

/// Actor `number`, who follows a message to its transaction at Stripe.
pub(crate) fn following(number: u64, message: Notification) -> Actor {
    follower(number, message, vec![Provider::Stripe], false)
}

/// The same, or the message never comes.
pub(crate) fn perhaps_following(number: u64, message: Notification) -> Actor {
    follower(number, message, vec![Provider::Stripe], true)
}

/// The same, without a key for any provider.
pub(crate) fn following_nowhere(number: u64, message: Notification) -> Actor {
    follower(number, message, Vec::new(), false)
}

fn follower(number: u64, message: Notification, keys: Vec<Provider>, lossy: bool) -> Actor {
    let query = Query::Object(message.report.reference.txn.clone().unwrap());
    actor(number, Role::Follow { message: Box::new(message), query, keys, lossy })
}

/// Actor `number`, who sweeps the whole outbox, without a key for any provider.
pub(crate) const fn sweeping(number: u64) -> Actor {
    actor(number, Role::Sweep(Vec::new()))
}

/// Actor `number`, who sweeps the whole outbox, and asks Stripe.
pub(crate) fn asking(number: u64) -> Actor {
    actor(number, Role::Sweep(vec![Provider::Stripe]))
}

/// Actor `number`, who accepts a quarantined notification.
pub(crate) fn accepting(number: u64, key: &str) -> Actor {
    actor(number, Role::Resolve(EventKey::parse(key).unwrap(), Decision::Accept))
}

/// Actor `number`, who has the money given back that a quarantined notification reports.
pub(crate) fn giving_back(number: u64, key: &str) -> Actor {
    actor(number, Role::Resolve(EventKey::parse(key).unwrap(), Decision::Refund))
}

/// Actor `number`, who requests a refund of the payment of actor 0 with this key.
pub(crate) fn refunding(number: u64, amount_minor: u64, key: u8) -> Actor {
    let key = Digest::new([key; 32]);
    actor(
        number,
        Role::Refund(RefundPayment {
            id: payment_of(0),
            amount_minor: Some(amount_minor),
            key,
            reason: None,
            sender: Sender::Native,
            body: RawBody::new(&[100], key),
        }),
    )
}

/// Actor `number`, who starts a checkout of the payment of actor 0.
pub(crate) fn checking_out(number: u64, method: CheckoutMethod) -> Actor {
    let key = u8::try_from(number).unwrap();
    actor(
        number,
        Role::Checkout(Box::new(CheckoutPayment {
            id: payment_of(0),
            payer: Some(uid(1)),
            asked: AskedCheckout {
                method,
                description: None,
                return_url: None,
                openid: None,
                payer_ip: None,
            },
            notify_url: WebUrl::new("https://shop.example/callback").ok(),
            time_to_live: None,
            sender: Sender::Native,
            body: RawBody::new(&[key], Digest::new([key; 32])),
        })),
    )
}

/// Actor `number`, who closes the payment of actor 0, where these providers can be asked.
pub(crate) fn closing(number: u64, keys: &[Provider]) -> Actor {
    let key = u8::try_from(number).unwrap();
    let body = RawBody::new(&[key], Digest::new([key; 32]));
    let (id, payer, sender) = (payment_of(0), Some(uid(1)), Sender::Native);
    actor(number, Role::Close(ClosePayment { id, payer, sender, body }, keys.to_vec()))
}

/// Actor `number`, who sweeps the whole outbox, and asks these providers.
pub(crate) fn asking_all(number: u64, keys: &[Provider]) -> Actor {
    actor(number, Role::Sweep(keys.to_vec()))
}

/// Our reference of the refund of the payment of actor 0 that was requested with this key.
pub(crate) fn reference(key: u8) -> RefundReference {
    RefundReference::new(payment_of(0), Digest::new([key; 32]))
}

impl Actor {
    /// The same, who knows whether the order service of this world is notified of refunds; the world knows
    /// which refund is requested.
    pub(crate) fn in_world(self, world: &mut World) -> Self {
        if let Role::Refund(request) = &self.role {
            let reference = RefundReference::new(request.id, request.key);
            world.requested.insert(RefundId::requested(reference));
        }
        if let Role::Resolve(EventKey { payment: Some(payment), .. }, Decision::Refund) = &self.role
        {
            let reference = RefundReference::new(*payment, QUARANTINED_KEY);
            world.requested.insert(RefundId::requested(reference));
        }
        world.keeps_checkouts |= matches!(self.role, Role::Checkout(_));
        Self { hears_of_refunds: world.shop.hears_of_refunds, ..self }
    }

    /// The same, at another time.
    pub(crate) fn at(self, when: When) -> Self {
        Self { when, ..self }
    }

    /// The same, with the keys of another merchant account.
    pub(crate) fn of_another_account(self) -> Self {
        Self { account: OTHER_ACCOUNT, ..self }
    }

    /// The same, where payments can be paid so long.
    pub(crate) fn with_time_to_live(self, seconds: u64) -> Self {
        Self { time_to_live: TimeToLive::new(seconds).ok(), ..self }
    }

    /// The same, who starts the checkout with this description.
    pub(crate) fn described(mut self, text: &str) -> Self {
        if let Role::Checkout(request) = &mut self.role {
            request.asked.description = Description::new(text).ok();
        }
        self
    }

    /// The same, drawing this id first.
    pub(crate) fn with_first_id(self, id: PaymentId) -> Self {
        Self { first_id: Some(id), ..self }
    }

    /// The same, with a bug.
    pub(crate) fn with_bug(self, bug: Bug) -> Self {
        Self { bug: Some(bug), ..self }
    }
}
