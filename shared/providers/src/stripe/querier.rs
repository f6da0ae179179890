//! How the key is configured, how the request of a query is built, and which status of a response counts.

use std::fmt;

use pay_core::{
    domain::{Checkout, MerchantAccount, Timestamp},
    json::Json,
    ports::{
        BadSecret, CheckoutCallError, CheckoutOrder, Query, QueryError, QueryResponse,
        RefundCallError, RefundOrder, StartedCheckout,
    },
};

use super::{checkout_call, close_call, keys::truth, refund_call, response, target::Target};
use crate::{
    asked::of_our_account,
    keys::optional_text,
    query::{CheckoutStep, Querier, RawRequest, RawResponse, USER_AGENT},
};

/// The version of the API that responses have, whatever version the account is on.
///
/// Source: `info.version` of `openapi/spec3.json` in stripe/openapi, as stripe-mock 0.203.0 has it.
pub(super) const VERSION: &str = "2026-08-26.dahlia";

/// The key that Stripe is queried with. Never printed.
#[derive(Clone)]
pub(super) struct StripeQuerier {
    api_key: String,
    account: Option<String>,
    /// The account and the mode that the key is of.
    pub(super) merchant: MerchantAccount,
    shared: bool,
}

impl StripeQuerier {
    /// Reads the entry `stripe` of the provider secret: `{"api_key": "rk_…"}`, without white space
    /// around it. A restricted key needs to read `PaymentIntent`s, charges, refunds and Checkout sessions, and to
    /// write those that it is to make.
    ///
    /// `"account": "acct_…"` is the connected account that is asked about with the platform's key. With
    /// `"shared": true` other products use the account, and an object that names no payment is not ours.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: no key, or one that is neither a restricted nor a secret key; another `account` or
    /// `shared` than an account's id or a truth value.
    pub(super) fn from_json(entry: &Json) -> Result<Self, BadSecret> {
        let entry = entry.as_object().ok_or(BadSecret("`stripe` is not an object"))?;
        let api_key = entry.text("api_key").ok_or(BadSecret("`stripe` has no `api_key`"))?.trim();
        let secret = ["rk_", "sk_"].iter().find_map(|prefix| api_key.strip_prefix(prefix));
        let fits = secret.is_some_and(|secret| {
            !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_graphic())
        });
        if !fits {
            return Err(BadSecret("`api_key` of `stripe` is not `rk_…` or `sk_…`"));
        }
        let bad = BadSecret("`account` of `stripe` is not `acct_…`");
        let account = optional_text(entry, "account", bad)?;
        let is_account = |id: &String| {
            id.strip_prefix("acct_").is_some_and(|id| id.bytes().all(|b| b.is_ascii_alphanumeric()))
        };
        if !account.iter().all(is_account) {
            return Err(bad);
        }
        let not_truth = BadSecret("`shared` of `stripe` is not true or false");
        let shared = truth(entry, "shared", not_truth)?.unwrap_or(false);
        let merchant = merchant(secret.unwrap_or_default(), account.as_deref());
        let merchant = MerchantAccount::new(&merchant).map_err(|_out_of_range| bad)?;
        Ok(Self { api_key: api_key.to_owned(), account, merchant, shared })
    }

    /// The headers that every request has.
    pub(super) fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("authorization", format!("Bearer {}", self.api_key)),
            ("stripe-version", VERSION.to_owned()),
            ("accept", "application/json".to_owned()),
            ("user-agent", USER_AGENT.to_owned()),
        ];
        headers.extend(self.account.clone().map(|account| ("stripe-account", account)));
        headers
    }

    /// A request that reads.
    pub(super) fn get(&self, target: String) -> RawRequest {
        RawRequest { method: "GET", target, headers: self.headers(), body: Vec::new() }
    }

    /// A request that writes. A repeat with the same key gets the first response, while Stripe knows the key.
    pub(super) fn post(&self, target: String, body: String, key: Option<&str>) -> RawRequest {
        let mut headers = self.headers();
        headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
        headers.extend(key.map(|key| ("idempotency-key", key.to_owned())));
        RawRequest { method: "POST", target, headers, body: body.into_bytes() }
    }
}

/// The mode of a key, and the account where it is named: a key does not say of which account it is, and lives
/// shorter than the account.
fn merchant(secret: &str, account: Option<&str>) -> String {
    let mode = if secret.starts_with("test_") { "test" } else { "live" };
    account.map_or_else(|| mode.to_owned(), |account| format!("{mode}-{account}"))
}

impl Querier for StripeQuerier {
    fn request(
        &self,
        query: &Query,
        _nonce: &str,
        _now: Timestamp,
    ) -> Result<RawRequest, QueryError> {
        self.knows(query)?;
        Ok(self.get(Target::of(query)?.path()))
    }

    /// A 404 proves nothing: the key may be of another account or mode.
    fn response(
        &self,
        query: &Query,
        response: &RawResponse<'_>,
        _now: Timestamp,
    ) -> Result<QueryResponse, QueryError> {
        self.knows(query)?;
        match response.status {
            200 => response::read(query, response.body, self.shared),
            status => Err(failure(status)),
        }
    }

    fn refund_request(
        &self,
        order: &RefundOrder<'_>,
        _nonce: &str,
        _now: Timestamp,
    ) -> Result<RawRequest, QueryError> {
        self.order_refund(order)
    }

    fn refund_response(
        &self,
        order: &RefundOrder<'_>,
        response: &RawResponse<'_>,
        _now: Timestamp,
    ) -> Result<QueryResponse, RefundCallError> {
        refund_call::read(order, response)
    }

    fn account(&self) -> Option<MerchantAccount> {
        Some(self.merchant.clone())
    }

    fn checkout_request(
        &self,
        order: &CheckoutOrder<'_>,
        _nonce: &str,
        _now: Timestamp,
    ) -> Result<CheckoutStep, QueryError> {
        self.order_checkout(order).map(CheckoutStep::Send)
    }

    fn checkout_response(
        &self,
        order: &CheckoutOrder<'_>,
        response: &RawResponse<'_>,
        _nonce: &str,
        _now: Timestamp,
    ) -> Result<StartedCheckout, CheckoutCallError> {
        checkout_call::read(order, response)
    }

    fn close_request(
        &self,
        checkout: &Checkout,
        _nonce: &str,
        _now: Timestamp,
    ) -> Result<RawRequest, QueryError> {
        self.order_close(checkout)
    }

    fn close_response(
        &self,
        checkout: &Checkout,
        response: &RawResponse<'_>,
        _now: Timestamp,
    ) -> Result<(), QueryError> {
        close_call::read(checkout, response)
    }
}

impl StripeQuerier {
    /// Whether what a query is about was made with our account.
    fn knows(&self, query: &Query) -> Result<(), QueryError> {
        match query {
            Query::Checkout { account, .. } => of_our_account(account, &self.merchant),
            Query::Payment { .. }
            | Query::Refunds { .. }
            | Query::Refund { .. }
            | Query::Object(_) => Ok(()),
        }
    }
}

/// What a response with another status than 200 proves by it: nothing.
pub(super) fn failure(status: u16) -> QueryError {
    let cause = format!("Stripe's response has the status {status}").into();
    match status {
        401 | 403 => QueryError::Rejected(cause),
        429 | 500..=599 => QueryError::Unavailable(cause),
        _ => QueryError::Unusable(cause),
    }
}

impl fmt::Debug for StripeQuerier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StripeQuerier(..)")
    }
}
