//! Taking an item off the review list that cannot be read as a notification.

use anyhow::anyhow;
use pay_core::domain::{
    Decided, Decision, Event, EventId, Note, Operator, OperatorDecision, Report, Sender, Verdict,
};
use pay_core::ports::Resolved;
use pay_service::http::sha256;
use pay_service::start::clock;

use super::decide::{NotDecided, kept};
use crate::audit::{ItemKind, kind, payment_of};
use crate::name::Name;
use crate::{Row, Table};

/// Dismisses it: nothing of it is used, and what is wrong with it stays as it is.
///
/// # Errors
///
/// It is no event, it does not wait, or the table fails.
pub(super) async fn dismiss(
    table: &Table,
    name: &Name,
    row: &Row,
    by: &Operator,
    note: &Note,
) -> Result<(), NotDecided> {
    if !matches!(kind(row), None | Some(ItemKind::Event(_) | ItemKind::Unmatched)) {
        return Err(NotDecided::Rule(anyhow!(
            "{name} is no notification: `payctl audit` says what is wrong with it, and how its `queue` should be is in docs/architecture.md"
        )));
    }
    let note = kept(note);
    let digest = sha256(&[name.to_string().as_bytes(), by.as_str().as_bytes(), note.kept()]);
    let event = Event {
        payment: payment_of(&name.0.0),
        sender: Sender::Operator,
        id: EventId::new(Some(&digest.to_string()), digest),
        suffix: None,
        at: clock(),
        report: Report::NONE,
        status: None,
        version: None,
        verdict: Verdict::Ignored,
        mismatch: None,
        checkout: None,
        decision: Some(OperatorDecision { by: by.clone(), about: name.to_string() }),
        body: note,
    };
    let decided =
        Decided { decision: Decision::Dismiss, by: by.clone(), at: event.at, event: event.key() };
    let key = (name.0.0.as_str(), name.0.1.as_str());
    let dismissed = table.payments().dismiss_item(key, &decided, &event).await;
    match dismissed.map_err(anyhow::Error::from)? {
        Resolved::Done => Ok(()),
        Resolved::NotOpen => Err(NotDecided::Rule(anyhow!(
            "{name} does not wait for a decision: `payctl quarantine show {name}`"
        ))),
        Resolved::KeyTaken | Resolved::RecordChanged | Resolved::NotLive(_) => {
            Err(NotDecided::Rule(anyhow!(
                "the key of the decision is taken; decide again with another note"
            )))
        }
    }
}
