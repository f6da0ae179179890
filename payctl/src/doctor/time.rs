//! Causes in the timestamp.

use pay_providers::VerifyError;

use super::case::Case;
use super::trial::{Fit, Trial, own_time};

/// How far from now a timestamp may lie, in seconds, to be recognized as one in another unit.
const NEAR_SECS: u64 = 300;

/// The parts of a second in which programs count.
const UNITS: [(u64, &str); 3] =
    [(1000, "milliseconds"), (1_000_000, "microseconds"), (1_000_000_000, "nanoseconds")];

/// Authentic, and sent at another time.
pub(super) fn clock(trial: &Trial<'_>) -> Option<String> {
    let (secs, side) = match trial.fits_as_it_is()? {
        Fit::Fresh => return None,
        Fit::Old(secs) => (secs, "old"),
        Fit::Ahead(secs) => (secs, "ahead"),
    };
    Some(format!(
        "the signature is right; the message is {secs} s {side}: a delayed or replayed delivery, \
         or a clock that is off by {secs} s"
    ))
}

/// A timestamp in another unit, which arithmetic proves instead of a signature.
pub(super) fn not_seconds(trial: &Trial<'_>) -> Option<String> {
    let now = trial.case.now;
    let text = trial.sender.timestamp?(trial.case)?;
    let near = |secs: u64| now.secs().abs_diff(secs) <= NEAR_SECS;
    if let Some((secs, fraction)) = text.split_once('.')
        && secs.parse().is_ok_and(near)
        && fraction.bytes().all(|digit| digit.is_ascii_digit())
    {
        return Some("the timestamp has a fraction: whole seconds are signed".to_owned());
    }
    let number: u64 = text.parse().ok()?;
    let (_, unit) =
        UNITS.into_iter().find(|(per, _)| number.checked_div(*per).is_some_and(near))?;
    Some(format!(
        "read as {unit} the timestamp is within {NEAR_SECS} s of now: the sender counts in {unit}, \
         and Unix seconds are needed"
    ))
}

/// Neither recent nor authentic: fixing a clock would not help.
pub(super) fn not_alone(trial: &Trial<'_>, error: VerifyError) -> Option<String> {
    let (_, then) = own_time(error, trial.case.now)?;
    let Case { headers, body, .. } = trial.case;
    let error = trial.keys.verify(headers, body, then).err()?;
    Some(format!(
        "the time is not the only fault: at its own time the message is rejected too, because {error}"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, hint, standard_line, stripe_line};
    use serde_json::json;

    #[test]
    fn a_message_of_another_time_is_distinguished_from_a_forged_one() {
        for mut line in [standard_line(b"{}"), stripe_line(b"{}")] {
            line["now"] = (NOW + 400).into();
            assert_eq!(
                hint(&line),
                "the signature is right; the message is 400 s old: a delayed or replayed delivery, \
                 or a clock that is off by 400 s"
            );
            line["now"] = (NOW - 400).into();
            assert!(hint(&line).contains("the message is 400 s ahead: "));
            line["body_base64"] = "e31h".into();
            assert_eq!(
                hint(&line),
                "the time is not the only fault: at its own time the message is rejected too, \
                 because no signature fits any key"
            );
        }
    }

    #[test]
    fn another_unit_is_proven_by_arithmetic() {
        for (text, unit) in [
            (format!("{NOW}000"), "milliseconds"),
            (format!("{NOW}123456"), "microseconds"),
            (format!("{NOW}123456789"), "nanoseconds"),
        ] {
            let mut standard = standard_line(b"{}");
            standard["headers"]["webhook-timestamp"] = json!(text);
            let mut stripe = stripe_line(b"{}");
            stripe["headers"]["stripe-signature"] = json!(format!("t={text},v1=ab"));
            for line in [standard, stripe] {
                assert!(hint(&line).starts_with(&format!("read as {unit} ")), "{}", hint(&line));
            }
        }
        let mut line = standard_line(b"{}");
        line["headers"]["webhook-timestamp"] = json!(format!("{NOW}.25"));
        assert!(hint(&line).starts_with("the timestamp has a fraction"));
    }
}
