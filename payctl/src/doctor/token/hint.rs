//! What to do about a token that does not count.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use pay_core::json::{Json, Object};
use pay_service::auth::TokenFault;
use pay_service::limits::{PAY_TOKEN_MAX_SECS, TOKEN_MAX_BYTES};
use ring::hmac;

use super::TokenCase;
use crate::doctor::shown;

/// What to do about a fault. It names claims, and no part of the token or the secret beside them.
pub(super) fn of(case: &TokenCase, fault: TokenFault) -> String {
    let claims = part(case, 1).unwrap_or_default();
    match fault {
        TokenFault::NoHeader => {
            "send the token in the header `Authorization: Bearer <token>`".to_owned()
        }
        TokenFault::Scheme => {
            "write `Bearer` and one space before the token, and nothing else; or \
            nothing but the token"
                .to_owned()
        }
        TokenFault::TooLong => {
            let len = token(case).len();
            format!(
                "it is {len} bytes long, and {TOKEN_MAX_BYTES} are read: put less into its claims"
            )
        }
        TokenFault::Malformed => malformed(case),
        TokenFault::Algorithm => algorithm(case),
        TokenFault::Signature => signature(case),
        TokenFault::Claims => {
            "have its issuer write the claims as one JSON object with each name once".to_owned()
        }
        TokenFault::NoExpiry => format!(
            "`exp` is {}: have its issuer write it as Unix time in seconds",
            kind(claims.get("exp"))
        ),
        TokenFault::Expired => expired(case, &claims),
        TokenFault::NotYetValid => not_yet_valid(case, &claims),
        TokenFault::Issuer => compared("iss", &claims, "JWT_ISSUER", case.rules.issuer.as_deref()),
        TokenFault::Audience => {
            compared("aud", &claims, "JWT_AUDIENCE", case.rules.audience.as_deref())
        }
        TokenFault::ScopeType => format!(
            "`scope` is {}: write a text with spaces between the scopes, or leave it out",
            kind(claims.get("scope"))
        ),
        TokenFault::Lifetime => lifetime(&claims),
        TokenFault::NoUid => no_uid(&claims),
        TokenFault::Service => {
            "use a payer's token here; a service's has rights of its own only. To \
            check it as a service's, name the scope that is needed in `scope`"
                .to_owned()
        }
        TokenFault::Scope => format!(
            "`scope` is {}, and `{}` is needed: have a token issued with that scope",
            value(claims.get("scope")),
            shown(case.scope.as_deref().unwrap_or_default())
        ),
    }
}

/// The token itself, without the scheme before it.
fn token(case: &TokenCase) -> &str {
    case.header.split_once(' ').map_or(case.header.as_str(), |(_, token)| token.trim_start())
}

/// A part of the token as JSON: 0 is its header, 1 its claims.
fn part(case: &TokenCase, at: usize) -> Option<Object> {
    Object::parse(&URL_SAFE_NO_PAD.decode(token(case).split('.').nth(at)?).ok()?)
}

/// How a token is altered on the way, and how that is undone.
type AlteredToken = (&'static str, fn(&str) -> String);

const ALTERED: [AlteredToken; 5] = [
    ("white space around it or in it", |text| text.split_whitespace().collect()),
    ("quotes around it", |text| text.trim().trim_matches(['"', '\'']).to_owned()),
    ("`Bearer` before it twice", |text| {
        let rest = text.trim().get(7..).unwrap_or_default();
        let is_twice = text.trim().to_ascii_lowercase().starts_with("bearer ");
        if is_twice { rest.trim().to_owned() } else { text.to_owned() }
    }),
    ("the padding `=` or the alphabet of plain base64", |text| {
        text.replace('=', "").replace('+', "-").replace('/', "_")
    }),
    ("a comma or another character behind it", |text| {
        text.trim_end_matches(|end: char| !end.is_ascii_alphanumeric()).to_owned()
    }),
];

fn malformed(case: &TokenCase) -> String {
    let token = token(case);
    let altered = ALTERED.into_iter().find(|(_, undo)| {
        let undone = undo(token);
        undone != token && case.fault_of(&format!("Bearer {undone}")) != Some(TokenFault::Malformed)
    });
    if let Some((what, _)) = altered {
        return format!("it has {what}: send it without");
    }
    match token.split('.').count() {
        5 => "it has five parts, so it is encrypted (JWE): only signed tokens are read".to_owned(),
        2 => "its signature is missing: it has two parts of three".to_owned(),
        3 => "a part of it is not base64url, or its signature is not one of HS256: was it cut?"
            .to_owned(),
        parts => format!("it has {parts} parts, and a token has three with `.` between them"),
    }
}

fn algorithm(case: &TokenCase) -> String {
    let Some(header) = part(case, 0) else {
        return "its header is not one JSON object".to_owned();
    };
    if header.get("crit").is_some() {
        return "its header has `crit`: have its issuer leave extensions out".to_owned();
    }
    format!("`alg` is {}: have its issuer sign with HS256", value(header.get("alg")))
}

/// Another use of the secret, tried on the token.
fn signature(case: &TokenCase) -> String {
    let secret = case.keys.as_object().and_then(|keys| keys.text("access_secret"));
    let secret = secret.unwrap_or_default();
    let unquoted = secret.trim().trim_matches(['"', '\'']);
    let uses: [(&str, Option<Vec<u8>>); 7] = [
        ("the secret with the white space around it", Some(secret.as_bytes().to_vec())),
        ("the secret without the quotes around it", Some(unquoted.as_bytes().to_vec())),
        ("the secret and a line break", Some(format!("{}\n", secret.trim()).into_bytes())),
        ("the bytes that the secret stands for in base64", decoded(unquoted)),
        ("the bytes that the secret stands for in hex", hex::decode(unquoted).ok()),
        ("the whole JSON of the secret", Some(json_of(case).into_bytes())),
        ("an empty key", Some(Vec::new())),
    ];
    let fits = |key: &Option<Vec<u8>>| key.as_ref().is_some_and(|key| signs(key, token(case)));
    match uses.iter().find(|(_, key)| fits(key)) {
        Some((what, _)) => format!(
            "it is signed with {what}: have its issuer sign with the text of the secret, without \
             white space around it"
        ),
        None => "it was signed with another secret, or a character of it was changed. Compare the \
            secret of its issuer with AWSCURRENT and AWSPREVIOUS of the access secret"
            .to_owned(),
    }
}

fn json_of(case: &TokenCase) -> String {
    crate::doctor::edit::value(&case.keys).to_string()
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let engines = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
    engines.iter().find_map(|engine| engine.decode(text).ok())
}

/// Whether a key, which may be too short for the functions, signed a token.
fn signs(key: &[u8], token: &str) -> bool {
    let Some((message, signature)) = token.rsplit_once('.') else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    hmac::verify(&key, message.as_bytes(), &signature).is_ok()
}

fn expired(case: &TokenCase, claims: &Object) -> String {
    let now = case.now.secs();
    let Some(exp) = claims.integer("exp") else {
        return "get a new one".to_owned();
    };
    let ago = now.saturating_sub(exp);
    let life = claims.integer("iat").map(|iat| exp.saturating_sub(iat));
    let lived = life.map_or(String::new(), |life| format!(", and it lived {life} s"));
    format!(
        "`exp` was {ago} s ago{lived}: get a new one. If it was issued just now, the clock of its \
         issuer is behind, or its life is too short"
    )
}

fn not_yet_valid(case: &TokenCase, claims: &Object) -> String {
    match claims.integer("nbf").map(|nbf| nbf.saturating_sub(case.now.secs())) {
        Some(ahead) => format!(
            "`nbf` is {ahead} s ahead: the clock of its issuer is ahead, or it is meant for later"
        ),
        None => format!(
            "`nbf` is {}: have its issuer write it as Unix time in seconds, or leave it out",
            kind(claims.get("nbf"))
        ),
    }
}

fn compared(name: &str, claims: &Object, setting: &str, configured: Option<&str>) -> String {
    format!(
        "`{name}` is {}, and {setting} is `{}`: they must be the same, to the letter",
        value(claims.get(name)),
        shown(configured.unwrap_or_default())
    )
}

fn lifetime(claims: &Object) -> String {
    match (claims.integer("iat"), claims.integer("exp")) {
        (Some(iat), Some(exp)) if iat <= exp => format!(
            "it lives {} s, and {PAY_TOKEN_MAX_SECS} are allowed: have its issuer issue one for a \
             day at most, again each day",
            exp.saturating_sub(iat)
        ),
        (Some(_), _) => "it was issued after its end: its issuer's `iat` is wrong".to_owned(),
        (None, _) => format!(
            "`iat` is {}: have its issuer write when it issued the token, in Unix seconds, and end it \
             {PAY_TOKEN_MAX_SECS} s later at most",
            kind(claims.get("iat"))
        ),
    }
}

/// Names that other services have for the user.
const OTHER_NAMES: [&str; 8] = ["sub", "userId", "user_id", "userid", "UID", "Uid", "id", "user"];

fn no_uid(claims: &Object) -> String {
    if let Some(uid) = claims.get("uid") {
        return format!("`uid` is {}: have its issuer write the user's number", kind(Some(uid)));
    }
    match OTHER_NAMES.into_iter().find(|name| claims.get(name).is_some()) {
        Some(name) => format!(
            "it has `{name}` and no `uid`: have its issuer write the user's number in `uid` as well"
        ),
        None => "have its issuer write the user's number in `uid`".to_owned(),
    }
}

/// What kind of value a claim has.
fn kind(claim: Option<&Json>) -> &'static str {
    match claim {
        None => "absent",
        Some(Json::Text(_)) => "a text",
        Some(Json::Number(_)) => "a number out of range",
        Some(Json::Bool(_)) => "true or false",
        Some(Json::Array(_)) => "a list",
        Some(Json::Object(_)) => "an object",
        Some(Json::Other) => "null, negative, or a number with a fraction or an exponent",
    }
}

/// A claim's value, if it is a short text or texts.
fn value(claim: Option<&Json>) -> String {
    match claim {
        Some(Json::Text(text)) => format!("`{}`", shown(text)),
        Some(Json::Array(items)) => {
            let texts = items.iter().filter_map(Json::as_text).map(|text| format!("`{text}`"));
            format!("a list of {}", shown(&texts.collect::<Vec<_>>().join(", ")))
        }
        other => kind(other).to_owned(),
    }
}
