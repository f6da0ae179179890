//! How much of a payment went back, and the refunds that make it up.
//!
//! Some providers report refunds one by one, each with its id; others report the total so far. Both
//! are kept apart and never added: what went back is the larger of the two.

mod effect;
mod reference;

pub use effect::RefundEffect;
pub use reference::RefundReference;

use super::{Digest, Due, EventKey, OutOfRange, PaymentId, Provider, ProviderRef, Timestamp};

/// How much of a payment went back, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Refunds {
    /// The sum of the refunds that were reported one by one and succeeded.
    pub sum: u64,
    /// The highest total that was reported.
    pub total: u64,
    /// What is reserved for refunds that were requested and have not come to an end.
    pub pending: u64,
}

impl Refunds {
    /// Nothing went back.
    pub const NONE: Self = Self { sum: 0, total: 0, pending: 0 };

    /// What went back, as far as is known.
    #[must_use]
    pub const fn refunded(self) -> u64 {
        if self.sum > self.total { self.sum } else { self.total }
    }

    /// What went back, and what may still go back by refunds that were requested.
    #[must_use]
    pub const fn claimed(self) -> u64 {
        self.refunded().saturating_add(self.pending)
    }
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefundState {
    /// Reserved by a request of ours. Whether the provider knows of it is not known yet.
    Requested,
    /// Accepted by the provider, and nothing went back yet.
    Pending,
    /// The money went back.
    Succeeded,
    /// It did not, or came back again. Final.
    Failed,
}

impl RefundState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Requested, Self::Pending, Self::Succeeded, Self::Failed];

    /// The word in the table and in the event log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// Whether it has come to an end. One that succeeded may still fail.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Requested | Self::Pending => false,
            Self::Succeeded | Self::Failed => true,
        }
    }
}

/// A provider's id of a refund, or the merchant's reference of it: 1 to 128 characters of
/// `[A-Za-z0-9_.-]`, so that it can be part of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderRefund(String);

impl ProviderRefund {
    /// Wraps a text from outside.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] when it is empty, longer than 128, or holds another character.
    pub fn new(id: &str) -> Result<Self, OutOfRange> {
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let fits = (1..=128).contains(&id.len()) && id.bytes().all(safe);
        if fits { Ok(Self(id.to_owned())) } else { Err(OutOfRange::new("refund id")) }
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a notification reports about what went back of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RefundReport {
    /// One refund.
    One {
        /// The provider's id of it; the merchant's reference where the provider has none of its own.
        id: ProviderRefund,
        /// The reference that the merchant gave it, where the provider reports one.
        reference: Option<ProviderRefund>,
        /// How much it gives back, in minor units.
        amount_minor: u64,
        /// Where it stands.
        state: RefundState,
    },
    /// What went back so far in all, in minor units.
    Total(u64),
}

/// Our id of a refund, unique for its payment.
///
/// That of a refund that we were asked for is our reference of it at the provider too
/// ([`RefundReference`]). One that was made at the provider is `<provider>.<the
/// provider's id>`; one that is known by a reported total alone is `total-<minor units>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefundId(String);

impl RefundId {
    /// Reads a text that [`Self::as_str`] gave.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for a text that can be part of no key.
    pub fn new(id: &str) -> Result<Self, OutOfRange> {
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let fits = (1..=160).contains(&id.len()) && id.bytes().all(safe);
        if fits { Ok(Self(id.to_owned())) } else { Err(OutOfRange::new("refund id")) }
    }

    /// The id of a refund that we were asked for.
    #[must_use]
    pub fn requested(reference: RefundReference) -> Self {
        Self(reference.to_string())
    }

    /// The id of a refund that was made at the provider.
    #[must_use]
    pub fn adopted(provider: Provider, id: &ProviderRefund) -> Self {
        Self(format!("{}.{}", provider.as_str(), id.as_str()))
    }

    /// The id of what a total reports beyond the refunds known before.
    #[must_use]
    pub fn of_total(total: u64) -> Self {
        Self(format!("total-{total}"))
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A refund, as it is kept beside its payment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Refund {
    /// The payment that it gives back.
    pub payment: PaymentId,
    /// Our id of it.
    pub id: RefundId,
    /// The money that it is taken from.
    pub taken_from: ProviderRef,
    /// The provider's id of it; `None` where only a total is known.
    pub provider_refund: Option<ProviderRefund>,
    /// The merchant's reference of it at the provider, where one is known.
    pub reference: Option<ProviderRefund>,
    /// How much it gives back, in minor units. Of a total: how much more than was known before, which
    /// may be nothing.
    pub amount_minor: u64,
    /// Where it stands.
    pub state: RefundState,
    /// Of one that we were asked for: by whom, and what for.
    pub request: Option<RefundRequest>,
    /// Set while something is still to be done about it: its state says what.
    pub due: Option<Due>,
    /// When we heard of it first.
    pub create_time: Timestamp,
    /// When its state last changed.
    pub update_time: Timestamp,
}

impl Refund {
    /// Whether it gives back what a quarantined notification reports, not what the payment was paid with.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.quarantined.is_some())
    }

    /// Whether we were asked for it, and its provider never named it.
    #[must_use]
    pub const fn is_unnamed_request(&self) -> bool {
        self.request.is_some() && self.provider_refund.is_none()
    }
}

/// What we were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RefundRequest {
    /// SHA-256 of (payment id, Idempotency-Key).
    pub key: Digest,
    /// Why the money goes back, for the payer and for us.
    pub reason: Option<RefundReason>,
    /// The quarantined notification whose money it gives back; `None` if that is what the payment was paid
    /// with. It is outside of the payment's amounts and status.
    pub quarantined: Option<EventKey>,
}

/// Why money goes back: 1 to 80 bytes of UTF-8 without control characters, which every provider takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RefundReason(String);

impl RefundReason {
    /// Wraps a text from outside.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] when it is empty, longer than 80 bytes, or holds a control character.
    pub fn new(text: &str) -> Result<Self, OutOfRange> {
        let fits = (1..=80).contains(&text.len()) && !text.chars().any(char::is_control);
        if fits { Ok(Self(text.to_owned())) } else { Err(OutOfRange::new("reason")) }
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a change of a record does to its refunds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RefundChange {
    /// What went back in all, after it.
    pub refunds: Refunds,
    /// The refund after it.
    pub item: Refund,
    /// The state that the refund must still have; `None` if there must be none with its id.
    pub from: Option<RefundState>,
    /// Whether the provider's id of it is new: then no other refund of the payment may have it.
    pub is_named: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_back_is_the_larger_of_sum_and_total() {
        for (sum, total, refunded) in
            [(0, 0, 0), (30, 0, 30), (0, 30, 30), (30, 50, 50), (50, 30, 50)]
        {
            let refunds = Refunds { sum, total, pending: 10 };
            assert_eq!((refunds.refunded(), refunds.claimed()), (refunded, refunded + 10));
        }
    }

    #[test]
    fn an_id_of_a_refund_can_be_part_of_a_key() {
        let id = ProviderRefund::new("re_1.a-B").unwrap();
        assert_eq!(RefundId::adopted(Provider::Stripe, &id).as_str(), "stripe.re_1.a-B");
        assert_eq!(RefundId::of_total(50).as_str(), "total-50");
        let longest = ProviderRefund::new(&"9".repeat(128)).unwrap();
        let id = RefundId::adopted(Provider::Alipay, &longest);
        assert_eq!(RefundId::new(id.as_str()).unwrap(), id);
        for bad in ["", "a#b", "a b", "a/b", "é", &"9".repeat(129)] {
            assert!(ProviderRefund::new(bad).is_err(), "{bad}");
        }
        assert!(RefundId::new("a#b").is_err() && RefundId::new("").is_err());
    }

    #[test]
    fn the_words_of_the_states_stay() {
        let words = ["requested", "pending", "succeeded", "failed"];
        assert_eq!(RefundState::ALL.map(RefundState::as_str), words);
    }
}
