//! Refunds that the shop orders of Alipay.
//!
//! Sources: smartwalle/alipay `trade_type.go`; opendocs.alipay.com, "alipay.trade.refund".

use anyhow::Result;
use pay_core::domain::RefundState;
use serde_json::json;
use uuid::Uuid;

use super::super::api::Reply;
use super::super::ledger::{Ledger, NotBegun, Orders, Trade, TradeRefund};
use super::api::{REFUND, business_error, success};
use super::{beijing_text, yuan};

/// Makes a refund once for an `out_request_no` of a trade: a repeat says that no funds changed. One that
/// failed is tried again.
pub(super) fn make(
    ledger: &mut Ledger,
    (transaction, number, amount): (&str, &str, Option<&str>),
    now_secs: u64,
) -> Result<Reply> {
    let refused = |code: &str| Ok(business_error(REFUND, code));
    let Some(amount) = amount.and_then(fen) else { return refused("ACQ.INVALID_PARAMETER") };
    let trade = ledger.by_transaction(transaction);
    let same =
        |refund: &&TradeRefund| refund.number() == number && refund.state != RefundState::Failed;
    if let Some(trade) = trade
        && let Some(known) = trade.refunds.iter().find(same)
    {
        if known.amount != amount {
            return refused("ACQ.DISCORDANT_REPEAT_REQUEST");
        }
        return made(trade, None, now_secs);
    }
    if let Orders::Refused(code) = &ledger.orders {
        return refused(code);
    }
    let waits = ledger.orders == Orders::Wait;
    let refund = TradeRefund {
        id: Uuid::new_v4().simple().to_string(),
        reference: Some(number.to_owned()),
        amount,
        state: if waits { RefundState::Pending } else { RefundState::Succeeded },
        is_stranded: false,
        time_secs: now_secs,
    };
    match ledger.begin(transaction, refund.clone()) {
        Ok(trade) => {
            let changed = (!waits).then_some(amount);
            Ok(made(trade, changed, now_secs)?.beginning(&refund))
        }
        Err(NotBegun::NoTrade) => refused("ACQ.TRADE_NOT_EXIST"),
        Err(NotBegun::NotPaid | NotBegun::NothingLeft) => refused("ACQ.TRADE_STATUS_ERROR"),
        Err(NotBegun::WrongAmount) => refused("ACQ.REASON_TRADE_REFUND_FEE_ERR"),
    }
}

/// What a call that was executed gets: by how much it changed funds, if it did, and what went back in all.
fn made(trade: &Trade, changed: Option<u64>, now_secs: u64) -> Result<Reply> {
    let content = json!({
        "code": "10000", "msg": "Success", "buyer_logon_id": "159****5620",
        "fund_change": if changed.is_some() { "Y" } else { "N" },
        "gmt_refund_pay": beijing_text(now_secs)?, "out_trade_no": trade.reference(),
        "refund_fee": yuan(trade.refunded()), "send_back_fee": yuan(changed.unwrap_or_default()),
        "trade_no": trade.transaction,
    });
    Ok(success(REFUND, content))
}

/// An amount in yuan, with two decimals at most, in fen.
pub(super) fn fen(yuan: &str) -> Option<u64> {
    let (whole, part) = yuan.split_once('.').unwrap_or((yuan, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|one| one.is_ascii_digit());
    if !(digits(whole) && digits(part) && part.len() <= 2) {
        return None;
    }
    format!("{whole}{part:0<2}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::fen;

    #[test]
    fn an_amount_in_yuan_is_read() {
        let table = [("0.01", 1), ("1", 100), ("12.3", 1230), ("88.88", 8888)];
        assert!(table.iter().all(|(text, amount)| fen(text) == Some(*amount)));
        for bad in ["", ".", "1.", ".5", "1.234", "-1", "1e2"] {
            assert_eq!(fen(bad), None, "{bad}");
        }
    }
}
