//! What the schemes share: the freshness window, strict base64, headers that must occur once.

use base64::{Engine, engine::general_purpose::STANDARD};
use pay_core::domain::Timestamp;

use crate::{Doubled, Headers, VerifyError};

/// A header that must occur once and not be empty.
pub(crate) fn required<'a>(
    headers: &'a Headers<'_>,
    name: &'static str,
) -> Result<&'a str, VerifyError> {
    match headers.get_one(name) {
        Err(Doubled) => Err(VerifyError::Doubled(name)),
        Ok(None | Some("")) => Err(VerifyError::MissingHeader(name)),
        Ok(Some(value)) => Ok(value),
    }
}

/// Reads Unix seconds in canonical decimal, and compares them with now.
///
/// Digits only and no leading zero: the text is signed, so a number must have exactly one text.
pub(crate) fn recent(text: &str, now: Timestamp, most_secs: u64) -> Result<u64, VerifyError> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !(canonical && digits) {
        return Err(VerifyError::BadTimestamp);
    }
    let secs: u64 = text.parse().map_err(|_too_large| VerifyError::BadTimestamp)?;
    let (age, lead) = (now.secs().saturating_sub(secs), secs.saturating_sub(now.secs()));
    if age > most_secs {
        Err(VerifyError::Stale { by_secs: age, most_secs })
    } else if lead > most_secs {
        Err(VerifyError::Early { by_secs: lead, most_secs })
    } else {
        Ok(secs)
    }
}

/// Decodes base64 strictly: the standard alphabet, padded, no trailing bits.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use pay_core::domain::Timestamp;

    use super::{base64, recent};
    use crate::VerifyError;

    #[test]
    fn the_window_is_300_seconds_either_way_and_inclusive() {
        let now = Timestamp::from_millis(1_800_000_000_999).unwrap();
        let of = |secs: u64| recent(&secs.to_string(), now, 300);
        for secs in [1_799_999_700, 1_799_999_701, 1_800_000_000, 1_800_000_299, 1_800_000_300] {
            assert_eq!(of(secs), Ok(secs));
        }
        assert_eq!(of(1_799_999_699), Err(VerifyError::Stale { by_secs: 301, most_secs: 300 }));
        assert_eq!(of(1_800_000_301), Err(VerifyError::Early { by_secs: 301, most_secs: 300 }));
        assert_eq!(of(0), Err(VerifyError::Stale { by_secs: 1_800_000_000, most_secs: 300 }));
        // Milliseconds instead of seconds.
        assert!(matches!(of(1_800_000_000_000), Err(VerifyError::Early { .. })));
        assert!(matches!(of(u64::MAX), Err(VerifyError::Early { .. })));
    }

    #[test]
    fn a_timestamp_is_digits_only() {
        let now = Timestamp::from_millis(1_800_000_000_000).unwrap();
        for bad in [
            "",
            "-1800000000",
            "+1800000000",
            "01800000000",
            "00",
            " 1800000000",
            "1800000000 ",
            "1800000000.0",
            "18e8",
            "0x6b49d200",
            "1_800_000_000",
            "1800000000,1800000000",
            "٣",
            "18446744073709551616",
            "1000000000000000000000000000000",
        ] {
            assert_eq!(recent(bad, now, 300), Err(VerifyError::BadTimestamp), "{bad}");
        }
    }

    #[test]
    fn base64_is_decoded_strictly() {
        assert_eq!(base64("+/8="), Some(vec![0xfb, 0xff]));
        for bad in ["-_8=", "+/8", "+/9=", "+/8==", " +/8=", "+/8=\n", "+/8=,", "+/8= "] {
            assert_eq!(base64(bad), None, "{bad:?}");
        }
    }
}
