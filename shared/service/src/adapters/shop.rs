//! The shop's user and order services, called over HTTPS.
//!
//! This maps the ports to calls; `client` makes a call, `wire` knows the JSON.

mod client;
mod wire;

pub use client::ShopClient;

use pay_core::{
    domain::{OrderId, Payment, Refund, UserId},
    ports::{Keys, Order, Orders, ShopError, TraceParent, Users},
};
use reqwest::Url;

use crate::auth::AuthKey;
use client::{CallError, Purpose, ShopCall, ShopResponse};

/// The shop's user service.
#[derive(Debug)]
pub struct HttpUsers<K> {
    client: ShopClient<K>,
    info: Url,
}

impl<K: Keys<AuthKey> + Sync + Send> HttpUsers<K> {
    /// The service with user info at this URL.
    #[must_use]
    pub fn new(client: ShopClient<K>, info: Url) -> Self {
        Self { client, info }
    }

    /// Opens a connection ahead of the first request. A failure is only logged: the first request
    /// reports it.
    pub async fn warm(&self) {
        self.client.open(&self.info).await;
    }
}

impl<K: Keys<AuthKey> + Sync + Send> Users for HttpUsers<K> {
    async fn exists(&self, uid: UserId, trace: &TraceParent) -> Result<bool, ShopError> {
        let call = ShopCall {
            service: "users",
            url: &self.info,
            payer: uid,
            trace,
            body: wire::by_id(uid.get()),
            purpose: Purpose::Read,
        };
        match self.client.call(&call).await? {
            ShopResponse::Found(user) => {
                wire::user(&user, uid).ok_or(CallError::Unusable)?;
                Ok(true)
            }
            ShopResponse::Absent => Ok(false),
        }
    }
}

/// The shop's order service.
#[derive(Debug)]
pub struct HttpOrders<K> {
    client: ShopClient<K>,
    detail: Url,
    paid: Url,
    refunded: Option<Url>,
}

impl<K: Keys<AuthKey> + Sync + Send> HttpOrders<K> {
    /// The service that has order details at `detail` and takes order notifications at `paid`, and of
    /// refunds at `refunded`.
    #[must_use]
    pub fn new(client: ShopClient<K>, detail: Url, paid: Url, refunded: Option<Url>) -> Self {
        Self { client, detail, paid, refunded }
    }

    /// Opens a connection to each host ahead of the first request. A failure is only logged: the first
    /// request reports it.
    pub async fn warm(&self) {
        let detail = self.client.open(&self.detail);
        if self.detail.origin() == self.paid.origin() {
            detail.await;
        } else {
            tokio::join!(detail, self.client.open(&self.paid));
        }
    }
}

impl<K: Keys<AuthKey> + Sync + Send> Orders for HttpOrders<K> {
    async fn find(
        &self,
        oid: OrderId,
        payer: UserId,
        trace: &TraceParent,
    ) -> Result<Option<Order>, ShopError> {
        let call = ShopCall {
            service: "orders",
            url: &self.detail,
            payer,
            trace,
            body: wire::by_id(oid.get()),
            purpose: Purpose::Read,
        };
        match self.client.call(&call).await? {
            ShopResponse::Found(order) => {
                Ok(Some(wire::order(&order, oid).ok_or(CallError::Unusable)?))
            }
            ShopResponse::Absent => Ok(None),
        }
    }

    async fn notify_paid(&self, payment: &Payment, trace: &TraceParent) -> Result<(), ShopError> {
        let call = ShopCall {
            service: "orders",
            url: &self.paid,
            payer: payment.uid,
            trace,
            body: wire::paid(payment),
            purpose: Purpose::Notify(payment.id.to_string()),
        };
        self.notify(&call).await
    }

    fn hears_of_refunds(&self) -> bool {
        self.refunded.is_some()
    }

    async fn notify_refunded(
        &self,
        payment: &Payment,
        refund: &Refund,
        trace: &TraceParent,
    ) -> Result<(), ShopError> {
        let Some(url) = &self.refunded else { return Ok(()) };
        let call = ShopCall {
            service: "orders",
            url,
            payer: payment.uid,
            trace,
            body: wire::refunded(payment, refund),
            purpose: Purpose::Notify(refund.id.as_str().to_owned()),
        };
        self.notify(&call).await
    }
}

impl<K: Keys<AuthKey> + Sync + Send> HttpOrders<K> {
    async fn notify(&self, call: &ShopCall<'_>) -> Result<(), ShopError> {
        match self.client.call(call).await? {
            ShopResponse::Found(_) => Ok(()),
            ShopResponse::Absent => Err(ShopError::Absent),
        }
    }
}

#[cfg(test)]
mod tests;
