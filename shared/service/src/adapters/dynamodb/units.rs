//! What calls cost in DynamoDB's own units.

use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};

use crate::usage;

/// What every call asks for: the sum of a table and its indexes.
pub(super) const TOTAL: ReturnConsumedCapacity = ReturnConsumedCapacity::Total;

/// Notes what reading cost, as the answer says.
pub(super) fn read<'a>(consumed: impl IntoIterator<Item = &'a ConsumedCapacity>) {
    consumed.into_iter().filter_map(|table| table.capacity_units).for_each(usage::read_units);
}

/// Notes what writing cost, as the answer says.
pub(super) fn written<'a>(consumed: impl IntoIterator<Item = &'a ConsumedCapacity>) {
    consumed.into_iter().filter_map(|table| table.capacity_units).for_each(usage::write_units);
}
