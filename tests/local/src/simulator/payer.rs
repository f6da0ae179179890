//! Payers of checkouts, and the page on which one pays: of every provider, and for whoever has its address.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use hyper::{Method, Response, StatusCode};

use super::account::{Account, Delivery};
use super::api::{Call, Opened};
use super::ledger::{Occasion, Trade, TradeState};
use crate::clock;
use crate::faults::server;

/// The first part of the page's path. The transaction, our reference or our id of the payment follows.
pub(super) const PAGE: &str = "payer";

impl Account {
    /// The payer pays what was ordered: the checkout with this reference, or of the payment with this id the
    /// newest that can be paid. Returns what became of the webhooks.
    ///
    /// # Errors
    ///
    /// There is none, it is over, or it has ended.
    pub async fn pay_checkout(&self, named: &str) -> Result<Vec<Delivery>> {
        let now_secs = self.now_secs();
        let trade = self.with_ledger(|ledger| ledger.pay_checkout(named, now_secs))?;
        self.report(&trade, Occasion::Paid).await
    }

    /// The payer has paid the checkout with this reference, and the money is on its way. Nothing is reported.
    ///
    /// # Errors
    ///
    /// There is none, it is over, or it has ended.
    pub fn process_checkout(&self, reference: &str) -> Result<()> {
        self.move_checkout(reference, TradeState::Processing)
    }

    /// The money does not come: the checkout can be paid again. Nothing is reported.
    ///
    /// # Errors
    ///
    /// No money is on its way.
    pub fn return_checkout(&self, reference: &str) -> Result<()> {
        self.move_checkout(reference, TradeState::Open)
    }

    fn move_checkout(&self, reference: &str, to: TradeState) -> Result<()> {
        let now_secs = clock::now_secs();
        self.with_ledger(|ledger| ledger.process_checkout(reference, to, now_secs).map(drop))
    }

    /// The payer opens the checkout with this reference, or scans its code: from now on the provider has it.
    ///
    /// # Errors
    ///
    /// It was not ordered.
    pub fn open_checkout(&self, reference: &str) -> Result<()> {
        self.with_ledger(|ledger| {
            let trade = ledger.by_reference(reference).map(|trade| trade.transaction.clone());
            let transaction = trade.with_context(|| format!("there is no {reference}"))?;
            ledger.begin_checkout(&transaction);
            Ok(())
        })
    }

    /// The checkout with this reference, or the payment that the shop has begun under it, as it is there now.
    #[must_use]
    pub fn checkout(&self, reference: &str) -> Option<Trade> {
        self.with_ledger(|ledger| ledger.by_reference(reference).cloned())
    }

    /// The checkouts that are ordered from now on are refused by this code, or not.
    pub fn refuse_checkouts(&self, code: Option<&str>) {
        self.with_ledger(|ledger| ledger.refused_checkouts = code.map(str::to_owned));
    }

    /// The payer's page, if that is what is called: shown by `GET`, and paid on by `POST`.
    pub(super) async fn page(&self, call: &Call) -> Option<Response<Bytes>> {
        let opened = match call.path()[..] {
            [PAGE, named] => self.named(named),
            _ => self.opened(call)?,
        };
        let transaction = match opened {
            Ok(transaction) => transaction,
            Err(why) => return Some(shown(StatusCode::NOT_FOUND, &why)),
        };
        let pays = call.head.method == Method::POST && call.path().first() == Some(&PAGE);
        let trade = self.with_ledger(|ledger| ledger.by_transaction(&transaction).cloned())?;
        if !pays {
            return Some(shown(StatusCode::OK, &form(&trade)));
        }
        Some(match self.pay_checkout(&trade.reference()).await {
            Ok(_deliveries) => shown(StatusCode::OK, "Paid."),
            Err(refused) => shown(StatusCode::CONFLICT, &format!("{refused:#}")),
        })
    }

    /// The transaction that a path names.
    fn named(&self, named: &str) -> Opened {
        self.with_ledger(|ledger| {
            let by_id = || named.parse().ok().and_then(|payment| ledger.trade(payment));
            let by_reference = || ledger.by_reference(named);
            let trade = ledger.by_transaction(named).or_else(by_reference).or_else(by_id);
            let trade = trade.filter(|trade| trade.checkout.is_some());
            trade.map(|trade| trade.transaction.clone()).ok_or_else(|| format!("no {named}"))
        })
    }

    /// What the payer opens at the provider's own address.
    fn opened(&self, call: &Call) -> Option<Opened> {
        let open = self.simulator().api.open;
        let now_secs = self.now_secs();
        let opened = self.with_ledger(|ledger| open(ledger, call, now_secs));
        opened.unwrap_or_else(|unusable| Some(Err(format!("{unusable:#}"))))
    }
}

/// What is to be paid, and a button.
fn form(trade: &Trade) -> String {
    let Trade { transaction, amount, currency, state, .. } = trade;
    let reference = trade.reference();
    let button = match state {
        TradeState::Open => {
            format!(
                "<form method=\"post\" action=\"/{PAGE}/{transaction}\"><button>Pay</button></form>"
            )
        }
        TradeState::Processing | TradeState::Paid | TradeState::Closed => format!("{state:?}"),
    };
    format!("<p>{reference}: {amount} of the minor unit of {currency}</p>{button}")
}

fn shown(status: StatusCode, text: &str) -> Response<Bytes> {
    let page = format!("<!doctype html><title>Pay</title>{text}\n");
    server::response(status, "text/html; charset=utf-8", page)
}
