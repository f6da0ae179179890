//! List: a user's own payments, newest first, a page at a time.

use super::detail::DetailError;
use crate::{
    domain::{OutOfRange, Payment, PaymentId, UserId},
    ports::PaymentStore,
};

/// How many payments a page holds: 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(usize);

impl PageSize {
    /// What a request that names none gets.
    pub const DEFAULT: Self = Self(20);

    /// Wraps a number from outside.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] unless it is 1 to 100.
    pub fn new(size: u64) -> Result<Self, OutOfRange> {
        let size = usize::try_from(size).ok();
        size.filter(|size| (1..=100).contains(size)).map(Self).ok_or(OutOfRange::new("limit"))
    }
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub payments: Vec<Payment>,
    /// Where the next page starts: below this id. `None` on the last page.
    pub cursor: Option<PaymentId>,
}

/// Reads one page of a user's payments, those with ids below `cursor`.
///
/// # Errors
///
/// [`DetailError::Unavailable`], [`DetailError::Fault`].
pub async fn list(
    store: &impl PaymentStore,
    uid: UserId,
    cursor: Option<PaymentId>,
    size: PageSize,
) -> Result<Page, DetailError> {
    // One more than the page holds tells whether there is another page.
    let mut payments = store.of_user(uid, cursor, size.0.saturating_add(1)).await?;
    let more = payments.len() > size.0;
    payments.truncate(size.0);
    let cursor = payments.last().filter(|_| more).map(|last| last.id);
    Ok(Page { payments, cursor })
}
