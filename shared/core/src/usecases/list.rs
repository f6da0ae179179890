//! List: a user's own payments, newest first, a page at a time.

use super::Failure;
use crate::{
    domain::{OutOfRange, PaymentId, UserId},
    limits::{PAGE_DEFAULT, PAGE_MAX},
    ports::{PaymentLists, PaymentPage},
};

/// How many payments a page holds: 1 to [`PAGE_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(usize);

impl PageSize {
    /// The size unless the request says otherwise.
    pub const DEFAULT: Self = Self(PAGE_DEFAULT);

    /// Wraps a number from outside.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] unless it is 1 to [`PAGE_MAX`].
    pub fn new(size: u64) -> Result<Self, OutOfRange> {
        let size = usize::try_from(size).ok();
        size.filter(|size| (1..=PAGE_MAX).contains(size)).map(Self).ok_or(OutOfRange::new("limit"))
    }
}

/// Reads one page of a user's payments, those with ids below `cursor`.
///
/// # Errors
///
/// [`Failure`].
pub async fn list(
    store: &impl PaymentLists,
    uid: UserId,
    cursor: Option<PaymentId>,
    size: PageSize,
) -> Result<PaymentPage, Failure> {
    Ok(store.list_by_user(uid, cursor, size.0).await?)
}
