//! The notifications that a person must look at.

use aws_sdk_dynamodb::error::BuildError;
use pay_core::{
    domain::{Change, Decided, Event, EventKey, Quarantined},
    ports::{Quarantine, Resolved, StoreError},
};

use super::{
    DynamoDbPayments,
    event_row::{decided_attributes, read_quarantined},
    expression::Expression,
    keys::{self, ItemKey, REVIEW},
    row::s,
    transaction::{Checked, Transacted},
    update::{UpdateCheck, live_payment},
};

/// What a condition of the transaction is about.
#[derive(Clone, Copy, Debug)]
enum ResolveCheck {
    Notification,
    Change(UpdateCheck),
}

impl Quarantine for DynamoDbPayments {
    async fn quarantined(&self, key: &EventKey) -> Result<Option<Quarantined>, StoreError> {
        Ok(Box::pin(self.get_as(keys::event(key), read_quarantined)).await?.flatten())
    }

    async fn resolve(
        &self,
        key: &EventKey,
        decided: &Decided,
        change: Option<&Change>,
        event: &Event,
    ) -> Result<Resolved, StoreError> {
        Box::pin(self.resolve_item(keys::event(key), decided, change, event)).await
    }
}

impl DynamoDbPayments {
    /// Takes an item off the review list that cannot be read as a notification, by its primary key;
    /// otherwise as [`Quarantine::resolve`].
    ///
    /// # Errors
    ///
    /// Any [`StoreError`].
    pub async fn dismiss_item(
        &self,
        (pk, sk): (&str, &str),
        decided: &Decided,
        event: &Event,
    ) -> Result<Resolved, StoreError> {
        let key = ItemKey { pk: pk.to_owned(), sk: sk.to_owned() };
        Box::pin(self.resolve_item(key, decided, None, event)).await
    }

    async fn resolve_item(
        &self,
        key: ItemKey,
        decided: &Decided,
        change: Option<&Change>,
        event: &Event,
    ) -> Result<Resolved, StoreError> {
        let items = self
            .resolve_items(key, decided, change, event)
            .map_err(|error| StoreError::Fault(error.into()))?;
        match self.transact(&items).await? {
            Transacted::Done => Ok(Resolved::Done),
            Transacted::ConditionFailed(ResolveCheck::Notification, _) => Ok(Resolved::NotOpen),
            Transacted::ConditionFailed(ResolveCheck::Change(check), found) => match check {
                UpdateCheck::Record | UpdateCheck::Refund | UpdateCheck::Checkout => {
                    Ok(Resolved::RecordChanged)
                }
                UpdateCheck::Guard => {
                    let oid = change.map(|change| change.oid);
                    Ok(Resolved::NotLive(live_payment(found, oid)?))
                }
                UpdateCheck::EventKey => Ok(Resolved::KeyTaken),
            },
        }
    }

    /// The notification is the first of them: who finds it decided learns nothing else.
    fn resolve_items(
        &self,
        key: ItemKey,
        decided: &Decided,
        change: Option<&Change>,
        event: &Event,
    ) -> Result<Vec<Checked<ResolveCheck>>, BuildError> {
        let waits = Expression::default().when("queue", s(REVIEW)).remove("queue").remove("due");
        let item = self.update_of(key, &waits.set_all(decided_attributes(decided)))?;
        let mut items = vec![Checked { item, check: ResolveCheck::Notification }];
        let rest = match change {
            Some(change) => self.update_items(change, event)?,
            None => vec![self.put_checked(event)?],
        };
        let of_change =
            |Checked { item, check }| Checked { item, check: ResolveCheck::Change(check) };
        items.extend(rest.into_iter().map(of_change));
        Ok(items)
    }
}
