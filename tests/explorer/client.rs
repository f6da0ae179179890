//! What clients get.

use pay_core::{
    domain::{Decision, Notification, Payment},
    ports::StoreError,
    usecases::{
        Failure,
        apply::{Applied, ApplyError, OrderNotification},
        checkout::{CheckoutError, CheckoutPayment, StartedPayment},
        close::CloseError,
        create::{CreateError, CreatePayment, CreatedPayment},
        quarantine::ResolveError,
        refund::{Carried, RefundError},
        sweep::Swept,
    },
};

/// What an actor's client gets in the end, with what it asked for.
#[derive(Debug)]
pub(crate) enum ClientResponse {
    Create(CreatePayment, Result<CreatedPayment, CreateError>),
    Deliver(Box<Notification>, Result<Box<Applied>, ApplyError>),
    Follow(Box<Notification>, Result<(), ApplyError>),
    Sweep(Result<Swept, StoreError>),
    Resolve(Decision, Result<(), ResolveError>),
    Refund(Result<Box<Carried>, RefundError>),
    Checkout(Box<CheckoutPayment>, Result<Box<StartedPayment>, CheckoutError>),
    Close(Result<Box<Payment>, CloseError>),
}

impl ClientResponse {
    /// In a few words.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Create(_, Ok(created)) if created.replayed => "replayed".into(),
            Self::Create(_, Ok(_)) => "created".into(),
            Self::Create(_, Err(error)) => match error {
                CreateError::UserNotFound => "user-not-found".into(),
                CreateError::OrderNotFound => "order-not-found".into(),
                CreateError::KeyReused => "key-reused".into(),
                CreateError::PaymentExists(_) => "payment-exists".into(),
                CreateError::OrderPaid => "order-paid".into(),
                CreateError::AmountMismatch => "amount-mismatch".into(),
                CreateError::Failed(failure) => format!("create: {}", word(failure)),
            },
            Self::Deliver(_, Ok(applied)) => {
                let verdict = applied.verdict.as_str();
                match applied.order_notification {
                    OrderNotification::NotDue => verdict.into(),
                    OrderNotification::Done => format!("{verdict}+notified"),
                    OrderNotification::NotCleared(_) => format!("{verdict}+not cleared"),
                    OrderNotification::Failed(_) => "not notified".into(),
                }
            }
            Self::Follow(_, Ok(())) => "followed".into(),
            Self::Deliver(_, Err(error)) | Self::Follow(_, Err(error)) => match error {
                ApplyError::NotOurs => "not ours".into(),
                ApplyError::Mismatch(mismatch) => {
                    format!("quarantined: {}", mismatch.field.as_str())
                }
                ApplyError::Failed(failure) => word(failure).into(),
            },
            Self::Sweep(Ok(swept)) => {
                let counts = [
                    (swept.notified, "notified"),
                    (swept.moved, "moved"),
                    (swept.queried, "queried"),
                    (swept.stale, "stale"),
                    (swept.rescheduled.len(), "rescheduled"),
                    (swept.failed.len(), "failed"),
                    (swept.unknown.len(), "unknown"),
                ];
                let counts = counts.into_iter().filter(|(count, _)| *count > 0);
                let words: Vec<_> = counts.map(|(count, word)| format!("{count} {word}")).collect();
                let words = words.join(", ");
                format!("sweep: {}", if words.is_empty() { "nothing" } else { &words })
            }
            Self::Sweep(Err(_)) => "sweep: unavailable".into(),
            Self::Resolve(Decision::Refund, Ok(())) => "given back".into(),
            Self::Resolve(_, Ok(())) => "accepted".into(),
            Self::Resolve(_, Err(error)) => match error {
                ResolveError::NotFound => "accept: not found".into(),
                ResolveError::Decided(decided) => {
                    format!("{} by another", decided.decision.as_str())
                }
                ResolveError::OnlyDismiss(why) => format!("only dismiss: {why}"),
                ResolveError::OtherPayment(_)
                | ResolveError::NoPayment
                | ResolveError::NotRefundable(_)
                | ResolveError::PaymentNotFound(_)
                | ResolveError::Mismatch(..) => format!("accept: {error}"),
                ResolveError::Failed(failure) => format!("accept: {}", word(failure)),
            },
            Self::Refund(Ok(carried)) => format!("refund: {}", carried.refund.state.as_str()),
            Self::Refund(Err(error)) => label_of_refund(error),
            Self::Checkout(_, started) => label_of_checkout(started),
            Self::Close(closed) => label_of_close(closed),
        }
    }

    /// The successful create.
    pub(crate) const fn created(&self) -> Option<(&CreatePayment, CreatedPayment)> {
        match self {
            Self::Create(request, Ok(created)) => Some((request, *created)),
            Self::Create(_, Err(_))
            | Self::Deliver(..)
            | Self::Follow(..)
            | Self::Sweep(_)
            | Self::Resolve(..)
            | Self::Refund(_)
            | Self::Checkout(..)
            | Self::Close(_) => None,
        }
    }

    /// Whether a message was acknowledged: then its sender never sends it again.
    pub(crate) const fn is_acknowledgement(&self) -> bool {
        match self {
            Self::Deliver(_, Ok(_)) | Self::Follow(_, Ok(())) => true,
            Self::Deliver(_, Err(error)) | Self::Follow(_, Err(error)) => {
                matches!(error, ApplyError::Mismatch(_) | ApplyError::NotOurs)
            }
            Self::Create(..)
            | Self::Sweep(_)
            | Self::Resolve(..)
            | Self::Refund(_)
            | Self::Checkout(..)
            | Self::Close(_) => false,
        }
    }

    /// Why the use case could not finish.
    pub(crate) const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Create(_, Err(CreateError::Failed(failure)))
            | Self::Deliver(_, Err(ApplyError::Failed(failure)))
            | Self::Follow(_, Err(ApplyError::Failed(failure)))
            | Self::Resolve(_, Err(ResolveError::Failed(failure)))
            | Self::Refund(Err(RefundError::Failed(failure)))
            | Self::Checkout(_, Err(CheckoutError::Failed(failure)))
            | Self::Close(Err(CloseError::Failed(failure))) => Some(failure),
            Self::Create(..)
            | Self::Deliver(..)
            | Self::Follow(..)
            | Self::Sweep(_)
            | Self::Resolve(..)
            | Self::Refund(_)
            | Self::Checkout(..)
            | Self::Close(_) => None,
        }
    }
}

const fn word(failure: &Failure) -> &'static str {
    match failure {
        Failure::Unavailable(_) => "unavailable",
        Failure::Fault(_) => "fault",
    }
}

fn label_of_checkout(started: &Result<Box<StartedPayment>, CheckoutError>) -> String {
    match started {
        Ok(_) => "checkout".into(),
        Err(CheckoutError::PaymentNotFound) => "checkout: not found".into(),
        Err(CheckoutError::NotPayable(why)) => format!("not payable: {why}"),
        Err(CheckoutError::Refused(_)) => "checkout: refused".into(),
        Err(CheckoutError::Failed(failure)) => format!("checkout: {}", word(failure)),
    }
}

fn label_of_close(closed: &Result<Box<Payment>, CloseError>) -> String {
    match closed {
        Ok(payment) => format!("close: {}", format!("{:?}", payment.status).to_lowercase()),
        Err(CloseError::PaymentNotFound) => "close: not found".into(),
        Err(CloseError::Failed(failure)) => format!("close: {}", word(failure)),
    }
}

fn label_of_refund(error: &RefundError) -> String {
    match error {
        RefundError::PaymentNotFound => "refund: not found".into(),
        RefundError::KeyReused => "refund: key-reused".into(),
        RefundError::NotRefundable(_) => "not refundable".into(),
        RefundError::ExceedsPayment => "refund: exceeds".into(),
        RefundError::Refused(_) => "refund: refused".into(),
        RefundError::Failed(failure) => format!("refund: {}", word(failure)),
    }
}
