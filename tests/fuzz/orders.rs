//! Responses of providers to orders of refunds: genuine ones, changed ones, and any bytes.

use std::sync::LazyLock;

use local::simulator::api::Reply;
use local::simulator::ledger::{Ledger, Orders, TradeState};
use local::simulator::simulator;
use pay_core::domain::{
    Notification, Provider, ProviderTxn, Refund, RefundReference, RefundReport, RefundState,
    Timestamp,
};
use pay_core::ports::{QueryResponse, QueryState, RefundCallError, RefundOrder};
use pay_core::testing::{a_code_against_refunds, a_reference, a_refund_order, a_requested_refund};
use pay_providers::{Headers, RawResponse};
use serde_json::{Value, json};

use crate::NOW_SECS;
use crate::change::edited;
use crate::handlers::at;
use crate::messages::{Pairs, read};
use crate::responses::{Written, ledger, own, querier, replied, transaction};

type Made = Result<QueryResponse, RefundCallError>;

/// What each provider replies to an order that it carries out, knows, cannot carry out, or refuses.
static GENUINE: LazyLock<Vec<Genuine>> = LazyLock::new(|| {
    let of = |provider: Provider| {
        let paid = ledger(provider, TradeState::Paid);
        let mut waiting = paid.clone();
        waiting.orders = Orders::Wait;
        let mut refusing = paid.clone();
        refusing.orders = Orders::Refused(a_code_against_refunds(provider).to_owned());
        let open = ledger(provider, TradeState::Open);
        // One that is not there, one of each state, and more than is left.
        let of_paid = [(9, 1000), (1, 1000), (2, 1000), (3, 1000), (1, 999), (9, 9000), (9, 8050)];
        let orders = of_paid.map(|(number, amount)| (&paid, number, amount));
        let others = [(&waiting, 9, 1000), (&refusing, 9, 1000), (&open, 9, 1000)];
        let genuine = |(ledger, number, amount): &(&Ledger, u8, u64)| {
            Genuine::of(Ordered::new(provider, own(*number), *amount), ledger)
        };
        orders.iter().chain(&others).map(genuine).collect::<Vec<_>>()
    };
    let all: Vec<_> = Provider::ALL.iter().copied().flat_map(of).collect();
    for provider in Provider::ALL.iter().copied() {
        let made = || all.iter().filter(|one| one.ordered.provider == provider);
        let made = || made().map(|one| one.read(&one.written(one.reply.content.clone(), true)));
        assert!(made().any(|made| made.is_ok()), "{provider:?}");
        let is_refused = |made: &Made| matches!(made, Err(RefundCallError::Refused { .. }));
        assert!(made().any(|made| is_refused(&made)), "{provider:?}");
    }
    all
});

/// A refund that is ordered of the payment 42.
struct Ordered {
    provider: Provider,
    reference: RefundReference,
    refund: Refund,
    txn: ProviderTxn,
}

impl Ordered {
    fn new(provider: Provider, reference: RefundReference, amount_minor: u64) -> Self {
        let txn = ProviderTxn::new(transaction(provider)).unwrap();
        let taken_from = a_reference(provider, transaction(provider));
        let refund = a_requested_refund(reference, taken_from, amount_minor, at(NOW_SECS));
        Self { provider, reference, refund, txn }
    }

    fn order(&self) -> RefundOrder<'_> {
        a_refund_order(&self.refund, 10_050)
    }

    fn made(&self, written: &Written, now: Timestamp) -> Made {
        let headers = Headers::from_pairs(&written.headers);
        let response =
            RawResponse { status: written.status, headers: &headers, body: &written.body };
        querier(self.provider).refund_response(&self.order(), &response, now)
    }

    /// The state in which the refund is reported, which is the one that was ordered.
    fn state_in(&self, one: &Notification) -> RefundState {
        assert!(one.queried && one.sender == self.provider.into(), "{one:?}");
        assert_eq!(one.payment, Some(self.reference.payment()));
        assert_eq!(one.report.reference.txn.as_ref(), Some(&self.txn), "{one:?}");
        assert_eq!(one.report.reference.source, self.provider.source());
        assert!(one.report.currency.is_some() && one.review.is_none(), "{one:?}");
        let Some(RefundReport::One { reference: Some(reference), state, .. }) = &one.report.refund
        else {
            panic!("{one:?}");
        };
        assert_eq!(reference.as_str(), self.reference.to_string());
        *state
    }

    /// What is reported is the refund that was ordered, and at Alipay then what went back in all.
    fn assert_holds(&self, made: &Made) {
        match made {
            Ok(QueryResponse { state, notifications, next }) => {
                let [one, total @ ..] = &notifications[..] else { panic!("{made:?}") };
                let reported = self.state_in(one);
                assert_eq!((*state, next), (QueryState::Refund(reported), &None), "{made:?}");
                // That no money moved by a repeat says no less.
                let may_have_total = match (self.provider, reported) {
                    (Provider::Alipay, RefundState::Succeeded) => true,
                    (Provider::Alipay, RefundState::Pending) => !total.is_empty(),
                    _ => false,
                };
                if !may_have_total {
                    assert!(total.is_empty(), "{made:?}");
                    return;
                }
                let [total] = total else { panic!("{made:?}") };
                assert_ne!(total.event_id, one.event_id);
                let Some(RefundReport::Total(fen)) = total.report.refund else {
                    panic!("{made:?}");
                };
                assert!(fen >= self.refund.amount_minor, "{made:?}");
            }
            Err(RefundCallError::Refused { code, report }) => {
                assert!(!code.is_empty());
                assert_eq!(self.state_in(report), RefundState::Failed, "{made:?}");
            }
            Err(RefundCallError::Unknown(_)) => {}
        }
    }
}

/// A response, before it is written.
struct Genuine {
    ordered: Ordered,
    reply: Reply,
}

impl Genuine {
    fn of(ordered: Ordered, ledger: &Ledger) -> Self {
        let nonce = "0123456789abcdef0123456789abcdef";
        let request = querier(ordered.provider);
        let request = request.refund_request(&ordered.order(), nonce, at(NOW_SECS)).unwrap();
        let reply = replied(ordered.provider, request, &mut ledger.clone());
        Self { ordered, reply }
    }

    /// The response as it is sent, with this content; signed if it was.
    fn written(&self, content: Value, signed: bool) -> Written {
        let signed = signed && self.reply.signed;
        let reply = Reply { content, signed, ..self.reply.clone() };
        Written::of(&(simulator(self.ordered.provider).api.write)(&reply).unwrap())
    }

    fn read(&self, written: &Written) -> Made {
        let made = self.ordered.made(written, written.at());
        // The same each time.
        let again = self.ordered.made(written, written.at());
        assert_eq!(format!("{made:?}"), format!("{again:?}"));
        self.ordered.assert_holds(&made);
        made
    }
}

/// Whether a response says what became of the order.
const fn is_known(made: &Made) -> bool {
    !matches!(made, Err(RefundCallError::Unknown(_)))
}

/// Any response proves nothing, or is about what was ordered; what a provider signs, only as it was signed.
pub(crate) fn only_what_was_ordered_is_read(input: &[u8]) {
    let (which, changes) = input.split_first().unwrap_or((&0, &[]));
    for provider in Provider::ALL.iter().copied() {
        let of = |one: &&Genuine| one.ordered.provider == provider;
        let of_provider: Vec<_> = GENUINE.iter().filter(of).collect();
        let place = usize::from(*which).checked_rem(of_provider.len()).unwrap();
        let genuine = of_provider[place];
        let Reply { content, signed, .. } = &genuine.reply;
        let whole = genuine.written(content.clone(), true);
        let want = genuine.read(&whole);

        // It is the response to another order.
        let place = changes.first().map_or(0, |byte| usize::from(*byte));
        let another = &of_provider[place.checked_rem(of_provider.len()).unwrap()].reply;
        drop(genuine.read(&genuine.written(another.content.clone(), true)));

        // Its content is another one, and it is signed so.
        let text = edited(content.to_string().as_bytes(), changes);
        let other =
            serde_json::from_slice(&text).unwrap_or_else(|_| json!(String::from_utf8_lossy(&text)));
        drop(genuine.read(&genuine.written(other.clone(), true)));

        // Its bytes are other ones.
        let body = edited(&whole.body, changes);
        let made =
            genuine.read(&Written { body, ..Written { headers: whole.headers.clone(), ..whole } });
        if *signed && is_known(&made) {
            let reports = |made: &Made| match made {
                Ok(made) => made.notifications.iter().map(|one| one.report.clone()).collect(),
                Err(RefundCallError::Refused { report, .. }) => vec![report.report.clone()],
                Err(RefundCallError::Unknown(_)) => Vec::new(),
            };
            assert_eq!(reports(&made), reports(&want), "{provider:?}");
        }

        // Nobody signed it: only what WeChat Pay refuses needs no signature, and they have another status.
        if provider != Provider::Stripe {
            let (headers, body) = read(input);
            let unsigned = other.to_string().into_bytes();
            for (headers, body) in [(headers, body), (Pairs::new(), unsigned)] {
                let made = genuine.read(&Written { status: 200, headers, body });
                assert!(!is_known(&made), "{provider:?} {made:?}");
            }
        }
    }
}
