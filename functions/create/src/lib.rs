//! The edge of create: `POST /api/pay/create`, and the same by direct invoke.

use http::{HeaderName, HeaderValue};
use pay_core::{
    domain::{Amount, Currency, Digest, OrderId, UserId},
    ports::{Keys, Orders, PaymentIds, PaymentStore, Users},
    usecases::create::{CreateError, CreatePayment, CreatedPayment, create},
};
use pay_service::{
    auth::{AuthKey, TokenRules},
    http::{Answer, Code, Door, Fields, Invocation, Refusal, sha256},
    metrics,
};
use serde_json::json;

/// How many bytes a request may have.
pub const BODY_MAX: usize = 64 * 1024;

const KEY_HEADER: &str = "idempotency-key";
const KEY_FIELD: &str = "idempotency_key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What the function works with.
#[derive(Debug)]
pub struct App<S, U, O, I, K> {
    /// Where payments are kept.
    pub store: S,
    /// The shop's users.
    pub users: U,
    /// The shop's orders.
    pub orders: O,
    /// Where ids come from.
    pub ids: I,
    /// What payers' tokens are signed with.
    pub auth_keys: K,
    /// What else a token must say.
    pub rules: TokenRules,
    /// What every amount is in.
    pub currency: Currency,
}

/// Answers one request.
///
/// # Errors
///
/// [`Refusal`]: token, media type, JSON, ranges, another's `uid`, then the rules of
/// [`pay_core::usecases::create`].
pub async fn handle<S, U, O, I, K>(
    app: &App<S, U, O, I, K>,
    door: Door,
    invocation: Invocation,
) -> Result<Answer, Refusal>
where
    S: PaymentStore,
    U: Users,
    O: Orders,
    I: PaymentIds,
    K: Keys<AuthKey>,
{
    let Invocation { now, trace, .. } = invocation;
    let request = match door {
        Door::Api(request) => {
            let payer = request.payer(&app.auth_keys, &app.rules, now).await?;
            let fields = request.json()?;
            let key = request.header(KEY_HEADER)?;
            let wanted = read(&fields, key, app.currency)?;
            if wanted.uid != payer {
                return Err(Code::Forbidden.into());
            }
            wanted
        }
        Door::Direct(event) => {
            let fields = Fields::parse(event.get().as_bytes())?;
            let key = fields.optional_text(KEY_FIELD, |key| Ok(key.to_owned()))?;
            read(&fields, key.as_deref(), app.currency)?
        }
    };
    let shop = (&app.users, &app.orders);
    let created = create(shop, (&app.store, &app.ids), request, now, &trace).await;
    count(&created);
    let created = created?;
    let answer = Answer::json(&json!({ "id": created.id.get() }))?.about(created.id);
    Ok(if created.replayed {
        answer.with_header(REPLAYED, HeaderValue::from_static("true"))
    } else {
        answer
    })
}

fn count(created: &Result<CreatedPayment, CreateError>) {
    match created {
        Ok(CreatedPayment { replayed: false, .. }) => metrics::PAYMENTS_CREATED.count(),
        Ok(CreatedPayment { replayed: true, .. }) => metrics::CREATES_REPLAYED.count(),
        Err(CreateError::PaymentExists(_) | CreateError::KeyReused) => {
            metrics::DUPLICATES_REFUSED.count();
        }
        Err(_) => {}
    }
}

fn read(fields: &Fields, key: Option<&str>, currency: Currency) -> Result<CreatePayment, Refusal> {
    let uid = fields.required_number("uid", UserId::new)?;
    Ok(CreatePayment {
        uid,
        oid: fields.required_number("oid", OrderId::new)?,
        amount: fields.required_number("amount", |minor| Amount::new(minor, currency))?,
        key: key.map(|key| key_digest(uid, key)).transpose()?,
    })
}

/// The digest of an Idempotency-Key, which is the payer's own: another user's equal key is another.
fn key_digest(uid: UserId, key: &str) -> Result<Digest, Refusal> {
    let fits = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(sha256(&[&uid.get().to_be_bytes(), key.as_bytes()]))
    } else {
        Err(Refusal::invalid("an Idempotency-Key is 1 to 255 visible ASCII characters"))
    }
}
