//! Why an authentic notification does not match: what was compared, and both sides of it.

use std::fmt;

/// What a notification was compared in. In the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MismatchField {
    /// It claims a user who does not exist.
    User,
    /// It claims an order that does not exist.
    Order,
    /// It names no payment of ours.
    Payment,
    /// It reports what no status stands for, or what cannot be read for certain.
    Outcome,
    /// Another amount than the record's, or none.
    Amount,
    /// It was sent for another merchant account, or another mode, than is configured.
    Account,
    /// It claims another user than the record's.
    Uid,
    /// It claims another order than the record's.
    Oid,
    /// Another currency than the record's, or none.
    Currency,
    /// More went back than was paid, or a refund failed after all of it counted.
    Refunded,
    /// The payment was paid under another provider reference, or what it names can be none.
    Reference,
    /// The payment was closed, and another one has its order.
    LivePayment,
}

impl MismatchField {
    /// Every field, in the order of the checks.
    pub const ALL: [Self; 12] = [
        Self::User,
        Self::Order,
        Self::Payment,
        Self::Outcome,
        Self::Amount,
        Self::Account,
        Self::Uid,
        Self::Oid,
        Self::Currency,
        Self::Refunded,
        Self::Reference,
        Self::LivePayment,
    ];

    /// The word in the event log, in log lines and in the metric's dimension.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Outcome => "outcome",
            Self::Amount => "amount",
            Self::Account => "account",
            Self::Uid => "uid",
            Self::Oid => "oid",
            Self::Currency => "currency",
            Self::Refunded => "refunded",
            Self::Reference => "reference",
            Self::LivePayment => "live_payment",
        }
    }
}

/// A mismatch between an authentic notification and what we know: it is quarantined for a person.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mismatch {
    /// What was compared.
    pub field: MismatchField,
    /// What we know; `None` where there is nothing of ours to compare with.
    pub expected: Option<String>,
    /// What the notification says, at most [`Self::TEXT_MAX`] characters; `None` if it says nothing.
    pub received: Option<String>,
}

impl Mismatch {
    /// How many characters of either side are kept: a provider's transaction id with its source.
    pub const TEXT_MAX: usize = 160;

    /// A mismatch; both sides are cut to [`Self::TEXT_MAX`] characters.
    #[must_use]
    pub fn new(
        field: MismatchField,
        expected: Option<impl fmt::Display>,
        received: Option<impl fmt::Display>,
    ) -> Self {
        Self { field, expected: expected.map(cut), received: received.map(cut) }
    }

    /// Nothing of ours has the number that the notification names.
    #[must_use]
    pub fn absent(field: MismatchField, received: Option<impl fmt::Display>) -> Self {
        Self::new(field, None::<&str>, received)
    }
}

fn cut(text: impl fmt::Display) -> String {
    text.to_string().chars().take(Mismatch::TEXT_MAX).collect()
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
        let (field, expected, received) =
            (self.field.as_str(), text(&self.expected), text(&self.received));
        write!(f, "{field}: expected {expected}, received {received}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mismatch_shows_both_sides_and_keeps_no_more_than_its_limit() {
        let mismatch = Mismatch::new(MismatchField::Amount, Some(100), Some(99));
        assert_eq!(mismatch.to_string(), "amount: expected 100, received 99");
        let unknown = Mismatch::absent(MismatchField::Payment, None::<u64>);
        assert_eq!(unknown.to_string(), "payment: expected nothing, received nothing");
        let long = Mismatch::absent(MismatchField::Currency, Some("é".repeat(200)));
        assert_eq!(long.received.unwrap().chars().count(), 160);
    }

    #[test]
    fn the_words_of_the_fields_stay() {
        let words = MismatchField::ALL.map(MismatchField::as_str);
        let stored = "user order payment outcome amount account uid oid currency refunded reference live_payment";
        assert_eq!(words.join(" "), stored);
    }
}
