//! What is measured, and what it is asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use bench::plan::Service::{Shop, Store};
use bench::plan::{Canned, Service, Subject};

use super::canned;
use crate::events::{self, Filling};
use crate::lambda::of_lambda;
use crate::stack::functions::{environment, variables};
use crate::template::{Function, Template};
use crate::{binaries, clock, defaults};

/// A function's signatures must last for the longest piece of work. Five minutes to either side are
/// taken, so these are made for a time a little ahead.
const SIGNED_AHEAD_SECS: u64 = 240;

/// Something to measure.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// What it is called.
    pub name: &'static str,
    /// Whose binary does it.
    pub function: &'static str,
    /// The event, below `events/`.
    event: &'static str,
    /// The calls that have to wait for one another, those of one group side by side.
    pub hops: &'static [&'static [Service]],
    /// What the services answer.
    answers: fn() -> Vec<Canned>,
}

/// The floor.
pub(super) const BARE: Operation = Operation {
    name: "bare",
    hops: &[],
    function: "bare",
    event: "detail/ok.json",
    answers: Vec::new,
};

/// What most projects ship.
pub(super) const DEFAULTS: Operation = Operation {
    name: "defaults",
    hops: &[&[Store], &[Shop]],
    function: "defaults",
    event: "detail/ok.json",
    answers: canned::detail,
};

/// What the functions do in ordinary life.
pub(super) const OURS: [Operation; 4] = [
    Operation {
        name: "create",
        hops: &[&[Shop, Shop, Store], &[Store]],
        function: "create",
        event: "create/ok.json",
        answers: canned::create,
    },
    Operation {
        name: "detail",
        hops: &[&[Store]],
        function: "detail",
        event: "detail/ok.json",
        answers: canned::detail,
    },
    Operation {
        name: "callback",
        hops: &[&[Store, Shop, Shop], &[Store], &[Shop], &[Store]],
        function: "callback",
        event: "callback/ok.json",
        answers: canned::callback,
    },
    Operation {
        name: "callback-stripe",
        hops: &[&[Store], &[Store], &[Shop], &[Store]],
        function: "callback",
        event: "callback/ok-stripe.json",
        answers: canned::callback,
    },
];

/// What is measured for its hops alone.
pub(super) const FURTHER: [Operation; 2] = [
    Operation {
        name: "detail-by-order",
        hops: &[&[Store], &[Store]],
        function: "detail",
        event: "detail/ok-oid.json",
        answers: canned::detail_by_order,
    },
    Operation {
        name: "list",
        hops: &[&[Store], &[Store]],
        function: "detail",
        event: "detail/ok-list.json",
        answers: canned::list,
    },
];

impl Operation {
    /// All there are.
    pub fn all() -> impl Iterator<Item = Self> {
        [BARE, DEFAULTS].into_iter().chain(OURS).chain(FURTHER)
    }

    /// Those of these names, or all where there is no name.
    ///
    /// # Errors
    ///
    /// A name is none.
    pub fn named(names: &[String]) -> Result<Vec<Self>> {
        let known: Vec<_> = Self::all().map(|operation| operation.name).collect();
        if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
            bail!("there is no {name} to measure: {}", known.join(", "));
        }
        let wanted =
            |operation: &Self| names.is_empty() || names.iter().any(|name| name == operation.name);
        Ok(Self::all().filter(wanted).collect())
    }

    /// Whether it is measured for its hops alone.
    #[must_use]
    pub fn is_further(&self) -> bool {
        FURTHER.iter().any(|one| one.name == self.name)
    }

    /// Whether it is one of the functions that ship.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        ![BARE.name, DEFAULTS.name].contains(&self.name)
    }

    /// Whether a payment is made of it and its like.
    #[must_use]
    pub fn is_of_a_payment(&self) -> bool {
        super::receipt::CALLS.contains(&self.name)
    }

    /// What the bench is told of it. Signatures are fresh.
    ///
    /// # Errors
    ///
    /// Its event cannot be read or filled.
    pub fn subject(&self, template: &Template, binary: PathBuf) -> Result<Subject> {
        Ok(Subject {
            name: self.name.to_owned(),
            binary,
            environment: self.environment(template)?,
            event: self.event()?,
            answers: (self.answers)(),
        })
    }

    fn environment(&self, template: &Template) -> Result<BTreeMap<String, String>> {
        let all = variables("{aws}", "{aws}", "{shop}", "{ca}");
        // The two that do not ship get what detail gets, and the shop.
        let given = |name: &str| template.functions.iter().find(|function| function.name == name);
        let function = given(self.function).or_else(|| given("detail"));
        let function = function.context("the template has no function detail")?;
        let named = Function { name: self.function.to_owned(), ..function.clone() };
        let mut variables = environment(&named, &all);
        variables.extend(of_lambda(&named).map(|(name, value)| (name.to_owned(), value)));
        variables.insert("AWS_CA_BUNDLE".to_owned(), "{ca}".to_owned());
        if !self.is_ours() {
            // What the defaults read: a machine's whole list, with one more.
            variables.insert("SSL_CERT_FILE".to_owned(), "{roots}".to_owned());
        }
        Ok(variables)
    }

    fn event(&self) -> Result<String> {
        let path = binaries::workspace().join("events").join(Path::new(self.event));
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let id = canned::PAYMENT.to_string();
        let mut filling = Filling {
            values: BTreeMap::from([("pending_id".to_owned(), id)]),
            ..Filling::default()
        };
        if self.function == "callback" {
            filling.now_secs = clock::now_secs().saturating_add(SIGNED_AHEAD_SECS);
        }
        Ok(events::fill(&text, &filling)?.to_string())
    }
}

/// What Secrets Manager answers about both secrets.
///
/// # Errors
///
/// [`defaults::webhook_secrets`].
pub(super) fn secrets() -> Result<[(&'static str, String); 2]> {
    let auth = serde_json::json!({"access_secret": defaults::ACCESS_SECRET}).to_string();
    Ok([
        (defaults::AUTH_SECRET_ID, auth),
        (defaults::WEBHOOK_SECRET_ID, defaults::webhook_secrets()?.to_string()),
    ])
}
