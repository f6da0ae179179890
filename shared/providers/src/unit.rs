//! The unit in which a provider counts the amounts of a currency.

use pay_core::domain::{Currency, Provider};

/// The decimals of a provider's unit, where they are not those of ISO 4217.
///
/// Source: docs.stripe.com/currencies, "Special cases" and "Zero-decimal currencies";
/// support.stripe.com, "Deprecation of fractional ISK charges and refunds". Stripe has ISK and UGX with
/// two decimals that must both be 0. HUF and TWD differ only in payouts, which are no payments.
const OTHERS: [(Provider, &str, u32); 3] =
    [(Provider::Stripe, "ISK", 2), (Provider::Stripe, "UGX", 2), (Provider::Stripe, "MGA", 0)];

/// How many decimals the provider's unit of a currency has; `None` for a code that has no unit.
#[must_use]
pub fn decimals(provider: Provider, currency: Currency) -> Option<u32> {
    let other = OTHERS.iter().find(|(of, code, _)| (*of, *code) == (provider, currency.code()));
    other.map(|(.., decimals)| *decimals).or_else(|| currency.decimals())
}

/// Converts an amount in the provider's unit to minor units of ISO 4217.
///
/// `None` where it is no whole number of them, or more than a `u64` holds.
pub(crate) fn minor_units(provider: Provider, currency: Currency, amount: u64) -> Option<u64> {
    let (Some(from), Some(to)) = (decimals(provider, currency), currency.decimals()) else {
        return Some(amount);
    };
    scaled(amount, from, to)
}

/// Converts minor units of ISO 4217 to an amount in the provider's unit, as [`minor_units`] does back.
pub(crate) fn provider_units(provider: Provider, currency: Currency, minor: u64) -> Option<u64> {
    let (Some(from), Some(to)) = (currency.decimals(), decimals(provider, currency)) else {
        return Some(minor);
    };
    scaled(minor, from, to)
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
    use pay_core::domain::{Currency, Provider};

    use super::{decimals, minor_units, provider_units};

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
                let found = decimals(Provider::Stripe, currency(code));
                assert_eq!(found, Some(expected), "{code}");
            }
        }
        for provider in [Provider::WeChat, Provider::Alipay] {
            assert_eq!(decimals(provider, currency("CNY")), Some(2), "{provider:?}");
        }
    }

    #[test]
    fn an_amount_is_converted_exactly_or_not_at_all() {
        for (code, amount, minor) in [
            ("EUR", 1050, Some(1050)),
            ("JPY", 500, Some(500)),
            ("KWD", 5120, Some(5120)),
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
            let found = minor_units(Provider::Stripe, currency(code), amount);
            assert_eq!(found, minor, "{code} {amount}");
        }
    }
    #[test]
    fn an_amount_that_is_sent_is_read_back() {
        for (code, minor, amount) in [
            ("EUR", 1050, Some(1050)),
            ("JPY", 500, Some(500)),
            ("KWD", 5120, Some(5120)),
            ("ISK", 5, Some(500)),
            ("UGX", 3700, Some(370_000)),
            ("MGA", 500, Some(5)),
            ("MGA", 550, None),
            ("ISK", u64::MAX, None),
            ("XAU", 7, Some(7)),
        ] {
            let (provider, currency) = (Provider::Stripe, currency(code));
            assert_eq!(provider_units(provider, currency, minor), amount, "{code} {minor}");
            if let Some(amount) = amount {
                assert_eq!(minor_units(provider, currency, amount), Some(minor), "{code}");
            }
        }
    }
}
