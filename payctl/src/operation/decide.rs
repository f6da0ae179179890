//! A person's decision on a notification.

use std::fmt;

use anyhow::anyhow;
use pay_core::domain::{
    Decided, Decision, Note, Operator, OrderId, Payment, PaymentId, RawBody, Refund, UserId,
};
use pay_core::ports::{Order, Orders, ShopError, TraceParent};
use pay_core::usecases::quarantine::{Resolve, ResolveError, resolve};
use pay_service::http::sha256;
use pay_service::start::clock;
use serde_json::{Value, json};

use super::quarantined::{find, payment};
use super::unreadable;
use crate::Table;
use crate::audit::{event_key, payment_of};
use crate::event::{EventEntry, status};
use crate::name::{Name, refund_key};
use crate::print::time;

/// A decision that a person makes.
#[derive(Debug)]
pub(crate) struct WantedDecision<'a> {
    /// The notification, as the person named it.
    pub(crate) notification: &'a str,
    /// What that names.
    pub(crate) name: &'a Name,
    /// What becomes of it.
    pub(crate) decision: Decision,
    /// The payment that an unmatched one is about.
    pub(crate) onto: Option<PaymentId>,
    /// Who decides.
    pub(crate) by: Operator,
    /// Why.
    pub(crate) note: &'a Note,
}

/// A decision that was made.
#[derive(Debug)]
pub(crate) struct MadeDecision {
    notification: String,
    decision: Decision,
    by: Operator,
    /// Whether it was made before.
    is_repeat: bool,
    payment: Option<PaymentId>,
    /// What the payment is now.
    status: Option<String>,
}

/// Why nothing was decided.
#[derive(Debug)]
pub(crate) enum NotDecided {
    /// Somebody has decided, with this note.
    Already(Decided, String),
    /// It cannot be decided so; why.
    Rule(anyhow::Error),
    /// The table failed.
    Failed(anyhow::Error),
}

impl MadeDecision {
    pub(crate) fn text(&self) -> String {
        let Self { notification, decision, by, is_repeat, payment, status } = self;
        let already = if *is_repeat { "already " } else { "" };
        let of_payment = match (payment, status) {
            (Some(payment), Some(status)) => format!("; payment {payment} is {status}"),
            (None, _) | (_, None) => String::new(),
        };
        format!("{notification} is {already}{} by {by}{of_payment}", decision.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "event": self.notification, "decision": self.decision.as_str(), "by": self.by.as_str(),
            "payment": self.payment.map(PaymentId::get), "status": self.status,
        })
    }
}

/// Who comes second learns what the first decided.
impl fmt::Display for NotDecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Already(Decided { decision, by, at, .. }, note) => {
                let (decision, at) = (decision.as_str(), time(at.millis()));
                write!(f, "it is decided already: {decision} by {by}, {at}: {note}")
            }
            Self::Rule(error) | Self::Failed(error) => write!(f, "{error:#}"),
        }
    }
}

impl From<NotDecided> for anyhow::Error {
    fn from(not: NotDecided) -> Self {
        match not {
            NotDecided::Already(..) => anyhow!("{not}"),
            NotDecided::Rule(error) | NotDecided::Failed(error) => error,
        }
    }
}

impl From<anyhow::Error> for NotDecided {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// Makes a decision, and reads back what became of the payment.
///
/// # Errors
///
/// [`NotDecided`]; after one that is not [`NotDecided::Failed`] nothing was written.
pub(crate) async fn decide(
    table: &Table,
    wanted: &WantedDecision<'_>,
) -> Result<MadeDecision, NotDecided> {
    let WantedDecision { notification, name, decision, onto, by, note } = wanted;
    let (decision, onto) = (*decision, *onto);
    let row = find(table, name).await?;
    let id = payment_of(&name.0.0).or(onto);
    let wrong = EventEntry(&row).unreadable();
    let mut decided_by = None;
    match event_key(&name.0.0, &name.0.1).filter(|_| wrong.is_empty()) {
        Some(key) => {
            let note = kept(note);
            let refund_key = refund_key(&row);
            let request =
                Resolve { key, decision, payment: onto, by: by.clone(), note, refund_key };
            let (now, trace) = (clock(), trace());
            match resolve(&OutOfReach, &table.payments(), &request, now, &trace).await {
                Ok(()) => {}
                // It is the same refund, and goes on.
                Err(ResolveError::Decided(Decided { decision: Decision::Refund, by, .. }))
                    if decision == Decision::Refund =>
                {
                    decided_by = Some(by);
                }
                Err(error) => return Err(explained(table, error).await),
            }
        }
        None if decision == Decision::Dismiss => {
            unreadable::dismiss(table, name, &row, by, note).await?;
        }
        None => {
            let wrong = wrong.join("; ");
            let only = anyhow!("{name} is unreadable, and can only be dismissed: {wrong}");
            return Err(NotDecided::Rule(only));
        }
    }
    let record = payment(table, id).await?;
    let status = record.and_then(|record| record.number("status")).map(status);
    let (notification, is_repeat) = ((*notification).to_owned(), decided_by.is_some());
    let by = decided_by.unwrap_or_else(|| by.clone());
    Ok(MadeDecision { notification, decision, by, is_repeat, payment: id, status })
}

/// The note as its event keeps it.
pub(super) fn kept(note: &Note) -> RawBody {
    let note = note.as_str().as_bytes();
    RawBody::new(note, sha256(&[note]))
}

fn trace() -> TraceParent {
    let now = clock().millis();
    TraceParent::start(u128::from(now), now)
}

/// Why nothing was decided.
async fn explained(table: &Table, error: ResolveError) -> NotDecided {
    let decided = match error {
        ResolveError::Decided(decided) => decided,
        ResolveError::Failed(_) => return NotDecided::Failed(error.into()),
        ResolveError::NotFound
        | ResolveError::OtherPayment(_)
        | ResolveError::NoPayment
        | ResolveError::PaymentNotFound(_)
        | ResolveError::Mismatch(..)
        | ResolveError::OnlyDismiss(_)
        | ResolveError::NotRefundable(_) => return NotDecided::Rule(error.into()),
    };
    let note = match table.event(&decided.event).await {
        Ok(Some(row)) => EventEntry(&row).body().unwrap_or_default(),
        Ok(None) | Err(_) => String::new(),
    };
    NotDecided::Already(decided, note)
}

/// The shop, which an operator's tool does not call. A payment that becomes paid stays due, and the
/// sweep notifies the order service within a minute.
#[derive(Debug, Clone, Copy)]
struct OutOfReach;

fn left_to_the_sweep() -> ShopError {
    ShopError::Unavailable("left to the sweep".into())
}

impl Orders for OutOfReach {
    async fn find(
        &self,
        _oid: OrderId,
        _payer: UserId,
        _trace: &TraceParent,
    ) -> Result<Option<Order>, ShopError> {
        Err(left_to_the_sweep())
    }

    async fn notify_paid(&self, _payment: &Payment, _trace: &TraceParent) -> Result<(), ShopError> {
        Err(left_to_the_sweep())
    }

    /// Only the functions have the URL. Where they have none, the sweep clears what is due.
    fn hears_of_refunds(&self) -> bool {
        true
    }

    async fn notify_refunded(
        &self,
        _payment: &Payment,
        _refund: &Refund,
        _trace: &TraceParent,
    ) -> Result<(), ShopError> {
        Err(left_to_the_sweep())
    }
}
