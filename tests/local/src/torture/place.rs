//! Where a payment is paid, by its id.

use pay_core::domain::Provider;

/// Where a payment is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// At the simulator of a provider, where the shop starts it by itself: the provider knows the truth, and
    /// sends webhooks.
    Simulator(Provider),
    /// At the simulators of all providers, by the checkouts that the service starts there.
    Checkouts,
    /// Nowhere. Messages of this provider are made directly, in any order.
    Messages(Provider),
    /// Nowhere. Messages of a gateway of the shop's own are made directly.
    Gateway,
}

impl Place {
    /// Nine in thirteen payments are paid at simulators, six of them by checkouts.
    pub(super) fn of(payment: u64) -> Self {
        let providers = Provider::ALL.len();
        let places = providers.saturating_mul(4).saturating_add(1);
        let id = usize::try_from(payment).unwrap_or_default();
        let at = id.checked_rem(places).unwrap_or_default();
        let provider = at.checked_rem(providers).and_then(|at| Provider::ALL.get(at));
        match (at.checked_div(providers), provider) {
            (Some(0), Some(provider)) => Self::Simulator(*provider),
            (Some(1 | 2), _) => Self::Checkouts,
            (Some(3), Some(provider)) => Self::Messages(*provider),
            _ => Self::Gateway,
        }
    }

    /// The provider of the payment; `None` for a gateway of the shop's own, and where all may be it.
    pub(super) const fn provider(self) -> Option<Provider> {
        match self {
            Self::Simulator(provider) | Self::Messages(provider) => Some(provider),
            Self::Checkouts | Self::Gateway => None,
        }
    }

    /// Whether a provider holds what is paid.
    pub(super) const fn is_simulated(self) -> bool {
        matches!(self, Self::Simulator(_) | Self::Checkouts)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Place, Provider};

    #[test]
    fn every_place_has_payments() {
        let places: Vec<Place> = (0..13).map(Place::of).collect();
        let count = |is: fn(&&Place) -> bool| places.iter().filter(is).count();
        assert_eq!(count(|place| place.is_simulated()), 9);
        assert_eq!(count(|place| **place == Place::Checkouts), 6);
        assert_eq!(count(|place| **place == Place::Gateway), 1);
        let providers: BTreeSet<_> = places.iter().filter_map(|place| place.provider()).collect();
        assert_eq!(providers, Provider::ALL.iter().copied().collect());
    }
}
