//! A provider's API over HTTPS.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use pay_core::domain::RefundState;
use tokio_rustls::TlsAcceptor;

use super::account::Account;
use super::api::{Call, Effect, Reply};
use super::ledger::{Occasion, Orders, TradeState};
use crate::clock;
use crate::faults::server::{self, Server, Service};

impl Account {
    /// Serves on `host` until the server is dropped.
    pub(crate) async fn serve(&self, host: IpAddr, tls: TlsAcceptor) -> Result<Server> {
        Server::start(host, self.clone(), self.faults().clone(), Some(tls)).await
    }

    fn reply(&self, head: Parts, body: Bytes) -> Reply {
        let api = self.simulator().api;
        let call = Call { head, body };
        for trade in self.close_what_is_over() {
            self.report_closed(&trade.transaction);
        }
        let now_secs = self.now_secs();
        let reply = self.with_ledger(|ledger| (api.respond)(ledger, &call, now_secs));
        let reply =
            reply.unwrap_or_else(|_unusable| (api.problem)(StatusCode::INTERNAL_SERVER_ERROR));
        match &reply.effect {
            Some(Effect::Refund(id)) => self.report_begun(id),
            Some(Effect::Closed(transaction)) => self.report_closed(transaction),
            None => {}
        }
        reply
    }

    /// Reports a payment that is closed, beside the response to a call.
    fn report_closed(&self, transaction: &str) {
        let (account, transaction) = (self.clone(), transaction.to_owned());
        self.faults().later(Duration::ZERO, async move {
            let trade = account.with_ledger(|ledger| ledger.by_transaction(&transaction).cloned());
            // Not one of which that is only said.
            if let Some(trade) = trade.filter(|trade| trade.state == TradeState::Closed) {
                // Whoever misses a webhook asks.
                drop(account.report(&trade, Occasion::Closed).await);
            }
        });
    }

    /// Reports a refund that a call has begun, beside the response to the call. One that the provider only
    /// accepts comes to its end now.
    fn report_begun(&self, id: &str) {
        let (account, id) = (self.clone(), id.to_owned());
        self.faults().later(Duration::ZERO, async move {
            let found = account.with_ledger(|ledger| {
                let succeeds = ledger.orders == Orders::Succeed;
                let pending = ledger.refund_that(|of| of.id == id)?.1.state == RefundState::Pending;
                if succeeds && pending {
                    let now = clock::now_secs();
                    ledger.move_refund(&id, RefundState::Succeeded, now).ok()?;
                }
                let (trade, refund) = ledger.refund_that(|refund| refund.id == id)?;
                Some((trade.clone(), refund.clone()))
            });
            if let Some((trade, refund)) = found {
                // Whoever misses a webhook asks.
                drop(
                    account
                        .report(&trade, Occasion::Refund { refund: &refund, is_new: true })
                        .await,
                );
            }
        });
    }

    fn write(&self, reply: &Reply) -> Response<Bytes> {
        (self.simulator().api.write)(reply).unwrap_or_else(|error| {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            server::response(status, "text/plain; charset=utf-8", format!("{error:#}"))
        })
    }
}

impl Service for Account {
    fn arrived(&self, head: &Parts, body: &[u8]) -> String {
        let call = Call { head: head.clone(), body: Bytes::copy_from_slice(body) };
        let point = (self.simulator().api.point)(&call);
        self.count(point);
        point.to_owned()
    }

    async fn response(&self, head: Parts, body: Bytes) -> Response<Bytes> {
        let call = Call { head, body };
        if let Some(page) = self.page(&call).await {
            return page;
        }
        self.write(&self.reply(call.head, call.body))
    }

    fn problem(&self, status: StatusCode) -> Response<Bytes> {
        self.write(&(self.simulator().api.problem)(status))
    }

    fn throttled(&self) -> Response<Bytes> {
        self.write(&(self.simulator().api.throttled)())
    }

    fn error_envelope(&self) -> Response<Bytes> {
        self.write(&(self.simulator().api.error_envelope)())
    }

    fn nothing_found(&self) -> Response<Bytes> {
        self.write(&(self.simulator().api.nothing_found)())
    }

    async fn about_another(&self, head: Parts, body: Bytes) -> Response<Bytes> {
        let references = self.simulator().api.references;
        self.write(&self.reply(head, body).about_another(references))
    }

    async fn unsigned(&self, head: Parts, body: Bytes) -> Response<Bytes> {
        self.write(&Reply { signed: false, ..self.reply(head, body) })
    }
}
