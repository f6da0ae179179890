//! Amounts that a provider writes as decimal text.

/// Reads an amount in major units, such as yuan, into minor ones, without ever being a fraction:
/// `12`, `12.3` and `12.30` are 1230 with two `decimals`.
///
/// `None` for anything but digits with at most so many after one point: no sign, no space, no
/// exponent, no separator, no zero in front; and for more than a `u64` holds.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..<_>::default() })]

        #[test]
        fn an_amount_that_is_printed_is_read(minor in any::<u64>(), decimals in 1..5_usize) {
            let unit = 10_u64.pow(u32::try_from(decimals).unwrap());
            let (whole, fraction) =
                minor.checked_div(unit).zip(minor.checked_rem(unit)).unwrap();
            let text = format!("{whole}.{fraction:0decimals$}");
            assert_eq!(minor_units(&text, decimals), Some(minor));
            // With fewer zeros at its end, as far as something is left after the point.
            let short = text.trim_end_matches('0').trim_end_matches('.');
            assert_eq!(minor_units(short, decimals), Some(minor), "{short}");
            assert_eq!(minor_units(&minor.to_string(), 0), Some(minor));
            assert_eq!(minor_units(&format!("0{text}"), decimals), None);
            assert_eq!(minor_units(&format!("{text}0"), decimals), None);
        }

        #[test]
        fn an_amount_that_is_read_is_the_one_that_was_printed(
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
    fn yuan_are_a_hundred_fen() {
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
    fn a_currency_may_have_no_minor_unit_or_a_thousand() {
        assert_eq!(minor_units("100", 0), Some(100));
        assert_eq!(minor_units("100.0", 0), None);
        assert_eq!(minor_units("1.5", 3), Some(1500));
    }
}
