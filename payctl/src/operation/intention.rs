//! That a person has a function act on a payment: who, what and why, in the event log before the function is
//! called.

use anyhow::{Error, anyhow};
use pay_core::domain::{
    Event, EventId, EventKey, Note, Operator, OperatorDecision, PaymentId, RefundId, Report,
    Sender, Status, Verdict,
};
use pay_core::ports::{Appended, Payments as _};
use pay_service::http::sha256;
use pay_service::start::clock;

use super::decide::kept;
use crate::{Row, Table};

/// What the id of such an event begins with.
const PREFIX: &str = "action.";

/// What a person has done about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Intention {
    /// The providers are asked about it.
    Query,
    /// What is due about it is done.
    Sweep,
    /// It is closed.
    Close,
    /// This refund of so many minor units is made.
    Refund(RefundId, u64),
}

impl Intention {
    /// Its word, in the event's id.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Sweep => "sweep",
            Self::Close => "close",
            Self::Refund(..) => "refund",
        }
    }

    /// How much a refund gives back, in minor units.
    pub(crate) const fn refunded_minor(&self) -> Option<u64> {
        match self {
            Self::Refund(_, minor) => Some(*minor),
            Self::Query | Self::Sweep | Self::Close => None,
        }
    }

    /// Its text, as the event says what it is about.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Query | Self::Sweep | Self::Close => self.word().to_owned(),
            Self::Refund(id, minor) => format!("refund {} {minor}", id.as_str()),
        }
    }

    /// Reads [`Self::text`].
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let intention = match text {
            "query" => Self::Query,
            "sweep" => Self::Sweep,
            "close" => Self::Close,
            _ => {
                let (id, minor) = text.strip_prefix("refund ")?.split_once(' ')?;
                Self::Refund(RefundId::new(id).ok()?, minor.parse().ok()?)
            }
        };
        (intention.text() == text).then_some(intention)
    }

    /// Whether this is the id of an event of one.
    pub(crate) fn is_id(id: &str) -> bool {
        id.starts_with(PREFIX)
    }

    /// Whether the event of this one can have this id.
    pub(crate) fn fits(&self, id: &str) -> bool {
        let rest = id.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.'));
        rest.is_some_and(|(word, key)| word == self.word() && is_key(key))
    }

    /// The name of the event of an intention with this word, which a form's key makes one.
    pub(crate) fn event(word: &str, payment: PaymentId, key: &str) -> EventKey {
        EventKey::new(Some(payment), Sender::Operator, &event_id(word, key), None)
    }
}

fn event_id(word: &str, key: &str) -> EventId {
    EventId::new(Some(&format!("{PREFIX}{word}.{key}")), sha256(&[key.as_bytes()]))
}

/// Whether this can be the key of a form: 16 digits of lower-case hex.
pub(crate) fn is_key(key: &str) -> bool {
    key.len() == 16 && key.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Writes an intention down, before anything is called: the record as it was read, by whom, and why. The same form
/// sent twice is one event, and goes on; `None` if it was sent before with another note.
///
/// # Errors
///
/// The record cannot be read as one, or the table fails.
pub(crate) async fn intend(
    table: &Table,
    (payment, record): (PaymentId, &Row),
    (intention, key): (&Intention, &str),
    (by, note): (&Operator, &Note),
) -> Result<Option<EventKey>, Error> {
    let status = record.number("status").and_then(|code| Status::new(code).ok());
    let (Some(status), Some(version)) = (status, record.number("version")) else {
        return Err(anyhow!(
            "the record of payment {payment} is unreadable: `payctl audit` says why"
        ));
    };
    let event = Event {
        payment: Some(payment),
        sender: Sender::Operator,
        id: event_id(intention.word(), key),
        suffix: None,
        at: clock(),
        report: Report::NONE,
        status: Some((status, status)),
        version: Some(version),
        verdict: Verdict::Noted,
        checkout: None,
        mismatch: None,
        decision: Some(OperatorDecision { by: by.clone(), about: intention.text() }),
        body: kept(note),
    };
    match table.payments().append(&event).await? {
        Appended::Done => {}
        Appended::KeyTaken(digest) if digest == Some(event.body.digest()) => {}
        Appended::KeyTaken(_) => {
            return Ok(None);
        }
    }
    Ok(Some(event.key()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intention_is_read_as_it_is_written() {
        let refund = Intention::Refund(RefundId::new("7_0a1b2c3d4e5f6071").unwrap(), 30);
        let all = [Intention::Query, Intention::Sweep, Intention::Close, refund];
        for intention in &all {
            assert_eq!(Intention::parse(&intention.text()).as_ref(), Some(intention));
            let id = PaymentId::new(7).unwrap();
            let name = Intention::event(intention.word(), id, "0a1b2c3d4e5f6071");
            assert!(intention.fits(name.name()) && Intention::is_id(name.name()), "{name}");
            assert_eq!(all.iter().filter(|other| other.fits(name.name())).count(), 1);
        }
        for wrong in
            ["", "pay", "refund", "refund 7_0a1b2c3d4e5f6071", "refund 7_0a1b2c3d4e5f6071 x"]
        {
            assert_eq!(Intention::parse(wrong), None, "{wrong}");
        }
        for wrong in ["close", "action.close", "action.close.x", "action.close.0A1B2C3D4E5F6071"] {
            assert!(!Intention::Close.fits(wrong), "{wrong}");
        }
    }
}
