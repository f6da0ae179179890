//! The notifications that a person must look at.

use pay_core::{
    domain::{EventKey, Quarantined},
    ports::StoreError,
};

use super::{
    DynamoDbPayments,
    event_row::read_quarantined,
    expression::Expression,
    keys::{self, REVIEW},
    row::s,
};

impl DynamoDbPayments {
    pub(super) async fn get_quarantined(
        &self,
        key: &EventKey,
    ) -> Result<Option<Quarantined>, StoreError> {
        let item = self.get(keys::event(key)).await?;
        Ok(item.map(|item| read_quarantined(&item)).transpose()?.flatten())
    }

    pub(super) async fn clear_review(&self, key: &EventKey) -> Result<(), StoreError> {
        let listed = Expression::default().when("queue", s(REVIEW));
        self.update_item(keys::event(key), &listed.remove("queue").remove("due")).await
    }
}
