//! The checkouts of a payment: read together, changed one by one.

use pay_core::{
    domain::{Checkout, CheckoutReference, CheckoutState, PaymentId, Timestamp},
    ports::StoreError,
};

use super::{
    DynamoDbPayments,
    attempts::classify,
    checkout_row::{checkout_change, checkout_end, checkout_item, read_checkout},
    keys,
    row::{Item, s},
    units,
    unreadable::fault,
};

impl DynamoDbPayments {
    /// One that cannot be read is an error and is not left out: somebody may still pay it.
    pub(super) async fn query_checkouts(
        &self,
        payment: PaymentId,
    ) -> Result<Vec<Checkout>, StoreError> {
        let request = self
            .reader
            .query()
            .table_name(&self.table)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :checkouts)")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":pk", s(keys::payment(payment).pk))
            .expression_attribute_values(":checkouts", s(keys::CHECKOUT))
            .return_consumed_capacity(units::TOTAL)
            .consistent_read(true);
        let mut checkouts = Vec::new();
        let mut next: Option<Item> = None;
        loop {
            let response = request.clone().set_exclusive_start_key(next).send().await;
            let response = response.map_err(|error| classify("Query", &error).of_read())?;
            units::read(response.consumed_capacity());
            for item in response.items() {
                let checkout = read_checkout(item, payment).map_err(|bad| fault(item, &bad))?;
                checkouts.push(checkout);
            }
            next = response.last_evaluated_key.filter(|key| !key.is_empty());
            if next.is_none() {
                // The keys order them as texts: 1, 10, 2.
                checkouts.sort_unstable_by_key(|checkout| checkout.reference);
                return Ok(checkouts);
            }
        }
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
