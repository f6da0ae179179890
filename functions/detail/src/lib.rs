//! The handler of detail: `POST /api/pay/detail` and `POST /api/pay/list`, and both by direct invoke.

use pay_core::{
    domain::{OrderId, PaymentId, UserId},
    ports::{Keys, PaymentLists, Payments},
    usecases::{
        detail::{Wanted, detail},
        list::{PageSize, list},
    },
};
use pay_service::{
    auth::{AuthKey, TokenRules},
    http::{EntryPoint, Fields, Invocation, Problem, Response, payment_body},
};
use serde::Serialize;

pub use pay_service::limits::REQUEST_MAX_BYTES as BODY_MAX;

pay_service::operations! {
    /// Shows one payment, by its id or by its order.
    Detail: Some("detail"), Some("POST /api/pay/detail");
    /// Lists a user's payments.
    List: Some("list"), Some("POST /api/pay/list");
}

/// What the function works with.
#[derive(Debug)]
pub struct DetailApp<S, K> {
    /// The store of payments.
    pub store: S,
    /// The keys that payers' tokens are signed with.
    pub auth_keys: K,
    /// What else a token must say.
    pub rules: TokenRules,
}

impl<S: Payments + PaymentLists, K: Keys<AuthKey>> DetailApp<S, K> {
    /// Responds to one request.
    ///
    /// # Errors
    ///
    /// [`Problem`]: token, media type, JSON, ranges, then
    /// [`pay_core::usecases::detail::DetailError`].
    pub async fn handle(
        &self,
        entry_point: EntryPoint,
        invocation: Invocation,
    ) -> Result<Response, Problem> {
        match entry_point {
            EntryPoint::HttpApi(request) => {
                let operation = Operation::of_request(&request)?;
                let payer = request.payer(&self.auth_keys, &self.rules, invocation.now).await?;
                let fields = request.json()?;
                match operation {
                    Operation::Detail => self.detail(&fields, Some(payer)).await,
                    Operation::List => self.list(&fields, payer).await,
                }
            }
            EntryPoint::Direct(event) => {
                let fields = Fields::parse(event.get().as_bytes())?;
                match Operation::of_direct(&fields)? {
                    Operation::Detail => self.detail(&fields, None).await,
                    Operation::List => {
                        let uid = fields.required_number("uid", UserId::new)?;
                        self.list(&fields, uid).await
                    }
                }
            }
        }
    }

    async fn detail(&self, fields: &Fields, viewer: Option<UserId>) -> Result<Response, Problem> {
        let id = fields.optional_number("id", PaymentId::new)?;
        let oid = fields.optional_number("oid", OrderId::new)?;
        let wanted = match (id, oid) {
            (Some(id), None) => Wanted::Id(id),
            (None, Some(oid)) => Wanted::Order(oid),
            (None, None) | (Some(_), Some(_)) => {
                return Err(Problem::invalid("exactly one of `id` and `oid` is needed"));
            }
        };
        let payment = detail(&self.store, wanted, viewer).await?;
        Ok(Response::json(&payment_body(&payment)?)?.about(payment.id))
    }

    async fn list(&self, fields: &Fields, uid: UserId) -> Result<Response, Problem> {
        let size = fields.optional_number("limit", PageSize::new)?.unwrap_or(PageSize::DEFAULT);
        let cursor = fields.optional_number("cursor", PaymentId::new)?;
        let page = list(&self.store, uid, cursor, size).await?;
        Response::json(&ListBody {
            payments: page.payments.iter().map(payment_body).collect::<Result<_, _>>()?,
            cursor: page.cursor.map(PaymentId::get),
        })
    }
}

impl Operation {
    /// What a direct event asks for: by its `operation`, else by its shape. A list is of a user; one
    /// payment is named by its own id or its order's.
    fn of_direct(fields: &Fields) -> Result<Self, Problem> {
        if let Some(operation) = Self::of_fields(fields)? {
            return Ok(operation);
        }
        let of_user = fields.optional_number("uid", UserId::new)?.is_some();
        let of_one = fields.get("id").is_some() || fields.get("oid").is_some();
        Ok(if of_user && !of_one { Self::List } else { Self::Detail })
    }
}

#[derive(Serialize)]
struct ListBody<P> {
    payments: Vec<P>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operation_is_read_from_a_direct_event() {
        let direct = |event: &str| Operation::of_direct(&Fields::parse(event.as_bytes()).unwrap());
        for (event, want) in [
            (r#"{"id":1}"#, Operation::Detail),
            (r#"{"oid":1}"#, Operation::Detail),
            (r#"{"uid":1,"id":1}"#, Operation::Detail),
            ("{}", Operation::Detail),
            (r#"{"uid":1}"#, Operation::List),
            (r#"{"operation":"list"}"#, Operation::List),
            (r#"{"operation":"detail","uid":1}"#, Operation::Detail),
        ] {
            assert_eq!(direct(event).unwrap(), want, "{event}");
        }
        for event in [r#"{"operation":"create"}"#, r#"{"operation":7}"#, r#"{"uid":0}"#] {
            assert!(direct(event).is_err(), "{event}");
        }
    }
}
