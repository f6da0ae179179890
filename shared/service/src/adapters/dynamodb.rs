//! The payments in DynamoDB: one table, conditional writes, consistent reads.
//!
//! Which items there are, and which transaction guards what, is in docs/architecture.md. What a failed
//! write means is decided in `attempts` and `transaction`, and nowhere else.

mod append;
mod attempts;
mod checkout_row;
mod checkouts;
mod create;
mod event_row;
mod expression;
mod item;
mod keys;
mod outbox;
mod payment_row;
mod quarantine;
mod read;
mod refund_row;
mod row;
mod transaction;
mod units;
mod unreadable;
mod update;

pub use keys::queue_of;

use aws_sdk_dynamodb::Client;
use aws_smithy_types::retry::RetryConfig;
use pay_core::{
    domain::{
        Change, Checkout, CheckoutReference, CheckoutState, Event, Guard, OrderId, Payment,
        PaymentId, Provider, ProviderRef, ProviderRefund, Refund, RefundId, Timestamp,
    },
    ports::{Appended, Created, Payments, StoreError, Updated, chain},
};

/// The payments' table.
#[derive(Clone, Debug)]
pub struct DynamoDbPayments {
    /// For reads, which the SDK retries.
    reader: Client,
    /// For writes, which `attempts` alone retries: the SDK's own retry hides that an earlier attempt
    /// may have been carried out.
    writer: Client,
    table: String,
}

impl DynamoDbPayments {
    /// Keeps payments in `table`, with the key and the indexes of docs/architecture.md.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        let once = client.config().to_builder();
        let once = once.retry_config(RetryConfig::disabled()).build();
        Self { writer: Client::from_conf(once), reader: client, table: table.into() }
    }

    /// Opens a connection ahead of the first request, by reading a key that never exists. A failure is
    /// only logged: the first request reports it.
    pub async fn warm(&self) {
        if let Err(error) = Box::pin(self.get_as(keys::nothing(), |_| Ok(()))).await {
            let cause = chain(&error);
            tracing::warn!(cause, "the table could not be read at start");
        }
    }
}

impl Payments for DynamoDbPayments {
    async fn newest_of_order(&self, oid: OrderId) -> Result<Option<PaymentId>, StoreError> {
        let newest = Box::pin(self.query_newest(oid)).await;
        if let Err(error) = &newest {
            // The caller goes on without the hint, so nothing else reports this.
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

    async fn of_transaction(&self, reference: &ProviderRef) -> Result<Vec<PaymentId>, StoreError> {
        Box::pin(self.query_transaction(reference)).await
    }

    async fn refund(
        &self,
        payment: PaymentId,
        id: &RefundId,
    ) -> Result<Option<Refund>, StoreError> {
        Box::pin(self.get_refund(payment, id)).await
    }

    async fn refund_named(
        &self,
        payment: PaymentId,
        provider: Provider,
        id: &ProviderRefund,
    ) -> Result<Option<RefundId>, StoreError> {
        Box::pin(self.get_refund_named(payment, provider, id)).await
    }

    async fn refunds(&self, payment: PaymentId) -> Result<Vec<Refund>, StoreError> {
        Box::pin(self.query_refunds(payment)).await
    }

    async fn checkouts(&self, payment: PaymentId) -> Result<Vec<Checkout>, StoreError> {
        Box::pin(self.query_checkouts(payment)).await
    }

    async fn change_checkout(&self, read: &Checkout, next: &Checkout) -> Result<bool, StoreError> {
        Box::pin(self.write_checkout(read, next)).await
    }

    async fn end_checkout(
        &self,
        checkout: CheckoutReference,
        end: CheckoutState,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        Box::pin(self.end_of_checkout(checkout, end, at)).await
    }

    async fn create(
        &self,
        payment: &Payment,
        guard: &Guard,
        replacing: Option<PaymentId>,
    ) -> Result<Created, StoreError> {
        Box::pin(self.put_payment(payment, guard, replacing)).await
    }

    async fn update(&self, change: &Change, event: &Event) -> Result<Updated, StoreError> {
        Box::pin(self.update_payment(change, event)).await
    }

    async fn append(&self, event: &Event) -> Result<Appended, StoreError> {
        Box::pin(self.put_event(event)).await
    }
}
