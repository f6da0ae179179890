//! Calls that wait until a test lets them go on: what two callers do is then in a known order.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Where calls wait.
#[derive(Debug, Clone, Default)]
pub(super) struct Gates(Arc<Mutex<Vec<Arc<Gate>>>>);

#[derive(Debug, Default)]
struct Gate {
    at: String,
    arrived: Notify,
    open: Notify,
}

impl Gates {
    /// Holds the next call of this name.
    pub(super) fn hold(&self, at: &str) -> Held {
        let gate = Arc::new(Gate { at: at.to_owned(), ..Gate::default() });
        self.with(|gates| gates.push(Arc::clone(&gate)));
        Held { gate, gates: self.clone() }
    }

    /// Waits as long as this call is held.
    pub(super) async fn pass(&self, at: &str) {
        let gate = self.with(|gates| {
            let place = gates.iter().position(|gate| gate.at == at)?;
            Some(gates.remove(place))
        });
        if let Some(gate) = gate {
            gate.arrived.notify_one();
            gate.open.notified().await;
        }
    }

    fn with<T>(&self, edit: impl FnOnce(&mut Vec<Arc<Gate>>) -> T) -> T {
        edit(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A call that waits, or will when it arrives, until this is dropped.
#[derive(Debug)]
pub struct Held {
    gate: Arc<Gate>,
    gates: Gates,
}

impl Held {
    /// Waits until the call is there. What it is to do is not done yet.
    pub async fn arrived(&self) {
        self.gate.arrived.notified().await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.gates.with(|gates| gates.retain(|gate| !Arc::ptr_eq(gate, &self.gate)));
        self.gate.open.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::Gates;
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn one_call_of_the_name_waits_until_it_is_let_go() {
        let gates = Gates::default();
        let held = gates.hold("stripe:close");
        gates.pass("stripe:refund").await;
        let mut call = Box::pin(gates.pass("stripe:close"));
        assert_eq!(held.arrived().now_or_never(), None);
        assert_eq!((&mut call).now_or_never(), None);
        held.arrived().await;
        gates.pass("stripe:close").await;
        drop(held);
        call.await;
        // One that never came holds nothing up later.
        drop(gates.hold("stripe:close"));
        gates.pass("stripe:close").await;
    }
}
