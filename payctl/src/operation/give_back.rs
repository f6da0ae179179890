//! Giving back the money that a quarantined notification reports, once that is decided.

use anyhow::{Context as _, Error, Result};
use pay_core::domain::{
    Decision, Note, Operator, PaymentId, RefundId, RefundReference, RefundState,
};
use serde_json::json;

use super::decide::{WantedDecision, decide};
use super::quarantined::{find, named};
use crate::audit::payment_of;
use crate::lambda::Lambda;
use crate::name::{Name, refund_key};
use crate::{Row, Table};

/// What became of the money.
#[derive(Debug)]
pub(crate) struct GivenBack {
    /// The refund.
    pub(crate) refund: RefundId,
    /// Its item.
    pub(crate) row: Row,
    /// Its state; `None` where that cannot be read.
    pub(crate) state: Option<RefundState>,
    /// Whether the function was asked to go on with it.
    pub(crate) was_asked: bool,
    /// Why the function did not respond as it should.
    pub(crate) failure: Option<Error>,
}

/// Has the function of this name go on with the refund that was decided, and reads the refund back. Without a
/// function the sweep goes on with it.
///
/// # Errors
///
/// The notification names no payment, the refund is missing, or the table cannot be read.
pub(crate) async fn give_back(
    table: &Table,
    (name, notification): (&Name, &Row),
    function: Option<(&Lambda, &str)>,
) -> Result<GivenBack> {
    let (pk, _) = &name.0;
    let (id, refund) = refund_of(name, notification)?;
    let mut failure = None;
    if let Some((lambda, function)) = function {
        let request =
            json!({ "operation": "refund", "id": id.get(), "refund_id": refund.as_str() });
        failure = lambda.invoke(function, &request).await.err();
    }
    let row = table.item(pk, &format!("refund#{}", refund.as_str())).await?;
    let row = row.with_context(|| format!("the refund {} is missing", refund.as_str()))?;
    let state = RefundState::ALL.into_iter().find(|state| state.as_str() == row.text("state"));
    Ok(GivenBack { refund, row, state, was_asked: function.is_some(), failure })
}

/// Decides that the money goes back which a quarantined notification reports, as `quarantine refund` does where it
/// names no function; asked again, the same refund goes on. Returns its id: the sweep asks the provider for it.
///
/// # Errors
///
/// Nothing was decided: of a `ResolveError` that is not `Failed` it is known.
pub async fn decide_refund(
    table: &Table,
    notification: &str,
    note: &Note,
    by: Operator,
) -> Result<RefundId> {
    let name = &named(notification)?;
    let decision = Decision::Refund;
    decide(table, &WantedDecision { notification, name, decision, onto: None, by, note }).await?;
    Ok(refund_of(name, &find(table, name).await?)?.1)
}

/// The refund that gives the money of a notification back, and its payment.
///
/// # Errors
///
/// The notification names no payment.
pub(crate) fn refund_of(name: &Name, notification: &Row) -> Result<(PaymentId, RefundId)> {
    let id = payment_of(&name.0.0).context("the notification names no payment")?;
    let reference = RefundReference::new(id, refund_key(notification));
    Ok((id, RefundId::requested(reference)))
}

impl GivenBack {
    /// The refund, its amount in minor units, and its state.
    pub(crate) fn line(&self) -> String {
        let amount = self.row.number("amount").unwrap_or_default();
        format!("refund {} of {amount}: {}", self.refund.as_str(), self.row.text("state"))
    }

    /// What is to be done next; empty where nothing is.
    pub(crate) const fn next(&self) -> &'static str {
        match (self.state, self.was_asked) {
            (Some(RefundState::Succeeded), _) => "",
            (Some(RefundState::Pending), _) => {
                "The provider has accepted it, and the sweep asks what becomes of it."
            }
            (Some(RefundState::Requested), true) => {
                "What became of it is not known yet: the sweep goes on with it, and so does this command."
            }
            (Some(RefundState::Requested), false) => "The next sweep asks the provider for it.",
            (Some(RefundState::Failed), _) => {
                "The provider gave nothing back: the money is still there. Give it back in the \
                 provider's console."
            }
            (None, _) => "Its state is unreadable: `payctl audit` says what is wrong with it.",
        }
    }

    /// Whether the money is on its way back, or is asked for by the next sweep.
    pub(crate) const fn is_well(&self) -> bool {
        match self.state {
            Some(RefundState::Succeeded | RefundState::Pending) => true,
            Some(RefundState::Requested) => !self.was_asked,
            Some(RefundState::Failed) | None => false,
        }
    }
}
