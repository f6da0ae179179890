//! A guard by itself.

use pay_core::domain::{Amount, Digest, PaymentId, UserId};

use super::attributes::Attributes;
use crate::Row;

/// A guard, as far as it can be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guarded {
    pub(super) oid: u64,
    pub(super) payment: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) amount: Option<u64>,
}

/// Reads a guard, and says what is wrong with it.
pub(super) fn read(oid: u64, row: &Row, now: u64) -> (Guarded, Vec<String>) {
    let mut of = Attributes::of(row, now);
    let guard = Guarded {
        oid,
        payment: of.must_number("payment", |id| PaymentId::new(id).is_ok()),
        uid: of.must_number("uid", |uid| UserId::new(uid).is_ok()),
        amount: of.must_number("amount", |amount| Amount::check_minor(amount).is_ok()),
    };
    of.text("key", |key| Digest::from_hex(key).is_ok());
    (guard, of.finish())
}
