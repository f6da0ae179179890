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
    use super::*;

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
