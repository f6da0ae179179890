//! Money in quarantine that goes back: once, just as it was reported, and beside the payment.

use pay_core::domain::{
    Event, Notification, PaymentId, Refund, RefundId, RefundReport, RefundState, Verdict,
};

use super::{Broken, hold};
use crate::world::World;

/// The refunds of money in quarantine that have not failed.
fn going_back(world: &World) -> impl Iterator<Item = &Refund> {
    let refunds = world.table.refunds.values();
    refunds.filter(|refund| refund.is_outside() && refund.state != RefundState::Failed)
}

/// Each of them gives back just what a notification in quarantine reports, no other gives back the same money,
/// and that money does not pay the payment.
pub(super) fn check_given_back(world: &World) -> Result<(), Broken> {
    for refund in going_back(world) {
        let quarantined = refund.request.as_ref().and_then(|request| request.quarantined.as_ref());
        let is_it = |event: &&Event| {
            Some(&event.key()) == quarantined && event.verdict == Verdict::Quarantined
        };
        let reported = world.table.events.iter().find(is_it).map(|event| &event.report);
        let fits = reported.is_some_and(|report| {
            (&report.reference, report.amount_minor)
                == (&refund.taken_from, Some(refund.amount_minor))
        });
        hold(fits, "I25", || format!("{refund:?} gives back what {reported:?} reports"))?;
        let same = |other: &&Refund| {
            (other.payment, &other.taken_from) == (refund.payment, &refund.taken_from)
        };
        let count = going_back(world).filter(same).count();
        hold(count == 1, "I22", || format!("{refund:?} is one of {count} of the same money"))?;
        let record = world.table.payments.get(&refund.payment);
        let pays =
            record.is_some_and(|of| of.was_paid() && of.reference.is_same(&refund.taken_from));
        hold(!pays, "I21", || format!("{refund:?} gives back what pays {record:?}"))?;
    }
    Ok(())
}

/// Whether an event is about money in quarantine that goes back: that somebody decided so, or what became of
/// the refund.
pub(super) fn is_about_quarantined_money(world: &World, event: &Event) -> bool {
    if event.decision.is_some() && event.verdict == Verdict::Noted {
        return true;
    }
    let Some(RefundReport::One { reference: Some(ours), .. }) = &event.report.refund else {
        return false;
    };
    let id = RefundId::new(ours.as_str()).ok().zip(event.payment);
    let kept = id.and_then(|(id, payment)| world.table.refunds.get(&(payment, id)));
    kept.is_some_and(Refund::is_outside)
}

/// What a client learns that reports money once more which goes back: the refund of it is durable.
pub(super) fn check_goes_back(
    world: &World,
    notification: &Notification,
    id: PaymentId,
) -> Result<(), Broken> {
    let reference = &notification.report.reference;
    let goes_back =
        going_back(world).any(|of| of.payment == id && of.taken_from.is_same(reference));
    hold(goes_back, "I4", || format!("noted, and no refund of its money is kept: {notification:?}"))
}
