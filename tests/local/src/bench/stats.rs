//! Medians, percentiles and ratios of whole numbers.

/// The value below which so many percent of the others lie; 0 of nothing.
#[must_use]
pub fn percentile(values: &[u64], percent: usize) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    // The nearest rank, rounded up: of two values the median is the lower one.
    let rank = sorted.len().saturating_mul(percent).div_ceil(100).max(1);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// The middle value.
#[must_use]
pub fn median(values: &[u64]) -> u64 {
    percentile(values, 50)
}

/// The arithmetic mean, rounded down; 0 of nothing.
#[must_use]
pub fn mean(values: &[u64]) -> u64 {
    let sum: u128 = values.iter().copied().map(u128::from).sum();
    let count = u128::try_from(values.len()).unwrap_or(u128::MAX);
    let mean = sum.checked_div(count).unwrap_or_default();
    u64::try_from(mean).unwrap_or(u64::MAX)
}

/// How many thousandths of `whole` a part is, rounded; the greatest number where there is no whole.
#[must_use]
pub fn permille(part: u64, whole: u64) -> u64 {
    let (part, whole) = (u128::from(part), u128::from(whole));
    let rounded = part.saturating_mul(1000).saturating_add(whole / 2).checked_div(whole);
    rounded.and_then(|ratio| u64::try_from(ratio).ok()).unwrap_or(u64::MAX)
}

/// A number of thousandths in decimals, rounded: `decimal(1_234_567, 2)` is `1234.57`.
#[must_use]
pub fn decimal(thousandths: u64, places: usize) -> String {
    fixed(thousandths, 3, places)
}

/// Nanoseconds as milliseconds: `12.3`, `1.23`, `0.123`.
#[must_use]
pub fn ms(nanos: u64) -> String {
    let places = match nanos {
        0..1_000_000 => 3,
        1_000_000..10_000_000 => 2,
        10_000_000..1_000_000_000 => 1,
        _ => 0,
    };
    fixed(nanos, 6, places)
}

/// A number that counts the last of so many decimals, rounded once to so many places.
fn fixed(value: u64, decimals: usize, places: usize) -> String {
    let power = |digits: usize| 10_u64.saturating_pow(u32::try_from(digits).unwrap_or(u32::MAX));
    let unit = power(decimals.saturating_sub(places));
    let rounded = value.saturating_add(unit / 2).checked_div(unit).unwrap_or_default();
    if places == 0 {
        return rounded.to_string();
    }
    let (whole, part) = (rounded.checked_div(power(places)), rounded.checked_rem(power(places)));
    format!("{}.{:0places$}", whole.unwrap_or_default(), part.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{decimal, mean, median, ms, percentile, permille};

    #[test]
    fn percentiles_are_values_that_were_measured() {
        assert_eq!(median(&[]), 0);
        assert_eq!(median(&[7]), 7);
        assert_eq!(median(&[9, 1]), 1);
        assert_eq!(median(&[9, 1, 5]), 5);
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(percentile(&hundred, 50), 50);
        assert_eq!(percentile(&hundred, 99), 99);
        assert_eq!(percentile(&hundred, 100), 100);
        assert_eq!(percentile(&[1, 2, 3], 99), 3);
    }

    #[test]
    fn a_mean_does_not_overflow() {
        assert_eq!(mean(&[]), 0);
        assert_eq!(mean(&[1, 2, 4]), 2);
        assert_eq!(mean(&[u64::MAX, u64::MAX]), u64::MAX);
    }

    #[test]
    fn ratios_are_thousandths() {
        assert_eq!(permille(3, 2), 1500);
        assert_eq!(permille(1, 3), 333);
        assert_eq!(permille(2, 3), 667);
        assert_eq!(permille(0, 5), 0);
        assert_eq!(permille(5, 0), u64::MAX);
        assert_eq!(permille(u64::MAX, u64::MAX), 1000);
    }

    #[test]
    fn numbers_are_rounded_as_people_do() {
        assert_eq!(decimal(1_234_567, 2), "1234.57");
        assert_eq!(decimal(999, 2), "1.00");
        assert_eq!(decimal(5, 3), "0.005");
        assert_eq!(decimal(1_500, 0), "2");
        let times = [0, 83_400, 999_999, 1_234_567, 38_249_999, 581_000_000, 1_234_000_000];
        let written = ["0.000", "0.083", "1.000", "1.23", "38.2", "581.0", "1234"];
        assert_eq!(times.map(ms), written);
    }
}
