//! Checkouts and closes with a bug.

use pay_core::domain::{CheckoutMethod, Outcome, Provider};

use crate::{
    actor::When,
    bugs::{Bug, StoreBug, begins_unconditioned, clears_what_changed, refuses_unconditioned},
    scenario::{Scenario, checking_out, closing, delivering, sweeping},
    scenarios::{
        checkouts::{ALL, all_asking, payable, payable_by_page, refusing, started, webhook},
        later::requested_and_made,
        queries::with_a_truth,
    },
    world::Happening,
};
use CheckoutMethod::{AlipayPage, StripeIntent, WeChatNative};
use Happening::{Expires, PaysAtLast, PaysCheckout};

/// Use cases, each with the invariant that it breaks.
pub(super) fn use_cases() -> [(&'static str, Scenario); 9] {
    let open = || started(payable(&[PaysCheckout(1)]), &[WeChatNative]);
    let both = started(payable(&[PaysCheckout(1)]), &[WeChatNative, StripeIntent]);
    let page = started(payable_by_page(&[Expires, PaysAtLast(1)]), &[AlipayPage]);
    let other_account = started(payable(&[PaysCheckout(1), Expires]), &[WeChatNative]);
    let close = |name, bug| Scenario::new(name, open(), [closing(1, &ALL).with_bug(bug)]);
    let ignores = checking_out(1, WeChatNative).with_bug(Bug::IgnoresClosing);
    let paid = delivering(1, webhook(Provider::WeChat, 1, Outcome::Paid));
    [
        (
            "I25",
            Scenario::new(
                "calls before it begins",
                payable(&[]),
                [checking_out(1, WeChatNative).with_bug(Bug::CallsBeforeItBegins)],
            ),
        ),
        ("I24", close("ends without a second query", Bug::EndsWithoutASecondQuery)),
        ("I24", close("closes what can be paid", Bug::ClosesWhatCanBePaid)),
        ("I24", Scenario::new("ignores closing", payable(&[]), [ignores, closing(2, &ALL)])),
        (
            "I23",
            Scenario::new(
                "takes refused for absent",
                open(),
                [checking_out(7, WeChatNative).with_bug(Bug::TakesRefusedForAbsent)],
            ),
        ),
        (
            "I23",
            Scenario::new(
                "ends what is absent once",
                page,
                [all_asking(1).at(When::Expired).with_bug(Bug::EndsWhatIsAbsentOnce)],
            ),
        ),
        (
            "I23",
            Scenario::new(
                "asks another account",
                other_account,
                [(1, When::Expired), (2, When::Last)].map(|(number, when)| {
                    let asked = all_asking(number).of_another_account().at(when);
                    asked.with_bug(Bug::AsksAnotherAccount)
                }),
            ),
        ),
        (
            "I25",
            Scenario::new(
                "sends forgotten",
                requested_and_made(&[Expires]),
                [all_asking(1).at(When::Forgotten).with_bug(Bug::SendsForgotten)],
            ),
        ),
        (
            "I23",
            Scenario::new(
                "clears beside checkouts",
                both,
                [paid.with_bug(Bug::ClearsBesideCheckouts)],
            ),
        ),
    ]
}

/// Stores that they meet, each with the invariant that it breaks.
pub(super) fn stores() -> [(&'static str, StoreBug, Scenario); 3] {
    let beside_a_close = [checking_out(1, WeChatNative), closing(2, &ALL)];
    // A sweep that has no key has nothing to do.
    let beside_a_sweep = [sweeping(1), checking_out(2, WeChatNative)];
    let twice = [1, 2].map(|number| checking_out(number, WeChatNative));
    [
        (
            "I24",
            begins_unconditioned,
            Scenario::new("begins unconditioned", payable(&[]), beside_a_close),
        ),
        (
            "I23",
            clears_what_changed,
            Scenario::new("clears what a checkout set", with_a_truth(&[]), beside_a_sweep),
        ),
        (
            "I24",
            refuses_unconditioned,
            Scenario::new("refuses unconditioned", refusing(false), twice).with_faults(0),
        ),
    ]
}
