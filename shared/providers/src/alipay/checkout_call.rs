//! Makes a checkout: the signed request, page or order string, and what the response to a request proves.
//!
//! A page and an order string are signed here alone: Alipay knows of them when the payer opens them.
//!
//! Sources: smartwalle/alipay `trade_type.go`, `alipay.go`; alipay-sdk-nodejs-all `src/alipay.ts`
//! (`pageExecute`, `sdkExecute`); opendocs.alipay.com `alipay.trade.page.pay`, `alipay.trade.wap.pay`,
//! `alipay.trade.app.pay`, `alipay.trade.precreate`.

use pay_core::{
    domain::{CheckoutMethod, Provider, Timestamp, WebUrl},
    json::Object,
    ports::{CheckoutAction, CheckoutCallError, CheckoutOrder, QueryError, StartedCheckout},
};
use serde_json::json;

use super::{
    querier::{AlipayQuerier, Method, encoded, failure},
    read::DECIMALS,
    response::member,
};
use crate::{
    asked::of_our_account,
    beijing,
    decimal::major_units,
    query::{CheckoutStep, RawResponse, SignedQuery, unusable, written},
};

const PRECREATE: Method =
    Method { name: "alipay.trade.precreate", response: "alipay_trade_precreate_response" };

/// The `sub_code`s, without `ACQ.`, of errors by which a checkout is refused. A repeat of one that is there may
/// get one, too.
const REFUSED_CODES: [&str; 14] = [
    "APPLY_PC_MERCHANT_CODE_ERROR",
    "BEYOND_PAY_RESTRICTION",
    "BEYOND_PER_RECEIPT_RESTRICTION",
    "BUYER_ENABLE_STATUS_FORBID",
    "BUYER_SELLER_EQUAL",
    // Of our reference with other parameters.
    "CONTEXT_INCONSISTENT",
    "ERROR_BUYER_CERTIFY_LEVEL_LIMIT",
    "EXIST_FORBIDDEN_WORD",
    "INVALID_PARAMETER",
    "INVALID_STORE_ID",
    "NOT_SUPPORT_PAYMENT_INST",
    "SELLER_BEEN_BLOCKED",
    "TOTAL_FEE_EXCEED",
    "TRADE_BUYER_NOT_MATCH",
];

/// Those of errors that say that the trade was paid or closed.
const ENDED_CODES: [&str; 3] = ["TRADE_HAS_CLOSE", "TRADE_HAS_FINISHED", "TRADE_HAS_SUCCESS"];

/// What the SDKs for apps take an order string as.
///
/// Source: opendocs.alipay.com "app payment, client", `orderStr`.
const ORDER_STRING: &str = "orderStr";

impl AlipayQuerier {
    /// What makes a checkout. The same `out_trade_no` is the same trade.
    pub(super) fn order_checkout(
        &self,
        order: &CheckoutOrder<'_>,
        now: Timestamp,
    ) -> Result<CheckoutStep, QueryError> {
        let parameters = &order.checkout.parameters;
        let notify_url = parameters.notify_url.as_ref().map(WebUrl::as_str);
        let notify_url = notify_url.ok_or_else(|| unusable("a checkout without `notify_url`"))?;
        let notify_url = ("notify_url", notify_url);
        let return_url = parameters.return_url.as_ref().map(|url| ("return_url", url.as_str()));
        let content = |product| self.content(order, product);
        let page = |method, product| {
            let more: Vec<_> = [notify_url].into_iter().chain(return_url).collect();
            let signed = self.parameters(method, &more, &content(Some(product))?, now)?;
            Ok(CheckoutStep::Redirect(SignedQuery(format!("?{}", encoded(&signed)))))
        };
        match parameters.method {
            CheckoutMethod::AlipayPage => page("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
            CheckoutMethod::AlipayWap => page("alipay.trade.wap.pay", "QUICK_WAP_WAY"),
            CheckoutMethod::AlipayApp => {
                let (method, product) = ("alipay.trade.app.pay", "QUICK_MSECURITY_PAY");
                let content = content(Some(product))?;
                let signed = self.parameters(method, &[notify_url], &content, now)?;
                let parameters = vec![(ORDER_STRING, encoded(&signed))];
                Ok(CheckoutStep::Ready(CheckoutAction::Client { parameters }))
            }
            CheckoutMethod::AlipayQr => {
                let request = self.signed_with(&PRECREATE, &[notify_url], &content(None)?, now)?;
                Ok(CheckoutStep::Send(request))
            }
            CheckoutMethod::StripeCheckout
            | CheckoutMethod::StripeIntent
            | CheckoutMethod::WeChatNative
            | CheckoutMethod::WeChatH5
            | CheckoutMethod::WeChatJsapi
            | CheckoutMethod::WeChatApp => Err(unusable("a checkout of another provider's")),
        }
    }

    /// What the trade is made with.
    fn content(
        &self,
        order: &CheckoutOrder<'_>,
        product: Option<&str>,
    ) -> Result<String, QueryError> {
        let CheckoutOrder { checkout, amount, .. } = order;
        of_our_account(&checkout.account, &self.app_id)?;
        if !Provider::Alipay.collects(amount.currency()) {
            return Err(unusable("a checkout in another currency than Alipay's"));
        }
        let expires = beijing::wall_clock(checkout.expires_time);
        Ok(written(json!({
            "out_trade_no": checkout.reference.to_string(),
            "product_code": product,
            "subject": subject(checkout.parameters.description.as_str()),
            "time_expire": expires.ok_or_else(|| unusable("a time without a calendar"))?,
            "total_amount": major_units(amount.minor(), DECIMALS),
        })))
    }

    /// What the response to a request proves.
    pub(super) fn made_checkout(
        &self,
        order: &CheckoutOrder<'_>,
        response: &RawResponse<'_>,
    ) -> Result<StartedCheckout, CheckoutCallError> {
        if order.checkout.parameters.method != CheckoutMethod::AlipayQr {
            return Err(unusable("a response about another method").into());
        }
        match response.status {
            200 => self.authentic(&PRECREATE, response.body, |response| read(order, response)),
            status => Err(failure(status).into()),
        }
    }
}

/// What an authentic response lets the payer's program do.
fn read(
    order: &CheckoutOrder<'_>,
    response: &Object,
) -> Result<StartedCheckout, CheckoutCallError> {
    let text = |name| member(response, name);
    let (reference, ours) = (text("out_trade_no")?, order.checkout.reference.to_string());
    if reference.is_some_and(|reference| reference != ours) {
        return Err(unusable("a response about another checkout").into());
    }
    let (code, sub_code) = (text("code")?, text("sub_code")?);
    let listed = sub_code.and_then(|code| code.strip_prefix("ACQ."));
    match (code, listed, sub_code) {
        (Some("10000"), ..) => {
            let qr_code = text("qr_code")?.filter(|_| reference.is_some());
            let text = qr_code.ok_or_else(|| unusable("a response without a code"))?.to_owned();
            Ok(StartedCheckout { provider_id: None, action: CheckoutAction::Qr { text } })
        }
        (Some("40004"), Some(listed), _) if ENDED_CODES.contains(&listed) => {
            Err(CheckoutCallError::Ended)
        }
        (Some("40004"), Some(listed), Some(code)) if REFUSED_CODES.contains(&listed) => {
            Err(CheckoutCallError::Refused { code: code.to_owned(), is_absent: false })
        }
        _ => Err(unusable("an unknown `code`").into()),
    }
}

/// What the payer reads that they pay, without the characters that Alipay takes in no subject.
///
/// Source: opendocs.alipay.com `alipay.trade.page.pay`, `subject`.
fn subject(description: &str) -> String {
    description.replace(['/', '=', '&'], " ")
}
