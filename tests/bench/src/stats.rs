//! Medians, percentiles and ratios of whole numbers, and how they are written.

use std::time::Duration;

/// The value below which so many percent of the others lie; 0 of nothing.
pub(crate) fn percentile(values: &[u64], percent: usize) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    // The nearest rank, rounded up: of two values the median is the lower one.
    let rank = sorted.len().saturating_mul(percent).div_ceil(100).max(1);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

pub(crate) fn median(values: impl IntoIterator<Item = u64>) -> u64 {
    percentile(&Vec::from_iter(values), 50)
}

/// The arithmetic mean, rounded down; 0 of nothing.
pub(crate) fn mean(values: &[u64]) -> u64 {
    let sum = values.iter().copied().map(u128::from).sum::<u128>();
    let count = u128::try_from(values.len()).unwrap_or(u128::MAX);
    u64::try_from(sum.checked_div(count).unwrap_or_default()).unwrap_or(u64::MAX)
}

/// How many thousandths of `whole` a part is, rounded; the greatest number where there is no whole.
pub(crate) fn permille(part: u64, whole: u64) -> u64 {
    let (part, whole) = (u128::from(part), u128::from(whole));
    let rounded = part.saturating_mul(1000).saturating_add(whole / 2).checked_div(whole);
    rounded.and_then(|ratio| u64::try_from(ratio).ok()).unwrap_or(u64::MAX)
}

pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// KiB in thousandths of a MB.
pub(crate) fn mb(kib: u64) -> u64 {
    kib.saturating_mul(1024) / 1000
}

/// A number of thousandths in decimals, rounded: `decimal(1_234_567, 2)` is `1234.57`.
pub(crate) fn decimal(thousandths: u64, places: usize) -> String {
    fixed(thousandths, 3, places)
}

/// Nanoseconds as milliseconds: `12.3`, `1.23`, `0.123`.
pub(crate) fn ms(nanos: u64) -> String {
    let limits = [1_000_000, 10_000_000, 1_000_000_000];
    fixed(nanos, 6, limits.iter().filter(|limit| nanos < **limit).count())
}

/// A number that counts the last of so many decimals, rounded once to so many places.
fn fixed(value: u64, decimals: usize, places: usize) -> String {
    let unit = (places..decimals).fold(1_u64, |unit, _| unit.saturating_mul(10));
    let rounded = value.saturating_add(unit / 2).checked_div(unit).unwrap_or_default();
    // At least one digit stands before the point.
    let digits = format!("{rounded:0>width$}", width = places.saturating_add(1));
    let (whole, part) = digits.split_at(digits.len().saturating_sub(places));
    if part.is_empty() { digits } else { format!("{whole}.{part}") }
}

/// A table that a person reads on a terminal and in Markdown alike: columns of even width, text in
/// the first, numbers to the right in the others. In each row a bar stands between two cells.
pub(crate) fn table(head: &str, rows: impl IntoIterator<Item = String>) -> String {
    let rows: Vec<String> = std::iter::once(head.to_owned()).chain(rows).collect();
    let cells = |row: &str, at| row.split('|').nth(at).unwrap_or_default().trim().to_owned();
    let width =
        |at| rows.iter().map(|row| cells(row, at).chars().count()).max().unwrap_or(0).max(3);
    let widths: Vec<usize> = (0..head.split('|').count()).map(width).collect();
    let line = |cell: &dyn Fn(usize, usize) -> String| {
        let cells = widths.iter().enumerate().map(|(at, &width)| cell(at, width));
        format!("|{}|\n", cells.collect::<Vec<_>>().join("|"))
    };
    let mut lines = rows.iter().map(|row| {
        line(&|at, width| match at {
            0 => format!(" {:<width$} ", cells(row, at)),
            _ => format!(" {:>width$} ", cells(row, at)),
        })
    });
    let head = lines.next().unwrap_or_default();
    let rule = line(&|at, width| format!("{:-<width$}-{}", "-", if at == 0 { '-' } else { ':' }));
    format!("{head}{rule}{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::{decimal, mean, median, ms, percentile, permille, table};

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let medians = [&[][..], &[7], &[9, 1], &[9, 1, 5]].map(|values| median(values.to_vec()));
        assert_eq!(medians, [0, 7, 1, 5]);
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!([50, 99, 100].map(|percent| percentile(&hundred, percent)), [50, 99, 100]);
        assert_eq!(percentile(&[1, 2, 3], 99), 3);
        assert_eq!([mean(&[]), mean(&[1, 2, 4]), mean(&[u64::MAX; 2])], [0, 2, u64::MAX]);
    }

    #[test]
    fn numbers_are_rounded_as_people_do() {
        let ratios = [(3, 2), (1, 3), (2, 3), (0, 5), (5, 0), (u64::MAX, u64::MAX)];
        let ratios = ratios.map(|(part, whole)| permille(part, whole));
        assert_eq!(ratios, [1500, 333, 667, 0, u64::MAX, 1000]);
        let decimals = [(1_234_567, 2), (999, 2), (5, 3), (1_500, 0)];
        let decimals = decimals.map(|(thousandths, places)| decimal(thousandths, places));
        assert_eq!(decimals, ["1234.57", "1.00", "0.005", "2"]);
        let times = [0, 83_400, 999_999, 1_234_567, 38_249_999, 581_000_000, 1_234_000_000].map(ms);
        assert_eq!(times, ["0.000", "0.083", "1.000", "1.23", "38.2", "581.0", "1234"]);
    }

    #[test]
    fn columns_are_even_and_numbers_stand_to_the_right() {
        assert_eq!(
            table("variant | ms | met", ["bare|0.083|ja", "ünicode|12.3|", "x"].map(str::to_owned)),
            "| variant |    ms | met |\n\
             |---------|------:|----:|\n\
             | bare    | 0.083 |  ja |\n\
             | ünicode |  12.3 |     |\n\
             | x       |       |     |\n"
        );
    }
}
