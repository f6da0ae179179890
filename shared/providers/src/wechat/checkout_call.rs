//! Makes a checkout: the signed request, what the response to it proves, and what the payer's program is given.
//!
//! Sources: wechatpay-go `services/payments/{native,h5,jsapi,app}`; pay.weixin.qq.com/doc/v3 "order", "invoke
//! the payment", "error codes".

use pay_core::{
    domain::{CheckoutMethod, OpenId, PayerIp, Provider, Timestamp, WebUrl},
    json::Object,
    ports::{CheckoutAction, CheckoutCallError, CheckoutOrder, QueryError, StartedCheckout},
};
use serde_json::{Value, json};

use super::querier::{WeChatQuerier, failure, unavailable};
use crate::{
    asked::of_our_account,
    beijing,
    encoding::percent_encoded,
    query::{RawRequest, RawResponse, unusable, written},
};

/// The codes of errors by which a checkout is refused. Each may stand for a repeat of one that is there, which
/// has other parameters or was paid. What is wrong with a parameter may be the payer's own.
const REFUSED_CODES: [&str; 8] = [
    "ACCOUNT_ERROR",
    "ACCOUNTERROR",
    "INVALID_REQUEST",
    "OUT_TRADE_NO_USED",
    "PARAM_ERROR",
    "RULE_LIMIT",
    "RULELIMIT",
    "TRADE_ERROR",
];

/// The code that comes with the status 500 where the payer's id is of another app.
const OTHER_APP: &str = "OPENID_MISMATCH";

/// The codes of errors that say that an order was paid or closed. Both spellings occur.
pub(super) const ENDED_CODES: [&str; 4] =
    ["ORDERCLOSED", "ORDERPAID", "ORDER_CLOSED", "ORDER_PAID"];

/// Where a checkout of a method is made, after `/v3/pay/transactions/`.
fn path(method: CheckoutMethod) -> Result<&'static str, QueryError> {
    match method {
        CheckoutMethod::WeChatNative => Ok("native"),
        CheckoutMethod::WeChatH5 => Ok("h5"),
        CheckoutMethod::WeChatJsapi => Ok("jsapi"),
        CheckoutMethod::WeChatApp => Ok("app"),
        CheckoutMethod::StripeCheckout
        | CheckoutMethod::StripeIntent
        | CheckoutMethod::AlipayPage
        | CheckoutMethod::AlipayWap
        | CheckoutMethod::AlipayQr
        | CheckoutMethod::AlipayApp => Err(unusable("a checkout of another provider's")),
    }
}

impl WeChatQuerier {
    /// The request that makes a checkout. The same `out_trade_no` with the same parameters is the same order.
    pub(super) fn order_checkout(
        &self,
        order: &CheckoutOrder<'_>,
        nonce: &str,
        now: Timestamp,
    ) -> Result<RawRequest, QueryError> {
        let (checkout, amount) = (order.checkout, order.amount);
        of_our_account(&checkout.account, &self.mchid)?;
        if !Provider::WeChat.collects(amount.currency()) {
            return Err(unusable("a checkout in another currency than WeChat Pay's"));
        }
        let parameters = &checkout.parameters;
        let path = path(parameters.method)?;
        let notify_url = parameters.notify_url.as_ref();
        let notify_url = notify_url.ok_or_else(|| unusable("a checkout without `notify_url`"))?;
        let expires = beijing::rfc3339(checkout.expires_time);
        let payer_ip = parameters.payer_ip.as_ref().map(PayerIp::to_string);
        let content = json!({
            "amount": {"currency": amount.currency().code(), "total": amount.minor()},
            "appid": self.appid()?,
            "description": parameters.description.as_str(),
            "mchid": self.mchid.as_str(),
            "notify_url": notify_url.as_str(),
            "out_trade_no": checkout.reference.to_string(),
            "payer": parameters.openid.as_ref().map(|of| json!({"openid": OpenId::as_str(of)})),
            "scene_info": payer_ip.map(|ip| scene(parameters.method, &ip)),
            "time_expire": expires.ok_or_else(|| unusable("a time without a calendar"))?,
        });
        let target = format!("/v3/pay/transactions/{path}");
        let mut request = self.signed("POST", target, written(content), (nonce, now))?;
        request.headers.push(("content-type", "application/json".to_owned()));
        Ok(request)
    }

    /// What the response to an order proves. WeChat Pay signs successes only; of the errors, the codes that
    /// are listed count, as those of queries do.
    ///
    /// Nothing in a success repeats our reference: that it is about this order is proved by the connection.
    pub(super) fn made_checkout(
        &self,
        order: &CheckoutOrder<'_>,
        response: &RawResponse<'_>,
        (nonce, now): (&str, Timestamp),
    ) -> Result<StartedCheckout, CheckoutCallError> {
        let RawResponse { status, headers, body } = *response;
        if status != 200 {
            let error = Object::parse_message(body).unwrap_or_default();
            return Err(not_made(status, error.text("code")));
        }
        self.authenticate(headers, body, now)?;
        let object = Object::parse_message(body).ok_or_else(|| unusable("not a JSON object"))?;
        let action = self.action(order, &object, (nonce, now))?;
        Ok(StartedCheckout { provider_id: None, action })
    }

    /// What an authentic response lets the payer's program do.
    fn action(
        &self,
        order: &CheckoutOrder<'_>,
        response: &Object,
        signed_with: (&str, Timestamp),
    ) -> Result<CheckoutAction, QueryError> {
        let parameters = &order.checkout.parameters;
        let text = |name| {
            let text = response.text(name).filter(|text| !text.is_empty());
            text.ok_or_else(|| unusable("a response about another method"))
        };
        match parameters.method {
            CheckoutMethod::WeChatNative => {
                Ok(CheckoutAction::Qr { text: text("code_url")?.to_owned() })
            }
            CheckoutMethod::WeChatH5 => {
                let url = text("h5_url")?;
                let is_web = url.starts_with("https://");
                let url = is_web.then_some(url).ok_or_else(|| unusable("no `https` URL"))?;
                Ok(CheckoutAction::Redirect { url: h5(url, parameters.return_url.as_ref()) })
            }
            CheckoutMethod::WeChatJsapi => self.jsapi(text("prepay_id")?, signed_with),
            CheckoutMethod::WeChatApp => self.app(text("prepay_id")?, signed_with),
            CheckoutMethod::StripeCheckout
            | CheckoutMethod::StripeIntent
            | CheckoutMethod::AlipayPage
            | CheckoutMethod::AlipayWap
            | CheckoutMethod::AlipayQr
            | CheckoutMethod::AlipayApp => Err(unusable("a checkout of another provider's")),
        }
    }

    /// What `WeixinJSBridge.invoke("getBrandWCPayRequest")` and `wx.requestPayment` take. The latter has the
    /// app's id by itself.
    fn jsapi(
        &self,
        prepay_id: &str,
        (nonce, now): (&str, Timestamp),
    ) -> Result<CheckoutAction, QueryError> {
        let (appid, timestamp) = (self.appid()?, now.secs().to_string());
        let package = format!("prepay_id={prepay_id}");
        let sign = self.pay_sign([appid, &timestamp, nonce, &package])?;
        Ok(CheckoutAction::Client {
            parameters: vec![
                ("appId", appid.to_owned()),
                ("timeStamp", timestamp),
                ("nonceStr", nonce.to_owned()),
                ("package", package),
                ("signType", "RSA".to_owned()),
                ("paySign", sign),
            ],
        })
    }

    /// What the SDKs for apps take.
    fn app(
        &self,
        prepay_id: &str,
        (nonce, now): (&str, Timestamp),
    ) -> Result<CheckoutAction, QueryError> {
        let (appid, timestamp) = (self.appid()?, now.secs().to_string());
        let sign = self.pay_sign([appid, &timestamp, nonce, prepay_id])?;
        Ok(CheckoutAction::Client {
            parameters: vec![
                ("appid", appid.to_owned()),
                ("partnerid", self.mchid.as_str().to_owned()),
                ("prepayid", prepay_id.to_owned()),
                ("package", "Sign=WXPay".to_owned()),
                ("noncestr", nonce.to_owned()),
                ("timestamp", timestamp),
                ("sign", sign),
            ],
        })
    }

    /// The signature over four lines, by which the payer's WeChat knows that we ordered.
    fn pay_sign(&self, lines: [&str; 4]) -> Result<String, QueryError> {
        let [appid, timestamp, nonce, prepay] = lines;
        let signed = format!("{appid}\n{timestamp}\n{nonce}\n{prepay}\n");
        let signature = self.private_key.sign(signed.as_bytes());
        signature.ok_or_else(|| unusable("there is no randomness to sign with"))
    }

    /// The app that checkouts are made with.
    fn appid(&self) -> Result<&str, QueryError> {
        let appid = self.keys.appids.first().map(String::as_str);
        appid.ok_or_else(|| QueryError::Rejected("`wechat` has no `appid` to order with".into()))
    }
}

/// What an error without a signature proves.
fn not_made(status: u16, code: Option<&str>) -> CheckoutCallError {
    match (status, code) {
        (400 | 403, Some(code)) if ENDED_CODES.contains(&code) => CheckoutCallError::Ended,
        (400 | 403, Some(code)) if REFUSED_CODES.contains(&code) => refused(code),
        (400 | 403 | 500, Some(OTHER_APP)) => refused(OTHER_APP),
        (202 | 429 | 500..=599, _) => unavailable(status).into(),
        (_, code) => failure(status, code).into(),
    }
}

/// A refused request, which proves nothing of an earlier attempt.
fn refused(code: &str) -> CheckoutCallError {
    CheckoutCallError::Refused { code: code.to_owned(), is_absent: false }
}

/// Where the payer is; only a page on a phone must say that it is one.
fn scene(method: CheckoutMethod, payer_ip: &str) -> Value {
    let h5 = (method == CheckoutMethod::WeChatH5).then(|| json!({"type": "Wap"}));
    let mut scene = json!({"payer_client_ip": payer_ip});
    if let (Some(members), Some(h5)) = (scene.as_object_mut(), h5) {
        members.insert("h5_info".to_owned(), h5);
    }
    scene
}

/// The URL, from which the payer comes back to this page of the shop.
fn h5(url: &str, return_url: Option<&WebUrl>) -> String {
    let back = |to: &WebUrl| format!("{url}&redirect_url={}", percent_encoded(to.as_str()));
    return_url.map_or_else(|| url.to_owned(), back)
}
