//! Checkout: gives a payer what they pay with at a provider, once for each attempt.
//!
//! The checkout is written before its provider is called, with all that it is made with: whatever crashes, the
//! same request makes no second one there. What it is paid with is given to the caller and kept nowhere.

use futures_util::future;

use super::{
    Failure,
    apply::update,
    query::{AnyQueryPorts, Observe},
    unended::{Called, CheckoutPurpose, ProviderCalls, Seen},
};
use crate::{
    domain::{
        Checkout, CheckoutMethod, CheckoutNumber, CheckoutParameters, CheckoutReference,
        CheckoutState, Description, Event, MerchantAccount, OpenId, PayerIp, Payment, PaymentId,
        RawBody, Sender, TimeToLive, Timestamp, UserId, WebUrl,
    },
    limits::{CHECKOUT_CALL_GAP_MS, CHECKOUTS_MAX, CHECKOUTS_UNENDED_MAX, DECISIONS_MAX},
    ports::{CheckoutAction, Payments, Providers, StoreError, TraceParent, Updated},
};

/// What a caller says about a checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedCheckout {
    /// How the payer pays.
    pub method: CheckoutMethod,
    /// What the payer reads that they pay; unless given, the order's number.
    pub description: Option<Description>,
    /// Where the payer comes back to.
    pub return_url: Option<WebUrl>,
    /// The payer's id in the shop's WeChat app.
    pub openid: Option<OpenId>,
    /// The payer's address.
    pub payer_ip: Option<PayerIp>,
}

/// A request to start a checkout.
#[derive(Clone, Debug)]
pub struct CheckoutPayment {
    /// The payment.
    pub id: PaymentId,
    /// Whose it must be; `None` where the caller may act for everybody.
    pub payer: Option<UserId>,
    /// What is asked for.
    pub asked: AskedCheckout,
    /// Where the provider sends its notifications, where that is configured.
    pub notify_url: Option<WebUrl>,
    /// How long the payment can be paid, where that is limited.
    pub time_to_live: Option<TimeToLive>,
    /// Who asks.
    pub sender: Sender,
    /// The request as it came.
    pub body: RawBody,
}

/// Why there is nothing to pay with. In the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// No such payment, or another user's.
    #[error("the payment does not exist")]
    PaymentNotFound,
    /// No checkout of it can be started; why.
    #[error("the payment cannot be paid so: {0}")]
    NotPayable(&'static str),
    /// The provider refused, by this code of its own. It has nothing of the checkout.
    #[error("the provider refused the checkout: {0}")]
    Refused(String),
    /// A dependency failed, or it is not known whether the checkout was made: the same request finds out.
    #[error(transparent)]
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for CheckoutError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A checkout that can be paid.
#[derive(Debug)]
pub struct StartedPayment {
    /// The checkout as it is kept.
    pub checkout: Checkout,
    /// What the payer's program does next.
    pub action: CheckoutAction,
}

/// Starts a checkout; repeated with the same provider, method and parameters while it can be paid, gives the
/// same one. Earlier ones of the same provider with other parameters are ended first, each unless its provider
/// has nothing of it yet.
///
/// # Errors
///
/// [`CheckoutError`], in the order of its variants.
pub async fn checkout(
    ports: &impl AnyQueryPorts,
    request: &CheckoutPayment,
    (observe, may_start): (Observe<'_>, &dyn Fn() -> bool),
    now: Timestamp,
    trace: &TraceParent,
) -> Result<StartedPayment, CheckoutError> {
    let may_start = |_provider| may_start();
    let calls = ProviderCalls { ports, observe, may_start: &may_start, now, trace };
    for _ in 0..DECISIONS_MAX {
        if let Some(started) = attempt(&calls, request).await? {
            return Ok(started);
        }
    }
    Err(later("the payment or its checkouts kept changing"))
}

/// One attempt; `None` if the payment or its checkouts are not what they were.
async fn attempt(
    calls: &ProviderCalls<'_, impl AnyQueryPorts>,
    request: &CheckoutPayment,
) -> Result<Option<StartedPayment>, CheckoutError> {
    let (store, now) = (calls.ports.store(), calls.now);
    let (record, all) = future::join(store.payment(request.id), store.checkouts(request.id)).await;
    let is_theirs = |record: &Payment| record.is_of(request.payer);
    let mut record = record?.filter(is_theirs).ok_or(CheckoutError::PaymentNotFound)?;
    let all = all?;
    is_payable(request, &record, now)?;
    let method = request.asked.method;
    let account = calls.ports.providers().account(method.provider(), now).await;
    let account = account.map_err(|error| Failure::Unavailable(error.into()))?;
    let account = account.ok_or(CheckoutError::NotPayable("there is no key of its provider"))?;

    let is_earlier = |of: &&Checkout| of.is_unended() && of.provider() == method.provider();
    let earlier: Vec<_> = all.iter().filter(is_earlier).collect();
    for checkout in &earlier {
        let can_be_repeated = checkout.account == account
            && !checkout.is_expired(now)
            && !checkout.is_forgotten(now)
            && request.asked.is_for(&checkout.parameters);
        if can_be_repeated {
            is_calm(&all, now)?;
            let Some(leased) = calls.lease(checkout).await? else { return Ok(None) };
            return call(calls, &mut record, leased).await;
        }
    }
    let mut has_ended = false;
    // One that its provider had nothing of when a later one was started may be there by now.
    for checkout in earlier {
        match calls.look_at(&mut record, checkout, CheckoutPurpose::End).await? {
            Seen::Ended | Seen::Refused => has_ended = true,
            Seen::Absent => {}
            Seen::Unfitting => {
                return Err(CheckoutError::NotPayable("what was paid waits for a person"));
            }
            Seen::Open | Seen::Processing | Seen::NoTime => {
                return Err(later("an earlier checkout can still be paid"));
            }
            Seen::Unknown(error) => return Err(unknown(error.into())),
        }
    }
    if has_ended {
        return Ok(None);
    }
    is_calm(&all, now)?;
    match begin(calls, request, (&record, &all), account).await? {
        Some((mut record, begun)) => call(calls, &mut record, begun).await,
        None => Ok(None),
    }
}

/// Whether a payment can be paid at all, and by the method that is asked for.
fn is_payable(
    request: &CheckoutPayment,
    record: &Payment,
    now: Timestamp,
) -> Result<(), CheckoutError> {
    let (provider, currency) = (request.asked.method.provider(), record.amount.currency());
    let why = if record.was_paid() {
        "it is paid"
    } else if !record.is_open() {
        "it is closed"
    } else if record.closing {
        "it is being closed"
    } else if request.time_to_live.is_some_and(|time| time.is_over(record, now)) {
        "its time to live is over"
    } else if !provider.collects(currency) {
        "its provider does not collect its currency"
    } else if provider.units(currency, record.amount.minor()).is_none() {
        "its provider collects this currency in larger steps: choose another provider, or round the order's \
         amount"
    } else if request.asked.method.needs_notify_url() && request.notify_url.is_none() {
        "no public URL is configured for the provider's notifications"
    } else {
        return Ok(());
    };
    Err(CheckoutError::NotPayable(why))
}

/// Whether no provider was called for the payment a moment ago.
fn is_calm(all: &[Checkout], now: Timestamp) -> Result<(), CheckoutError> {
    let ends = |of: &Checkout| of.called_time.plus_millis(CHECKOUT_CALL_GAP_MS);
    if all.iter().any(|of| of.called_time <= now && now < ends(of)) {
        return Err(later("a provider was called for the payment less than 3 seconds ago"));
    }
    Ok(())
}

/// Writes a checkout that is requested; `None` if the record is no longer as it was read.
async fn begin(
    calls: &ProviderCalls<'_, impl AnyQueryPorts>,
    request: &CheckoutPayment,
    (record, all): (&Payment, &[Checkout]),
    account: MerchantAccount,
) -> Result<Option<(Payment, Checkout)>, CheckoutError> {
    let now = calls.now;
    let unended = all.iter().filter(|checkout| checkout.is_unended()).count();
    let not_payable = |why| Err(CheckoutError::NotPayable(why));
    if record.checkouts >= CHECKOUTS_MAX {
        return not_payable("it has had the most checkouts that it can have");
    }
    // The checkouts were read before one of them was requested, and the record after that: the same request
    // would make another one.
    if u32::try_from(all.len()) != Ok(record.checkouts) {
        return Ok(None);
    }
    if unended >= CHECKOUTS_UNENDED_MAX {
        return not_payable("the most checkouts that can be open at a time are open");
    }
    let number = CheckoutNumber::new(record.checkouts.saturating_add(1));
    let number = number.map_err(|error| Failure::Fault(error.into()))?;
    let (least_ms, usual_ms) = request.asked.method.lifetime_ms();
    let usual = now.plus_millis(usual_ms);
    let end = request.time_to_live.map(|time| time.end_of(record.create_time));
    let expires_time = end.map_or(usual, |end| end.min(usual));
    if expires_time < now.plus_millis(least_ms) {
        return not_payable("too little of its time to live is left for this method");
    }
    let checkout = Checkout {
        reference: CheckoutReference { payment: record.id, number },
        parameters: request.asked.parameters(record, request.notify_url.clone())?,
        account,
        expires_time,
        provider_id: None,
        state: CheckoutState::Requested,
        called_time: now,
        absent_time: None,
        create_time: now,
        update_time: now,
    };
    let change = record.beginning(&checkout, now);
    let name = format!("checkout.{number}");
    let by = (request.sender, &request.body);
    let event = Event::of_request(by, &name, (record, &change), now);
    match update(calls.ports.store(), &change, event).await {
        Ok(Updated::Done) => Ok(Some((change.applied_to(record.clone()), checkout))),
        // An attempt whose outcome is not known may have taken effect: the item says so.
        Ok(_) | Err(StoreError::Unknown(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Calls the provider of a checkout that is written, and says what came of it.
async fn call(
    calls: &ProviderCalls<'_, impl AnyQueryPorts>,
    record: &mut Payment,
    checkout: Checkout,
) -> Result<Option<StartedPayment>, CheckoutError> {
    let provider = checkout.provider();
    if !(calls.may_start)(provider) {
        return Err(later("no time is left for a call to the provider"));
    }
    let code = match calls.call(record, &checkout).await? {
        Called::Open(checkout, action) => {
            return Ok(Some(StartedPayment { checkout: *checkout, action }));
        }
        Called::Refused(code) => return Err(CheckoutError::Refused(code)),
        Called::Unknown(error) => return Err(unknown(error.into())),
        Called::Overtaken => return Err(later("somebody else has called the provider")),
        Called::Ended => None,
        Called::Unclear(code) => Some(code),
    };
    let purpose = if code.is_some() { CheckoutPurpose::Refused } else { CheckoutPurpose::Ask };
    match (calls.look_at(record, &checkout, purpose).await?, code) {
        (Seen::Refused, Some(code)) => Err(CheckoutError::Refused(code)),
        (Seen::Ended | Seen::Refused, _) => Ok(None),
        (Seen::Unfitting, _) => Err(CheckoutError::NotPayable("what was paid waits for a person")),
        (Seen::Unknown(error), _) => Err(unknown(error.into())),
        (Seen::Open | Seen::Processing | Seen::Absent | Seen::NoTime, _) => {
            Err(later("the provider refuses a checkout that it has"))
        }
    }
}

fn later(why: &'static str) -> CheckoutError {
    unknown(why.into())
}

const fn unknown(cause: crate::ports::Cause) -> CheckoutError {
    CheckoutError::Failed(Failure::Unavailable(cause))
}

impl AskedCheckout {
    /// Whether a checkout with these parameters is what is asked for. A description that is not given is that
    /// of the checkout.
    fn is_for(&self, made: &CheckoutParameters) -> bool {
        let described = self.description.as_ref().is_none_or(|of| *of == made.description);
        described
            && self.method == made.method
            && self.return_url == made.return_url
            && self.openid == made.openid
            && self.payer_ip == made.payer_ip
    }

    /// What a checkout of a payment is made with.
    fn parameters(
        &self,
        record: &Payment,
        notify_url: Option<WebUrl>,
    ) -> Result<CheckoutParameters, Failure> {
        let by_order = || Description::new(&format!("Order {}", record.oid));
        let description = self.description.clone().map_or_else(by_order, Ok);
        Ok(CheckoutParameters {
            method: self.method,
            description: description.map_err(|error| Failure::Fault(error.into()))?,
            return_url: self.return_url.clone(),
            openid: self.openid.clone(),
            payer_ip: self.payer_ip,
            notify_url: notify_url.filter(|_| self.method.needs_notify_url()),
        })
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
