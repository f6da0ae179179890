//! What a scenario is made of.

use std::{collections::BTreeSet, sync::Arc};

use pay_core::{
    domain::{
        Amount, Currency, Digest, EventId, EventKey, Money, OrderId, Outcome, PaymentId, Provider,
        ProviderTxn, RawBody, Report, Source, Timestamp, UserId,
    },
    ports::{Order, Orders, PaymentStore, TraceParent, Users},
    testing::{Call, SeededIds},
    usecases::{
        callback::{Claims, Notice, callback},
        create::{CreatePayment, create},
        quarantine::{Decision, Resolve, resolve},
        reconcile::{Reconcile, reconcile},
    },
};

use super::{
    actor::{Actor, Final, Role, Run},
    heal::alone,
    ports::Probe,
    report::USUAL_FAULTS,
    world::{Breakage, Fakes, World},
};

/// Actors at work at the same time on one world.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What is there before.
    pub(crate) world: World,
    pub(crate) actors: Vec<Actor>,
    /// How many faults a schedule may have, unless the environment says so.
    pub(crate) faults: usize,
    /// A call that may fail every time: its failures are not counted.
    pub(crate) down: Option<Call>,
    /// How the store is broken, if it is.
    pub(crate) breakage: Option<Breakage>,
    /// All that the actors can be answered.
    pub(crate) answers: BTreeSet<&'static str>,
    /// All that the payments can be in the end.
    pub(crate) ends: BTreeSet<&'static str>,
}

impl Scenario {
    pub(crate) const fn new(name: &'static str, world: World, actors: Vec<Actor>) -> Self {
        let (faults, down, breakage) = (USUAL_FAULTS, None, None);
        Self {
            name,
            world,
            actors,
            faults,
            down,
            breakage,
            answers: BTreeSet::new(),
            ends: BTreeSet::new(),
        }
    }

    pub(crate) fn with_faults(self, faults: usize) -> Self {
        Self { faults, ..self }
    }

    pub(crate) fn with_down(self, call: Call) -> Self {
        Self { down: Some(call), ..self }
    }

    /// Says all that the actors can be answered, and all that the payments can be in the end; with
    /// ` | ` between them.
    pub(crate) fn seeing(self, answers: &[&'static str], ends: &'static str) -> Self {
        let answers = answers.iter().flat_map(|answers| answers.split(" | ")).collect();
        Self { answers, ends: ends.split(" | ").collect(), ..self }
    }
}

/// All that a use case needs.
pub(crate) trait Ports: PaymentStore + Users + Orders + Send + Sync + 'static {}

impl<P: PaymentStore + Users + Orders + Send + Sync + 'static> Ports for P {}

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
        alone(&Fakes::new(None), (actor, 0), down, &mut world).unwrap();
    }
    world.table.catch_up();
    world
}

/// The payment that actor `number` makes at its first attempt.
pub(crate) fn payment_of(number: u64) -> PaymentId {
    id(number.saturating_mul(10).saturating_add(10))
}

/// When actor `number` makes this attempt: each at a time of its own.
pub(crate) fn time(number: u64, attempt: u64) -> Timestamp {
    let after = number.saturating_mul(10).saturating_add(attempt);
    Timestamp::from_millis(1_800_000_000_000).unwrap().plus_millis(after.saturating_mul(1_000))
}

pub(crate) fn trace() -> TraceParent {
    TraceParent::start(1, 1)
}

/// User 1's request for order 1.
pub(crate) fn request(minor: u64, key: Option<u8>) -> CreatePayment {
    let amount = Amount::new(minor, Currency::new("CNY").unwrap()).unwrap();
    let key = key.map(|byte| Digest::new([byte; 32]));
    CreatePayment { uid: uid(1), oid: oid(1), amount, key }
}

/// The ids of actor `number`: at the first attempt `first`, if it has any, then its own.
pub(crate) fn ids(number: u64, attempt: u64, first: Option<PaymentId>) -> SeededIds {
    let ids = SeededIds::new(number);
    let own =
        (0..4).map(|next| payment_of(number).get().saturating_add(attempt).saturating_add(next));
    let first = first.filter(|_| attempt == 0);
    ids.first(first.into_iter().chain(own.map(id)));
    ids
}

fn boxed(run: impl Future<Output = Final> + Send + 'static) -> Run {
    Box::pin(run)
}

/// Actor `number`, who makes this request.
pub(crate) fn creating(number: u64, request: CreatePayment) -> Actor {
    creating_first(number, request, None)
}

/// Actor `number`, who makes this request and draws this id first.
pub(crate) fn creating_first(
    number: u64,
    request: CreatePayment,
    first: Option<PaymentId>,
) -> Actor {
    creating_on(number, request, first, |probe| probe)
}

/// The same, on ports of another kind.
pub(crate) fn creating_on<P: Ports>(
    number: u64,
    request: CreatePayment,
    first: Option<PaymentId>,
    ports: impl Fn(Probe) -> P + Send + Sync + 'static,
) -> Actor {
    let begin = Arc::new(move |probe: Probe, attempt| {
        let ports = ports(probe);
        let run = async move {
            let (shop, store) = ((&ports, &ports), (&ports, &ids(number, attempt, first)));
            Final::Create(create(shop, store, request, time(number, attempt), &trace()).await)
        };
        boxed(run)
    });
    Actor { role: Role::Create(request), begin }
}

/// Actor `number`, who delivers this message, once its payment is there.
pub(crate) fn delivering(number: u64, notice: Notice) -> Actor {
    delivering_on(number, notice, |probe| probe)
}

/// Actor `number`, who delivers this message, whether its payment is there or not.
pub(crate) fn delivering_early(number: u64, notice: Notice) -> Actor {
    let role = Role::Message { notice: notice.clone(), waits: false };
    Actor { role, ..delivering(number, notice) }
}

/// The same, on ports of another kind.
pub(crate) fn delivering_on<P: Ports>(
    number: u64,
    notice: Notice,
    ports: impl Fn(Probe) -> P + Send + Sync + 'static,
) -> Actor {
    let role = Role::Message { notice: notice.clone(), waits: true };
    let begin = Arc::new(move |probe: Probe, attempt| {
        let (notice, ports) = (notice.clone(), ports(probe));
        let run = async move {
            let now = time(number, attempt);
            Final::Message(callback((&ports, &ports), &ports, &notice, now, &trace()).await)
        };
        boxed(run)
    });
    Actor { role, begin }
}

/// Actor `number`, who goes through the whole work list.
pub(crate) fn reconciling(number: u64) -> Actor {
    let begin = Arc::new(move |probe: Probe, attempt| {
        let run = async move {
            let (request, now) = (Reconcile::new(100, true).unwrap(), time(number, attempt));
            let go_on = || Some(now);
            Final::Reconcile(reconcile(&probe, &probe, request, now, &go_on, &trace()).await)
        };
        boxed(run)
    });
    Actor { role: Role::Reconcile, begin }
}

/// Actor `number`, who accepts a message that is in quarantine.
pub(crate) fn accepting(number: u64, key: &str) -> Actor {
    let digest = Digest::new([200; 32]);
    let (key, note) = (EventKey::parse(key).unwrap(), RawBody::new(&[200], digest));
    let begin = Arc::new(move |probe: Probe, attempt| {
        let decision = Decision::Accept;
        let resolve_it = Resolve { key: key.clone(), decision, note: note.clone() };
        let run = async move {
            let now = time(number, attempt);
            Final::Resolve(resolve((&probe, &probe), &probe, resolve_it, now, &trace()).await)
        };
        boxed(run)
    });
    Actor { role: Role::Resolve, begin }
}

/// Money of a source, with a transaction if it has a name.
pub(crate) fn money(source: Source, txn: &str) -> Money {
    Money { source, txn: (!txn.is_empty()).then(|| ProviderTxn::new(txn).unwrap()) }
}

/// What Stripe says of a payment; each `name` is another message.
pub(crate) fn message(payment: PaymentId, outcome: Outcome, name: u8) -> Notice {
    let digest = Digest::new([name; 32]);
    Notice {
        provider: Provider::Stripe,
        event_id: EventId::new(Some(&format!("evt_{name}")), digest),
        payment: Some(payment),
        claims: None,
        amount_minor: Some(100),
        currency: Some("CNY".to_owned()),
        foreign: false,
        report: Report::Outcome(outcome),
        money: money(Source::STRIPE, "pi_1"),
        body: RawBody::new(&[name], digest),
    }
}

/// The same from a gateway of the shop's own, which claims user and order.
pub(crate) fn native(notice: Notice) -> Notice {
    let claims = Some(Claims { uid: uid(1), oid: oid(1) });
    Notice { provider: Provider::Native, claims, ..notice }
}
