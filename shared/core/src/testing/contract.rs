//! What every payment store does: run on the fake and on the real adapter.
//!
//! Each case is an async function that gets an empty store, a look behind it, and a source of
//! values. Run them all with [`crate::store_contract!`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a contract that does not hold fails a test"
)]

use crate::ports::{Outbox, PaymentLists, Payments, Quarantine};

pub mod append;
pub mod checkouts;
pub mod create;
pub mod due;
pub mod fresh;
pub mod notified;
pub mod outbox;
pub mod quarantine;
pub mod read;
pub mod refunds;
pub mod requested;
pub mod transactions;
pub mod update;

/// Every port of the store.
pub trait Store: Payments + PaymentLists + Outbox + Quarantine {}

impl<T: Payments + PaymentLists + Outbox + Quarantine> Store for T {}

/// One test for each case of the contract, run by `$run`.
///
/// `$run` takes a case: a function of an empty store, what [`crate::testing::Inspect`]s it, and a
/// [`fresh::Fresh`], giving a future.
#[macro_export]
macro_rules! store_contract {
    ($run:path) => {
        $crate::store_contract! { @cases $run;
            create: makes_the_payment_and_its_guard, a_second_payment_meets_the_guard,
                a_repeat_meets_its_own_guard, an_id_is_taken_once, replaces_what_is_replaceable,
                keeps_what_is_not_replaceable, replacing_meets_another_guard,
                replacing_without_a_guard, replacing_takes_no_taken_id,
                the_guard_counts_before_the_record_before_the_id;
            update: every_change_reads_back_as_the_domain_makes_it,
                a_reference_without_transaction_removes_the_stored_one,
                a_change_names_what_it_sets, the_event_is_kept_whole, a_long_body_is_kept_in_part,
                another_version_or_status_is_a_changed_record, no_record_is_a_changed_record,
                the_record_counts_before_the_guard_before_the_key,
                only_a_live_payment_passes_the_guard, a_suffix_finds_a_key_of_its_own;
            append: keeps_an_event_and_touches_no_record, a_key_is_taken_once,
                a_suffix_makes_a_key_of_its_own, lists_what_is_quarantined,
                keeps_unmatched_events_apart, keeps_an_event_that_reports_nothing,
                keeps_what_is_reported_of_a_refund;
            notified: clears_due, leaves_any_other_due, happens_once, no_payment_is_no_error;
            quarantine: reads_what_was_put_there, finds_no_other_event,
                is_resolved_once_and_for_all, an_accepted_one_changes_the_record,
                an_unmatched_one_may_change_a_record, a_decision_is_written_whole_or_not_at_all,
                an_accepted_refund_is_kept, a_refund_of_its_money_is_kept_whole;
            outbox: the_longest_overdue_comes_first, what_waits_for_review_is_not_due,
                rescheduling_changes_due_alone, rescheduling_what_is_done_does_nothing,
                clearing_changes_due_alone;
            due: a_new_payment_may_be_due, the_move_to_paid_leaves_a_near_time,
                the_move_to_paid_brings_a_far_time_near, a_final_payment_is_not_due,
                another_due_than_read_is_a_changed_record;
            refunds: one_refund_is_kept_whole, a_total_is_kept_whole,
                sum_and_total_are_kept_apart, parts_make_the_whole, a_failure_leaves_the_sum,
                a_refund_is_new_once, another_state_than_read_is_a_changed_record,
                a_reference_stands_for_one_refund, a_refund_is_kept_with_its_event_or_not_at_all,
                all_refunds_of_a_payment_are_listed;
            requested: a_reservation_is_kept_whole, a_requested_refund_is_named_once,
                a_name_stands_for_one_requested_refund, a_refused_refund_releases_what_it_reserved,
                due_refunds_are_listed_among_the_payments,
                a_refund_is_rescheduled_and_cleared_as_read;
            checkouts: a_checkout_is_kept_whole, a_checkout_is_new_once,
                a_checkout_is_changed_as_read, a_checkout_ends_once, closing_is_kept_to_its_end,
                a_payment_with_checkouts_stays_due;
            transactions: finds_the_payment_of_one, finds_two_of_one,
                finds_one_that_was_completed, finds_nothing_without_both;
            read: finds_nothing_where_nothing_is, the_newest_of_an_order_is_the_last_made,
                lists_a_users_own_newest_first, pages_without_gap_or_repeat,
                a_page_is_as_current_as_the_records, a_long_page_comes_whole,
                a_cursor_says_that_more_is_there, an_unreadable_record_takes_no_other_along;
        }
    };
    (@cases $run:path; $($area:ident: $($case:ident),+;)+) => {
        $(mod $area {
            $(#[test]
            fn $case() {
                $run($crate::testing::contract::$area::$case);
            })+
        })+
    };
}

#[cfg(test)]
mod tests {
    use super::fresh::Fresh;
    use crate::testing::{FakeStore, block_on};

    fn on_the_fake<F: Future<Output = ()>>(case: impl FnOnce(FakeStore, FakeStore, Fresh) -> F) {
        let store = FakeStore::default();
        block_on(case(store.clone(), store, Fresh::default()));
    }

    crate::store_contract!(super::on_the_fake);

    #[test]
    fn every_case_is_run() {
        let listed = include_str!("contract.rs");
        let areas = [
            include_str!("contract/append.rs"),
            include_str!("contract/checkouts.rs"),
            include_str!("contract/create.rs"),
            include_str!("contract/due.rs"),
            include_str!("contract/notified.rs"),
            include_str!("contract/outbox.rs"),
            include_str!("contract/read.rs"),
            include_str!("contract/quarantine.rs"),
            include_str!("contract/refunds.rs"),
            include_str!("contract/requested.rs"),
            include_str!("contract/transactions.rs"),
            include_str!("contract/update.rs"),
        ];
        let mut cases = 0;
        for tail in areas.iter().flat_map(|area| area.split("pub async fn ").skip(1)) {
            let (name, _) = tail.split_once('(').unwrap();
            assert!(listed.contains(name), "{name} is in no list");
            cases += 1;
        }
        assert_eq!(cases, 83);
    }
}
