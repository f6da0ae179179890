//! When a token counts.

use super::*;
use crate::auth::{SHOP_SCOPE, sign_service};

#[test]
fn the_times_of_a_token_are_kept_to_the_second() {
    let far = json!(u64::MAX);
    for (name, value, want) in [
        ("exp", &json!(NOW_SECS + 1), Ok(7)),
        ("exp", &far, Ok(7)),
        ("exp", &json!(NOW_SECS), fault(F::Expired)),
        ("exp", &json!(NOW_SECS - 1), fault(F::Expired)),
        ("exp", &json!(-1), fault(F::NoExpiry)),
        ("exp", &Value::Null, fault(F::NoExpiry)),
        ("exp", &json!("1900000000"), fault(F::NoExpiry)),
        ("exp", &json!([NOW_SECS + 1]), fault(F::NoExpiry)),
        ("exp", &json!(true), fault(F::NoExpiry)),
        ("nbf", &json!(0), Ok(7)),
        ("nbf", &json!(NOW_SECS), Ok(7)),
        ("nbf", &json!(NOW_SECS + 1), fault(F::NotYetValid)),
        ("nbf", &json!(-1), fault(F::NotYetValid)),
        ("nbf", &json!("0"), fault(F::NotYetValid)),
    ] {
        let token = sign(&key("k"), &with(name, value));
        assert_eq!(payer_of(&token), want, "{name} {value}");
    }
}

#[test]
fn a_time_may_have_a_fraction_and_is_compared_exactly() {
    // Now is the last millisecond of its second.
    let expires = |exp: &str| {
        let claims = format!(r#"{{"exp":{exp},"uid":7}}"#);
        payer_of(&compact(&key("k"), HEADER, &claims))
    };
    let begins = |nbf: &str| {
        let claims = format!(r#"{{"exp":1900000000,"nbf":{nbf},"uid":7}}"#);
        payer_of(&compact(&key("k"), HEADER, &claims))
    };
    for (time, has_come) in [
        ("1800000000.0", true),
        ("1800000000.998999999999999999999", true),
        ("1800000000.999", true),
        ("1800000000.9990", true),
        ("1800000000.99900000000000000000000000000001", false),
        ("1800000001.0", false),
        ("18e8", true),
        ("1.8E+9", true),
        ("1800000000999e-3", true),
        ("1800000000999.1e-3", false),
        ("19e8", false),
        ("1.9e9", false),
    ] {
        assert_eq!(expires(time), if has_come { fault(F::Expired) } else { Ok(7) }, "{time}");
        assert_eq!(begins(time), if has_come { Ok(7) } else { fault(F::NotYetValid) }, "{time}");
    }
    for bad in ["-1800000001.5", "1e300", "1e20", "1e-400", "\"1.9e9\"", "null"] {
        assert_eq!(expires(bad), fault(F::NoExpiry), "{bad}");
        assert_eq!(begins(bad), fault(F::NotYetValid), "{bad}");
    }
}

#[test]
fn the_life_of_a_service_is_measured_exactly() {
    let of = |iat: &str, exp: &str| {
        let claims = format!(r#"{{"iat":{iat},"exp":{exp},"scope":"pay:callback"}}"#);
        let header = format!("Bearer {}", compact(&key("k"), HEADER, &claims));
        service(Some(&header), &key("k"), &TokenRules::default(), CALLBACK_SCOPE, now())
    };
    for (iat, exp, counts) in [
        ("1800000000.5", "1800086400.5", true),
        ("1800000000.5", "1800086400.50", true),
        ("1800000000.5", "1800086400.500000000000000000001", false),
        ("1800000000.499999999999999999999", "1800086400.5", false),
        ("18e8", "1.8000864e9", true),
        ("1800000002.5", "1800000002.4", false),
        ("null", "1800000002", false),
        ("\"18e8\"", "1800000002", false),
    ] {
        let want = if counts { Ok(()) } else { fault(F::Lifetime) };
        assert_eq!(of(iat, exp), want, "{iat} {exp}");
    }
}

#[test]
fn a_token_with_a_scope_of_ours_says_when_it_was_issued_and_lives_a_day_at_most() {
    let day = 86_400;
    let last = NOW_SECS + day - 10;
    for (iat, exp, counts) in [
        (json!(NOW_SECS - 10), last, true),
        (json!(NOW_SECS - 10), last + 1, false),
        (json!(NOW_SECS + day), NOW_SECS + day, true),
        (json!(NOW_SECS + 2), NOW_SECS + 1, false),
        (json!(0), NOW_SECS + 1, false),
        (json!(NOW_SECS), u64::MAX, false),
        (json!(u64::MAX), NOW_SECS + 1, false),
        (json!(NOW_SECS.to_string()), NOW_SECS + 1, false),
        (json!(-1), NOW_SECS + 1, false),
        (Value::Null, NOW_SECS + 1, false),
    ] {
        let unauthenticated = fault(F::Lifetime);
        for scope in [CALLBACK_SCOPE, "pay:x", "read pay:callback", "pay:refund"] {
            let mut claims = json!({"uid": 7, "iat": iat, "exp": exp, "scope": scope});
            let asked = if scope.contains(CALLBACK_SCOPE) { CALLBACK_SCOPE } else { scope };
            let want = if counts { Ok(()) } else { unauthenticated };
            assert_eq!(service_of(&claims, asked), want, "{claims}");
            if iat.is_null() {
                claims.as_object_mut().unwrap().remove("iat");
                assert_eq!(service_of(&claims, asked), unauthenticated, "{claims}");
            }
        }
        // A payer's token is the user service's own affair.
        let claims = json!({"uid": 7, "iat": iat, "exp": exp});
        assert_eq!(payer_of(&sign(&key("k"), &claims)), Ok(7), "{claims}");
    }
}

#[test]
fn a_token_of_ours_lives_60_seconds_and_pays_for_nobody() {
    let token = sign_service(&key("k"), UserId::new(7).unwrap(), now());
    let header = format!("Bearer {token}");
    let at = |millis| {
        let rules = TokenRules::default();
        service(Some(&header), &key("k"), &rules, SHOP_SCOPE, now().plus_millis(millis))
    };
    assert_eq!(at(0), Ok(()));
    assert_eq!(at(59_000), Ok(()));
    assert_eq!(at(60_000), fault(F::Expired));
    assert_eq!(payer_of(&token), Err(TokenError::Forbidden(F::Service)));
    let claims = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let want = json!({"iat": NOW_SECS, "exp": NOW_SECS + 60, "uid": 7, "scope": "pay:service"});
    assert_eq!(claims, want);
}
