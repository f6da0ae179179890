//! What the doctor knows about each sender: a file each, and one line each in [`of`].
//!
//! A sender that has no more than [`SenderFacts::new`] gets every hint that is not a sender's own.

mod alipay;
mod standard;
mod stripe;
#[cfg(test)]
mod tests;
mod wechat;

use pay_core::domain::Provider;
use pay_providers::VerifyError;

use super::headers::{HeaderFacts, OtherNames};
use super::{case::Case, check::SchemeKeys, form::FormFacts, trial::Trial};
use crate::Scheme;

/// The beginning of the secrets of Standard Webhooks and of Stripe. The key of Stripe is the whole
/// text; that of Standard Webhooks is what the base64 behind the prefix encodes.
const SECRET_PREFIX: &str = "whsec_";

/// How texts begin that are taken for keys, and what they are.
pub(super) type NoKey = (&'static [&'static str], &'static str);

/// What the doctor knows about one sender.
#[derive(Clone, Copy, Debug)]
pub(super) struct SenderFacts {
    /// Its name in a sentence.
    pub(super) name: &'static str,
    /// No keys: what a message is verified with where the configured ones are unusable.
    pub(super) no_keys: fn() -> SchemeKeys,
    /// The headers that its verification reads; none where the body carries the signature.
    pub(super) headers: &'static [HeaderFacts],
    /// Finds the signed timestamp. `None` where no time is signed.
    pub(super) timestamp: Option<fn(&Case) -> Option<&str>>,
    /// The form that it signs; `None` where it signs the bytes of the body.
    pub(super) form: Option<FormFacts>,
    /// Other names of its headers, which a program that speaks for it may send.
    pub(super) other_names: Option<OtherNames>,
    /// What is taken for its keys.
    pub(super) no_key_texts: &'static [NoKey],
    /// Explains a right key that the sender uses in another way.
    pub(super) other_use: fn(&Trial<'_>) -> Option<String>,
    /// Explains an error by the message, after every cause that any message can have.
    pub(super) of_error: fn(&Trial<'_>, VerifyError) -> Option<String>,
}

impl SenderFacts {
    /// A sender without hints of its own.
    pub(super) const fn new(
        name: &'static str,
        no_keys: fn() -> SchemeKeys,
        headers: &'static [HeaderFacts],
        timestamp: Option<fn(&Case) -> Option<&str>>,
    ) -> Self {
        Self {
            name,
            no_keys,
            headers,
            timestamp,
            form: None,
            other_names: None,
            no_key_texts: &[],
            other_use: |_| None,
            of_error: |_, _| None,
        }
    }
}

/// What is known about the sender that signs so.
pub(super) const fn of(scheme: Scheme) -> &'static SenderFacts {
    match scheme {
        Scheme::Standard => &standard::FACTS,
        Scheme::Provider(Provider::Stripe) => &stripe::FACTS,
        Scheme::Provider(Provider::WeChat) => &wechat::FACTS,
        Scheme::Provider(Provider::Alipay) => &alipay::FACTS,
    }
}

/// Every sender.
pub(super) fn all() -> impl Iterator<Item = &'static SenderFacts> {
    Scheme::all().map(of)
}

/// Says which algorithm the message names, and where.
fn only(place: &str, found: &str, accepted: &str) -> String {
    format!("`{place}` is `{found}`, and only `{accepted}` is accepted")
}
