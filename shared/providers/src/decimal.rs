//! Amounts that a provider writes as decimal text in major units.

/// Converts an amount in major units, such as yuan, to minor units, with integers only: `12`,
/// `12.3` and `12.30` are 1230 with two `decimals`.
///
/// `None` for anything but digits with at most `decimals` of them after one point: no sign, space,
/// exponent, separator or leading zero; and for more minor units than a `u64` holds.
pub(super) fn minor_units(text: &str, decimals: usize) -> Option<u64> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if (1..=decimals).contains(&fraction.len()) => (whole, fraction),
        Some(_) => return None,
        None => (text, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = whole == "0" || !(whole.is_empty() || whole.starts_with('0'));
    if !(canonical && digits(whole) && digits(fraction)) {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok()
}

/// Writes an amount in minor units as decimal text in major units, with all `decimals`: 1230 is `12.30` with
/// two. There is at least one.
pub(super) fn major_units(minor: u64, decimals: usize) -> String {
    let mut text = format!("{minor:0>width$}", width = decimals.saturating_add(1));
    text.insert(text.len().saturating_sub(decimals), '.');
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{major_units, minor_units};

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..<_>::default() })]

        #[test]
        fn a_printed_amount_is_read_back(minor in any::<u64>(), decimals in 1..5_usize) {
            let unit = 10_u64.pow(u32::try_from(decimals).unwrap());
            let (whole, fraction) =
                minor.checked_div(unit).zip(minor.checked_rem(unit)).unwrap();
            let text = format!("{whole}.{fraction:0decimals$}");
            assert_eq!(major_units(minor, decimals), text);
            assert_eq!(minor_units(&text, decimals), Some(minor));
            // Without trailing zeros of the fraction, and without a bare point.
            let short = text.trim_end_matches('0').trim_end_matches('.');
            assert_eq!(minor_units(short, decimals), Some(minor), "{short}");
            assert_eq!(minor_units(&minor.to_string(), 0), Some(minor));
            assert_eq!(minor_units(&format!("0{text}"), decimals), None);
            assert_eq!(minor_units(&format!("{text}0"), decimals), None);
        }

        #[test]
        fn an_amount_that_is_read_prints_as_the_text_it_came_from(
            text in "-?[0-9]{0,22}[.,e]?[0-9]{0,4}",
        ) {
            if let Some(minor) = minor_units(&text, 2) {
                let printed = format!("{}.{:02}", minor / 100, minor % 100);
                let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
                assert_eq!(format!("{whole}.{fraction:0<2}"), printed, "{text}");
            }
        }
    }

    #[test]
    fn a_yuan_is_100_fen() {
        for (text, fen) in [
            ("0", 0),
            ("0.00", 0),
            ("0.01", 1),
            ("0.1", 10),
            ("0.10", 10),
            ("1", 100),
            ("88.88", 8888),
            ("88.8", 8880),
            ("42949672.95", 4_294_967_295),
            ("184467440737095516.15", u64::MAX),
        ] {
            assert_eq!(minor_units(text, 2), Some(fen), "{text}");
        }
        for bad in [
            "",
            ".",
            ".5",
            "1.",
            "1.000",
            "0.001",
            "1,00",
            "1,000.00",
            "+1.00",
            "-1.00",
            " 1.00",
            "1.00 ",
            "01.00",
            "00",
            "1e2",
            "1.0.0",
            "1.-1",
            "0x1",
            "１.00",
            "184467440737095516.16",
            "99999999999999999999999",
        ] {
            assert_eq!(minor_units(bad, 2), None, "{bad:?}");
        }
    }

    #[test]
    fn a_currency_may_have_no_minor_unit_or_three_decimals() {
        assert_eq!(minor_units("100", 0), Some(100));
        assert_eq!(minor_units("100.0", 0), None);
        assert_eq!(minor_units("1.5", 3), Some(1500));
    }
}
