//! What calls cost in DynamoDB's own units.

use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};

use crate::usage;

/// What every call requests: the sum over a table and its indexes.
pub(super) const TOTAL: ReturnConsumedCapacity = ReturnConsumedCapacity::Total;

/// Counts what a read cost, as its response says.
pub(super) fn read<'a>(consumed: impl IntoIterator<Item = &'a ConsumedCapacity>) {
    consumed.into_iter().filter_map(|table| table.capacity_units).for_each(usage::read_units);
}

/// Counts what a write cost, as its response says.
pub(super) fn written<'a>(consumed: impl IntoIterator<Item = &'a ConsumedCapacity>) {
    consumed.into_iter().filter_map(|table| table.capacity_units).for_each(usage::write_units);
}
