//! What the demo leaves for who looks after payments: a payer who paid, a shop that does not know, and the provider's
//! id of the transaction.

use std::io::{Write as _, stdout};

use anyhow::{Context as _, Result, ensure};
use local::simulator::simulator;
use local::{Delivery, Scheme};
use pay_core::domain::Provider;
use serde_json::json;

use super::super::serve::console_command;
use super::{Demo, field};

/// What is due for the order, and what its payer paid at the provider, in minor units.
const DUE: u64 = 12_900;
const COLLECTED: u64 = 12_000;

impl Demo<'_> {
    /// A provider collects less than is due. Returns whether all responses were right.
    pub(super) async fn complain(&mut self) -> Result<bool> {
        let payer = self.payer();
        let provider = match self.provider {
            Scheme::Standard => Provider::Stripe,
            Scheme::Provider(provider) => provider,
        };
        let name = simulator(provider).name;
        let oid = self.stack.shop().add_order(1, DUE);
        self.announce(&format!(
            "One more order, of {DUE}, of which {name} collects {COLLECTED} and sends its webhook"
        ))?;
        let body = format!(r#"{{"uid":1,"oid":{oid},"amount":{DUE}}}"#);
        let by = "Authorization: Bearer (token of user 1)";
        let created = self.post("create", by, &payer, &body).await?;
        let id = field(&created.1, "id").and_then(|id| id.as_u64());
        let id = id.with_context(|| format!("no payment was created: {}", created.1))?;

        let account = self.stack.account(provider)?;
        let taken =
            account.pay(id, COLLECTED).await?.iter().all(|one| *one == Delivery::Status(200));
        let trade = account.trade(id).context("the provider lost it")?;
        let transaction = trade.transaction;
        let shown = json!({"at": name, "payment": id, "transaction": transaction, "taken": taken});
        if !self.check(&(200, shown.to_string()), &json!({"taken": true}))? {
            return Ok(false);
        }
        let found = self.send("detail", &payer, &format!(r#"{{"id":{id}}}"#)).await?;
        ensure!(field(&found.1, "status") == Some(json!(0)), "it is paid: {}", found.1);
        let console = console_command(self.stack);
        writeln!(
            stdout(),
            r#"
The payer writes: "I have paid, and the shop does not know. My transaction at {name} is {transaction}."
Find out why, and decide, in the console, which this opens in another terminal:

  {console}

The stack goes on; Ctrl-C stops it."#
        )?;
        Ok(true)
    }
}
