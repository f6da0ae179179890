//! The handler of create: `POST /api/pay/create`, and the same by direct invoke.

use http::{HeaderName, HeaderValue};
use pay_core::{
    domain::{Amount, Currency, OrderId, UserId},
    ports::{Keys, Orders, PaymentIds, Payments, Users},
    usecases::create::{CreateError, CreatePayment, CreatedPayment, create},
};
use pay_service::{
    auth::{AuthKey, TokenRules},
    http::{
        Code, EntryPoint, Fields, IDEMPOTENCY_FIELD, IDEMPOTENCY_HEADER, Invocation, Problem,
        Response, idempotency_digest,
    },
    metrics,
};
use serde_json::json;

pub use pay_service::limits::REQUEST_MAX_BYTES as BODY_MAX;

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

pay_service::operations! {
    /// Creates a payment for an order.
    Create: Some("create"), Some("POST /api/pay/create");
}

/// What the function works with.
#[derive(Debug)]
pub struct CreateApp<S, U, O, I, K> {
    /// The store of payments.
    pub store: S,
    /// The shop's users.
    pub users: U,
    /// The shop's orders.
    pub orders: O,
    /// Where ids come from.
    pub ids: I,
    /// The keys that payers' tokens are signed with.
    pub auth_keys: K,
    /// What else a token must say.
    pub rules: TokenRules,
    /// The currency of every amount.
    pub currency: Currency,
    /// Whether providers can be asked what became of a payment.
    pub queried: bool,
}

impl<S: Payments, U: Users, O: Orders, I: PaymentIds, K: Keys<AuthKey>> CreateApp<S, U, O, I, K> {
    /// Responds to one request.
    ///
    /// # Errors
    ///
    /// [`Problem`]: token, media type, JSON, ranges, another's `uid`, then the rules of
    /// [`pay_core::usecases::create`].
    pub async fn handle(
        &self,
        entry_point: EntryPoint,
        invocation: Invocation,
    ) -> Result<Response, Problem> {
        let Invocation { now, trace, .. } = invocation;
        let request = match entry_point {
            EntryPoint::HttpApi(request) => {
                // There is only one: any other route is a problem.
                let Operation::Create = Operation::of_request(&request)?;
                let payer = request.payer(&self.auth_keys, &self.rules, now).await?;
                let fields = request.json()?;
                let key = request.header(IDEMPOTENCY_HEADER)?;
                let wanted = self.read(&fields, key)?;
                if wanted.uid != payer {
                    return Err(Code::Forbidden.into());
                }
                wanted
            }
            EntryPoint::Direct(event) => {
                let fields = Fields::parse(event.get().as_bytes())?;
                // There is only one: any other name is a problem.
                let Operation::Create = Operation::of_fields(&fields)?.unwrap_or(Operation::Create);
                let key = fields.optional_text(IDEMPOTENCY_FIELD, |key| Ok(key.to_owned()))?;
                self.read(&fields, key.as_deref())?
            }
        };
        let shop = (&self.users, &self.orders);
        let created = create(shop, (&self.store, &self.ids), request, now, &trace).await;
        count(&created);
        let created = created?;
        let response = Response::json(&json!({ "id": created.id.get() }))?.about(created.id);
        Ok(if created.replayed {
            response.with_header(REPLAYED, HeaderValue::from_static("true"))
        } else {
            response
        })
    }

    fn read(&self, fields: &Fields, key: Option<&str>) -> Result<CreatePayment, Problem> {
        let uid = fields.required_number("uid", UserId::new)?;
        let amount = |minor| Amount::new(minor, self.currency);
        Ok(CreatePayment {
            uid,
            oid: fields.required_number("oid", OrderId::new)?,
            amount: fields.required_number("amount", amount)?,
            key: key.map(|key| idempotency_digest(uid.get(), key)).transpose()?,
            queried: self.queried,
        })
    }
}

fn count(created: &Result<CreatedPayment, CreateError>) {
    match created {
        Ok(CreatedPayment { replayed: false, .. }) => metrics::PAYMENTS_CREATED.count(),
        Ok(CreatedPayment { replayed: true, .. }) => metrics::CREATES_REPLAYED.count(),
        Err(CreateError::PaymentExists(_) | CreateError::KeyReused) => {
            metrics::DUPLICATES_REJECTED.count();
        }
        Err(_) => {}
    }
}
