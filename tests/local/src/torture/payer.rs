//! What happens at a provider's simulator: a payer pays or does not, and money goes back.

use anyhow::Result;
use fastrand::Rng;
use pay_core::domain::{Provider, RefundState};

use crate::simulator::ledger::{Trade, TradeRefund, TradeState};
use crate::simulator::{Account, Delivery};
use crate::{Stack, clock};

/// How a session of Stripe's is ordered to be paid.
const SESSION: &str = "session";

/// Something happens to a payment of this amount; another client may have been faster.
pub(super) async fn act(
    account: &Account,
    random: &mut Rng,
    payment: u64,
    amount: u64,
) -> Result<()> {
    let before = account.trade(payment);
    let done = match before.as_ref().map(|trade| trade.state) {
        None | Some(TradeState::Open) => begin(account, random, payment, amount).await,
        Some(TradeState::Processing) => {
            let amount = before.as_ref().map_or(amount, |trade| trade.amount);
            account.pay(payment, amount).await.map(drop)
        }
        Some(TradeState::Paid) => give_back(account, random, before.as_ref()).await.map(drop),
        Some(TradeState::Closed) => Ok(()),
    };
    match done {
        Err(_late) if account.trade(payment) != before => Ok(()),
        done => done,
    }
}

/// A payer pays one of the checkouts of a payment, or some of what was paid by one goes back. Returns whether the
/// money is on its way for a while.
pub(super) async fn use_checkout(stack: &Stack, random: &mut Rng, payment: u64) -> Result<bool> {
    let mut all = Vec::new();
    for provider in Provider::ALL {
        let account = stack.account(*provider)?;
        let there = checkouts(account, payment);
        all.extend(there.clone().into_iter().map(|trade| (account, there.clone(), trade)));
    }
    let Some((account, before, trade)) = random.choice(all) else { return Ok(false) };
    let is_slow = trade.state == TradeState::Open && random.u8(..100) < 20;
    let done = match trade.state {
        TradeState::Open if is_slow => account.process_checkout(&trade.reference()),
        TradeState::Open => account.pay_checkout(&trade.reference()).await.map(drop),
        TradeState::Processing => come_or_not(account, random, &trade).await,
        TradeState::Paid if random.u8(..100) < 15 => {
            give_back(account, random, account.trade(payment).as_ref()).await.map(drop)
        }
        TradeState::Paid | TradeState::Closed => Ok(()),
    };
    match done {
        Err(_late) if checkouts(account, payment) != before => Ok(false),
        done => done.map(|()| is_slow),
    }
}

/// Money that is on its way comes, or not; then the payer can try again, but not by a session of Stripe's.
pub(super) async fn come_or_not(account: &Account, random: &mut Rng, trade: &Trade) -> Result<()> {
    let reference = trade.reference();
    let comes = trade.method() == Some(SESSION) || random.u8(..100) < 60;
    if comes {
        account.pay_checkout(&reference).await.map(drop)
    } else {
        account.return_checkout(&reference)
    }
}

/// The checkouts of a payment at a provider.
fn checkouts(account: &Account, payment: u64) -> Vec<Trade> {
    let mut trades = account.trades();
    trades.retain(|trade| trade.payment == payment && trade.checkout.is_some());
    trades
}

async fn begin(account: &Account, random: &mut Rng, payment: u64, amount: u64) -> Result<()> {
    match random.u8(..100) {
        0..65 => account.pay(payment, amount).await.map(drop),
        // Less than is due. An amount of nothing is not paid.
        65..75 => account.pay(payment, amount.saturating_sub(1).max(1)).await.map(drop),
        75..83 => account.fail(payment, amount).await.map(drop),
        83..90 => account.process(payment, amount),
        _ => {
            account.open(payment, amount)?;
            account.close(payment).await.map(drop)
        }
    }
}

/// A part of what is left goes back, or all of it, at once or later; a refund that is on its way succeeds or fails.
async fn give_back(
    account: &Account,
    random: &mut Rng,
    trade: Option<&Trade>,
) -> Result<Vec<Delivery>> {
    let Some(trade) = trade else { return Ok(Vec::new()) };
    let pending = trade.refunds.iter().find(|refund| refund.state == RefundState::Pending);
    if let Some(pending) = pending.filter(|_| random.u8(..100) < 70) {
        return if random.u8(..100) < 70 {
            account.complete_refund(&pending.id).await
        } else {
            account.fail_refund(&pending.id).await
        };
    }
    let left = trade.amount.saturating_sub(trade.refunded_or_pending());
    if left == 0 {
        return Ok(Vec::new());
    }
    let part = if random.u8(..100) < 30 { left } else { random.u64(1..=left) };
    let id = format!("re_{:016x}", random.u64(..));
    if random.u8(..100) < 60 {
        return account.refund(trade.payment, part, &id).await;
    }
    let refund = TradeRefund::in_console(&id, part, RefundState::Pending, clock::now_secs());
    account.begin_refund(trade.payment, refund).await
}
