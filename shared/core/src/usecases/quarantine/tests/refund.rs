//! Money in quarantine that goes back: a second payment of an order, too little, money that came late.

use super::*;
use crate::{
    domain::{Provider, ProviderTxn, Refunds},
    ports::ProviderState,
    testing::{HeldPayment, HeldRefund, a_reference},
    usecases::{
        query::Observe,
        refund::{Carried, RefundError, go_on},
    },
};
use Provider::Alipay;
use RefundState::{Failed, Requested, Succeeded};

type Edit = fn(&mut Report);

type ReportEdit<'a> = dyn Fn(&mut Report) + 'a;

/// A payment that Stripe's `pi_1` paid, and the notification that Alipay's `tr_2` paid 70 for it.
fn paid_twice() -> (World, PaymentId, EventKey) {
    let (world, id) = World::with_payment();
    world.give_keys(&[Alipay]);
    world.apply(&a_notification(id, PAID, 1)).unwrap();
    let txn = ProviderTxn::new("tr_2").ok();
    world.hold_as(Alipay, id, HeldPayment::new(ProviderState::Paid, txn, 70));
    let second = reporting(a_notification(id, PAID, 2), |report| {
        report.reference = a_reference(Alipay, "tr_2");
        report.amount_minor = Some(70);
    });
    world.apply(&Notification { sender: Alipay.into(), ..second }).unwrap_err();
    let [key] = &open(&world)[..] else { panic!() };
    let key = key.clone();
    (world, id, key)
}

fn the_refund(world: &World) -> Refund {
    let refunds = world.store.table().refunds;
    assert_eq!(refunds.len(), 1);
    refunds.into_values().next().unwrap()
}

fn call(world: &World, refund: &Refund) -> Result<Carried, RefundError> {
    let how: (Observe<'_>, &dyn Fn() -> bool) = (&|_, _| (), &|| true);
    let of = (refund.payment, &refund.id);
    block_on(go_on(&world.ports(), of, how, now(), &world.trace))
}

#[test]
fn exactly_that_money_goes_back_and_the_payment_stays() {
    for is_total in [false, true] {
        let (world, id, key) = paid_twice();
        world.providers.edit(|held| {
            held.held.get_mut(&(Alipay, id)).unwrap().reports_total = is_total;
        });
        let before = world.payment(id);
        decide(&world, &key, Decision::Refund).unwrap();
        let reserved = the_refund(&world);
        let seen = (reserved.state, reserved.amount_minor, reserved.is_outside());
        assert_eq!(seen, (Requested, 70, true));
        assert_eq!(reserved.taken_from.to_string(), "1/tr_2");
        let [event] = &operators(&world)[..] else { panic!() };
        assert_eq!(
            (event.verdict, event.status),
            (Verdict::Noted, Some((Status::Paid, Status::Paid)))
        );

        let carried = call(&world, &reserved).unwrap();
        assert_eq!((carried.refund.state, carried.refund.due), (Succeeded, None));
        assert_eq!(the_refund(&world), carried.refund);
        assert_eq!(world.providers.edit(|held| held.held[&(Alipay, id)].refunded()), 70);
        let after = world.payment(id);
        assert_eq!((after.status, after.refunds), (Status::Paid, Refunds::NONE));
        assert_eq!((&after.reference, after.due), (&before.reference, before.due));
        assert_eq!(open(&world), []);
        // Again it is the same one.
        assert_eq!(call(&world, &reserved).unwrap().refund, carried.refund);
        let Err(ResolveError::Decided(found)) = decide(&world, &key, Decision::Refund) else {
            panic!()
        };
        assert_eq!(found.decision, Decision::Refund);
    }
}

#[test]
fn of_a_payment_that_is_not_paid_it_goes_back_as_well() {
    let (world, id, key) = short(PAID);
    world.give_keys(&[Provider::Stripe]);
    let txn = ProviderTxn::new("pi_1").ok();
    world.hold_as(Provider::Stripe, id, HeldPayment::new(ProviderState::Paid, txn, 99));
    decide(&world, &key, Decision::Refund).unwrap();
    let refund = the_refund(&world);
    assert_eq!(refund.amount_minor, 99);
    assert_eq!(call(&world, &refund).unwrap().refund.state, Succeeded);
    let record = world.payment(id);
    assert_eq!(
        (record.status, record.refunds, record.paid_time),
        (Status::Pending, Refunds::NONE, None)
    );
    // The payer can still pay it.
    let paid = referring(a_notification(id, PAID, 5), stripe("pi_5"));
    world.apply(&paid).unwrap();
    assert_eq!(world.payment(id).status, Status::Paid);
}

#[test]
fn what_becomes_of_it_is_never_lost() {
    for fate in [Fate::Before, Fate::After, Fate::Lost] {
        let (world, id, key) = paid_twice();
        decide(&world, &key, Decision::Refund).unwrap();
        world.fail(Call::MakeRefund, fate);
        let refund = the_refund(&world);
        assert_eq!(call(&world, &refund).unwrap().refund.state, Requested, "{fate:?}");
        assert_eq!(call(&world, &refund).unwrap().refund.state, Succeeded, "{fate:?}");
        let made = world.providers.edit(|held| held.held[&(Alipay, id)].refunds.len());
        assert_eq!(made, 1);
    }
    // Refused, and the provider has none.
    let (world, id, key) = paid_twice();
    decide(&world, &key, Decision::Refund).unwrap();
    world.providers.edit(|held| {
        let by_hand = ProviderRefund::new("al_0").unwrap();
        let by_hand = HeldRefund::new(by_hand, 10, Succeeded);
        held.held.get_mut(&(Alipay, id)).unwrap().refunds.push(by_hand);
    });
    assert!(matches!(call(&world, &the_refund(&world)), Err(RefundError::Refused(_))));
    assert_eq!((the_refund(&world).state, world.payment(id).refunds), (Failed, Refunds::NONE));
}

/// A webhook of the refund comes as well.
#[test]
fn a_notification_of_it_is_compared_with_its_own_money() {
    let (world, id, key) = paid_twice();
    decide(&world, &key, Decision::Refund).unwrap();
    let reference = ProviderRefund::new(the_refund(&world).id.as_str()).ok();
    let webhook = |amount, txn: &str, name| {
        let one = a_refund(id, ("al_1", amount, Succeeded), name);
        let one = reporting(one, |report| {
            report.reference = a_reference(Alipay, txn);
            report.amount_minor = None;
            if let Some(RefundReport::One { reference: of, .. }) = &mut report.refund {
                of.clone_from(&reference);
            }
        });
        Notification { sender: Alipay.into(), ..one }
    };
    world.apply(&webhook(70, "tr_3", 7)).unwrap_err();
    world.apply(&webhook(71, "tr_2", 8)).unwrap_err();
    assert_eq!(the_refund(&world).state, Requested);
    assert_eq!(world.apply(&webhook(70, "tr_2", 9)).unwrap().verdict, Verdict::Applied);
    assert_eq!(world.apply(&webhook(70, "tr_2", 10)).unwrap().verdict, Verdict::Duplicate);
    assert_eq!((the_refund(&world).state, world.payment(id).refunds), (Succeeded, Refunds::NONE));
}

/// Somebody has decided on that money: whoever reports it again waits for nobody.
#[test]
fn what_else_is_said_of_it_is_noted() {
    let said = |id, name, edit: &dyn Fn(&mut Report)| {
        let one = reporting(a_notification(id, PAID, name), |report| {
            report.reference = a_reference(Alipay, "tr_2");
            report.amount_minor = Some(70);
            edit(report);
        });
        Notification { sender: Alipay.into(), ..one }
    };
    let back = |refund| {
        move |report: &mut Report| {
            report.outcome = Some(Outcome::Refunded);
            report.refund.clone_from(&refund);
        }
    };
    let (world, id, key) = paid_twice();
    decide(&world, &key, Decision::Refund).unwrap();
    let before = world.payment(id);
    let total = |minor| Some(RefundReport::Total(minor));
    for step in 0..2 {
        let noted: [(u8, &ReportEdit<'_>); 4] =
            [(20, &|_| ()), (21, &back(None)), (22, &back(total(70))), (23, &back(total(10)))];
        for (name, edit) in noted {
            let applied = world.apply(&said(id, name + step * 30, edit)).unwrap();
            assert_eq!(applied.verdict, Verdict::Noted, "{name}");
        }
        // Another amount, more than there was, another transaction, and a refund that is not ours.
        let one = RefundReport::One {
            id: ProviderRefund::new("al_9").unwrap(),
            reference: None,
            amount_minor: 70,
            state: Succeeded,
        };
        let other: [(u8, &ReportEdit<'_>); 4] = [
            (24, &|report| report.amount_minor = Some(71)),
            (25, &back(total(71))),
            (26, &|report| report.reference = a_reference(Alipay, "tr_3")),
            (27, &back(Some(one))),
        ];
        for (name, edit) in other {
            world.apply(&said(id, name + step * 30, edit)).unwrap_err();
        }
        assert_eq!(world.payment(id).version, before.version + u64::from(step));
        call(&world, &the_refund(&world)).unwrap();
    }
    assert_eq!(
        (world.payment(id).status, world.payment(id).refunds),
        (Status::Paid, Refunds::NONE)
    );
    // What was refused is still there, and who reports it waits for a person.
    let (world, id, key) = paid_twice();
    decide(&world, &key, Decision::Refund).unwrap();
    world.store.edit(|table| table.refunds.values_mut().next().unwrap().state = Failed);
    world.apply(&said(id, 20, &|_| ())).unwrap_err();
}

/// Another notification reports the same money: accepted, the payment would be paid by what went back.
#[test]
fn money_that_goes_back_is_accepted_no_more() {
    let (world, id, key) = short(PAID);
    let again = reporting(a_notification(id, PAID, 2), |report| report.amount_minor = Some(99));
    world.apply(&again).unwrap_err();
    decide(&world, &key, Decision::Refund).unwrap();
    let [other] = &open(&world)[..] else { panic!() };
    let Err(ResolveError::OnlyDismiss(why)) = decide(&world, other, Decision::Accept) else {
        panic!()
    };
    assert_eq!(why, "its money goes back, or went back, by a refund");
    assert_eq!(world.payment(id).status, Status::Pending);
    decide(&world, other, Decision::Dismiss).unwrap();
}

#[test]
fn what_is_no_other_money_is_not_given_back() {
    let not_refundable = |world: &World, key: &EventKey| {
        let Err(ResolveError::NotRefundable(why)) = decide(world, key, Decision::Refund) else {
            panic!()
        };
        assert_eq!(world.store.table().refunds.len(), 0);
        why
    };
    let (world, _, key) = short(Some(Outcome::Closed));
    assert_eq!(not_refundable(&world, &key), "it reports no money that was paid");
    let cases: [(Edit, &str); 5] = [
        (
            |report| report.currency = Some("USD".to_owned()),
            "it is in another currency than the deployment's",
        ),
        (|report| report.amount_minor = None, "it says no amount that can be given back"),
        (|report| report.amount_minor = Some(0), "it says no amount that can be given back"),
        (|report| report.reference.txn = None, "it names no transaction of a provider's"),
        (
            |report| report.reference = a_reference(Provider::Stripe, "ch_1"),
            "its provider refunds no transaction of this kind: give it back in the provider's console",
        ),
    ];
    for (edit, why) in cases {
        let (world, id) = World::with_payment();
        let notification = reporting(a_notification(id, PAID, 1), |report| {
            report.amount_minor = Some(99);
            edit(report);
        });
        world.apply(&notification).unwrap_err();
        assert_eq!(not_refundable(&world, &open(&world)[0]), why);
    }
    // Another notification reports the same money.
    let (world, id, key) = paid_twice();
    let again = reporting(a_notification(id, PAID, 3), |report| {
        report.reference = a_reference(Alipay, "tr_2");
        report.amount_minor = Some(70);
    });
    world.apply(&Notification { sender: Alipay.into(), ..again }).unwrap_err();
    decide(&world, &key, Decision::Refund).unwrap();
    let Err(ResolveError::NotRefundable(why)) = decide(&world, &open(&world)[0], Decision::Refund)
    else {
        panic!()
    };
    assert!(why.contains("was given back already"), "{why}");
    assert_eq!(world.store.table().refunds.len(), 1);
    // Accepted onto the payment meanwhile, by another notification.
    let (world, id, key) = short(PAID);
    world.apply(&a_notification(id, PAID, 2)).unwrap();
    let why = "it is what the payment was paid with: refund the payment";
    assert_eq!(not_refundable(&world, &key), why);
    // Of nobody's.
    let world = World::new();
    let unmatched = Notification { payment: None, ..a_notification(id, PAID, 3) };
    world.apply(&unmatched).unwrap_err();
    let why = "it names no payment of ours: give it back at the provider";
    assert_eq!(not_refundable(&world, &open(&world)[0]), why);
}
