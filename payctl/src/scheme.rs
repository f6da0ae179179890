//! How a notification is signed, whoever sends it.

use pay_core::domain::{OutOfRange, Provider};

/// How a notification is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Standard Webhooks: a gateway of the shop's own.
    Standard,
    /// A payment provider's own scheme.
    Provider(Provider),
}

impl Scheme {
    const STANDARD: &str = "standard";

    /// Every scheme.
    pub fn all() -> impl Iterator<Item = Self> {
        let providers = Provider::ALL.iter().copied().map(Self::Provider);
        std::iter::once(Self::Standard).chain(providers)
    }

    /// Its name on the command line and in the webhook secret.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => Self::STANDARD,
            Self::Provider(provider) => provider.as_str(),
        }
    }

    /// Reads what [`Self::as_str`] gives, to the letter.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for any other name.
    pub fn new(name: &str) -> Result<Self, OutOfRange> {
        match name {
            Self::STANDARD => Ok(Self::Standard),
            name => Provider::new(name).map(Self::Provider),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scheme;

    #[test]
    fn a_scheme_has_one_name() {
        for scheme in Scheme::all() {
            assert_eq!(Scheme::new(scheme.as_str()), Ok(scheme));
        }
        for other in ["", "Standard", "native", "no-such-provider"] {
            assert!(Scheme::new(other).is_err(), "{other}");
        }
    }
}
