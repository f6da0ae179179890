//! What the tests of checkouts share, whatever the provider.

use pay_core::{
    domain::{
        Amount, Checkout, CheckoutMethod, CheckoutNumber, CheckoutParameters, CheckoutReference,
        CheckoutState, Currency, Description, MerchantAccount, OpenId, OrderId, PayerIp,
        ProviderCheckout, Timestamp, WebUrl,
    },
    ports::{CheckoutAction, CheckoutCallError, CheckoutOrder, Query, QueryError, StartedCheckout},
};

use super::{at, cases, queries::NONCE};
use crate::{CheckoutStep, Headers, Querier, RawRequest, RawResponse, samples::queries::Pairs};

/// A description whose characters mean something in forms, JSON and signatures.
pub(crate) const DESCRIPTION: &str = "订单 \"7\" & b=1/2";
/// Our reference of the checkout that is ordered.
pub(crate) const CHECKOUT: &str = "1217752501201407_2";
pub(crate) const NOTIFY_URL: &str = "https://pay.shop.example/api/pay/callback/x";
pub(crate) const RETURN_URL: &str = "https://shop.example/paid?order=7&x=%2F";

/// What a response to an order proves.
pub(crate) type Started = Result<StartedCheckout, CheckoutCallError>;

/// An order of 88.88, with what it borrows.
#[derive(Clone)]
pub(crate) struct OrderedCheckout {
    pub(crate) checkout: Checkout,
    pub(crate) amount: Amount,
}

impl OrderedCheckout {
    /// The order of a checkout of this account, which ends half an hour after 1,700,000,000.
    pub(crate) fn new(method: CheckoutMethod, reference: &str, account: &str) -> Self {
        let parameters = CheckoutParameters {
            method,
            description: Description::new(DESCRIPTION).unwrap(),
            return_url: None,
            openid: None,
            payer_ip: None,
            notify_url: Some(WebUrl::new(NOTIFY_URL).unwrap()),
        };
        let checkout = Checkout {
            reference: CheckoutReference::parse(reference).unwrap(),
            parameters,
            account: MerchantAccount::new(account).unwrap(),
            expires_time: at(1_700_001_800),
            provider_id: None,
            state: CheckoutState::Requested,
            called_time: at(1),
            absent_time: None,
            create_time: at(1),
            update_time: at(1),
        };
        Self { checkout, amount: Amount::new(8888, Currency::new("CNY").unwrap()).unwrap() }
    }

    pub(crate) fn back_to(mut self, return_url: &str) -> Self {
        self.checkout.parameters.return_url = Some(WebUrl::new(return_url).unwrap());
        self
    }

    pub(crate) fn by(mut self, openid: &str) -> Self {
        self.checkout.parameters.openid = Some(OpenId::new(openid).unwrap());
        self
    }

    pub(crate) fn at_address(mut self, ip: &str) -> Self {
        self.checkout.parameters.payer_ip = Some(PayerIp::new(ip).unwrap());
        self
    }

    pub(crate) fn of(mut self, minor: u64, currency: &str) -> Self {
        self.amount = Amount::new(minor, Currency::new(currency).unwrap()).unwrap();
        self
    }

    pub(crate) fn known_as(mut self, id: &str) -> Self {
        self.checkout.provider_id = Some(ProviderCheckout::new(id).unwrap());
        self
    }

    pub(crate) fn order(&self) -> CheckoutOrder<'_> {
        let oid = OrderId::new(7).unwrap();
        CheckoutOrder { checkout: &self.checkout, oid, amount: self.amount }
    }

    /// The request that is sent for it.
    pub(crate) fn sent(&self, querier: &dyn Querier, now: Timestamp) -> RawRequest {
        match querier.checkout_request(&self.order(), NONCE, now) {
            Ok(CheckoutStep::Send(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    /// Why neither this checkout can be made nor what makes it.
    pub(crate) fn cannot_be_made(&self, querier: &dyn Querier) -> QueryError {
        querier.checkout_request(&self.order(), NONCE, at(1_700_000_000)).unwrap_err()
    }

    pub(crate) fn started(
        &self,
        querier: &dyn Querier,
        (status, headers, body): (u16, &Pairs, &[u8]),
        now: Timestamp,
    ) -> Started {
        let headers = Headers::from_pairs(headers);
        let response = RawResponse { status, headers: &headers, body };
        querier.checkout_response(&self.order(), &response, NONCE, now)
    }

    pub(crate) fn closed(
        &self,
        querier: &dyn Querier,
        (status, headers, body): (u16, &Pairs, &[u8]),
        now: Timestamp,
    ) -> Result<(), QueryError> {
        let headers = Headers::from_pairs(headers);
        querier.close_response(
            &self.checkout,
            &RawResponse { status, headers: &headers, body },
            now,
        )
    }
}

/// The query of a checkout.
pub(crate) fn checkout(reference: &str, id: Option<&str>, account: &str) -> Query {
    Query::Checkout {
        reference: CheckoutReference::parse(reference).unwrap(),
        provider_id: id.map(|id| ProviderCheckout::new(id).unwrap()),
        account: MerchantAccount::new(account).unwrap(),
    }
}

/// The number of a checkout.
pub(crate) fn number(number: u32) -> CheckoutNumber {
    CheckoutNumber::new(number).unwrap()
}

/// What a checkout without an id at its provider lets the payer's program do.
pub(crate) fn started(action: CheckoutAction) -> StartedCheckout {
    StartedCheckout { provider_id: None, action }
}

/// What a response proves, in a word: `unavailable`, `unusable`, `rejected`, `no-key`, `ended` or `refused`.
pub(crate) fn kind(started: &Started) -> &'static str {
    match started {
        Ok(_) => "started",
        Err(CheckoutCallError::Refused { .. }) => "refused",
        Err(CheckoutCallError::Ended) => "ended",
        Err(CheckoutCallError::Unknown(error)) => error.kind(),
    }
}

/// The code by which a checkout is refused, and whether that proves that nothing was made.
pub(crate) fn refused(started: &Started) -> Option<(&str, bool)> {
    match started {
        Err(CheckoutCallError::Refused { code, is_absent }) => Some((code, *is_absent)),
        Ok(_) | Err(CheckoutCallError::Ended | CheckoutCallError::Unknown(_)) => None,
    }
}

/// The text that another program has signed.
pub(crate) fn message_of(id: &str) -> String {
    let cases = cases(crate::SIGNING_VECTORS, None);
    let case = cases.iter().find(|case| case["id"] == id).unwrap();
    case["message"].as_str().unwrap().to_owned()
}
