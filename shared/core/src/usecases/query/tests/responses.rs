//! Responses that no provider of the tests gives by itself.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::*;
use crate::{
    domain::{Checkout, MerchantAccount},
    ports::{
        CheckoutCallError, CheckoutOrder, QueryResponse, RefundCallError, RefundOrder,
        StartedCheckout,
    },
};

/// A provider that gives one response to every query.
struct Always {
    response: QueryResponse,
    asked: AtomicUsize,
}

impl Providers for Always {
    async fn account(
        &self,
        _: Provider,
        _now: Timestamp,
    ) -> Result<Option<MerchantAccount>, NoKeys> {
        Ok(None)
    }

    async fn checkout(
        &self,
        _: &CheckoutOrder<'_>,
        _now: Timestamp,
    ) -> Result<StartedCheckout, CheckoutCallError> {
        Err(QueryError::NoKey.into())
    }

    async fn close(&self, _: &Checkout, _now: Timestamp) -> Result<(), QueryError> {
        Err(QueryError::NoKey)
    }

    async fn queried(&self, _now: Timestamp) -> Result<Vec<Provider>, NoKeys> {
        Ok(vec![Stripe])
    }

    async fn query(
        &self,
        _provider: Provider,
        _query: &Query,
        _now: Timestamp,
    ) -> Result<QueryResponse, QueryError> {
        self.asked.fetch_add(1, Relaxed);
        Ok(self.response.clone())
    }

    async fn refund(
        &self,
        _provider: Provider,
        _order: &RefundOrder<'_>,
        _now: Timestamp,
    ) -> Result<QueryResponse, RefundCallError> {
        Err(QueryError::NoKey.into())
    }
}

/// What asking it came to, and how often it was asked.
fn always(world: &World, id: PaymentId, response: QueryResponse) -> (Vec<Queried>, usize) {
    let providers = &Always { response, asked: AtomicUsize::new(0) };
    let World { shop, store, .. } = world;
    let ports = QueryPorts { users: shop, orders: shop, store, providers };
    let payment = world.payment(id);
    let steps = block_on(query_payment(&ports, Stripe, &payment, &|| true, now(), &world.trace));
    (steps, providers.asked.load(Relaxed))
}

#[test]
fn a_response_that_always_says_what_to_ask_next_is_followed_once() {
    let (world, id) = with_key();
    let response = QueryResponse {
        state: QueryState::Payment(ProviderState::Refunded),
        notifications: Vec::new(),
        next: Some(Query::Refunds { payment: Some(id), txn: ProviderTxn::new("pi_1").unwrap() }),
    };
    let (steps, asked) = always(&world, id, response);
    assert_eq!((steps.len(), asked), (2, 2));
}

#[test]
fn a_response_that_is_for_a_person_is_quarantined_though_it_reports_nothing() {
    let (world, id) = with_key();
    let review = Some(Mismatch::absent(MismatchField::Outcome, Some("an unknown state")));
    let notification =
        Notification { review, ..held(ProviderState::Open).notification(Stripe, id) };
    assert_eq!(notification.report.outcome, None);
    let state = QueryState::Payment(ProviderState::Open);
    let response = QueryResponse { state, notifications: vec![notification], next: None };
    let (steps, _) = always(&world, id, response);
    assert_eq!(verdict(&steps), Err(MismatchField::Outcome));
}
