//! Which object a query reads, and where that object is.
//!
//! Sources: docs.stripe.com/api (the pages of the calls, "Expanding responses", "Pagination") and
//! docs.stripe.com/search.

use pay_core::{
    domain::{PaymentId, ProviderCheckout, ProviderTxn, RefundReference},
    json::Object,
    ports::{Query, QueryError},
};

use super::kind::ObjectKind;
use crate::{
    limits::{STRIPE_INTENTS_MAX, STRIPE_REFUNDS_MAX},
    query::unusable,
};

/// An object of Stripe's, or a list of them. Every id consists of `[A-Za-z0-9_]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// A `PaymentIntent` with its charge.
    Intent(&'a str),
    /// The `PaymentIntent`s that name a payment of ours in their metadata.
    Search(PaymentId),
    /// A Checkout session.
    Session(&'a str),
    /// A charge.
    Charge(&'a str),
    /// A refund with its `PaymentIntent`.
    Refund(&'a str),
    /// The refunds of a `PaymentIntent`.
    Refunds(&'a str),
    /// The one among them that has our reference in its metadata.
    OwnRefund(&'a str, RefundReference),
}

impl<'a> Target<'a> {
    /// The target of a query.
    ///
    /// A transaction that is no `PaymentIntent`, as another sender may name one, is not looked up: the
    /// payment is searched for.
    ///
    /// # Errors
    ///
    /// [`QueryError::Unusable`] for an object of a kind that is not read.
    pub(super) fn of(query: &'a Query) -> Result<Self, QueryError> {
        let unknown = || unusable("an id of a kind that is not queried");
        match query {
            Query::Payment { id, txn } => {
                let known = txn.as_ref().and_then(Self::of_id);
                Ok(known.filter(Self::is_intent).unwrap_or(Self::Search(*id)))
            }
            Query::Refunds { txn, .. } => Self::intent(txn).map(Self::Refunds).ok_or_else(unknown),
            Query::Refund { refund, txn } => {
                let intent = Self::intent(txn).ok_or_else(unknown)?;
                Ok(Self::OwnRefund(intent, *refund))
            }
            Query::Checkout { provider_id, .. } => {
                let unknown = || unusable("a checkout whose id at Stripe is not known");
                let id = provider_id.as_ref().ok_or_else(unknown)?;
                Ok(match CheckoutObject::of(id)? {
                    CheckoutObject::Intent(id) => Self::Intent(id),
                    CheckoutObject::Session(id) => Self::Session(id),
                })
            }
            Query::Object(id) => Self::of_id(id).ok_or_else(unknown),
        }
    }

    /// The `PaymentIntent` of a transaction that is one.
    pub(super) fn intent(txn: &'a ProviderTxn) -> Option<&'a str> {
        match Self::of_id(txn) {
            Some(Self::Intent(id)) => Some(id),
            Some(_) | None => None,
        }
    }

    /// The query of an object that a message names; `None` if it is of a kind that is not read.
    pub(super) fn hint(id: ProviderTxn) -> Option<Query> {
        Target::of_id(&id).is_some().then_some(Query::Object(id))
    }

    fn of_id(id: &'a ProviderTxn) -> Option<Self> {
        Self::of_text(id.as_str())
    }

    fn of_text(id: &'a str) -> Option<Self> {
        let (prefix, rest) = id.split_once('_')?;
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if rest.is_empty() || !rest.bytes().all(safe) {
            return None;
        }
        match prefix {
            "pi" => Some(Self::Intent(id)),
            "cs" => Some(Self::Session(id)),
            "ch" | "py" => Some(Self::Charge(id)),
            "re" | "pyr" => Some(Self::Refund(id)),
            _ => None,
        }
    }

    const fn is_intent(&self) -> bool {
        matches!(self, Self::Intent(_))
    }

    /// The path and the query, with `[`, `]`, `'` and `:` percent-encoded.
    pub(super) fn path(self) -> String {
        match self {
            Self::Intent(id) => {
                format!("/v1/payment_intents/{id}?expand%5B%5D=latest_charge")
            }
            Self::Search(id) => format!(
                "/v1/payment_intents/search?query=metadata%5B%27payment_id%27%5D%3A%27{id}%27\
                 &limit={STRIPE_INTENTS_MAX}&expand%5B%5D=data.latest_charge"
            ),
            Self::Session(id) => format!("/v1/checkout/sessions/{id}"),
            Self::Charge(id) => format!("/v1/charges/{id}"),
            Self::Refund(id) => {
                format!("/v1/refunds/{id}?expand%5B%5D=payment_intent")
            }
            Self::Refunds(intent) | Self::OwnRefund(intent, _) => {
                format!("/v1/refunds?payment_intent={intent}&limit={STRIPE_REFUNDS_MAX}")
            }
        }
    }
}

/// The object that a checkout is, by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CheckoutObject<'a> {
    /// A `PaymentIntent`.
    Intent(&'a str),
    /// A Checkout session.
    Session(&'a str),
}

impl<'a> CheckoutObject<'a> {
    /// The object of this id.
    ///
    /// # Errors
    ///
    /// [`QueryError::Unusable`] for an id of another kind.
    pub(super) fn of(id: &'a ProviderCheckout) -> Result<Self, QueryError> {
        match Target::of_text(id.as_str()) {
            Some(Target::Intent(id)) => Ok(Self::Intent(id)),
            Some(Target::Session(id)) => Ok(Self::Session(id)),
            Some(_) | None => Err(unusable("an id of a kind that is no checkout")),
        }
    }

    pub(super) const fn kind(self) -> ObjectKind {
        match self {
            Self::Intent(_) => ObjectKind::Intent,
            Self::Session(_) => ObjectKind::Session,
        }
    }

    pub(super) fn path(self) -> String {
        match self {
            Self::Intent(id) => format!("/v1/payment_intents/{id}"),
            Self::Session(id) => format!("/v1/checkout/sessions/{id}"),
        }
    }

    /// Whether a response is this object.
    ///
    /// # Errors
    ///
    /// [`QueryError::Unusable`] for another object.
    pub(super) fn is(self, object: &Object) -> Result<(), QueryError> {
        let (kind, id) = match self {
            Self::Intent(id) => ("payment_intent", id),
            Self::Session(id) => ("checkout.session", id),
        };
        let is_it = (object.text("object"), object.text("id")) == (Some(kind), Some(id));
        is_it.then_some(()).ok_or_else(|| unusable("another object than was asked for"))
    }
}
