//! From the value of `Authorization` to a caller.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, crypto, decode_header};
use pay_core::{
    domain::{Timestamp, UserId},
    json::Object,
};

use super::{AuthKey, TokenFault, TokenRules, claims::TokenClaims};
use crate::limits::TOKEN_MAX_BYTES;

/// The size of an HS256 signature.
const TAG_BYTES: usize = 32;

/// Why a caller is not let in. The response must not say more than the variant does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No token, or not one that counts.
    #[error("no token that counts: {0}")]
    Unauthenticated(TokenFault),
    /// A token that would count, had this key signed it. Another one of ours may have: try the
    /// previous one, then a newer one, and take it for [`Self::Unauthenticated`] if it stays.
    #[error("a token signed with no key known here")]
    UnknownSignature,
    /// An authentic token of another kind of caller.
    #[error("a token without the right to do this: {0}")]
    Forbidden(TokenFault),
}

impl TokenError {
    /// What is wrong with the token.
    #[must_use]
    pub const fn fault(self) -> TokenFault {
        match self {
            Self::Unauthenticated(fault) | Self::Forbidden(fault) => fault,
            Self::UnknownSignature => TokenFault::Signature,
        }
    }
}

/// The payer that a request's `Authorization` header names.
///
/// # Errors
///
/// [`TokenError::UnknownSignature`], [`TokenError::Forbidden`] for a service's token, else
/// [`TokenError::Unauthenticated`].
pub fn payer(
    header: Option<&str>,
    key: &AuthKey,
    rules: &TokenRules,
    now: Timestamp,
) -> Result<UserId, TokenError> {
    let claims = claims(header, key, rules, now)?;
    if claims.is_service() {
        return Err(TokenError::Forbidden(TokenFault::Service));
    }
    claims.uid().ok_or(TokenError::Unauthenticated(TokenFault::NoUid))
}

/// Whether a request's `Authorization` header is that of a service with this scope.
///
/// # Errors
///
/// [`TokenError::UnknownSignature`], [`TokenError::Forbidden`] for a payer's token and for a service's
/// without the scope, else [`TokenError::Unauthenticated`].
pub fn service(
    header: Option<&str>,
    key: &AuthKey,
    rules: &TokenRules,
    scope: &str,
    now: Timestamp,
) -> Result<(), TokenError> {
    if claims(header, key, rules, now)?.has_scope(scope) {
        Ok(())
    } else {
        Err(TokenError::Forbidden(TokenFault::Scope))
    }
}

/// The claims of a token that counts: signature first, claims after.
fn claims(
    header: Option<&str>,
    key: &AuthKey,
    rules: &TokenRules,
    now: Timestamp,
) -> Result<TokenClaims, TokenError> {
    let header = header.filter(|header| !header.is_empty());
    let token = header.ok_or(TokenFault::NoHeader).and_then(Token::parse);
    let token = token.map_err(TokenError::Unauthenticated)?;
    match (TokenClaims::parse(&token.claims, rules, now), token.is_signed_with(key)) {
        (claims, true) => claims.map_err(TokenError::Unauthenticated),
        (Ok(_), false) => Err(TokenError::UnknownSignature),
        // What could not count anyway is no reason to read the secret.
        (Err(_), false) => Err(TokenError::Unauthenticated(TokenFault::Signature)),
    }
}

/// A well-formed HS256 token, of which nothing is believed yet.
struct Token<'a> {
    /// What is signed: header and claims as they came.
    message: &'a str,
    claims: Vec<u8>,
    signature: &'a str,
}

impl<'a> Token<'a> {
    /// Reads `Bearer <token>`, the scheme in any case and nothing after the token; or the token alone,
    /// as the replaced service does.
    ///
    /// Source: golang-jwt `request.AuthorizationHeaderExtractor`, which go-zero uses.
    fn parse(header: &'a str) -> Result<Self, TokenFault> {
        let token = match header.split_once(' ') {
            None => header,
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => {
                rest.trim_start_matches(' ')
            }
            Some(_) => return Err(TokenFault::Scheme),
        };
        if token.len() > TOKEN_MAX_BYTES {
            return Err(TokenFault::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (protected, claims) = message.split_once('.').ok_or(TokenFault::Malformed)?;
        // The decoder takes the URL-safe alphabet alone, unpadded and without trailing bits: anything
        // after the token, a second one behind a comma included, ends here.
        let decoded = |part: &str| {
            URL_SAFE_NO_PAD.decode(part).map_err(|_another_text| TokenFault::Malformed)
        };
        let (protected, claims, tag) = (decoded(protected)?, decoded(claims)?, decoded(signature)?);
        if !is_hs256(token, &protected) {
            return Err(TokenFault::Algorithm);
        }
        if tag.len() != TAG_BYTES {
            return Err(TokenFault::Malformed);
        }
        Ok(Self { message, claims, signature })
    }

    fn is_signed_with(&self, key: &AuthKey) -> bool {
        let message = self.message.as_bytes();
        crypto::verify(self.signature, message, &key.checking, Algorithm::HS256).unwrap_or(false)
    }
}

/// Whether a header names HS256 and nothing that we would have to understand.
///
/// `crit` lists extensions that change what a token means (RFC 7515, section 4.1.11): we know none,
/// and the library does not look. Even `null` or an empty list is rejected.
fn is_hs256(token: &str, header: &[u8]) -> bool {
    decode_header(token).is_ok_and(|header| header.alg == Algorithm::HS256)
        && Object::parse(header).is_some_and(|header| header.get("crit").is_none())
}

#[cfg(test)]
mod tests;
