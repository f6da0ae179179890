//! Responses of providers to queries: genuine ones, changed ones, and any bytes.

use std::sync::LazyLock;

use http::{Request, Response};
use local::defaults;
use local::simulator::api::{Call, Reply};
use local::simulator::checkouts::TradeCheckout;
use local::simulator::ledger::{Ledger, Trade, TradeRefund, TradeState};
use local::simulator::simulator;
use pay_core::domain::{
    CheckoutReference, Notification, Outcome, PaymentId, Provider, ProviderCheckout, ProviderTxn,
    RefundReference, RefundReport, RefundState, Timestamp,
};
use pay_core::ports::{
    ProviderState, Query, QueryError, QueryResponse, QueryState, SecretKeys as _,
};
use pay_providers::{Headers, ProviderKeys, Querier, RawRequest, RawResponse};
use serde_json::{Value, json};

use crate::NOW_SECS;
use crate::change::edited;
use crate::handlers::at;
use crate::messages::{Pairs, read};

/// What providers are queried with.
static PROVIDER_KEYS: LazyLock<ProviderKeys> = LazyLock::new(|| {
    ProviderKeys::read(&defaults::provider_secrets().unwrap().to_string()).unwrap()
});

/// What each provider says to each query, of a payment in each state.
static GENUINE: LazyLock<Vec<Genuine>> = LazyLock::new(|| {
    let states = [TradeState::Open, TradeState::Processing, TradeState::Paid, TradeState::Closed];
    let of = |provider: Provider| {
        let queries = queries(provider);
        states.iter().flat_map(move |state| {
            let ledger = ledger(provider, *state);
            let genuine = |query: &Query| Genuine::of(provider, query, &ledger);
            queries.iter().filter_map(genuine).collect::<Vec<_>>()
        })
    };
    let all: Vec<_> = Provider::ALL.iter().copied().flat_map(of).collect();
    for provider in Provider::ALL {
        assert!(all.iter().filter(|one| one.provider == *provider).count() >= 20, "{provider:?}");
    }
    all
});

/// A response, before it is written, to a query of ours that the provider takes.
struct Genuine {
    provider: Provider,
    query: Query,
    reply: Reply,
}

fn payment() -> PaymentId {
    PaymentId::new(42).unwrap()
}

pub(crate) fn transaction(provider: Provider) -> &'static str {
    match provider {
        Provider::Stripe => "pi_42",
        Provider::WeChat | Provider::Alipay => "4200000000202701150000000042",
    }
}

fn queries(provider: Provider) -> Vec<Query> {
    let txn = |id: &str| ProviderTxn::new(id).unwrap();
    let known = txn(transaction(provider));
    let mut queries = vec![
        Query::Payment { id: payment(), txn: None },
        Query::Payment { id: payment(), txn: Some(known.clone()) },
        Query::Refunds { payment: Some(payment()), txn: known.clone() },
        Query::Object(known.clone()),
    ];
    let objects = ["cs_test_42", "ch_42", "re_2"];
    queries.extend(objects.map(|object| Query::Object(txn(object))));
    let account = querier(provider).account().unwrap();
    // One that is there, and one that is not.
    queries.extend(["000042_1", "000042_2"].map(|reference| {
        let reference = CheckoutReference::parse(reference).unwrap();
        let id = ProviderCheckout::new(&format!("pi_42_{}", reference.number)).unwrap();
        let provider_id = Some(id).filter(|_| provider == Provider::Stripe);
        Query::Checkout { reference, provider_id, account: account.clone() }
    }));
    // In each state, and one that is not there.
    let refunds = (1..=4).map(|number| Query::Refund { refund: own(number), txn: known.clone() });
    queries.extend(refunds);
    queries
}

/// Our reference of a refund.
pub(crate) fn own(number: u8) -> RefundReference {
    RefundReference::parse(&format!("42_{number:016x}")).unwrap()
}

pub(crate) fn ledger(provider: Provider, state: TradeState) -> Ledger {
    let mut trade = Trade::new(42, transaction(provider).to_owned(), 10_050, NOW_SECS);
    trade.state = state;
    let states = [RefundState::Succeeded, RefundState::Pending, RefundState::Failed];
    let refunds = (1_u8..).zip(states).filter(|_| state == TradeState::Paid);
    trade.refunds.extend(refunds.map(|(number, state)| TradeRefund {
        id: format!("re_{number}"),
        reference: Some(own(number).to_string()),
        amount: 1000,
        state,
        is_stranded: false,
        time_secs: NOW_SECS,
    }));
    let number = 1;
    let checkout = TradeCheckout {
        number,
        method: "intent",
        parameters: Vec::new().into(),
        expires_secs: None,
        is_begun: true,
    };
    let id = (simulator(provider).transaction)(42, number);
    let of_checkout = Trade { state, ..Trade::new(42, id, 10_050, NOW_SECS) };
    let mut ledger = Ledger::default();
    ledger.put(Trade { checkout: Some(checkout), ..of_checkout });
    ledger.put(trade);
    ledger
}

impl Genuine {
    /// `None` if the provider does not take the query.
    fn of(provider: Provider, query: &Query, ledger: &Ledger) -> Option<Self> {
        let nonce = "0123456789abcdef0123456789abcdef";
        let request = match querier(provider).request(query, nonce, at(NOW_SECS)) {
            Ok(request) => request,
            Err(QueryError::Unusable(_)) => return None,
            Err(error) => panic!("{provider:?} {query:?}: {error}"),
        };
        let reply = replied(provider, request, &mut ledger.clone());
        Some(Self { provider, query: query.clone(), reply })
    }

    /// The response as it is sent, with this content.
    fn written(&self, content: Value, signed: bool) -> Written {
        let reply = Reply { content, signed, ..self.reply.clone() };
        Written::of(&(simulator(self.provider).api.write)(&reply).unwrap())
    }

    fn read(&self, written: &Written) -> Result<QueryResponse, QueryError> {
        let query = || response(self.provider, &self.query, written);
        let found = query();
        // The same each time.
        match (&found, query()) {
            (Ok(one), Ok(two)) => assert_eq!(*one, two),
            (Err(one), Err(two)) => assert_eq!(one.to_string(), two.to_string()),
            (one, two) => panic!("{one:?} {two:?}"),
        }
        assert_holds(self.provider, &self.query, &found);
        found
    }
}

/// What the provider's simulator replies to a request.
pub(crate) fn replied(provider: Provider, request: RawRequest, ledger: &mut Ledger) -> Reply {
    let api = simulator(provider).api;
    let uri = format!("{}{}", api.url.1, request.target);
    let mut head = Request::builder().method(request.method).uri(uri);
    for (name, value) in request.headers {
        head = head.header(name, value);
    }
    let (head, ()) = head.body(()).unwrap().into_parts();
    let call = Call { head, body: request.body.into() };
    (api.respond)(ledger, &call, NOW_SECS).unwrap()
}

/// A response as it is received.
pub(crate) struct Written {
    pub(crate) status: u16,
    pub(crate) headers: Pairs,
    pub(crate) body: Vec<u8>,
}

impl Written {
    pub(crate) fn of<B: AsRef<[u8]>>(response: &Response<B>) -> Self {
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        Self {
            status: response.status().as_u16(),
            headers: response.headers().iter().map(header).collect(),
            body: response.body().as_ref().to_vec(),
        }
    }

    /// When it was signed, if it says so.
    pub(crate) fn at(&self) -> Timestamp {
        let time = self.headers.iter().find(|(name, _)| name.ends_with("-timestamp"));
        at(time.and_then(|(_, secs)| secs.parse().ok()).unwrap_or(NOW_SECS))
    }
}

pub(crate) fn querier(provider: Provider) -> &'static dyn Querier {
    PROVIDER_KEYS.querier(provider).unwrap()
}

fn response(
    provider: Provider,
    query: &Query,
    written: &Written,
) -> Result<QueryResponse, QueryError> {
    let headers = Headers::from_pairs(&written.headers);
    let response = RawResponse { status: written.status, headers: &headers, body: &written.body };
    querier(provider).response(query, &response, written.at())
}

/// What is reported is about what was asked, and nothing but what became of it.
fn assert_holds(provider: Provider, query: &Query, found: &Result<QueryResponse, QueryError>) {
    let Ok(QueryResponse { state, notifications, .. }) = found else { return };
    let (asked, txn) = match query {
        Query::Payment { id, .. } => (Some(*id), None),
        Query::Checkout { reference, .. } => (Some(reference.payment), None),
        Query::Refunds { payment, txn } => (*payment, Some(txn)),
        Query::Refund { refund, txn } => (Some(refund.payment()), Some(txn)),
        Query::Object(_) => (None, None),
    };
    if let Query::Refund { refund, .. } = query {
        let [one] = &notifications[..] else { panic!("{notifications:?}") };
        assert_is(provider, *refund, *state, one);
    }
    for one in notifications {
        assert!(one.queried && one.sender == provider.into(), "{query:?} {one:?}");
        if let Query::Checkout { reference, .. } = query {
            assert_eq!(one.checkout, Some(reference.number), "{query:?} {one:?}");
        }
        assert!(one.event_id.as_str().starts_with("query.") || one.event_id.as_str().len() == 64);
        assert!(asked.is_none() || one.payment == asked, "{query:?} {one:?}");
        let is_there = *state != QueryState::NoRefund;
        let has_txn = txn.is_none() || one.report.reference.txn.as_ref() == txn;
        assert!(has_txn || !is_there, "{query:?} {one:?}");
        assert_eq!(one.report.reference.source, provider.source());
        let fits = match state {
            QueryState::Payment(
                ProviderState::Absent | ProviderState::Open | ProviderState::Processing,
            )
            | QueryState::NoRefund => one.report.outcome.is_none(),
            QueryState::Payment(ProviderState::Closed) => {
                matches!(one.report.outcome, None | Some(Outcome::Closed))
            }
            QueryState::Payment(ProviderState::Paid | ProviderState::Refunded) => {
                matches!(one.report.outcome, None | Some(Outcome::Paid | Outcome::Refunded))
            }
            QueryState::Refund(_) => one.report.outcome == Some(Outcome::Refunded),
        };
        assert!(fits, "{state:?} {one:?}");
    }
}

/// What is reported is the refund that was asked for, by its reference, or that it is not there.
fn assert_is(provider: Provider, ours: RefundReference, state: QueryState, one: &Notification) {
    match (state, &one.report.refund) {
        (QueryState::NoRefund, None) => {}
        (
            QueryState::Refund(state),
            Some(RefundReport::One { reference: Some(reference), state: reported, .. }),
        ) => {
            assert_eq!(reference.as_str(), ours.to_string(), "{provider:?} {one:?}");
            assert_eq!(state, *reported, "{provider:?} {one:?}");
            assert!(one.report.currency.is_some() && one.review.is_none(), "{provider:?} {one:?}");
        }
        other => panic!("{provider:?} {other:?}"),
    }
}

/// Whether anything is reported that moves a payment.
fn reports_money(found: &Result<QueryResponse, QueryError>) -> bool {
    let reports = |response: &QueryResponse| {
        response.notifications.iter().any(|one| one.report.outcome.is_some())
    };
    found.as_ref().is_ok_and(reports)
}

/// Any response proves nothing, or is about what was asked; where a provider signs, only as it was signed.
pub(crate) fn only_what_was_asked_is_read(input: &[u8]) {
    let (which, changes) = input.split_first().unwrap_or((&0, &[]));
    for provider in Provider::ALL.iter().copied() {
        let of_provider: Vec<_> = GENUINE.iter().filter(|one| one.provider == provider).collect();
        let place = usize::from(*which).checked_rem(of_provider.len()).unwrap();
        let genuine = of_provider[place];
        let Reply { content, signed, .. } = &genuine.reply;

        let whole = genuine.written(content.clone(), *signed);
        let want = genuine.read(&whole);
        // An object that does not exist yet proves nothing.
        let exists = genuine.reply.status.is_success();
        assert!(want.is_ok() || !exists, "{provider:?} {:?}: {want:?}", genuine.query);

        // It is the response to another query.
        let place = changes.first().map_or(0, |byte| usize::from(*byte));
        let another = &of_provider[place.checked_rem(of_provider.len()).unwrap()].reply;
        drop(genuine.read(&genuine.written(another.content.clone(), another.signed)));

        // Its content is another one, and it is signed so.
        let text = edited(content.to_string().as_bytes(), changes);
        let other =
            serde_json::from_slice(&text).unwrap_or_else(|_| json!(String::from_utf8_lossy(&text)));
        drop(genuine.read(&genuine.written(other.clone(), *signed)));

        // Its bytes are other ones.
        let body = edited(&whole.body, changes);
        let found =
            genuine.read(&Written { body, ..Written { headers: whole.headers.clone(), ..whole } });
        if *signed && reports_money(&found) {
            let reports = |found: &Result<QueryResponse, QueryError>| {
                let notifications = found.as_ref().unwrap().notifications.iter();
                notifications.map(|one| one.report.clone()).collect::<Vec<_>>()
            };
            assert_eq!(reports(&found), reports(&want), "{provider:?}");
        }

        // Nobody signed it.
        let (headers, body) = read(input);
        let status = if which.is_multiple_of(3) { 404 } else { 200 };
        for (headers, body) in [(headers, body), (Pairs::new(), other.to_string().into_bytes())] {
            let found = genuine.read(&Written { status, headers, body });
            assert!(!*signed || !reports_money(&found), "{provider:?} {found:?}");
        }
    }
}
