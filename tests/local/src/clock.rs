//! The clock and the randomness of the local stack.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};
/// Unix time in milliseconds.
#[must_use]
pub fn now_ms() -> u64 {
    // A clock before 1970 counts as 1970: tokens and signatures are then rejected.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Unix time in seconds.
#[must_use]
pub fn now_secs() -> u64 {
    now_ms() / 1000
}

/// The time in Beijing, where Chinese providers are: `2021-06-24T16:37:26+08:00`.
pub(crate) fn beijing_time(secs: u64) -> Result<String> {
    let time = OffsetDateTime::from_unix_timestamp(i64::try_from(secs)?)?;
    Ok(time.to_offset(UtcOffset::from_hms(8, 0, 0)?).format(&Rfc3339)?)
}

/// What [`beijing_time`] has written.
pub(crate) fn beijing_secs(text: &str) -> Option<u64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok().filter(|_| text.ends_with("+08:00"))?;
    u64::try_from(time.unix_timestamp()).ok()
}

/// Random bytes for identifiers; nothing here guards a secret.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fastrand::fill(&mut bytes);
    bytes
}
