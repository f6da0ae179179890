//! A step of a schedule, and its text.
//!
//! `0:Guard` carries out that call of actor 0, `0:Payment@10` its call about payment 10 (`#1` the second of
//! two), and `0:Create:Late` its call with a fault. By `late-write:0` a late write has its effect, by
//! `late-notification:0` a late order notification arrives, by `late-refund:0` a late request to refund,
//! by `late-checkout:0` one to make a checkout or to close it, and by `index` the indexes catch up. By `provider` the next thing happens at the provider.

use std::fmt;

use super::{ports::CallId, world::Fault};

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A call of an actor is carried out, with this fault if it has one.
    Call { actor: usize, id: CallId, fault: Option<Fault> },
    /// Something happens that no actor does.
    World(WorldStep),
}

/// What happens to the world without an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum WorldStep {
    /// The late write of this number has its effect.
    LateWrite(usize),
    /// The late order notification of this number arrives.
    LateNotification(usize),
    /// The late request to refund of this number arrives at the provider.
    LateRefund(usize),
    /// The late call of this number for a checkout arrives at the provider.
    LateCheckout(usize),
    /// The indexes catch up.
    Index,
    /// The next thing happens at the provider.
    Provider,
}

impl WorldStep {
    /// Which kind it is.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::LateWrite(_) => "late-write",
            Self::LateNotification(_) => "late-notification",
            Self::LateRefund(_) => "late-refund",
            Self::LateCheckout(_) => "late-checkout",
            Self::Index => "index",
            Self::Provider => "provider",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { actor, id, fault: None } => write!(f, "{actor}:{id}"),
            Self::Call { actor, id, fault: Some(fault) } => write!(f, "{actor}:{id}:{fault:?}"),
            Self::World(step) => match step {
                WorldStep::LateWrite(number)
                | WorldStep::LateNotification(number)
                | WorldStep::LateRefund(number)
                | WorldStep::LateCheckout(number) => {
                    write!(f, "{}:{number}", step.as_str())
                }
                WorldStep::Index | WorldStep::Provider => f.write_str(step.as_str()),
            },
        }
    }
}

/// A whole schedule as one text.
pub(crate) fn text(steps: &[Step]) -> String {
    steps.iter().map(Step::to_string).collect::<Vec<_>>().join(" ")
}
