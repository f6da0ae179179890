//! A checkout: `POST /api/pay/checkout`, and the same by direct invoke.

use pay_core::{
    domain::{
        CheckoutMethod, Description, OpenId, PayerIp, PaymentId, Provider, RawBody, TimeToLive,
        WebUrl,
    },
    ports::CheckoutAction,
    usecases::{
        checkout::{AskedCheckout, CheckoutPayment, StartedPayment, checkout},
        query::{AnyQueryPorts, Observe},
    },
};
use pay_service::{
    http::{Fields, Invocation, Problem, Response, rfc3339, sha256},
    metrics, outcome,
};
use serde_json::{Map, Value, json};

use crate::Asker;

/// Reads a request. What its method does not use is checked like the rest, and left out.
///
/// # Errors
///
/// [`pay_service::http::Code::InvalidRequest`]: `id`, `provider`, `method`, then the members of the method.
pub(crate) fn read(
    fields: &Fields,
    Asker { payer, sender }: Asker,
    (notify_urls, time_to_live): (&[(Provider, WebUrl)], Option<TimeToLive>),
    body: &[u8],
) -> Result<CheckoutPayment, Problem> {
    let id = fields.required_number("id", PaymentId::new)?;
    let provider = fields.required_text("provider", Provider::new)?;
    let method = fields.required_text("method", |name| CheckoutMethod::new(provider, name))?;
    let of_provider = notify_urls.iter().find(|(of, _)| *of == provider);
    Ok(CheckoutPayment {
        id,
        payer,
        asked: asked(fields, method)?,
        notify_url: of_provider.map(|(_, url)| url.clone()),
        time_to_live,
        sender,
        body: RawBody::new(body, sha256(&[body])),
    })
}

fn asked(fields: &Fields, method: CheckoutMethod) -> Result<AskedCheckout, Problem> {
    let description = fields.optional_text("description", Description::new)?;
    let return_url = fields.optional_text("return_url", WebUrl::new)?;
    let openid = fields.optional_text("openid", OpenId::new)?;
    let payer_ip = fields.optional_text("payer_ip", PayerIp::new)?;
    for (name, is_missing) in [
        ("return_url", method.needs_return_url() && return_url.is_none()),
        ("openid", method.needs_openid() && openid.is_none()),
        ("payer_ip", method.needs_payer_ip() && payer_ip.is_none()),
    ] {
        if is_missing {
            return Err(Problem::bad_field(name));
        }
    }
    Ok(AskedCheckout {
        method,
        description,
        return_url: return_url.filter(|_| method.takes_return_url()),
        openid: openid.filter(|_| method.needs_openid()),
        payer_ip: payer_ip.filter(|_| method.needs_payer_ip()),
    })
}

/// Starts the checkout. What it is paid with goes to the caller and nowhere else.
///
/// # Errors
///
/// Those of [`pay_core::usecases::checkout`].
pub(crate) async fn run(
    ports: &impl AnyQueryPorts,
    request: &CheckoutPayment,
    invocation: &Invocation,
) -> Result<Response, Problem> {
    let Invocation { now, trace, .. } = invocation;
    let may_start = invocation.may_call_provider();
    let how: (Observe<'_>, &dyn Fn() -> bool) = (&outcome::record, &may_start);
    let StartedPayment { checkout: started, action } =
        checkout(ports, request, how, *now, trace).await?;
    let method = started.parameters.method;
    let provider = method.provider().as_str();
    metrics::CHECKOUTS_STARTED.count_by(&[("Provider", provider)]);
    let response = Response::json(&json!({
        "provider": provider,
        "method": method.as_str(),
        "expires_time": rfc3339(started.expires_time).map_err(Problem::internal)?,
        "action": action_body(action),
    }))?;
    Ok(response.about(started.reference.payment))
}

fn action_body(action: CheckoutAction) -> Value {
    match action {
        CheckoutAction::Redirect { url } => json!({ "type": "redirect", "url": url }),
        CheckoutAction::Qr { text } => json!({ "type": "qr", "text": text }),
        CheckoutAction::Client { parameters } => {
            let named = parameters.into_iter().map(|(name, value)| (name.to_owned(), value.into()));
            json!({ "type": "client", "parameters": named.collect::<Map<_, _>>() })
        }
    }
}

#[cfg(test)]
mod tests;
