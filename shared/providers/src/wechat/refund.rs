//! Reads a response to the query of a refund.
//!
//! Sources: wechatpay-go `services/refunddomestic`; pay.weixin.qq.com/doc/v3 "query a refund".

use pay_core::{
    domain::{Outcome, Provider, RefundState, Report},
    json::Object,
    ports::{QueryError, QueryResponse},
};

use super::{querier::WeChatQuerier, read};
use crate::{
    adapter::Message,
    asked::AskedRefund,
    query::{respond_about_refund, unusable},
};

impl WeChatQuerier {
    /// What an authentic response reports about the refund that was asked for. Unlike a notification it need
    /// not name the merchant, who signed the request.
    pub(super) fn refund(
        &self,
        asked: &AskedRefund<'_>,
        object: &Object,
        body: &[u8],
    ) -> Result<QueryResponse, QueryError> {
        let reference = asked.refund.to_string();
        for (name, expected) in
            [("out_refund_no", &*reference), ("transaction_id", asked.txn.as_str())]
        {
            if object.text(name) != Some(expected) {
                return Err(unusable("a response about another refund"));
            }
        }
        if object.get("mchid").is_some_and(|mchid| mchid.as_text() != Some(self.mchid.as_str())) {
            return Err(unusable("a response about another merchant"));
        }
        let state = match object.text("status") {
            Some("SUCCESS") => RefundState::Succeeded,
            // It could not be paid out, and succeeds once somebody at the merchant says where to.
            Some("PROCESSING" | "ABNORMAL") => RefundState::Pending,
            Some("CLOSED") => RefundState::Failed,
            _ => return Err(unusable("an unknown `status`")),
        };
        let message = self.keys.common(object, Ok(Some(Outcome::Refunded)), None);
        let refund = read::one(object, state).ok();
        let report = Report { refund, ..message.report };
        let message = Message { report, wrong_account: None, ..message };
        respond_about_refund(Provider::WeChat, asked.refund, message, body)
    }
}
