//! Where a payment is paid, by its id.

use pay_core::domain::Provider;

/// Where a payment is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// At the simulator of a provider: it knows the truth, and sends webhooks.
    Simulator(Provider),
    /// Nowhere. Messages of this provider are made directly, in any order.
    Messages(Provider),
    /// Nowhere. Messages of a gateway of the shop's own are made directly.
    Gateway,
}

impl Place {
    /// Six in ten payments are paid at simulators.
    pub(super) fn of(payment: u64) -> Self {
        let providers = Provider::ALL.len();
        let places = providers.saturating_mul(3).saturating_add(1);
        let id = usize::try_from(payment).unwrap_or_default();
        let at = id.checked_rem(places).unwrap_or_default();
        let provider = at.checked_rem(providers).and_then(|at| Provider::ALL.get(at));
        match (at.checked_div(providers), provider) {
            (Some(0 | 1), Some(provider)) => Self::Simulator(*provider),
            (Some(2), Some(provider)) => Self::Messages(*provider),
            _ => Self::Gateway,
        }
    }

    /// The provider of the payment; `None` for a gateway of the shop's own.
    pub(super) const fn provider(self) -> Option<Provider> {
        match self {
            Self::Simulator(provider) | Self::Messages(provider) => Some(provider),
            Self::Gateway => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Place, Provider};

    #[test]
    fn every_place_has_payments() {
        let places: Vec<Place> = (0..10).map(Place::of).collect();
        let simulated = places.iter().filter(|place| matches!(place, Place::Simulator(_)));
        assert_eq!(simulated.count(), 6);
        assert_eq!(places.iter().filter(|place| **place == Place::Gateway).count(), 1);
        let providers: BTreeSet<_> = places.iter().filter_map(|place| place.provider()).collect();
        assert_eq!(providers, Provider::ALL.iter().copied().collect());
    }
}
