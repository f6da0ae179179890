//! Which object a query reads, and where that object is.
//!
//! Sources: docs.stripe.com/api (the pages of the calls, "Expanding responses", "Pagination") and
//! docs.stripe.com/search.

use pay_core::{
    domain::{PaymentId, ProviderTxn, RefundReference},
    ports::{Query, QueryError},
};

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
        let id = id.as_str();
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
