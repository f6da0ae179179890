//! Fakes of the ports, and the contract that holds them to the real adapters.
//!
//! Stateful: a test says what is there and what goes wrong, and looks at what happened. No
//! runtime, no clock. Never part of a shipped build.

mod checkouts;
pub mod contract;
mod gate;
mod ids;
mod inspect;
mod notifications;
mod orders;
mod providers;
mod shop;
mod store;
mod table;
#[cfg(test)]
mod tests;

use std::{
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

pub use checkouts::{a_checkout, a_checkout_reference};
pub use gate::{Call, Fate, Gate};
pub use ids::SeededIds;
pub use inspect::{Inspect, Listed, LoggedEvent};
pub use notifications::{a_notification, a_reference, a_refund, a_total, reporting};
pub use orders::{
    CALLED_METHODS, a_checkout_order, a_code_against_checkouts, a_code_against_refunds,
    a_refund_order, a_requested_refund,
};
pub use providers::{
    FakeProviders, HeldPayment, HeldRefund, LateCheckout, LateRefund, ProvidersState,
};
pub use shop::{FakeShop, OrderPaidCall, ShopState};
pub use store::FakeStore;
pub use table::{Table, Write};

/// Runs a future of fakes to its end, on this thread.
///
/// It polls without waiting to be woken: fakes are never waiting for anything but the next poll.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

/// A test that failed while it held the lock says so itself; the state is as good as it was.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
