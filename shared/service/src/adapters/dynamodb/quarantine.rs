//! The notifications that a person must look at.

use pay_core::{
    domain::{EventKey, Quarantined},
    ports::{Quarantine, StoreError},
};

use super::{
    DynamoDbPayments,
    event_row::read_quarantined,
    expression::Expression,
    keys::{self, REVIEW},
    row::s,
};

impl Quarantine for DynamoDbPayments {
    async fn quarantined(&self, key: &EventKey) -> Result<Option<Quarantined>, StoreError> {
        let item = Box::pin(self.get(keys::event(key))).await?;
        Ok(item.map(|item| read_quarantined(&item)).transpose()?.flatten())
    }

    async fn resolve(&self, key: &EventKey) -> Result<(), StoreError> {
        let listed = Expression::default().when("queue", s(REVIEW));
        let resolved = listed.remove("queue").remove("due");
        Box::pin(self.update_item(keys::event(key), &resolved)).await
    }
}
