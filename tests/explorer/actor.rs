//! One actor: a use case at work on one request, as the tree of all that its calls can return.
//!
//! A use case has no clock and no randomness but what it is given, so where it stands is a function
//! of the responses it has had. Each place is found once, by running the real code along the
//! responses that lead there, and then remembered.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use pay_core::{
    domain::{
        Decision, Digest, EventKey, Notification, Operator, PaymentId, Provider, RawBody,
        TimeToLive, Timestamp,
    },
    ports::Query,
    usecases::{
        apply::apply,
        checkout::{CheckoutPayment, checkout},
        close::{ClosePayment, close},
        create::{CreatePayment, create},
        quarantine::{Resolve, resolve},
        query::{Observe, QueryPorts, follow},
        refund::{RefundPayment, refund},
        sweep::{Run, Sweep, sweep},
    },
};
use rustc_hash::FxHashMap;

use super::{
    bugs::Bug,
    client::ClientResponse,
    ports::{CallId, Probe, Request, Response},
    scenario::{QUARANTINED_KEY, ids, time, trace},
    world::World,
};

/// What an actor has to do.
#[derive(Clone, Debug)]
pub(crate) enum Role {
    Create(CreatePayment),
    Deliver {
        notification: Box<Notification>,
        /// Whether it may come before its payment exists, which no honest provider does.
        early: bool,
        /// Whether it may also never come.
        lossy: bool,
    },
    /// Follow a message that only says where to look.
    Follow {
        message: Box<Notification>,
        query: Query,
        /// The providers that can be asked.
        keys: Vec<Provider>,
        /// Whether it may also never come.
        lossy: bool,
    },
    /// Sweep the whole outbox, and ask these providers.
    Sweep(Vec<Provider>),
    /// Decide on a quarantined notification.
    Resolve(EventKey, Decision),
    /// Request a refund.
    Refund(RefundPayment),
    /// Start a checkout.
    Checkout(Box<CheckoutPayment>),
    /// Close a payment; these providers can be asked.
    Close(ClosePayment, Vec<Provider>),
}

/// When an actor is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// While checkouts can be paid.
    Now,
    /// Once their last moment is over, and what is then absent at a provider may be so for good.
    Expired,
    /// Once nothing more happens at a provider.
    Last,
    /// A day later, when keys of what was requested are forgotten.
    Forgotten,
}

impl When {
    /// How long after everything began, in minutes.
    const fn minutes(self) -> u64 {
        match self {
            Self::Now => 0,
            Self::Expired => 40,
            Self::Last => 50,
            Self::Forgotten => 1_500,
        }
    }

    fn has_come(self, world: &World) -> bool {
        match self {
            Self::Now => true,
            Self::Expired | Self::Forgotten => world.providers.are_expired,
            Self::Last => world.providers.are_expired && world.to_happen.is_empty(),
        }
    }
}

/// An actor of a scenario.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub(crate) number: u64,
    pub(crate) role: Role,
    /// The id that it draws before its own.
    pub(crate) first_id: Option<PaymentId>,
    /// Whether the order service is notified of refunds.
    pub(crate) hears_of_refunds: bool,
    pub(crate) when: When,
    /// The merchant account that it has the keys of.
    pub(crate) account: &'static str,
    /// How long payments can be paid, where that is limited.
    pub(crate) time_to_live: Option<TimeToLive>,
    pub(crate) bug: Option<Bug>,
}

/// A use case under way.
type UseCase = Pin<Box<dyn Future<Output = ClientResponse>>>;

impl Actor {
    /// Whether it has a reason to be at work in this world.
    pub(crate) fn may_begin(&self, world: &World) -> bool {
        match &self.role {
            Role::Deliver { notification: sent, early: false, .. }
            | Role::Follow { message: sent, .. } => world.may_send(sent),
            Role::Deliver { early: true, .. }
            | Role::Create(_)
            | Role::Sweep(_)
            | Role::Resolve(..)
            | Role::Refund(_)
            | Role::Checkout(_)
            | Role::Close(..) => self.when.has_come(world),
        }
    }

    /// The providers that it can ask.
    pub(crate) fn keys(&self) -> &[Provider] {
        match &self.role {
            Role::Sweep(keys) | Role::Follow { keys, .. } | Role::Close(_, keys) => keys,
            Role::Refund(_) | Role::Checkout(_) => Provider::ALL,
            Role::Create(_) | Role::Deliver { .. } | Role::Resolve(..) => &[],
        }
    }

    /// Whether all that it has to do may be lost on its way.
    pub(crate) const fn is_lossy(&self) -> bool {
        matches!(self.role, Role::Deliver { lossy: true, .. } | Role::Follow { lossy: true, .. })
    }

    /// When it makes an attempt.
    pub(crate) fn time(&self, attempt: u64) -> Timestamp {
        let later_ms = self.when.minutes().saturating_mul(60_000);
        time(self.number, attempt).plus_millis(later_ms)
    }

    /// Begins its use case on these ports; `attempt` numbers the attempts of its client from 0.
    fn run(&self, ports: Probe, attempt: u64) -> UseCase {
        let (Self { number, role, first_id, bug, .. }, trace) = (self.clone(), trace());
        let (now, time_to_live) = (self.time(attempt), self.time_to_live);
        Box::pin(async move {
            let (users, orders, store, providers) = (&ports, &ports, &ports, &ports);
            let all = QueryPorts { users, orders, store, providers };
            let shop = (users, orders);
            match role {
                Role::Create(request) => {
                    let store = (&ports, &ids(number, attempt, first_id));
                    let created = create(shop, store, request, now, &trace).await;
                    ClientResponse::Create(request, created)
                }
                Role::Deliver { mut notification, .. } => {
                    notification.is_shared |= bug == Some(Bug::TakesUnmatchedForOthers);
                    let applied = apply(shop, &ports, &notification, now, &trace).await;
                    ClientResponse::Deliver(notification, applied.map(Box::new))
                }
                Role::Follow { message, query, .. } => {
                    let done = follow(&all, (&message, query), &|_, _| {}, now, &trace);
                    let done = Box::pin(done).await;
                    ClientResponse::Follow(message, done)
                }
                Role::Sweep(_) => {
                    let (every, go_on) = (Sweep::new(100, true).unwrap(), || Some(now));
                    let observe: Observe<'_> = &|_, _| {};
                    let run = Run { now, go_on: &go_on, observe, time_to_live, trace: &trace };
                    ClientResponse::Sweep(sweep(&all, every, &run).await)
                }
                Role::Resolve(key, decision) => {
                    let of_notification = bug == Some(Bug::KeysByNotification);
                    let resolve_it = Resolve {
                        key,
                        decision,
                        payment: None,
                        refund_key: if of_notification {
                            Digest::new([0xee; 32])
                        } else {
                            QUARANTINED_KEY
                        },
                        by: Operator::new(&format!("operator {number}")).unwrap(),
                        note: RawBody::new(&[200], Digest::new([200; 32])),
                    };
                    let resolved = resolve(&ports, &ports, &resolve_it, now, &trace).await;
                    ClientResponse::Resolve(decision, resolved)
                }
                Role::Refund(mut request) => {
                    if bug == Some(Bug::NewReferenceOnRepeat) && attempt > 0 {
                        request.key = Digest::new([0xee; 32]);
                    }
                    let how: (Observe<'_>, &dyn Fn() -> bool) = (&|_, _| {}, &|| true);
                    let carried = Box::pin(refund(&all, &request, how, now, &trace)).await;
                    ClientResponse::Refund(carried.map(Box::new))
                }
                Role::Checkout(mut request) => {
                    request.time_to_live = time_to_live;
                    let how: (Observe<'_>, &dyn Fn() -> bool) = (&|_, _| {}, &|| true);
                    let started = Box::pin(checkout(&all, &request, how, now, &trace)).await;
                    ClientResponse::Checkout(request, started.map(Box::new))
                }
                Role::Close(request, _) => {
                    let how: (Observe<'_>, &dyn Fn() -> bool) = (&|_, _| {}, &|| true);
                    let closed = Box::pin(close(&all, &request, how, now, &trace)).await;
                    ClientResponse::Close(closed.map(|of| Box::new(of.payment)))
                }
            }
        })
    }
}

/// How far an actor has come.
#[derive(Debug)]
pub(crate) enum Progress {
    Waiting(Vec<Request>),
    Done(ClientResponse),
}

/// A run that is polled by hand.
pub(crate) struct LiveRun {
    probe: Probe,
    run: UseCase,
}

impl LiveRun {
    pub(crate) fn begin(actor: &Actor, attempt: u64) -> (Self, Progress) {
        let probe = Probe::new(actor);
        let mut live = Self { run: actor.run(probe.clone(), attempt), probe };
        let progress = live.poll();
        (live, progress)
    }

    pub(crate) fn respond(&mut self, id: CallId, response: Response) -> Progress {
        self.probe.respond(id, response);
        self.poll()
    }

    fn poll(&mut self) -> Progress {
        let mut context = Context::from_waker(Waker::noop());
        match self.run.as_mut().poll(&mut context) {
            Poll::Ready(end) => Progress::Done(end),
            Poll::Pending => {
                let waiting = self.probe.waiting();
                assert!(
                    !waiting.is_empty(),
                    "it got the response of another call, or waits for none"
                );
                Progress::Waiting(waiting)
            }
        }
    }
}

/// A place in the tree of the responses that an actor can get.
struct Place {
    from: Option<(usize, CallId, Response)>,
    progress: Progress,
    next: FxHashMap<CallId, Vec<(Response, usize)>>,
}

impl Place {
    fn new(from: Option<(usize, CallId, Response)>, progress: Progress) -> Self {
        Self { from, progress, next: FxHashMap::default() }
    }
}

/// All that an actor has been seen to do. Place 0 is its start.
pub(crate) struct Tree {
    actor: Actor,
    places: Vec<Place>,
}

impl Tree {
    pub(crate) fn of(actor: &Actor) -> Self {
        let (_, progress) = LiveRun::begin(actor, 0);
        Self { actor: actor.clone(), places: vec![Place::new(None, progress)] }
    }

    pub(crate) const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The calls that wait at a place.
    pub(crate) fn waiting(&self, at: usize) -> &[Request] {
        match &self.places[at].progress {
            Progress::Done(_) => &[],
            Progress::Waiting(waiting) => waiting,
        }
    }

    /// The response to the actor's client, if that place is an end.
    pub(crate) fn end(&self, at: usize) -> Option<&ClientResponse> {
        match &self.places[at].progress {
            Progress::Done(end) => Some(end),
            Progress::Waiting(_) => None,
        }
    }

    /// Every end that was found.
    pub(crate) fn ends(&self) -> impl Iterator<Item = &ClientResponse> {
        (0..self.places.len()).filter_map(|at| self.end(at))
    }

    /// The last response on the way to a place.
    pub(crate) fn last_response(&self, at: usize) -> Option<&Response> {
        self.places[at].from.as_ref().map(|(_, _, response)| response)
    }

    /// The place that one more response leads to.
    pub(crate) fn respond(&mut self, at: usize, id: CallId, response: &Response) -> usize {
        let known = self.places[at].next.get(&id).into_iter().flatten();
        if let Some((_, to)) = known.clone().find(|(known, _)| known == response) {
            return *to;
        }
        let (mut path, mut place) = (vec![(id, response.clone())], at);
        while let Some((before, id, response)) = &self.places[place].from {
            path.push((*id, response.clone()));
            place = *before;
        }
        let (mut live, mut progress) = LiveRun::begin(&self.actor, 0);
        for (id, response) in path.into_iter().rev() {
            progress = live.respond(id, response);
        }
        let to = self.places.len();
        self.places.push(Place::new(Some((at, id, response.clone())), progress));
        self.places[at].next.entry(id).or_default().push((response.clone(), to));
        to
    }
}
