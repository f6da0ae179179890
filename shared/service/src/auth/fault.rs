//! Why a token does not count: for the log, a metric and a tool, never for a response.

/// What is wrong with a token, or with the request that should carry one. One for each cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// No header `Authorization`, or an empty one.
    #[error("there is no header `Authorization`")]
    NoHeader,
    /// The header names another scheme than Bearer.
    #[error(
        "the header `Authorization` has another scheme than Bearer, or a space around the token"
    )]
    Scheme,
    /// Not exactly one token in the compact form: three parts of unpadded base64url.
    #[error("it is not one token of three parts in unpadded base64url")]
    Malformed,
    /// Longer than any token that is read.
    #[error("it is longer than any token that is read")]
    TooLong,
    /// Its header names another algorithm than HS256, or an extension that we would have to know.
    #[error("its header does not name HS256, or names an extension (`crit`)")]
    Algorithm,
    /// No key of ours signed it.
    #[error("no key known here signed it")]
    Signature,
    /// Its claims are not one JSON object.
    #[error("its claims are not one JSON object, or have a name twice")]
    Claims,
    /// `exp` is absent, or no time.
    #[error("`exp` is absent, or no Unix time in seconds")]
    NoExpiry,
    /// `exp` is in the past.
    #[error("it has expired: `exp` is in the past")]
    Expired,
    /// `nbf` is in the future, or no time.
    #[error("it is not valid yet: `nbf` is in the future, or no Unix time in seconds")]
    NotYetValid,
    /// `iss` is not the configured one.
    #[error("`iss` is not the configured issuer")]
    Issuer,
    /// `aud` is not, and does not contain, the configured one.
    #[error("`aud` is not the configured audience, and does not contain it")]
    Audience,
    /// `scope` has a type that says nothing.
    #[error("`scope` is neither a text nor a list of texts")]
    ScopeType,
    /// A scope of ours, and no `iat`, or a longer life than such a token may have.
    #[error("it has a scope with `pay:` and no `iat`, or lives longer than a day")]
    Lifetime,
    /// A payer's token without a user.
    #[error("`uid` is absent, or no user's number")]
    NoUid,
    /// A service's token where a payer's is needed.
    #[error("it is a service's: its scope contains `pay:`")]
    Service,
    /// A token without the scope that is needed.
    #[error("it does not have the scope that is needed")]
    Scope,
}

impl TokenFault {
    /// All, in the order in which they are checked. Docs and tests list them.
    pub const ALL: [Self; 17] = [
        Self::NoHeader,
        Self::Scheme,
        Self::TooLong,
        Self::Malformed,
        Self::Algorithm,
        Self::Signature,
        Self::Claims,
        Self::NoExpiry,
        Self::Expired,
        Self::NotYetValid,
        Self::Issuer,
        Self::Audience,
        Self::ScopeType,
        Self::Lifetime,
        Self::NoUid,
        Self::Service,
        Self::Scope,
    ];

    /// The `reason` in the log and the metric.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoHeader => "no-header",
            Self::Scheme => "scheme-not-bearer",
            Self::Malformed => "malformed",
            Self::TooLong => "too-long",
            Self::Algorithm => "algorithm",
            Self::Signature => "signature",
            Self::Claims => "claims-not-json",
            Self::NoExpiry => "no-expiry",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::ScopeType => "scope-not-text",
            Self::Lifetime => "lifetime",
            Self::NoUid => "no-uid",
            Self::Service => "service-token",
            Self::Scope => "scope",
        }
    }
}
