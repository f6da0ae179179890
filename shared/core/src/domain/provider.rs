//! The payment providers we know, and who else sends notifications.

mod unit;

use super::{OutOfRange, ProviderTxn, Source};

/// The table of providers: variant, name, source number of the API.
macro_rules! providers {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal, $source:literal;)+) => {
        /// A payment provider whose notifications we verify.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Provider {
            $($(#[$doc])+ $variant,)+
        }

        impl Provider {
            /// Every provider, in the order of this table.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in routes, in secrets, in keys and in log lines.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The number that the API's `source` has for payments collected by it.
            #[must_use]
            pub const fn source(self) -> Source {
                match self {
                    $(Self::$variant => Source::of_number($source),)+
                }
            }
        }
    };
}

providers! {
    /// Stripe.
    Stripe = "stripe", 3;
    /// WeChat Pay, API v3.
    WeChat = "wechat", 2;
    /// Alipay.
    Alipay = "alipay", 1;
}

impl Provider {
    /// The provider whose payments have this source, if it is one of ours.
    #[must_use]
    pub fn of_source(source: Source) -> Option<Self> {
        Self::ALL.iter().copied().find(|provider| provider.source() == source)
    }

    /// Whether it reports what went back of a payment in all, in the response to the request of a refund and
    /// not in that to the query of one.
    #[must_use]
    pub const fn reports_totals(self) -> bool {
        match self {
            Self::Alipay => true,
            Self::Stripe | Self::WeChat => false,
        }
    }

    /// Whether it takes the request of a refund of this transaction, as its ids are: of Stripe's objects a
    /// `PaymentIntent`, of WeChat Pay's only letters and digits. Another sender may have named another one.
    #[must_use]
    pub fn refunds(self, txn: &ProviderTxn) -> bool {
        let (text, is_alphanumeric) = (txn.as_str(), |byte: u8| byte.is_ascii_alphanumeric());
        match self {
            Self::Stripe => text.strip_prefix("pi_").is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|byte| is_alphanumeric(byte) || byte == b'_')
            }),
            Self::WeChat => text.bytes().all(is_alphanumeric),
            Self::Alipay => true,
        }
    }

    /// Reads what [`Self::as_str`] gives, to the letter.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for any other name.
    pub fn new(name: &str) -> Result<Self, OutOfRange> {
        let found = Self::ALL.iter().copied().find(|provider| provider.as_str() == name);
        found.ok_or(OutOfRange::new("provider"))
    }
}

/// Who sent a notification, as the event log names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sender {
    /// A payment gateway of the shop's own: native callback, or direct invoke.
    Native,
    /// A person, who decided on a quarantined notification.
    Operator,
    /// The scheduled run, which closes what nobody has paid in time.
    Sweep,
    /// A payment provider.
    Provider(Provider),
}

impl Sender {
    const NATIVE: &str = "native";
    const OPERATOR: &str = "operator";
    const SWEEP: &str = "sweep";

    /// Every sender.
    pub fn all() -> impl Iterator<Item = Self> {
        let providers = Provider::ALL.iter().copied().map(Self::Provider);
        [Self::Native, Self::Operator, Self::Sweep].into_iter().chain(providers)
    }

    /// The name in keys and log lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => Self::NATIVE,
            Self::Operator => Self::OPERATOR,
            Self::Sweep => Self::SWEEP,
            Self::Provider(provider) => provider.as_str(),
        }
    }

    /// Reads what [`Self::as_str`] gives.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for any other name.
    pub fn new(name: &str) -> Result<Self, OutOfRange> {
        match name {
            Self::NATIVE => Ok(Self::Native),
            Self::OPERATOR => Ok(Self::Operator),
            Self::SWEEP => Ok(Self::Sweep),
            name => {
                Provider::new(name).map(Self::Provider).map_err(|_none| OutOfRange::new("sender"))
            }
        }
    }
}

impl From<Provider> for Sender {
    fn from(provider: Provider) -> Self {
        Self::Provider(provider)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_of_senders_stay() {
        let stored = ["native", "operator", "sweep", "stripe", "wechat", "alipay"];
        let all: Vec<_> = Sender::all().map(Sender::as_str).collect();
        assert_eq!(all, stored);
        for name in stored {
            assert_eq!(Sender::new(name).unwrap().as_str(), name);
        }
        let sources = Provider::ALL.iter().map(|provider| provider.source().get());
        assert_eq!(sources.collect::<Vec<_>>(), [3, 2, 1]);
        for unknown in ["", "Stripe", "stripe ", "acquirer-of-no-one"] {
            assert_eq!(Sender::new(unknown).unwrap_err().what, "sender", "{unknown}");
            assert_eq!(Provider::new(unknown).unwrap_err().what, "provider", "{unknown}");
        }
        assert!(Provider::new("native").is_err());
    }

    #[test]
    fn a_provider_refunds_transactions_as_its_own_are() {
        for (txn, by) in [
            ("pi_1", &[Provider::Stripe, Provider::Alipay][..]),
            ("pi_3MmlLrLkdIwHu7ix_0snN0B15", &[Provider::Stripe, Provider::Alipay]),
            ("4200001234", &[Provider::WeChat, Provider::Alipay]),
            ("pi_", &[Provider::Alipay]),
            ("pi_1/refund", &[Provider::Alipay]),
            ("ch_1", &[Provider::Alipay]),
        ] {
            let txn = ProviderTxn::new(txn).unwrap();
            let found = Provider::ALL.iter().copied().filter(|provider| provider.refunds(&txn));
            assert_eq!(found.collect::<Vec<_>>(), by, "{txn:?}");
        }
    }
}
