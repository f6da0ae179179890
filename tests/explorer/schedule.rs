//! A step of a schedule, and its text: `0:Create:late` is what befalls actor 0's call, `0:Guard`
//! that it is answered, `0:Payment@10` the same for its call about payment 10, `land:0` and `tell:0` that a late write or telling arrives, `index` that
//! the indexes catch up.

use std::fmt;

use pay_core::{domain::PaymentId, testing::Call};

use super::{ports::Which, world::Fault};

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// One call of one actor is carried out, or not.
    Call { actor: usize, which: Which, fault: Option<Fault> },
    /// The late write of this number happens.
    Land(usize),
    /// The late telling of this number arrives.
    Tell(usize),
    /// The indexes catch up.
    Index,
}

const CALLS: [Call; 15] = [
    Call::NewestOfOrder,
    Call::Guard,
    Call::Payment,
    Call::OfUser,
    Call::Create,
    Call::Apply,
    Call::Log,
    Call::Told,
    Call::ToTell,
    Call::PutOff,
    Call::Quarantined,
    Call::Resolved,
    Call::UserExists,
    Call::FindOrder,
    Call::TellPaid,
];

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { actor, which: Which { call, of }, fault } => {
                write!(f, "{actor}:{call:?}")?;
                if let Some(payment) = of {
                    write!(f, "@{payment}")?;
                }
                fault.map_or(Ok(()), |fault| write!(f, ":{}", fault.word()))
            }
            Self::Land(number) | Self::Tell(number) => write!(f, "{}:{number}", self.word()),
            Self::Index => f.write_str(self.word()),
        }
    }
}

impl Step {
    /// What kind it is, in a word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Call { .. } => "call",
            Self::Land(_) => "land",
            Self::Tell(_) => "tell",
            Self::Index => "index",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let first = parts.next()?;
        let step = match first {
            "index" => Self::Index,
            "land" => Self::Land(parts.next()?.parse().ok()?),
            "tell" => Self::Tell(parts.next()?.parse().ok()?),
            actor => {
                let (actor, named) = (actor.parse().ok()?, parts.next()?);
                let (name, of) = match named.split_once('@') {
                    Some((name, id)) => (name, Some(PaymentId::new(id.parse().ok()?).ok()?)),
                    None => (named, None),
                };
                let call = CALLS.into_iter().find(|call| format!("{call:?}") == name)?;
                let fault = match parts.next() {
                    Some(word) => Some(Fault::named(word)?),
                    None => None,
                };
                Self::Call { actor, which: Which { call, of }, fault }
            }
        };
        parts.next().is_none().then_some(step)
    }
}

/// A whole schedule as one text.
pub(crate) fn text(steps: &[Step]) -> String {
    steps.iter().map(Step::to_string).collect::<Vec<_>>().join(" ")
}

/// Reads what [`text`] gives.
pub(crate) fn parse(text: &str) -> Vec<Step> {
    let steps = text.split_whitespace();
    steps.map(|step| Step::parse(step).unwrap_or_else(|| panic!("no step: {step}"))).collect()
}
