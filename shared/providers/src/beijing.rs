//! The clocks of Beijing, by which WeChat Pay and Alipay have times.

use pay_core::domain::Timestamp;
use time::{OffsetDateTime, UtcOffset};

/// Hours that the clocks of Beijing are ahead of UTC, all year round.
const HOURS: i8 = 8;

/// The wall clock of Beijing as Alipay has it, `yyyy-MM-dd HH:mm:ss`; `None` beyond the calendar.
pub(crate) fn wall_clock(at: Timestamp) -> Option<String> {
    clock(at).map(|(date, time)| format!("{date} {time}"))
}

/// The same moment as WeChat Pay has it (RFC 3339), `yyyy-MM-ddTHH:mm:ss+08:00`.
pub(crate) fn rfc3339(at: Timestamp) -> Option<String> {
    clock(at).map(|(date, time)| format!("{date}T{time}+{HOURS:02}:00"))
}

/// The date and the time of day.
fn clock(at: Timestamp) -> Option<(String, String)> {
    let secs = i64::try_from(at.secs()).ok()?;
    let offset = UtcOffset::from_hms(HOURS, 0, 0).ok()?;
    let at = OffsetDateTime::from_unix_timestamp(secs).ok()?.checked_to_offset(offset)?;
    let (hour, minute, second) = at.to_hms();
    Some((at.date().to_string(), format!("{hour:02}:{minute:02}:{second:02}")))
}

#[cfg(test)]
mod tests {
    use super::{rfc3339, wall_clock};
    use crate::samples::at;

    /// As `TZ=Asia/Shanghai date` prints them.
    #[test]
    fn beijing_is_eight_hours_ahead_of_utc_all_year() {
        for (secs, date, time) in [
            (0, "1970-01-01", "08:00:00"),
            (1_800_000_000, "2027-01-15", "16:00:00"),
            (1_798_732_799, "2026-12-31", "23:59:59"),
            (1_798_732_800, "2027-01-01", "00:00:00"),
            (1_782_921_600, "2026-07-02", "00:00:00"),
        ] {
            assert_eq!(wall_clock(at(secs)).unwrap(), format!("{date} {time}"));
            assert_eq!(rfc3339(at(secs)).unwrap(), format!("{date}T{time}+08:00"));
        }
    }
}
