mod times;

use serde_json::{Value, json};

use super::{TokenFault as F, *};
use crate::auth::{CALLBACK_SCOPE, sign, sign::compact};

const NOW_SECS: u64 = 1_800_000_000;
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

fn now() -> Timestamp {
    Timestamp::from_millis(NOW_SECS * 1000 + 999).unwrap()
}

fn key(seed: &str) -> AuthKey {
    AuthKey::from_secret(&json!({ "access_secret": seed.repeat(32) }).to_string()).unwrap()
}

fn good() -> Value {
    json!({"iat": NOW_SECS - 10, "exp": NOW_SECS + 1, "uid": 7})
}

/// The good claims with one of them set, or taken out where it is `null`.
fn with(name: &str, value: &Value) -> Value {
    let mut claims = good();
    claims[name] = value.clone();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    }
    claims
}

fn payer_of(token: &str) -> Result<u64, TokenError> {
    let header = format!("Bearer {token}");
    payer(Some(&header), &key("k"), &TokenRules::default(), now()).map(UserId::get)
}

fn service_of(claims: &Value, scope: &str) -> Result<(), TokenError> {
    let header = format!("Bearer {}", sign(&key("k"), claims));
    service(Some(&header), &key("k"), &TokenRules::default(), scope, now())
}

/// A token that does not count for this.
fn fault<T>(fault: TokenFault) -> Result<T, TokenError> {
    Err(TokenError::Unauthenticated(fault))
}

#[test]
fn a_good_token_names_its_payer() {
    assert_eq!(payer_of(&sign(&key("k"), &good())), Ok(7));
}

#[test]
fn a_token_made_by_another_implementation_verifies() {
    // Computed with Python's hmac module, under the key of 32 letters k.
    let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
                 eyJleHAiOjE4MDAwMDAwMDEsInVpZCI6N30.\
                 S2dXxjGQQVJ66XPORu4oX5jq2gKwTRuQ56-GMTFY_3c";
    assert_eq!(payer_of(token), Ok(7));
}

#[test]
fn the_scheme_counts_in_any_case_and_holds_exactly_one_token() {
    let token = sign(&key("k"), &good());
    let of = |header: &str| payer(Some(header), &key("k"), &TokenRules::default(), now());
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        assert!(of(&format!("{scheme} {token}")).is_ok(), "{scheme}");
    }
    assert!(of(&format!("Bearer   {token}")).is_ok());
    // Alone, as the replaced service takes it.
    assert!(of(&token).is_ok());
    for (bad, why) in [
        (String::new(), F::NoHeader),
        ("Bearer".to_owned(), F::Malformed),
        ("Bearer ".to_owned(), F::Malformed),
        (format!("{token} "), F::Scheme),
        (format!("{token} {token}"), F::Scheme),
        (format!(" Bearer {token}"), F::Scheme),
        (format!("Basic {token}"), F::Scheme),
        (format!("Bearer\t{token}"), F::Malformed),
        (format!("Bearer: {token}"), F::Scheme),
        (format!("Bearer{token}"), F::Malformed),
        (format!("Bearer {token} "), F::Malformed),
        (format!("Bearer {token},"), F::Malformed),
        (format!("Bearer {token}, Bearer {token}"), F::Malformed),
        (format!("Bearer {token},Bearer {token}"), F::Malformed),
        (format!("Bearer {token} {token}"), F::Malformed),
        (format!("Bearer {token}\n"), F::Malformed),
        (format!("Bearer {token}."), F::Malformed),
        (format!("Bearer {token}="), F::Malformed),
        (format!("Bearer .{token}"), F::Malformed),
        (format!("Bearer \"{token}\""), F::Malformed),
        ("Bearer é..".to_owned(), F::Malformed),
    ] {
        assert_eq!(of(&bad), fault(why), "{bad:?}");
    }
    assert_eq!(payer(None, &key("k"), &TokenRules::default(), now()), fault(F::NoHeader));
}

#[test]
fn a_token_of_4_kib_is_rejected_unread() {
    let padded = |len: usize| sign(&key("k"), &with("pad", &json!("x".repeat(len))));
    let fits =
        (0..4096).map(padded).take_while(|token| token.len() <= TOKEN_MAX_BYTES).last().unwrap();
    let too_long = (2900..3100).map(padded).find(|token| token.len() > TOKEN_MAX_BYTES).unwrap();
    assert_eq!(payer_of(&fits), Ok(7));
    assert_eq!(payer_of(&too_long), fault(F::TooLong));
}

#[test]
fn a_header_other_than_plain_hs256_is_rejected() {
    let claims = good().to_string();
    for bad in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"NoNe"}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":"HS384"}"#,
        r#"{"alg":"HS512"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"ES256"}"#,
        r#"{"alg":"EdDSA"}"#,
        r#"{"alg":""}"#,
        r#"{"alg":null}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","\u0061lg":"HS256"}"#,
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","crit":null}"#,
        r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
        r#"["JWT","HS256"]"#,
        r#""HS256""#,
        "HS256",
        "",
        r#"{"alg":"HS256"} x"#,
        "\u{feff}{\"alg\":\"HS256\"}",
    ] {
        let token = compact(&key("k"), bad, &claims);
        assert_eq!(payer_of(&token), fault(F::Algorithm), "{bad}");
    }
    assert_eq!(payer_of(&compact(&key("k"), r#"{"alg":"HS256"}"#, &claims)), Ok(7));
}

#[test]
fn an_unsigned_token_is_rejected() {
    let token = sign(&key("k"), &good());
    let (message, _) = token.rsplit_once('.').unwrap();
    for (bad, why) in [
        // Two parts: the claims stand for the header.
        (message.to_owned(), F::Malformed),
        (format!("{message}."), F::Malformed),
        (format!("{message}.AAAA"), F::Malformed),
    ] {
        assert_eq!(payer_of(&bad), fault(why), "{bad}");
    }
}

#[test]
fn one_flipped_bit_anywhere_makes_the_token_invalid() {
    let token = sign(&key("k"), &good());
    assert!(payer_of(&token).is_ok());
    for at in 0..token.len() {
        for bit in 0..7 {
            let mut bytes = token.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let flipped = String::from_utf8(bytes).unwrap();
            assert!(payer_of(&flipped).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn an_unknown_key_is_distinguished_only_where_it_matters() {
    assert_eq!(payer_of(&sign(&key("x"), &good())), Err(TokenError::UnknownSignature));
    // Expired anyway: no reason to read the secret again.
    let old = with("exp", &json!(NOW_SECS));
    assert_eq!(payer_of(&sign(&key("x"), &old)), fault(F::Signature));
}

#[test]
fn claims_of_odd_json_are_rejected() {
    for (bad, why) in [
        (r#"{"exp":1e400,"uid":7}"#, F::Claims),
        (r#"{"exp":18446744073709551616,"uid":7}"#, F::NoExpiry),
        (r#"{"exp":null,"uid":7}"#, F::NoExpiry),
        (r#"{"exp":1900000000,"nbf":null,"uid":7}"#, F::NotYetValid),
        (r#"{"exp":1900000000,"nbf":1900000000.5,"uid":7}"#, F::NotYetValid),
        (r#"{"exp":1,"exp":1900000000,"uid":7}"#, F::Claims),
        (r#"{"exp":1900000000,"uid":7,"uid":8}"#, F::Claims),
        (r#"{"exp":1900000000,"uid":7,"\u0075id":8}"#, F::Claims),
        (r#"{"exp":1900000000,"uid":7,"x":1,"x":1}"#, F::Claims),
        ("[1900000000,7]", F::Claims),
        (r#"{"exp":1900000000,"uid":7}{}"#, F::Claims),
        ("null", F::Claims),
        ("", F::Claims),
    ] {
        let token = compact(&key("k"), HEADER, bad);
        assert_eq!(payer_of(&token), fault(why), "{bad}");
    }
}

#[test]
fn a_payer_has_a_uid_in_range() {
    let largest = (1_u64 << 63) - 1;
    assert_eq!(payer_of(&sign(&key("k"), &with("uid", &json!(largest)))), Ok(largest));
    for bad in [
        Value::Null,
        json!("7"),
        json!(7.0),
        json!(0),
        json!(-7),
        json!(largest + 1),
        json!(u64::MAX),
        json!([7]),
        json!({"uid": 7}),
        json!(true),
    ] {
        let token = sign(&key("k"), &with("uid", &bad));
        assert_eq!(payer_of(&token), fault(F::NoUid), "{bad}");
    }
}

#[test]
fn issuer_and_audience_are_enforced_where_configured() {
    let rules = TokenRules { issuer: Some("mall".to_owned()), audience: Some("pay".to_owned()) };
    for (iss, aud, want) in [
        (json!("mall"), json!("pay"), Ok(7)),
        (json!("mall"), json!(["x", "pay"]), Ok(7)),
        (json!("mall"), json!([]), fault(F::Audience)),
        (json!("mall"), json!(["pay", 1]), fault(F::Audience)),
        (json!("mall"), json!("pa"), fault(F::Audience)),
        (json!("mall"), json!("x pay"), fault(F::Audience)),
        (json!("mall"), Value::Null, fault(F::Audience)),
        (Value::Null, json!("pay"), fault(F::Issuer)),
        (json!("Mall"), json!("pay"), fault(F::Issuer)),
        (json!(["mall"]), json!("pay"), fault(F::Issuer)),
    ] {
        let mut claims = with("iss", &iss);
        if !aud.is_null() {
            claims["aud"] = aud.clone();
        }
        let header = format!("Bearer {}", sign(&key("k"), &claims));
        let found = payer(Some(&header), &key("k"), &rules, now()).map(UserId::get);
        assert_eq!(found, want, "{iss} {aud}");
        // Without rules nobody asks.
        assert!(payer(Some(&header), &key("k"), &TokenRules::default(), now()).is_ok());
    }
}

#[test]
fn a_scope_of_ours_is_never_a_payer() {
    for scope in [
        json!("pay:callback"),
        json!("pay:service"),
        json!("read pay:x"),
        json!("xpay:x"),
        json!(["read", "pay:callback"]),
        json!(["read pay:callback"]),
    ] {
        let token = sign(&key("k"), &with("scope", &scope));
        assert_eq!(payer_of(&token), Err(TokenError::Forbidden(F::Service)), "{scope}");
        // However long it lives.
        let mut claims = with("scope", &scope);
        claims["exp"] = json!(NOW_SECS + 365 * 86_400);
        assert_eq!(payer_of(&sign(&key("k"), &claims)), fault(F::Lifetime), "{scope}");
    }
    for scope in [json!(""), json!("read write"), json!("pay"), json!([])] {
        assert_eq!(payer_of(&sign(&key("k"), &with("scope", &scope))), Ok(7), "{scope}");
    }
    for odd in [json!(1), json!({"pay:callback": 1}), json!([1]), json!(true)] {
        let token = sign(&key("k"), &with("scope", &odd));
        assert_eq!(payer_of(&token), fault(F::ScopeType), "{odd}");
    }
    let null = compact(&key("k"), HEADER, r#"{"exp":1900000000,"uid":7,"scope":null}"#);
    assert_eq!(payer_of(&null), fault(F::ScopeType));
}

#[test]
fn a_service_needs_exactly_the_scope_asked_for() {
    for (scope, want) in [
        (json!("pay:callback"), Ok(())),
        (json!("read pay:callback"), Ok(())),
        (json!(["pay:callback"]), Ok(())),
        (json!("pay:callbacks"), Err(TokenError::Forbidden(F::Scope))),
        (json!("pay:service"), Err(TokenError::Forbidden(F::Scope))),
        (json!(""), Err(TokenError::Forbidden(F::Scope))),
        (Value::Null, Err(TokenError::Forbidden(F::Scope))),
        (json!(1), fault(F::ScopeType)),
    ] {
        assert_eq!(service_of(&with("scope", &scope), CALLBACK_SCOPE), want, "{scope}");
    }
    // A service is nobody in particular: it needs no uid. Its time counts all the same.
    let claims = json!({"iat": NOW_SECS, "exp": NOW_SECS + 1, "scope": CALLBACK_SCOPE});
    assert_eq!(service_of(&claims, CALLBACK_SCOPE), Ok(()));
    let late = json!({"iat": NOW_SECS - 1, "exp": NOW_SECS, "scope": CALLBACK_SCOPE});
    assert_eq!(service_of(&late, CALLBACK_SCOPE), fault(F::Expired));
}

#[test]
fn each_fault_has_a_reason_of_its_own() {
    let names: std::collections::BTreeSet<_> = F::ALL.iter().map(|fault| fault.as_str()).collect();
    assert_eq!(names.len(), F::ALL.len());
    for name in names {
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
    }
}
