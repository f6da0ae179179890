//! The shop's user and order services, called over HTTPS.
//!
//! Here is which call answers which port; `client` makes calls, `wire` knows their JSON.

mod client;
mod wire;

pub use client::ShopClient;

use pay_core::{
    domain::{OrderId, Payment, UserId},
    ports::{Keys, Order, Orders, ShopError, TraceParent, Users},
};
use reqwest::Url;

use crate::auth::AuthKey;
use client::{Answer, Ask, Fault, Purpose};

/// The shop's user service.
#[derive(Debug)]
pub struct HttpUsers<K> {
    client: ShopClient<K>,
    info: Url,
}

impl<K: Keys<AuthKey> + Sync + Send> HttpUsers<K> {
    /// The service whose user info is at this URL.
    #[must_use]
    pub fn new(client: ShopClient<K>, info: Url) -> Self {
        Self { client, info }
    }

    /// Opens a connection ahead of the first request. A failure is that request's to notice.
    pub async fn warm(&self) {
        self.client.open(&self.info).await;
    }
}

impl<K: Keys<AuthKey> + Sync + Send> Users for HttpUsers<K> {
    async fn exists(&self, uid: UserId, trace: &TraceParent) -> Result<bool, ShopError> {
        let ask = Ask {
            service: "users",
            url: &self.info,
            payer: uid,
            trace,
            body: wire::by_id(uid.get()),
            purpose: Purpose::Read,
        };
        match self.client.call(&ask).await? {
            Answer::Found(body) => {
                wire::user(&body, uid).ok_or(Fault::Unreadable)?;
                Ok(true)
            }
            Answer::Absent => Ok(false),
        }
    }
}

/// The shop's order service.
#[derive(Debug)]
pub struct HttpOrders<K> {
    client: ShopClient<K>,
    detail: Url,
    paid: Url,
}

impl<K: Keys<AuthKey> + Sync + Send> HttpOrders<K> {
    /// The service that shows an order at `detail` and is told of its payment at `paid`.
    #[must_use]
    pub fn new(client: ShopClient<K>, detail: Url, paid: Url) -> Self {
        Self { client, detail, paid }
    }

    /// Opens a connection ahead of the first request, one for each host. A failure is that
    /// request's to notice.
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
        let ask = Ask {
            service: "orders",
            url: &self.detail,
            payer,
            trace,
            body: wire::by_id(oid.get()),
            purpose: Purpose::Read,
        };
        match self.client.call(&ask).await? {
            Answer::Found(body) => Ok(Some(wire::order(&body, oid).ok_or(Fault::Unreadable)?)),
            Answer::Absent => Ok(None),
        }
    }

    async fn tell_paid(&self, payment: &Payment, trace: &TraceParent) -> Result<(), ShopError> {
        let ask = Ask {
            service: "orders",
            url: &self.paid,
            payer: payment.uid,
            trace,
            body: wire::paid(payment),
            purpose: Purpose::Tell(payment.id),
        };
        match self.client.call(&ask).await? {
            Answer::Found(_) => Ok(()),
            Answer::Absent => Err(ShopError::Absent),
        }
    }
}

#[cfg(test)]
mod server;
#[cfg(test)]
mod tests;
