//! Why a notification waits, in a sentence.

use pay_core::domain::MismatchField;

use crate::event::UNREADABLE;

/// What the reason of a notification in quarantine means; empty for a word that is none of ours.
pub(in crate::console) fn meaning(reason: &str) -> &'static str {
    if reason == UNREADABLE {
        return "What the item says is no notification that the service writes.";
    }
    match MismatchField::ALL.into_iter().find(|field| field.as_str() == reason) {
        Some(MismatchField::User) => "It names a user whom the shop does not have.",
        Some(MismatchField::Order) => "It names an order that the shop does not have.",
        Some(MismatchField::Payment) => "It is about no payment of this service.",
        Some(MismatchField::Outcome) => {
            "What it reports is no status of a payment, or cannot be read for certain."
        }
        Some(MismatchField::Amount) => "It reports another amount than is due.",
        Some(MismatchField::Account) => {
            "It was sent for another merchant account, or another mode, than is configured."
        }
        Some(MismatchField::Uid) => "It names another user than the payment has.",
        Some(MismatchField::Oid) => "It names another order than the payment has.",
        Some(MismatchField::Currency) => "It reports another currency than the payment has.",
        Some(MismatchField::Refunded) => {
            "More went back than was paid, or a refund failed after it was counted."
        }
        Some(MismatchField::Reference) => {
            "The payment was paid by another transaction: this may be a second payment of the order."
        }
        Some(MismatchField::LivePayment) => {
            "Its payment was closed, and another payment has the order."
        }
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_meaning() {
        for field in MismatchField::ALL {
            assert!(meaning(field.as_str()).ends_with('.'), "{field:?}");
        }
        assert!(!meaning(UNREADABLE).is_empty() && meaning("none given").is_empty());
    }
}
