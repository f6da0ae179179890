//! The payments in DynamoDB: one table, conditional writes, consistent reads.
//!
//! Which items there are, and which transaction guards what, is in docs/design.md. What a write's
//! failure means is decided in `attempts` and `transaction`, and nowhere else.

mod apply;
mod attempts;
mod create;
mod event_row;
mod expression;
mod keys;
mod log;
mod payment_row;
mod read;
mod row;
mod transaction;
mod units;
mod work;

pub use keys::work as work_list;

use aws_sdk_dynamodb::Client;
use aws_smithy_types::retry::RetryConfig;
use pay_core::{
    domain::{
        Change, Event, EventKey, Guard, OrderId, Payment, PaymentId, Quarantined, Timestamp,
        UserId, Work,
    },
    ports::{Applied, Created, Logged, PaymentStore, Quarantine, StoreError, chain},
};

/// The store's table.
#[derive(Clone, Debug)]
pub struct DynamoDbPayments {
    /// The SDK repeats reads as it likes.
    reader: Client,
    /// Writes are repeated by `attempts` alone: the SDK's own retry hides that an earlier attempt
    /// may have been carried out.
    writer: Client,
    table: String,
}

impl DynamoDbPayments {
    /// Keeps payments in `table`, with the key and the indexes of docs/design.md.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        let once = client.config().to_builder();
        let once = once.retry_config(RetryConfig::disabled()).build();
        Self { writer: Client::from_conf(once), reader: client, table: table.into() }
    }

    /// Opens a connection ahead of the first request, by reading an item that never is. A failure
    /// is that request's to notice.
    pub async fn warm(&self) {
        if let Err(error) = Box::pin(self.get(keys::nothing())).await {
            let cause = chain(&error);
            tracing::warn!(cause, "the table could not be read at start");
        }
    }
}

impl PaymentStore for DynamoDbPayments {
    async fn newest_of_order(&self, oid: OrderId) -> Result<Option<PaymentId>, StoreError> {
        let newest = Box::pin(self.query_newest(oid)).await;
        if let Err(error) = &newest {
            // Whoever asks does without the hint, so that nothing else would tell of it.
            tracing::warn!(cause = chain(error), "the index of orders could not be read");
        }
        newest
    }

    async fn guard(&self, oid: OrderId) -> Result<Option<Guard>, StoreError> {
        Box::pin(self.get_guard(oid)).await
    }

    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        Box::pin(self.get_payment(id)).await
    }

    async fn of_user(
        &self,
        uid: UserId,
        before: Option<PaymentId>,
        limit: usize,
    ) -> Result<Vec<Payment>, StoreError> {
        Box::pin(self.list(uid, before, limit)).await
    }

    async fn create(
        &self,
        payment: &Payment,
        guard: &Guard,
        replacing: Option<PaymentId>,
    ) -> Result<Created, StoreError> {
        Box::pin(self.put_payment(payment, guard, replacing)).await
    }

    async fn apply(&self, change: &Change, event: &Event) -> Result<Applied, StoreError> {
        Box::pin(self.change_payment(change, event)).await
    }

    async fn log(&self, event: &Event) -> Result<Logged, StoreError> {
        Box::pin(self.put_event(event)).await
    }

    async fn told(&self, id: PaymentId, work: Work, at: Timestamp) -> Result<(), StoreError> {
        Box::pin(self.clear_work(id, work, at)).await
    }

    async fn to_tell(
        &self,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<PaymentId>, StoreError> {
        Box::pin(self.query_work(until, limit)).await
    }

    async fn put_off(&self, id: PaymentId, work: Work, next: Work) -> Result<(), StoreError> {
        Box::pin(self.reschedule_work(id, work, next)).await
    }
}

impl Quarantine for DynamoDbPayments {
    async fn quarantined(&self, key: &EventKey) -> Result<Option<Quarantined>, StoreError> {
        Box::pin(self.get_quarantined(key)).await
    }

    async fn resolved(&self, key: &EventKey) -> Result<(), StoreError> {
        Box::pin(self.clear_quarantine(key)).await
    }
}
