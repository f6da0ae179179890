//! What persons decide about money in quarantine: it goes back.

use anyhow::Result;
use pay_core::domain::{Note, Operator, Provider, RefundId};
use pay_core::usecases::quarantine::ResolveError;
use payctl::Row;
use serde_json::json;

use super::deliver::EntryPoint;
use super::world::{GiveBackResult, GivenBack};
use crate::simulator::Account;
use crate::simulator::ledger::TradeState;

impl EntryPoint<'_> {
    /// The notifications that wait for a person and report money that a provider holds, each by its payment and
    /// its name. None where the table cannot be read.
    pub(super) async fn quarantined(&self) -> Vec<(u64, String)> {
        let rows = self.table.quarantine().await.unwrap_or_default();
        rows.iter().filter(|row| self.is_held(row)).filter_map(named).collect()
    }

    /// Whether a notification reports what a provider holds as paid: of others none can give anything back.
    fn is_held(&self, row: &Row) -> bool {
        let source = row.number("source");
        let provider = Provider::ALL.iter().find(|of| Some(of.source().get().into()) == source);
        let account = provider.and_then(|provider| self.stack.account(*provider).ok());
        let mut trades = account.map(Account::trades).into_iter().flatten();
        row.text("outcome") == "paid"
            && trades.any(|trade| {
                trade.state == TradeState::Paid
                    && trade.transaction == row.text("provider_txn")
                    && Some(trade.amount) == row.number("amount")
            })
    }

    /// Has the money given back that a notification reports, as `payctl quarantine refund` does: `asks` says
    /// whether the function asks the provider at once.
    pub(super) async fn give_back(
        &self,
        (payment, notification): (u64, &str),
        by: &str,
        asks: bool,
    ) -> GiveBackResult {
        let result = match self.decide(notification, by).await {
            Ok(refund) => GiveBackResult::Kept(refund.as_str().to_owned()),
            Err(error) => match error.downcast_ref::<ResolveError>() {
                Some(ResolveError::Failed(_)) | None => GiveBackResult::Unknown,
                Some(rejected) => GiveBackResult::Rejected(rejected.to_string()),
            },
        };
        let (notification, noted) = (notification.to_owned(), result.clone());
        self.world().facts.given_back.push(GivenBack { payment, notification, result: noted });
        if let (GiveBackResult::Kept(refund), true) = (&result, asks) {
            self.go_on(payment, refund).await;
        }
        result
    }

    async fn decide(&self, notification: &str, by: &str) -> Result<RefundId> {
        let (note, by) = (Note::new("torture")?, Operator::new(by)?);
        Box::pin(payctl::decide_refund(&self.table, notification, &note, by)).await
    }

    async fn go_on(&self, payment: u64, refund: &str) {
        let request = json!({"operation": "refund", "id": payment, "refund_id": refund});
        let failed = self.stack.invoke("callback", &request).await.err();
        let mut world = self.world();
        let name = match failed.map(|error| (error.kind(), error.message())) {
            None => "200".to_owned(),
            Some((Some(kind), _)) if kind.starts_with("Runtime.") => {
                world.cut_off = world.cut_off.saturating_add(1);
                "cut off".to_owned()
            }
            Some((Some(kind), _)) if matches!(&*kind, "unavailable" | "provider-refused") => kind,
            Some((kind, message)) => {
                let what = format!("I15: the refund {refund} failed: {kind:?} {message}");
                return world.unexpected.push(what);
            }
        };
        world.count("refund of money in quarantine", &name, None);
    }
}

/// The payment of a notification, and its name.
fn named(row: &Row) -> Option<(u64, String)> {
    let payment = row.text("pk").strip_prefix("pay#")?;
    let event = row.text("sk").strip_prefix("event#")?.replacen('#', "/", 1);
    Some((payment.parse().ok()?, format!("{payment}/{event}")))
}
