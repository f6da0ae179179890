//! Waiting to the microsecond, which a timer does not.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A timer of tokio's ends up to this late.
const TIMER_GRAIN: Duration = Duration::from_millis(2);

/// Waits until `deadline`: asleep at first, then awake.
pub(crate) async fn until(deadline: Instant) {
    if let Some(asleep) = deadline.checked_sub(TIMER_GRAIN)
        && asleep > Instant::now()
    {
        sleep_until(asleep).await;
    }
    while Instant::now() < deadline {
        tokio::task::yield_now().await;
    }
}
