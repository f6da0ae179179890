//! A checkout: one attempt to have the payer pay at one provider.

mod method;
mod parameters;
mod reference;

pub use method::CheckoutMethod;
pub use parameters::{
    CheckoutParameters, Description, MerchantAccount, OpenId, PayerIp, ProviderCheckout, WebUrl,
};
pub use reference::{CheckoutNumber, CheckoutReference};

use super::{Provider, Timestamp};
use crate::limits::{CHECKOUT_ABSENT_AFTER_MS, CHECKOUT_KEY_MS};

/// Where a checkout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckoutState {
    /// Written before its provider was called. Whether the provider knows of it is not known yet.
    Requested,
    /// The provider knows of it, or it was handed out: it can be paid.
    Open,
    /// The provider refused it, and has nothing of it. Final.
    Refused,
    /// It can no longer be paid, or was paid. Final.
    Ended,
}

impl CheckoutState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Requested, Self::Open, Self::Refused, Self::Ended];

    /// The word in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Open => "open",
            Self::Refused => "refused",
            Self::Ended => "ended",
        }
    }

    /// Whether it may still be paid.
    #[must_use]
    pub const fn is_unended(self) -> bool {
        matches!(self, Self::Requested | Self::Open)
    }
}

/// A checkout, as it is kept beside its payment. No secret of it is kept: neither a link nor what signs one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Checkout {
    /// Our reference of it at the provider, which is its idempotency key, too.
    pub reference: CheckoutReference,
    /// What it is made with, the same on each attempt.
    pub parameters: CheckoutParameters,
    /// The merchant account that it is made with: only that one can say that it is absent.
    pub account: MerchantAccount,
    /// The last moment to pay. Where the provider has no such thing, it is ended then.
    pub expires_time: Timestamp,
    /// The provider's id of it, where the provider makes one.
    pub provider_id: Option<ProviderCheckout>,
    /// Where it stands.
    pub state: CheckoutState,
    /// When its provider was last called for it.
    pub called_time: Timestamp,
    /// When the provider first said, after its expiry, that it has nothing of it.
    pub absent_time: Option<Timestamp>,
    /// When it was requested.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

impl Checkout {
    /// The provider that it is made at.
    #[must_use]
    pub const fn provider(&self) -> Provider {
        self.parameters.method.provider()
    }

    /// Whether it may still be paid.
    #[must_use]
    pub const fn is_unended(&self) -> bool {
        self.state.is_unended()
    }

    /// Whether its last moment is over.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_time
    }

    /// Whether that its provider has nothing of it can mean, by now, that nobody can pay it any more.
    #[must_use]
    pub fn can_be_absent(&self, now: Timestamp) -> bool {
        now >= self.expires_time.plus_millis(CHECKOUT_ABSENT_AFTER_MS)
    }

    /// Whether only its provider's id of it finds it there, and that id is not known.
    #[must_use]
    pub const fn is_unnamed(&self) -> bool {
        self.parameters.method.has_provider_id() && self.provider_id.is_none()
    }

    /// Whether its provider may have forgotten our key of it, so that a repeat would make another one. Nobody
    /// got what it is paid with.
    #[must_use]
    pub fn is_forgotten(&self, now: Timestamp) -> bool {
        self.is_unnamed() && now >= self.create_time.plus_millis(CHECKOUT_KEY_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::CheckoutState;

    #[test]
    fn the_words_of_the_states_stay() {
        let words = ["requested", "open", "refused", "ended"];
        assert_eq!(CheckoutState::ALL.map(CheckoutState::as_str), words);
        assert_eq!(CheckoutState::ALL.map(CheckoutState::is_unended), [true, true, false, false]);
    }
}
