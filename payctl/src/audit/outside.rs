//! Refunds of other money than what their payment was paid with: each gives back what a quarantined
//! notification reports, and an operator decided so.

use pay_core::domain::{
    Currency, Digest, EventKey, Mismatch, MismatchField, Outcome, PaymentId, Sender, Status,
    Verdict,
};

use super::attributes::Attributes;
use super::chain::Findings;
use super::event::ReadEvent;
use super::refund::{Known, ReadRefund};
use crate::Row;
use crate::name::refund_key;

/// What was asked for: the key is that of the transaction, and the notification is one about the payment.
pub(super) fn request(
    of: &mut Attributes<'_>,
    (payment, key): (Option<PaymentId>, Option<Digest>),
    quarantined: &EventKey,
    row: &Row,
) {
    of.wrong_if(key.is_none(), "the money of a notification, and no key");
    let is_own = key.is_none_or(|key| key == refund_key(row));
    of.wrong_if(!is_own, "its key is not that of its transaction");
    let is_about = quarantined.payment == payment && is_quarantined(quarantined.sender);
    of.wrong_if(!is_about, "the money of a notification that is none about its payment");
    of.wrong_if(of.has("reason"), "a reason, and its event has the note");
}

const fn is_quarantined(sender: Sender) -> bool {
    match sender {
        Sender::Native | Sender::Provider(_) => true,
        Sender::Operator | Sender::Sweep => false,
    }
}

/// Checks the refunds of other money than what a payment was paid with.
pub(super) fn check(known: &Known<'_>, events: &[ReadEvent]) -> Findings {
    let mut found = Findings::new();
    let mut wrong = |sk: &str, what: &str| found.push((sk.to_owned(), "I21", what.to_owned()));
    for refund in known.refunds {
        let Some(quarantined) = &refund.quarantined else { continue };
        let decides = |event: &&ReadEvent| event.gives_back.as_ref() == Some(quarantined);
        match events.iter().find(decides) {
            Some(event) if event.amount != refund.amount => {
                wrong(&refund.sk, "another amount than the money that is given back");
            }
            Some(event) if event.reference != refund.taken_from => {
                wrong(&refund.sk, "taken from other money than is given back");
            }
            Some(_) => {}
            None => wrong(&refund.sk, "no decision gives that money back"),
        }
    }
    for event in events {
        if let Some(quarantined) = &event.gives_back
            && !known.refunds.iter().any(|refund| refund.quarantined.as_ref() == Some(quarantined))
        {
            wrong(&event.sk, "the refund that it requested is missing");
        }
        match known.outside(event) {
            Some(refund) => {
                for what in against(known, event, refund) {
                    wrong(&event.sk, what);
                }
            }
            None if is_of_other_money(event) => {
                wrong(&event.sk, "no refund of other money is what it is about");
            }
            None => {}
        }
    }
    found
}

/// Whether it can be about other money than the payment's alone.
fn is_of_other_money(event: &ReadEvent) -> bool {
    let is_unpaid = event.after < Some(Status::Paid);
    match (event.verdict, event.outcome) {
        (Some(Verdict::Noted), Some(Outcome::Paid)) => event.gives_back.is_none(),
        (Some(Verdict::Noted | Verdict::Applied), Some(Outcome::Refunded)) => is_unpaid,
        (_, _) => false,
    }
}

/// A report about such a refund, against it.
fn against(known: &Known<'_>, event: &ReadEvent, refund: &ReadRefund) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    if event.verdict == Some(Verdict::Quarantined) {
        if let Some(mismatch) = &event.mismatch
            && mismatch.field == MismatchField::Amount
            && !is_of(mismatch, event, [refund.amount, known.record.amount])
        {
            wrong.push("its mismatch in the amount is none, or of other amounts");
        }
        return wrong;
    }
    if event.before != event.after {
        wrong.push("the status moved with other money than paid the payment");
    }
    if event.amount.is_some() && event.amount != refund.amount {
        wrong.push("another amount than its refund's, and not quarantined");
    }
    let own = known.record.currency.map(Currency::code);
    if own.is_some() && event.currency.as_deref() != own {
        wrong.push("another currency than its record's, and not quarantined");
    }
    if let (Some(from), Some(reported)) = (&refund.taken_from, &event.reference)
        && !from.may_match(reported)
    {
        wrong.push("another provider reference than its refund's, and not quarantined");
    }
    wrong
}

/// Whether a mismatch is between what an event reports and one of these.
fn is_of(mismatch: &Mismatch, event: &ReadEvent, amounts: [Option<u64>; 2]) -> bool {
    let text = |amount: Option<u64>| amount.map(|amount| amount.to_string());
    let differs = |own: &Option<u64>| own.is_some() && *own != event.amount;
    let mut others = amounts.into_iter().filter(differs);
    mismatch.received == text(event.amount) && others.any(|own| mismatch.expected == text(own))
}
