//! What a provider collects and gives back: currencies, and the unit in which it counts the amounts of each.

use super::Provider;
use crate::domain::Currency;

/// The decimals of a provider's unit, where they are not those of ISO 4217.
///
/// Source: docs.stripe.com/currencies, "Special cases" and "Zero-decimal currencies";
/// support.stripe.com, "Deprecation of fractional ISK charges and refunds". Stripe has ISK and UGX with
/// two decimals that must both be 0. HUF and TWD differ only in payouts, which are no payments.
const OTHERS: [(Provider, &str, u32); 3] =
    [(Provider::Stripe, "ISK", 2), (Provider::Stripe, "UGX", 2), (Provider::Stripe, "MGA", 0)];

impl Provider {
    /// Whether it collects this currency. WeChat Pay and Alipay have one; what Stripe does not collect it refuses
    /// itself.
    #[must_use]
    pub fn collects(self, currency: Currency) -> bool {
        match self {
            Self::Stripe => true,
            Self::WeChat | Self::Alipay => currency.code() == "CNY",
        }
    }

    /// Converts an amount in the provider's unit to minor units of ISO 4217.
    ///
    /// `None` where it is no whole number of them, or more than a `u64` holds.
    #[must_use]
    pub fn minor_units(self, currency: Currency, amount: u64) -> Option<u64> {
        let (Some(from), Some(to)) = (self.decimals(currency), currency.decimals()) else {
            return Some(amount);
        };
        scaled(amount, from, to)
    }

    /// Converts minor units of ISO 4217 to an amount in the provider's unit, as [`Self::minor_units`] does back.
    ///
    /// `None` where the provider takes no request for such an amount, or it is more than a `u64` holds.
    #[must_use]
    pub fn units(self, currency: Currency, minor: u64) -> Option<u64> {
        let (Some(from), Some(to)) = (currency.decimals(), self.decimals(currency)) else {
            return Some(minor);
        };
        scaled(minor, from, to).filter(|amount| self.takes(*amount, to))
    }

    /// Whether it takes a request for an amount of a unit with so many decimals. Of three Stripe takes two: the last
    /// must be 0.
    ///
    /// Source: docs.stripe.com/currencies, "Three-decimal currencies".
    const fn takes(self, amount: u64, decimals: u32) -> bool {
        match self {
            Self::Stripe => decimals != 3 || amount.is_multiple_of(10),
            Self::WeChat | Self::Alipay => true,
        }
    }

    /// How many decimals its unit of a currency has; `None` for a code that has no unit.
    fn decimals(self, currency: Currency) -> Option<u32> {
        let other = OTHERS.iter().find(|(of, code, _)| (*of, *code) == (self, currency.code()));
        other.map(|(.., decimals)| *decimals).or_else(|| currency.decimals())
    }
}

/// An amount of a unit with `from` decimals, in one with `to`.
fn scaled(amount: u64, from: u32, to: u32) -> Option<u64> {
    let factor = 10_u64.checked_pow(from.abs_diff(to))?;
    if from <= to {
        return amount.checked_mul(factor);
    }
    let is_whole = amount.checked_rem(factor)? == 0;
    if is_whole { amount.checked_div(factor) } else { None }
}

#[cfg(test)]
mod tests {
    use crate::domain::{Currency, Provider};

    fn currency(code: &str) -> Currency {
        Currency::new(code).unwrap()
    }

    /// The lists of docs.stripe.com/currencies, and a sample of the others.
    #[test]
    fn stripes_units_are_those_of_its_documentation() {
        for (codes, expected) in [
            ("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF", 0),
            ("BHD JOD KWD OMR TND", 3),
            // Special cases.
            ("HUF ISK TWD UGX", 2),
            ("AED AUD BRL CHF CNY COP CVE EUR GBP IDR INR LAK MRU PKR RSD USD UYU", 2),
        ] {
            for code in codes.split(' ') {
                let found = Provider::Stripe.decimals(currency(code));
                assert_eq!(found, Some(expected), "{code}");
            }
        }
        for provider in [Provider::WeChat, Provider::Alipay] {
            assert_eq!(provider.units(currency("KWD"), 5123), Some(5123), "{provider:?}");
            assert_eq!(provider.decimals(currency("CNY")), Some(2), "{provider:?}");
        }
    }

    #[test]
    fn an_amount_is_converted_exactly_or_not_at_all() {
        for (code, amount, minor) in [
            ("EUR", 1050, Some(1050)),
            ("JPY", 500, Some(500)),
            ("KWD", 5120, Some(5120)),
            // What it reports is read whatever it takes.
            ("KWD", 5123, Some(5123)),
            ("HUF", 1045, Some(1045)),
            ("ISK", 500, Some(5)),
            ("ISK", 0, Some(0)),
            ("ISK", 501, None),
            ("ISK", 550, None),
            ("ISK", 99, None),
            ("ISK", u64::MAX, None),
            ("UGX", 370_000, Some(3700)),
            ("UGX", 370_050, None),
            ("MGA", 5, Some(500)),
            ("MGA", u64::MAX, None),
            ("MGA", u64::MAX / 100, Some(u64::MAX / 100 * 100)),
            // No unit at all: as it is.
            ("XAU", 7, Some(7)),
        ] {
            let found = Provider::Stripe.minor_units(currency(code), amount);
            assert_eq!(found, minor, "{code} {amount}");
        }
    }

    #[test]
    fn a_provider_collects_its_currencies() {
        for provider in Provider::ALL {
            assert!(provider.collects(currency("CNY")), "{provider:?}");
            let is_stripe = *provider == Provider::Stripe;
            assert_eq!(provider.collects(currency("EUR")), is_stripe, "{provider:?}");
        }
    }

    #[test]
    fn an_amount_that_is_sent_is_read_back() {
        for (code, minor, amount) in [
            ("EUR", 1050, Some(1050)),
            ("JPY", 500, Some(500)),
            ("KWD", 5120, Some(5120)),
            // Of three decimals the last is 0.
            ("KWD", 5123, None),
            ("TND", 1, None),
            ("ISK", 5, Some(500)),
            ("UGX", 3700, Some(370_000)),
            ("MGA", 500, Some(5)),
            ("MGA", 550, None),
            ("ISK", u64::MAX, None),
            ("XAU", 7, Some(7)),
        ] {
            let (stripe, currency) = (Provider::Stripe, currency(code));
            assert_eq!(stripe.units(currency, minor), amount, "{code} {minor}");
            if let Some(amount) = amount {
                assert_eq!(stripe.minor_units(currency, amount), Some(minor), "{code}");
            }
        }
    }
}
