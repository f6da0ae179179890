//! Times in claims: `NumericDate`, seconds since 1970, which may have a fraction.
//!
//! Source: RFC 7519, section 2; the grammar of numbers is RFC 8259, section 6.

use pay_core::domain::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The most digits by which an exponent may move the point. No clock needs any.
const EXPONENT_MAX: usize = 99;

/// A time, exact to any digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NumericDate {
    secs: u64,
    /// The digits after the point, without zeros at the end: their order is that of texts.
    fraction: String,
}

/// The times in a token's claims, each if it is there and is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) exp: Option<NumericDate>,
    pub(super) nbf: Option<NumericDate>,
    pub(super) iat: Option<NumericDate>,
}

impl Times {
    /// Reads them from claims that are one JSON object with each name once.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        // As text: a float would round.
        #[derive(Deserialize)]
        struct Raw<'a> {
            #[serde(borrow)]
            exp: Option<&'a RawValue>,
            #[serde(borrow)]
            nbf: Option<&'a RawValue>,
            #[serde(borrow)]
            iat: Option<&'a RawValue>,
        }
        let Raw { exp, nbf, iat } = serde_json::from_slice(json).ok()?;
        let time = |raw: Option<&RawValue>| NumericDate::parse(raw?.get());
        Some(Self { exp: time(exp), nbf: time(nbf), iat: time(iat) })
    }
}

impl NumericDate {
    /// Reads a JSON number; `None` for anything else, and for one that is negative or out of range.
    fn parse(text: &str) -> Option<Self> {
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent),
            None => (text, "0"),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !are_digits(whole) || !are_digits(fraction) {
            return None;
        }
        let digits = format!("{whole}{fraction}");
        let (is_left, by) = match exponent.strip_prefix('-') {
            Some(by) => (true, by),
            None => (false, exponent.strip_prefix('+').unwrap_or(exponent)),
        };
        if !are_digits(by) {
            return None;
        }
        let by = by.parse().ok().filter(|by| *by <= EXPONENT_MAX)?;
        let zeros = "0".repeat(by);
        let (digits, point) = if is_left {
            (format!("{zeros}{digits}"), whole.len())
        } else {
            let point = whole.len().saturating_add(by);
            (format!("{digits}{zeros}"), point)
        };
        let (whole, fraction) = digits.split_at_checked(point)?;
        let secs = whole.parse().ok()?;
        Some(Self { secs, fraction: fraction.trim_end_matches('0').to_owned() })
    }

    /// The same time, so many seconds later.
    pub(super) fn plus_secs(&self, secs: u64) -> Self {
        Self { secs: self.secs.saturating_add(secs), fraction: self.fraction.clone() }
    }
}

impl From<Timestamp> for NumericDate {
    fn from(at: Timestamp) -> Self {
        let millis = at.millis().checked_rem(1000).unwrap_or_default();
        let fraction = format!("{millis:03}");
        Self { secs: at.secs(), fraction: fraction.trim_end_matches('0').to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Option<(u64, String)> {
        NumericDate::parse(text).map(|date| (date.secs, date.fraction))
    }

    #[test]
    fn a_number_is_read_to_its_last_digit() {
        for (text, secs, fraction) in [
            ("0", 0, ""),
            ("1800000000", 1_800_000_000, ""),
            ("1800000000.0", 1_800_000_000, ""),
            ("1800000000.250", 1_800_000_000, "25"),
            ("1800000000.000000000000000000000001", 1_800_000_000, "000000000000000000000001"),
            ("18e8", 1_800_000_000, ""),
            ("1.8E9", 1_800_000_000, ""),
            ("1.8e+9", 1_800_000_000, ""),
            ("1.80000000025e9", 1_800_000_000, "25"),
            ("18000000002500e-4", 1_800_000_000, "25"),
            ("25e-3", 0, "025"),
            ("0.5e1", 5, ""),
            ("9007199254740993", 9_007_199_254_740_993, ""),
            ("18446744073709551615", u64::MAX, ""),
        ] {
            assert_eq!(date(text), Some((secs, fraction.to_owned())), "{text}");
        }
        for bad in [
            "-1",
            "-0",
            "\"1\"",
            "null",
            "true",
            "[]",
            "18446744073709551616",
            "1e20",
            "1e100",
            "1e-100",
            "1e99999999999999999999",
            "1e+-1",
            "1e",
            ".5",
            "",
        ] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_have_the_order_of_their_numbers() {
        let dates = ["0", "0.5", "1", "1.049", "1.05", "1.5", "1.51", "2", "9e3", "1e4"];
        let dates = dates.map(|text| NumericDate::parse(text).unwrap());
        assert!(dates.is_sorted_by(|earlier, later| earlier < later), "{dates:?}");
        let now = Timestamp::from_millis(1_800_000_000_050).unwrap();
        assert_eq!(Some(now.into()), NumericDate::parse("1800000000.050"));
        assert_eq!(dates[3].plus_secs(86_400), NumericDate::parse("86401.049").unwrap());
    }
}
