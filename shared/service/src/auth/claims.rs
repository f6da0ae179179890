//! What a token's claims say, once its signature is right.

use pay_core::{
    domain::{Timestamp, UserId},
    json::{Json, Object},
};

use super::{
    OUR_SCOPES, TokenFault,
    numeric_date::{NumericDate, Times},
};
use crate::limits::PAY_TOKEN_MAX_SECS;

/// What a token must say beyond its times, where the deployment wants it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRules {
    /// The `iss` it must have.
    pub issuer: Option<String>,
    /// What its `aud` must be or contain.
    pub audience: Option<String>,
}

/// The claims of a token that counts now.
pub(super) struct TokenClaims {
    object: Object,
    scopes: Vec<String>,
}

impl TokenClaims {
    /// Reads claims and judges all but who they make of the caller.
    ///
    /// `exp` must be there, a time, and later than now, without leeway: it is the only hold on a
    /// leaked token. An `nbf` must be a time and not in the future. `iat` decides nothing in a
    /// payer's token; a service's must have one, at most [`PAY_TOKEN_MAX_SECS`] before its `exp`.
    ///
    /// # Errors
    ///
    /// The first [`TokenFault`], in the order of [`TokenFault::ALL`].
    pub(super) fn parse(
        json: &[u8],
        rules: &TokenRules,
        now: Timestamp,
    ) -> Result<Self, TokenFault> {
        let object = Object::parse(json).ok_or(TokenFault::Claims)?;
        let times = Times::read(json).ok_or(TokenFault::Claims)?;
        let now = NumericDate::from(now);
        if *times.exp.as_ref().ok_or(TokenFault::NoExpiry)? <= now {
            return Err(TokenFault::Expired);
        }
        if object.get("nbf").is_some() && times.nbf.as_ref().is_none_or(|nbf| *nbf > now) {
            return Err(TokenFault::NotYetValid);
        }
        if rules.issuer.as_deref().is_some_and(|issuer| object.text("iss") != Some(issuer)) {
            return Err(TokenFault::Issuer);
        }
        let is_for = |audience: &str| {
            texts(object.get("aud")).is_some_and(|audiences| audiences.contains(&audience))
        };
        if rules.audience.as_deref().is_some_and(|audience| !is_for(audience)) {
            return Err(TokenFault::Audience);
        }
        let scopes = scopes(&object).ok_or(TokenFault::ScopeType)?;
        let claims = Self { object, scopes };
        if claims.is_service() && !is_short_lived(&times) {
            return Err(TokenFault::Lifetime);
        }
        Ok(claims)
    }

    /// Whether it has exactly this scope.
    pub(super) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|entry| entry == scope)
    }

    /// Whether it is a service's token: any scope of ours makes it one.
    pub(super) fn is_service(&self) -> bool {
        self.scopes.iter().any(|entry| entry.contains(OUR_SCOPES))
    }

    /// The user it was issued to, if it names one.
    pub(super) fn uid(&self) -> Option<UserId> {
        UserId::new(self.object.integer("uid")?).ok()
    }
}

/// Whether `iat` and `exp` say that a token lives as long as a service's may.
fn is_short_lived(times: &Times) -> bool {
    let times = times.iat.as_ref().zip(times.exp.as_ref());
    times.is_some_and(|(iat, exp)| iat <= exp && *exp <= iat.plus_secs(PAY_TOKEN_MAX_SECS))
}

/// The entries of `scope` (RFC 8693, section 4.2: separated by spaces; some issuers send a list).
/// `None` for any other type: what it grants is unknown.
fn scopes(object: &Object) -> Option<Vec<String>> {
    let Some(claim) = object.get("scope") else {
        return Some(Vec::new());
    };
    let entries = texts(Some(claim))?
        .into_iter()
        .flat_map(|text| text.split(' '))
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect();
    Some(entries)
}

/// A claim that is a text or a list of texts, as a list.
fn texts(claim: Option<&Json>) -> Option<Vec<&str>> {
    match claim? {
        Json::Text(text) => Some(vec![text]),
        Json::Array(list) => list.iter().map(Json::as_text).collect(),
        Json::Other | Json::Bool(_) | Json::Number(_) | Json::Object(_) => None,
    }
}
