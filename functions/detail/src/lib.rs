//! The edge of detail: `POST /api/pay/detail` and `POST /api/pay/list`, and both by direct invoke.

use pay_core::{
    domain::{OrderId, PaymentId, UserId},
    ports::{Keys, PaymentStore},
    usecases::{
        detail::{Wanted, detail},
        list::{PageSize, list},
    },
};
use pay_service::{
    auth::{AuthKey, TokenRules},
    http::{Answer, Door, Fields, Invocation, Refusal, payment_body},
};
use serde::Serialize;

/// How many bytes a request may have.
pub const BODY_MAX: usize = 64 * 1024;

/// What the function works with.
#[derive(Debug)]
pub struct App<S, K> {
    /// Where payments are kept.
    pub store: S,
    /// What payers' tokens are signed with.
    pub auth_keys: K,
    /// What else a token must say.
    pub rules: TokenRules,
}

/// Answers one request.
///
/// # Errors
///
/// [`Refusal`]: token, media type, JSON, ranges, then [`pay_core::usecases::detail::DetailError`].
pub async fn handle<S: PaymentStore, K: Keys<AuthKey>>(
    app: &App<S, K>,
    door: Door,
    invocation: Invocation,
) -> Result<Answer, Refusal> {
    match door {
        Door::Api(request) => {
            let payer = request.payer(&app.auth_keys, &app.rules, invocation.now).await?;
            let fields = request.json()?;
            if request.route().ends_with("/list") {
                show_list(app, &fields, payer).await
            } else {
                show_one(app, &fields, Some(payer)).await
            }
        }
        Door::Direct(event) => {
            let fields = Fields::parse(event.get().as_bytes())?;
            // A list is of a user; one payment is named by its own id or its order's.
            match fields.optional_number("uid", UserId::new)? {
                Some(uid) if fields.get("id").is_none() && fields.get("oid").is_none() => {
                    show_list(app, &fields, uid).await
                }
                Some(_) | None => show_one(app, &fields, None).await,
            }
        }
    }
}

async fn show_one<S: PaymentStore, K>(
    app: &App<S, K>,
    fields: &Fields,
    viewer: Option<UserId>,
) -> Result<Answer, Refusal> {
    let id = fields.optional_number("id", PaymentId::new)?;
    let oid = fields.optional_number("oid", OrderId::new)?;
    let wanted = match (id, oid) {
        (Some(id), None) => Wanted::Id(id),
        (None, Some(oid)) => Wanted::Order(oid),
        (None, None) | (Some(_), Some(_)) => {
            return Err(Refusal::invalid("exactly one of `id` and `oid` is needed"));
        }
    };
    let payment = detail(&app.store, wanted, viewer).await?;
    Ok(Answer::json(&payment_body(&payment)?)?.about(payment.id))
}

#[derive(Serialize)]
struct ListBody<P> {
    payments: Vec<P>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<u64>,
}

async fn show_list<S: PaymentStore, K>(
    app: &App<S, K>,
    fields: &Fields,
    uid: UserId,
) -> Result<Answer, Refusal> {
    let size = fields.optional_number("limit", PageSize::new)?.unwrap_or(PageSize::DEFAULT);
    let cursor = fields.optional_number("cursor", PaymentId::new)?;
    let page = list(&app.store, uid, cursor, size).await?;
    Answer::json(&ListBody {
        payments: page.payments.iter().map(payment_body).collect::<Result<_, _>>()?,
        cursor: page.cursor.map(PaymentId::get),
    })
}
