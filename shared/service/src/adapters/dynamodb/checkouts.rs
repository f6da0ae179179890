//! The checkouts of a payment: read together, changed one by one.

use pay_core::{
    domain::{Checkout, CheckoutReference, CheckoutState, PaymentId, Timestamp},
    ports::StoreError,
};

use super::{
    DynamoDbPayments,
    checkout_row::{checkout_change, checkout_end, checkout_item, read_checkout},
    keys,
    unreadable::fault,
};

impl DynamoDbPayments {
    /// One that cannot be read is an error and is not left out: somebody may still pay it.
    pub(super) async fn query_checkouts(
        &self,
        payment: PaymentId,
    ) -> Result<Vec<Checkout>, StoreError> {
        let items = self.under(payment, keys::CHECKOUT).await?;
        let read = |item| read_checkout(item, payment).map_err(|bad| fault(item, &bad));
        let mut checkouts = items.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        // The keys order them as texts: 1, 10, 2.
        checkouts.sort_unstable_by_key(|checkout| checkout.reference);
        Ok(checkouts)
    }

    pub(super) async fn write_checkout(
        &self,
        read: &Checkout,
        next: &Checkout,
    ) -> Result<bool, StoreError> {
        let (key, change) = (keys::checkout(read.reference), checkout_change(read, next));
        self.update_item_to(key, &change, &checkout_item(next)).await
    }

    pub(super) async fn end_of_checkout(
        &self,
        checkout: CheckoutReference,
        end: CheckoutState,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.update_item(keys::checkout(checkout), &checkout_end(end, at)).await
    }
}
