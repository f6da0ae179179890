//! The actions, and when each is possible.

use maud::{Markup, html};
use pay_core::domain::{EventKey, PaymentId, Status};

use super::super::super::app::App;
use super::super::super::functions::unknown;
use super::ask::left;
use crate::Row;
use crate::operation::{FunctionRole, Intention};

/// An action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ActionKind {
    Query,
    Refund,
    Close,
    Sweep,
}

impl ActionKind {
    pub(super) const ALL: [Self; 4] = [Self::Query, Self::Refund, Self::Close, Self::Sweep];

    /// Its word in paths, and in the event of its intention.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Refund => "refund",
            Self::Close => "close",
            Self::Sweep => "sweep",
        }
    }

    /// What its button says.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Query => "Ask the providers",
            Self::Refund => "Refund",
            Self::Close => "Close",
            Self::Sweep => "Do what is due",
        }
    }

    /// Which function does it.
    pub(super) const fn role(self) -> FunctionRole {
        match self {
            Self::Close => FunctionRole::Create,
            Self::Query | Self::Refund | Self::Sweep => FunctionRole::Callback,
        }
    }

    /// The path of its form.
    pub(super) fn path(self) -> String {
        format!("/act/{}", self.as_str())
    }

    /// The name of the event of a form's intention.
    pub(super) fn event(self, id: PaymentId, key: &str) -> EventKey {
        Intention::event(self.as_str(), id, key)
    }

    /// Why it cannot be done about a payment.
    pub(super) fn impossible(self, record: &Row) -> Option<&'static str> {
        let status = record.number("status").and_then(|code| Status::new(code).ok());
        let is_open = matches!(status, Some(Status::Pending | Status::Failed));
        let has_money = record.provider().is_some() && record.has("provider_txn");
        match self {
            Self::Close if !is_open => {
                Some("Only a payment that is pending or failed can be closed.")
            }
            Self::Refund if status != Some(Status::Paid) => {
                Some("Only a paid payment can be refunded.")
            }
            Self::Refund if !has_money => Some(
                "It was paid under no transaction of a provider's: give the money back where it was paid.",
            ),
            Self::Refund if left(record) == 0 => Some("All of it went back, or is about to."),
            Self::Query | Self::Sweep | Self::Close | Self::Refund => None,
        }
    }
}

/// What can be done about a payment: buttons that lead to the form of each.
pub(in crate::console) fn actions(app: &App, id: PaymentId, record: &Row) -> Markup {
    if app.is_read_only {
        return html! { p.soft { "This console is read only: start payctl console without --read-only to act." } };
    }
    let possible: Vec<_> =
        ActionKind::ALL.into_iter().filter(|kind| kind.impossible(record).is_none()).collect();
    let (known, missing): (Vec<_>, Vec<_>) =
        possible.into_iter().partition(|kind| app.functions.of(kind.role()).is_some());
    let mut roles: Vec<_> = missing.iter().map(|kind| kind.role()).collect();
    roles.dedup();
    html! {
        div.actions {
            @for kind in known {
                form method="get" action=(kind.path()) {
                    input type="hidden" name="id" value=(id);
                    button { (kind.title()) }
                }
            }
        }
        @for role in roles { p.soft { (unknown(role)) } }
    }
}
