//! The handler of create: `POST /api/pay/create`, `POST /api/pay/checkout` and `POST /api/pay/close`, and the
//! same by direct invoke.

mod checkout;
mod close;

use http::{HeaderName, HeaderValue};
use pay_core::{
    domain::{Amount, Currency, OrderId, Provider, Sender, TimeToLive, UserId, WebUrl},
    ports::{Keys, Orders, Outbox, PaymentIds, Payments, Providers, Users},
    usecases::{
        create::{CreateError, CreatePayment, CreatedPayment, create},
        query::QueryPorts,
    },
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
    /// Starts a checkout of a payment at a provider.
    Checkout: Some("checkout"), Some("POST /api/pay/checkout");
    /// Closes a payment.
    Close: Some("close"), Some("POST /api/pay/close");
}

/// What the function works with.
#[derive(Debug)]
pub struct CreateApp<S, U, O, P, I, K> {
    /// The store of payments.
    pub store: S,
    /// The shop's users.
    pub users: U,
    /// The shop's orders.
    pub orders: O,
    /// The payment providers.
    pub providers: P,
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
    /// Where each provider sends its notifications, where that is configured.
    pub notify_urls: Vec<(Provider, WebUrl)>,
    /// How long a payment can be paid, where that is limited.
    pub time_to_live: Option<TimeToLive>,
}

/// Who asks: a payer by their token, or anybody whom IAM lets invoke the function.
#[derive(Clone, Copy, Debug)]
struct Asker {
    payer: Option<UserId>,
    sender: Sender,
}

impl<S, U, O, P, I, K> CreateApp<S, U, O, P, I, K>
where
    S: Payments + Outbox,
    U: Users,
    O: Orders,
    P: Providers,
    I: PaymentIds,
    K: Keys<AuthKey>,
{
    /// Responds to one request.
    ///
    /// # Errors
    ///
    /// [`Problem`]: token, media type, JSON, ranges, another's `uid`, then the rules of
    /// [`pay_core::usecases::create`], [`pay_core::usecases::checkout`] and [`pay_core::usecases::close`].
    pub async fn handle(
        &self,
        entry_point: EntryPoint,
        invocation: Invocation,
    ) -> Result<Response, Problem> {
        match entry_point {
            EntryPoint::HttpApi(request) => {
                let operation = Operation::of_request(&request)?;
                let (keys, rules) = (&self.auth_keys, &self.rules);
                let payer = request.payer(keys, rules, invocation.now).await?;
                let asker = Asker { payer: Some(payer), sender: Sender::Native };
                let fields = request.json()?;
                let key = match operation {
                    Operation::Create => request.header(IDEMPOTENCY_HEADER)?,
                    Operation::Checkout | Operation::Close => None,
                };
                self.run(operation, asker, (&fields, key, request.body()), &invocation).await
            }
            EntryPoint::Direct(event) => {
                let body = event.get().as_bytes();
                let fields = Fields::parse(body)?;
                let operation = Operation::of_fields(&fields)?.unwrap_or(Operation::Create);
                let asker = Asker { payer: None, sender: Sender::Operator };
                let key = match operation {
                    Operation::Create => {
                        fields.optional_text(IDEMPOTENCY_FIELD, |key| Ok(key.to_owned()))?
                    }
                    Operation::Checkout | Operation::Close => None,
                };
                self.run(operation, asker, (&fields, key.as_deref(), body), &invocation).await
            }
        }
    }

    async fn run(
        &self,
        operation: Operation,
        asker: Asker,
        (fields, key, body): (&Fields, Option<&str>, &[u8]),
        invocation: &Invocation,
    ) -> Result<Response, Problem> {
        let Self { users, orders, store, providers, .. } = self;
        let ports = QueryPorts { users, orders, store, providers };
        match operation {
            Operation::Create => Box::pin(self.create(asker, fields, key, invocation)).await,
            Operation::Checkout => {
                let config = (self.notify_urls.as_slice(), self.time_to_live);
                let request = checkout::read(fields, asker, config, body)?;
                Box::pin(checkout::run(&ports, &request, invocation)).await
            }
            Operation::Close => {
                let request = close::read(fields, asker, body)?;
                Box::pin(close::run(&ports, &request, invocation)).await
            }
        }
    }

    async fn create(
        &self,
        asker: Asker,
        fields: &Fields,
        key: Option<&str>,
        Invocation { now, trace, .. }: &Invocation,
    ) -> Result<Response, Problem> {
        let request = self.read(fields, key)?;
        if asker.payer.is_some_and(|payer| payer != request.uid) {
            return Err(Code::Forbidden.into());
        }
        let shop = (&self.users, &self.orders);
        let created = create(shop, (&self.store, &self.ids), request, *now, trace).await;
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
            time_to_live: self.time_to_live,
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

#[cfg(test)]
mod tests {
    use super::Operation;

    #[test]
    fn routes_and_names_are_those_of_the_contract() {
        let all = Operation::ALL.iter().map(|operation| (operation.name(), operation.route()));
        let contract = [
            (Some("create"), Some("POST /api/pay/create")),
            (Some("checkout"), Some("POST /api/pay/checkout")),
            (Some("close"), Some("POST /api/pay/close")),
        ];
        assert!(all.eq(contract));
    }
}
