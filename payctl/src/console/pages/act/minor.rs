//! Amounts as people write them.

use pay_core::domain::{Amount, Currency};

/// The minor units of an amount in the major unit of its currency: `12.50` in EUR is 1250. Exact, or an error.
pub(super) fn minor_of(text: &str, currency: &str) -> Result<u64, String> {
    let decimals = Currency::new(currency).ok().and_then(Currency::decimals).unwrap_or(0);
    let needed = || match decimals {
        0 => format!("An amount in {currency} is a whole number, and {text} is none."),
        _ => format!(
            "An amount in {currency} is a number with at most {decimals} decimals, and {text} is none."
        ),
    };
    let (whole, part) = match text.split_once('.') {
        Some((_, "")) => return Err(needed()),
        Some((whole, part)) => (whole, part),
        None => (text, ""),
    };
    let width = usize::try_from(decimals).unwrap_or(0);
    let is_number = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(part) || part.len() > width {
        return Err(needed());
    }
    let minor = format!("{whole}{part:0<width$}").parse().ok();
    let minor = minor.and_then(|minor| Amount::check_minor(minor).ok());
    minor.ok_or_else(|| format!("{text} {currency} is no amount of a payment."))
}

#[cfg(test)]
mod tests {
    use super::minor_of;

    #[test]
    fn an_amount_is_read_exactly_or_not_at_all() {
        for (text, currency, minor) in [
            ("12.50", "EUR", 1250),
            ("12.5", "EUR", 1250),
            ("12", "EUR", 1200),
            ("0.01", "EUR", 1),
            ("007", "EUR", 700),
            ("12", "JPY", 12),
            ("1.001", "KWD", 1001),
            ("42949672.95", "EUR", 4_294_967_295),
        ] {
            assert_eq!(minor_of(text, currency), Ok(minor), "{text} {currency}");
        }
        for (text, currency) in [
            ("", "EUR"),
            (".5", "EUR"),
            ("5.", "EUR"),
            ("0", "EUR"),
            ("0.00", "EUR"),
            ("1.001", "EUR"),
            ("1.0", "JPY"),
            ("-1", "EUR"),
            ("+1", "EUR"),
            ("1,5", "EUR"),
            ("1e3", "EUR"),
            ("1 000", "EUR"),
            ("٣", "EUR"),
            ("42949672.96", "EUR"),
            ("99999999999999999999999", "EUR"),
        ] {
            assert!(minor_of(text, currency).is_err(), "{text} {currency}");
        }
    }
}
