//! One actor: a use case at work on one request, as the tree of all it can be answered.
//!
//! A use case knows no clock and no randomness but what it is given, so where it stands is a
//! function of the answers it has had. Each place is found once, by running the real code along
//! the answers that lead there, and then remembered.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use pay_core::{
    ports::StoreError,
    usecases::{
        callback::{CallbackError, Notice, Received, Telling},
        create::{CreateError, CreatePayment, CreatedPayment},
        quarantine::ResolveError,
        reconcile::Reconciled,
    },
};

use super::{
    ports::{Answer, Probe, Request, Which},
    world::{Map, World},
};

/// What an actor has to do.
#[derive(Clone, Debug)]
pub(crate) enum Role {
    Create(CreatePayment),
    Message {
        notice: Notice,
        /// Whether it waits for its payment to be there, as an honest provider does.
        waits: bool,
    },
    /// The work list, all of it.
    Reconcile,
    /// A person's decision.
    Resolve,
}

impl Role {
    /// Whether it has a reason to be at work in this world.
    pub(crate) fn may_begin(&self, world: &World) -> bool {
        match self {
            Self::Message { notice, waits: true } => {
                notice.payment.is_none_or(|id| world.table.payments.contains_key(&id))
            }
            Self::Message { waits: false, .. }
            | Self::Create(_)
            | Self::Reconcile
            | Self::Resolve => true,
        }
    }
}

/// What an actor's client is answered.
#[derive(Debug)]
pub(crate) enum Final {
    Create(Result<CreatedPayment, CreateError>),
    Message(Result<Received, CallbackError>),
    Reconcile(Result<Reconciled, StoreError>),
    Resolve(Result<(), ResolveError>),
}

impl Final {
    /// In a word.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Create(Ok(created)) if created.replayed => "replayed".into(),
            Self::Create(Ok(_)) => "made".into(),
            Self::Create(Err(error)) => match error {
                CreateError::UserNotFound => "user-not-found".into(),
                CreateError::OrderNotFound => "order-not-found".into(),
                CreateError::KeyReused => "key-reused".into(),
                CreateError::PaymentExists(_) => "payment-exists".into(),
                CreateError::OrderPaid => "order-paid".into(),
                CreateError::AmountMismatch => "amount-mismatch".into(),
                CreateError::Unavailable(_) => "create: unavailable".into(),
                CreateError::Fault(_) => "create: fault".into(),
            },
            Self::Message(Ok(received)) => {
                let verdict = received.verdict.as_str();
                match received.telling {
                    Telling::None => verdict.into(),
                    Telling::Done => format!("{verdict}+told"),
                    Telling::Uncleared(_) => format!("{verdict}+uncleared"),
                    Telling::Failed(_) => "not told".into(),
                }
            }
            Self::Message(Err(error)) => match error {
                CallbackError::Misfit(misfit) => format!("quarantined: {}", misfit.as_str()),
                CallbackError::Unavailable(_) => "unavailable".into(),
                CallbackError::Fault(_) => "fault".into(),
            },
            Self::Reconcile(Ok(done)) => {
                let (put_off, failed) = (done.put_off.len(), done.failed.len());
                let counts = [(done.told, "told"), (done.stale, "stale"), (put_off, "put off")];
                let counts = counts.into_iter().chain([(failed, "failed")]);
                let counts = counts.filter(|(count, _)| *count > 0);
                let words: Vec<_> = counts.map(|(count, word)| format!("{count} {word}")).collect();
                let words = words.join(", ");
                format!("reconcile: {}", if words.is_empty() { "nothing" } else { &words })
            }
            Self::Reconcile(Err(_)) => "reconcile: unavailable".into(),
            Self::Resolve(Ok(())) => "resolved".into(),
            Self::Resolve(Err(error)) => match error {
                ResolveError::NotFound => "resolve: not found".into(),
                ResolveError::Resolved => "resolve: done already".into(),
                ResolveError::OnlyDismiss(why) => format!("only dismiss: {why}"),
                ResolveError::Unavailable(_) => "resolve: unavailable".into(),
                ResolveError::Fault(_) => "resolve: fault".into(),
            },
        }
    }

    /// The payment that an answer of success names.
    pub(crate) const fn made(&self) -> Option<CreatedPayment> {
        match self {
            Self::Create(Ok(created)) => Some(*created),
            Self::Create(Err(_)) | Self::Message(_) | Self::Reconcile(_) | Self::Resolve(_) => None,
        }
    }

    /// Whether the client knows no more than before.
    pub(crate) const fn is_open(&self) -> bool {
        match self {
            Self::Create(Err(CreateError::Unavailable(_)))
            | Self::Message(Err(CallbackError::Unavailable(_)))
            | Self::Reconcile(Err(_))
            | Self::Resolve(Err(ResolveError::Unavailable(_))) => true,
            Self::Create(_) | Self::Message(_) | Self::Reconcile(_) | Self::Resolve(_) => false,
        }
    }
}

/// A use case under way.
pub(crate) type Run = Pin<Box<dyn Future<Output = Final> + Send>>;

/// Begins a use case on these ports; the number says which attempt of its client it is.
pub(crate) type Begin = Arc<dyn Fn(Probe, u64) -> Run + Send + Sync>;

/// An actor of a scenario.
#[derive(Clone)]
pub(crate) struct Actor {
    pub(crate) role: Role,
    pub(crate) begin: Begin,
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.role.fmt(f)
    }
}

/// Where an actor stands.
#[derive(Debug)]
pub(crate) enum Stand {
    Waiting(Vec<Request>),
    Done(Final),
}

/// A run that is being polled by hand.
pub(crate) struct Live {
    probe: Probe,
    run: Run,
}

impl Live {
    pub(crate) fn begin(begin: &Begin, attempt: u64) -> (Self, Stand) {
        let probe = Probe::default();
        let run = begin(probe.clone(), attempt);
        let mut live = Self { probe, run };
        let stand = live.poll();
        (live, stand)
    }

    pub(crate) fn answer(&mut self, which: Which, answer: Answer) -> Stand {
        self.probe.answer(which, answer);
        self.poll()
    }

    fn poll(&mut self) -> Stand {
        let mut context = Context::from_waker(Waker::noop());
        match self.run.as_mut().poll(&mut context) {
            Poll::Ready(end) => Stand::Done(end),
            Poll::Pending => {
                let waiting = self.probe.waiting();
                let mut calls: Vec<_> = waiting.iter().map(Request::which).collect();
                calls.sort_unstable();
                calls.dedup();
                assert_eq!(calls.len(), waiting.len(), "calls at once that cannot be told apart");
                Stand::Waiting(waiting)
            }
        }
    }
}

/// A place in the tree of an actor's answers.
struct Node {
    from: Option<(usize, Which, Answer)>,
    stand: Stand,
    next: Map<Which, Vec<(Answer, usize)>>,
}

/// All that an actor has been seen to do. Place 0 is its start.
pub(crate) struct Tree {
    actor: Actor,
    nodes: Vec<Node>,
}

impl Tree {
    pub(crate) fn of(actor: &Actor) -> Self {
        let (_, stand) = Live::begin(&actor.begin, 0);
        let root = Node { from: None, stand, next: Map::default() };
        Self { actor: actor.clone(), nodes: vec![root] }
    }

    pub(crate) const fn role(&self) -> &Role {
        &self.actor.role
    }

    pub(crate) fn stand(&self, at: usize) -> &Stand {
        &self.nodes[at].stand
    }

    pub(crate) fn end(&self, at: usize) -> Option<&Final> {
        match self.stand(at) {
            Stand::Done(end) => Some(end),
            Stand::Waiting(_) => None,
        }
    }

    /// The last answer it had on the way to a place.
    pub(crate) fn last_answer(&self, at: usize) -> Option<&Answer> {
        self.nodes[at].from.as_ref().map(|(_, _, answer)| answer)
    }

    /// Every way in which it has ended.
    pub(crate) fn ends(&self) -> impl Iterator<Item = &Final> {
        (0..self.nodes.len()).filter_map(|at| self.end(at))
    }

    pub(crate) fn waiting(&self, at: usize) -> &[Request] {
        match self.stand(at) {
            Stand::Done(_) => &[],
            Stand::Waiting(waiting) => waiting,
        }
    }

    /// Where one more answer leads.
    pub(crate) fn answered(&mut self, at: usize, which: Which, answer: &Answer) -> usize {
        let known = self.nodes[at].next.get(&which);
        if let Some((_, to)) = known.into_iter().flatten().find(|(known, _)| known == answer) {
            return *to;
        }
        let mut had = Vec::new();
        let mut place = at;
        while let Some((before, which, answer)) = &self.nodes[place].from {
            had.push((*which, answer.clone()));
            place = *before;
        }
        let (mut live, _) = Live::begin(&self.actor.begin, 0);
        for (which, answer) in had.into_iter().rev() {
            live.answer(which, answer);
        }
        let stand = live.answer(which, answer.clone());
        let to = self.nodes.len();
        let from = Some((at, which, answer.clone()));
        self.nodes.push(Node { from, stand, next: Map::default() });
        self.nodes[at].next.entry(which).or_default().push((answer.clone(), to));
        to
    }
}
