//! Checkouts: a client starts them, opens their pages, pays them, and closes payments.

use pay_core::domain::{CheckoutMethod, Outcome};
use serde_json::{Value, json};

use super::{Client, Known, Place, payer};

/// Where payers come back to.
const RETURN_URL: &str = "https://shop.example/paid";

impl Client<'_> {
    /// A checkout is started, a page is opened, or a payer pays.
    pub(super) async fn use_checkouts(&mut self, order: &Known, payment: u64) {
        match self.random.u8(..100) {
            0..50 => self.check_out(order.uid, payment).await,
            50..65 => self.open(payment).await,
            _ => self.pay_checkout(payment).await,
        }
    }

    /// A payer pays, or some of what was paid goes back.
    pub(super) async fn pay_checkout(&mut self, payment: u64) {
        let stack = self.entry_point.stack;
        let used = payer::use_checkout(stack, &mut self.random, payment).await;
        let mut world = self.entry_point.world();
        match used {
            Ok(is_slow) => world.processing = world.processing.saturating_add(u64::from(is_slow)),
            Err(error) => world.unexpected.push(format!("a checkout of {payment}: {error:#}")),
        }
    }

    /// One in five is started twice at the same time, half of these in another way to pay.
    pub(super) async fn check_out(&mut self, uid: u64, payment: u64) {
        let Some((method, body)) = self.way(payment) else { return };
        let entry_point = self.entry_point;
        let start = |method, body| async move {
            entry_point.check_out(uid, payment, method, &body).await;
        };
        match self.random.u8(..100) {
            0..10 => {
                tokio::join!(start(method, body.clone()), start(method, body));
            }
            10..20 => {
                let Some((other, other_body)) = self.way(payment) else { return };
                tokio::join!(start(method, body), start(other, other_body));
            }
            _ => start(method, body).await,
        }
    }

    /// A way to pay, and the request for it.
    fn way(&mut self, payment: u64) -> Option<(CheckoutMethod, Value)> {
        let method = *self.random.choice(CheckoutMethod::ALL)?;
        let returns = method.needs_return_url() || self.random.bool();
        let body = json!({
            "id": payment, "provider": method.provider().as_str(), "method": method.as_str(),
            "description": self.random.bool().then_some("Tea"),
            "return_url": returns.then_some(RETURN_URL),
            "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "payer_ip": "192.0.2.1",
        });
        Some((method, body))
    }

    /// A page of this payment is opened; pages may be opened again.
    async fn open(&mut self, payment: u64) {
        let page = {
            let world = self.entry_point.world();
            let pages = world.pages.iter().filter(|(of, _)| *of == payment);
            self.random.choice(pages.map(|(_, page)| page.clone()).collect::<Vec<_>>())
        };
        if let Some(page) = page {
            self.entry_point.open(&page).await;
        }
    }

    /// A payment is closed, by its payer or by a gateway of the shop's own. What the shop has started at a
    /// provider itself it would have to close there itself.
    pub(super) async fn close(&mut self) {
        let Some(order) = self.some_order() else { return };
        let Some(payment) = self.random.choice(&order.payments).copied() else { return };
        if matches!(Place::of(payment), Place::Simulator(_)) {
            return;
        }
        // Where no provider can be asked, a sweep is to move nothing.
        let asks = !self.entry_point.stack.provider_secrets.is_null();
        if !asks || self.random.u8(..100) < 25 {
            return self.send(&order, payment, (Outcome::Closed, None), None).await;
        }
        self.entry_point.close(order.uid, payment).await;
    }
}
