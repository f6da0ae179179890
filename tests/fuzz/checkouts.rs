//! Responses of providers to orders and closes of checkouts: genuine ones, changed ones, and any bytes.

use std::sync::LazyLock;

use local::simulator::api::Reply;
use local::simulator::ledger::{Ledger, TradeState};
use local::simulator::simulator;
use pay_core::domain::{Checkout, CheckoutMethod, PaymentId, Provider, ProviderCheckout};
use pay_core::ports::{CheckoutAction, CheckoutCallError, CheckoutOrder, StartedCheckout};
use pay_core::testing::{CALLED_METHODS, a_checkout, a_checkout_order, a_code_against_checkouts};
use pay_providers::{CheckoutStep, Headers, RawRequest, RawResponse};
use serde_json::Value;

use crate::NOW_SECS;
use crate::change::edited;
use crate::handlers::at;
use crate::messages::{Pairs, read};
use crate::responses::{Written, querier, replied};

const NONCE: &str = "0123456789abcdef0123456789abcdef";

/// What each provider replies to an order, and to a close, of a checkout in each state.
static GENUINE: LazyLock<Vec<Genuine>> = LazyLock::new(|| {
    let all: Vec<_> = CALLED_METHODS.into_iter().flat_map(of_method).collect();
    for provider in Provider::ALL.iter().copied() {
        let read = all.iter().filter(|one| one.provider() == provider);
        let read: Vec<_> = read.map(|one| one.read(&one.whole())).collect();
        for word in ["started", "refused", "closed"] {
            let is_it = |found: &Found| found.word() == word;
            assert!(read.iter().any(is_it), "{provider:?} {word}");
        }
    }
    all
});

fn of_method(method: CheckoutMethod) -> Vec<Genuine> {
    let (empty, provider) = (Ledger::default(), method.provider());
    let mut refusing = empty.clone();
    refusing.refused_checkouts = Some(a_code_against_checkouts(provider).to_owned());
    let mut ordered = Ordered::new(method);
    let mut there = empty.clone();
    drop(replied(provider, ordered.request(), &mut there));
    let mut genuine = vec![
        Genuine::of(&ordered, false, &empty),
        Genuine::of(&ordered, false, &refusing),
        Genuine::of(&ordered, false, &there),
        Genuine::of(&Ordered { amount: 1, ..ordered.clone() }, false, &there),
    ];
    let trade = there.trades().next().unwrap().clone();
    if method.has_provider_id() {
        let id = trade.transaction.strip_prefix("pi_").unwrap();
        let is_intent = method == CheckoutMethod::StripeIntent;
        let id = if is_intent { format!("pi_{id}") } else { format!("cs_test_{id}") };
        ordered.checkout.provider_id = Some(ProviderCheckout::new(&id).unwrap());
    }
    let states = [TradeState::Open, TradeState::Processing, TradeState::Paid, TradeState::Closed];
    for state in states {
        let mut ledger = Ledger::default();
        let mut trade = trade.clone();
        trade.state = state;
        trade.checkout.as_mut().unwrap().is_begun = true;
        ledger.put(trade);
        genuine.push(Genuine::of(&ordered, false, &ledger));
        genuine.push(Genuine::of(&ordered, true, &ledger));
    }
    genuine
}

/// A checkout that is ordered of the payment 42.
#[derive(Clone)]
struct Ordered {
    checkout: Checkout,
    amount: u64,
}

impl Ordered {
    fn new(method: CheckoutMethod) -> Self {
        let payment = PaymentId::new(42).unwrap();
        let checkout = Checkout {
            account: querier(method.provider()).account().unwrap(),
            expires_time: at(NOW_SECS).plus_millis(60 * 60 * 1000),
            ..a_checkout(payment, 1, method, at(NOW_SECS))
        };
        Self { checkout, amount: 10_050 }
    }

    fn order(&self) -> CheckoutOrder<'_> {
        a_checkout_order(&self.checkout, self.amount)
    }

    fn provider(&self) -> Provider {
        self.checkout.provider()
    }

    fn request(&self) -> RawRequest {
        let ours = querier(self.provider());
        match ours.checkout_request(&self.order(), NONCE, at(NOW_SECS)).unwrap() {
            CheckoutStep::Send(request) => request,
            step @ (CheckoutStep::Redirect(_) | CheckoutStep::Ready(_)) => panic!("{step:?}"),
        }
    }
}

/// What a response proves.
enum Found {
    Order(Result<StartedCheckout, CheckoutCallError>),
    /// Whether the provider got the request to close it.
    Close(bool),
}

impl Found {
    const fn word(&self) -> &'static str {
        match self {
            Self::Order(Ok(_)) => "started",
            Self::Order(Err(CheckoutCallError::Refused { .. })) => "refused",
            Self::Order(Err(CheckoutCallError::Ended)) => "ended",
            Self::Order(Err(CheckoutCallError::Unknown(_))) | Self::Close(false) => "unknown",
            Self::Close(true) => "closed",
        }
    }

    /// What can be paid with.
    const fn action(&self) -> Option<&CheckoutAction> {
        match self {
            Self::Order(Ok(started)) => Some(&started.action),
            Self::Order(Err(_)) | Self::Close(_) => None,
        }
    }
}

/// A response, before it is written.
struct Genuine {
    ordered: Ordered,
    is_close: bool,
    reply: Reply,
}

impl Genuine {
    fn of(ordered: &Ordered, is_close: bool, ledger: &Ledger) -> Self {
        let (ours, checkout) = (querier(ordered.provider()), &ordered.checkout);
        let request = if is_close {
            ours.close_request(checkout, NONCE, at(NOW_SECS)).unwrap()
        } else {
            ordered.request()
        };
        let reply = replied(ordered.provider(), request, &mut ledger.clone());
        Self { ordered: ordered.clone(), is_close, reply }
    }

    fn provider(&self) -> Provider {
        self.ordered.provider()
    }

    fn whole(&self) -> Written {
        self.written(self.reply.content.clone(), true)
    }

    /// The response as it is sent, with this content; signed if it was.
    fn written(&self, content: Value, signed: bool) -> Written {
        let signed = signed && self.reply.signed;
        let reply = Reply { content, signed, ..self.reply.clone() };
        Written::of(&(simulator(self.provider()).api.write)(&reply).unwrap())
    }

    fn once(&self, written: &Written) -> Found {
        let headers = Headers::from_pairs(&written.headers);
        let response =
            RawResponse { status: written.status, headers: &headers, body: &written.body };
        let (ours, order, now) = (querier(self.provider()), self.ordered.order(), written.at());
        if self.is_close {
            return Found::Close(ours.close_response(order.checkout, &response, now).is_ok());
        }
        Found::Order(ours.checkout_response(&order, &response, NONCE, now))
    }

    fn read(&self, written: &Written) -> Found {
        let (found, again) = (self.once(written), self.once(written));
        // The same each time.
        assert_eq!((found.word(), found.action()), (again.word(), again.action()));
        self.assert_holds(&found);
        found
    }

    /// What can be paid with is of the method that was ordered, and nothing of it is printed.
    fn assert_holds(&self, found: &Found) {
        let (checkout, provider) = (&self.ordered.checkout, self.provider());
        let method = checkout.parameters.method;
        match found {
            Found::Order(Ok(started)) => {
                let StartedCheckout { provider_id, action } = started;
                assert_eq!(provider_id.is_some(), method.has_provider_id(), "{method:?}");
                let known = checkout.provider_id.as_ref();
                assert!(known.is_none_or(|known| provider_id.as_ref() == Some(known)));
                let word = match (action, method) {
                    (
                        CheckoutAction::Redirect { url },
                        CheckoutMethod::StripeCheckout | CheckoutMethod::WeChatH5,
                    ) => {
                        assert!(url.starts_with("https://"), "{url}");
                        "Redirect"
                    }
                    (
                        CheckoutAction::Qr { text },
                        CheckoutMethod::WeChatNative | CheckoutMethod::AlipayQr,
                    ) => {
                        assert!(!text.is_empty());
                        "Qr"
                    }
                    (
                        CheckoutAction::Client { parameters },
                        CheckoutMethod::StripeIntent
                        | CheckoutMethod::WeChatJsapi
                        | CheckoutMethod::WeChatApp,
                    ) => {
                        assert!(parameters.iter().all(|(_, value)| !value.is_empty()));
                        "Client"
                    }
                    other => panic!("{other:?}"),
                };
                assert_eq!(format!("{action:?}"), word);
            }
            Found::Order(Err(CheckoutCallError::Refused { code, is_absent })) => {
                assert!((1..=64).contains(&code.len()), "{code}");
                // Elsewhere a refused repeat may stand for one that was paid.
                assert_eq!(*is_absent, provider == Provider::Stripe, "{code}");
                assert!(!is_absent || checkout.provider_id.is_none(), "a fetch refuses nothing");
            }
            Found::Order(Err(CheckoutCallError::Ended | CheckoutCallError::Unknown(_)))
            | Found::Close(_) => {}
        }
    }
}

/// Any response proves nothing, or is one to what was ordered; what a provider signs, only as it was signed.
pub(crate) fn only_what_was_ordered_is_handed_out(input: &[u8]) {
    let (which, changes) = input.split_first().unwrap_or((&0, &[]));
    for provider in Provider::ALL.iter().copied() {
        let of_provider: Vec<_> = GENUINE.iter().filter(|one| one.provider() == provider).collect();
        let place = usize::from(*which).checked_rem(of_provider.len()).unwrap();
        let genuine = of_provider[place];
        let Reply { content, signed, .. } = &genuine.reply;
        let whole = genuine.whole();
        let want = genuine.read(&whole);

        // It is the response to another order.
        let place = changes.first().map_or(0, |byte| usize::from(*byte));
        let another = &of_provider[place.checked_rem(of_provider.len()).unwrap()].reply;
        drop(genuine.read(&genuine.written(another.content.clone(), true)));

        // Its content is another one, and it is signed so.
        let text = edited(content.to_string().as_bytes(), changes);
        let other = serde_json::from_slice(&text)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&text).into_owned()));
        drop(genuine.read(&genuine.written(other.clone(), true)));

        // Its bytes are other ones.
        let body = edited(&whole.body, changes);
        let found =
            genuine.read(&Written { body, ..Written { headers: whole.headers.clone(), ..whole } });
        if *signed && found.word() != "unknown" {
            assert_eq!((found.word(), found.action()), (want.word(), want.action()));
        }

        // Nobody signed it: only what WeChat Pay refuses needs no signature, and they have another status.
        if provider != Provider::Stripe {
            let (headers, body) = read(input);
            let status = if provider == Provider::WeChat && genuine.is_close { 204 } else { 200 };
            let unsigned = other.to_string().into_bytes();
            for (headers, body) in [(headers, body), (Pairs::new(), unsigned)] {
                let found = genuine.read(&Written { status, headers, body });
                assert_eq!(found.word(), "unknown", "{provider:?}");
            }
        }
    }
}
