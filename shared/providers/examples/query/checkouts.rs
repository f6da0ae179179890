//! Checkouts: how they are made, closed and asked about.

use pay_core::{
    domain::{
        Amount, Checkout, CheckoutMethod, CheckoutParameters, CheckoutReference, CheckoutState,
        Currency, Description, OpenId, OrderId, PayerIp, Provider, ProviderCheckout, Timestamp,
        WebUrl,
    },
    ports::{CheckoutAction, CheckoutCallError, CheckoutOrder, Query, QueryError, StartedCheckout},
};
use pay_providers::{CheckoutStep, Querier, RawResponse};
use serde_json::{Map, Value, json};

use super::{Failed, error, proved, requested, with_response};

/// What is to be done about the checkout of an input, or what a response to it proves.
pub(crate) fn output(
    (provider, querier): (Provider, &dyn Querier),
    input: &Value,
    (nonce, now): (&str, Timestamp),
) -> Result<Value, Failed> {
    let (checkout, amount) = read(provider, querier, &input["checkout"])?;
    let order = CheckoutOrder { checkout: &checkout, oid: OrderId::new(7)?, amount };
    let (todo, response) = (input["do"].as_str(), &input["response"]);
    if response.is_null() {
        return Ok(match todo {
            Some("close") => requested(&querier.close_request(&checkout, nonce, now)?),
            Some("ask") => requested(&querier.request(&query(&checkout), nonce, now)?),
            _ => match querier.checkout_request(&order, nonce, now)? {
                CheckoutStep::Send(request) => requested(&request),
                CheckoutStep::Redirect(query) => json!({"query": query.0}),
                CheckoutStep::Ready(action) => handed_out(&action),
            },
        });
    }
    let close = |response: &RawResponse<'_>| querier.close_response(&checkout, response, now);
    let ask = |response: &RawResponse<'_>| querier.response(&query(&checkout), response, now);
    let make = |response: &RawResponse<'_>| querier.checkout_response(&order, response, nonce, now);
    Ok(match todo {
        Some("close") => closed(with_response(response, close)?),
        Some("ask") => proved(with_response(response, ask)?),
        _ => made(with_response(response, make)?),
    })
}

fn query(checkout: &Checkout) -> Query {
    let Checkout { reference, provider_id, account, .. } = checkout.clone();
    Query::Checkout { reference, provider_id, account }
}

fn read(
    provider: Provider,
    querier: &dyn Querier,
    given: &Value,
) -> Result<(Checkout, Amount), Failed> {
    let text = |name: &str| given[name].as_str().ok_or(format!("no text `{name}`"));
    let number = |name: &str| given[name].as_u64().ok_or(format!("no number `{name}`"));
    let optional = |name: &str| given[name].as_str();
    let url = |name: &str| optional(name).map(WebUrl::new).transpose();
    let at = |secs: u64| Timestamp::from_millis(secs.saturating_mul(1000));
    let parameters = CheckoutParameters {
        method: CheckoutMethod::new(provider, text("method")?)?,
        description: Description::new(text("description")?)?,
        return_url: url("return_url")?,
        openid: optional("openid").map(OpenId::new).transpose()?,
        payer_ip: optional("payer_ip").map(PayerIp::new).transpose()?,
        notify_url: url("notify_url")?,
    };
    let checkout = Checkout {
        reference: CheckoutReference::parse(text("reference")?)?,
        parameters,
        account: querier.account().ok_or("no checkout can be made")?,
        expires_time: at(number("expires")?)?,
        provider_id: optional("provider_id").map(ProviderCheckout::new).transpose()?,
        state: CheckoutState::Requested,
        called_time: at(1)?,
        absent_time: None,
        create_time: at(1)?,
        update_time: at(1)?,
    };
    let amount = Amount::new(number("amount")?, Currency::new(text("currency")?)?)?;
    Ok((checkout, amount))
}

fn handed_out(action: &CheckoutAction) -> Value {
    match action {
        CheckoutAction::Redirect { url } => json!({"redirect": url}),
        CheckoutAction::Qr { text } => json!({"qr": text}),
        CheckoutAction::Client { parameters } => {
            let parameters = parameters.iter();
            let parameters: Map<_, _> =
                parameters.map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            json!({"client": parameters})
        }
    }
}

fn made(started: Result<StartedCheckout, CheckoutCallError>) -> Value {
    match started {
        Ok(StartedCheckout { provider_id, action }) => {
            let id = provider_id.as_ref().map(ProviderCheckout::as_str);
            json!({"id": id, "action": handed_out(&action)})
        }
        Err(CheckoutCallError::Refused { code, is_absent }) => {
            json!({"refused": code, "absent": is_absent})
        }
        Err(CheckoutCallError::Ended) => json!({"ended": true}),
        Err(CheckoutCallError::Unknown(unknown)) => error(&unknown),
    }
}

fn closed(closed: Result<(), QueryError>) -> Value {
    match closed {
        Ok(()) => json!({"closed": true}),
        Err(unknown) => error(&unknown),
    }
}
