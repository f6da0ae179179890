//! Items that cannot be read: each is counted and named by its key. Where several are read, it is
//! logged and skipped, because it must not stop the others.

use pay_core::ports::StoreError;

use super::row::{BadRow, Item};
use crate::metrics;

/// The value, or nothing for an item that cannot be read.
pub(super) fn readable<T>(item: &Item, read: Result<T, BadRow>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(cause) => {
            let key = |name| item.get(name).and_then(|value| value.as_s().ok());
            let (pk, sk) = (key("pk"), key("sk"));
            tracing::error!(pk, sk, %cause, "an unreadable item is skipped");
            metrics::UNREADABLE_ITEMS.count();
            None
        }
    }
}

/// The error of a read of one item.
pub(super) fn fault(item: &Item, bad: &BadRow) -> StoreError {
    metrics::UNREADABLE_ITEMS.count();
    let key = |name| item.get(name).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
    StoreError::Fault(format!("{} {}: {bad}", key("pk"), key("sk")).into())
}
