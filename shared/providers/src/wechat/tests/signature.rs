//! The headers of the signature.

use serde_json::json;

use super::{
    super::{
        NONCE_HEADER, SERIAL_HEADER, SIGNATURE_HEADER, SIGNATURE_TYPE_HEADER, TIMESTAMP_HEADER,
        WeChatKeys, verify::signed,
    },
    NOW, Pairs, SERIAL, at, headers, keys, verify, with,
};
use crate::{Headers, Verifier, VerifyError, rsa::pair::Pair};

#[test]
fn every_header_must_occur_once() {
    let good = headers(b"{}", NOW);
    assert!(verify(&good, b"{}", NOW).is_ok());
    for name in [TIMESTAMP_HEADER, NONCE_HEADER, SIGNATURE_HEADER, SERIAL_HEADER] {
        let missing = Err(VerifyError::MissingHeader(name));
        let absent: Pairs =
            good.iter().filter(|(known, _)| !known.eq_ignore_ascii_case(name)).cloned().collect();
        assert_eq!(verify(&absent, b"{}", NOW), missing);
        assert_eq!(verify(&with(good.clone(), name, ""), b"{}", NOW), missing);
        let (_, value) = good.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).unwrap();
        let joined = with(good.clone(), name, &format!("{value},{value}"));
        assert_eq!(verify(&joined, b"{}", NOW), Err(VerifyError::Doubled(name)));
        let mut twice = good.clone();
        twice.push((name.to_owned(), value.clone()));
        assert_eq!(verify(&twice, b"{}", NOW), Err(VerifyError::Doubled(name)));
        for odd in ["a\nb", "a b", "é"] {
            let odd = with(good.clone(), name, odd);
            assert_eq!(verify(&odd, b"{}", NOW), Err(VerifyError::BadHeader(name)));
        }
    }
    let (kind, value) = &good[4];
    let mut twice = good.clone();
    twice.push((kind.to_lowercase(), value.clone()));
    assert_eq!(verify(&twice, b"{}", NOW), Err(VerifyError::Doubled(SIGNATURE_TYPE_HEADER)));
    let untyped = with(good.clone(), "Wechatpay-Signature-Type", "");
    assert_eq!(verify(&untyped, b"{}", NOW), Err(VerifyError::BadAlgorithm));
    for other in ["WECHATPAY-BRAND-SHA256-RSA2048", "WECHATPAY2-SM2-WITH-SM3", "wechatpay2"] {
        let other = with(good.clone(), SIGNATURE_TYPE_HEADER, other);
        assert_eq!(verify(&other, b"{}", NOW), Err(VerifyError::BadAlgorithm));
    }
    // The type may be absent.
    assert!(verify(&good[..4].to_vec(), b"{}", NOW).is_ok());
}

#[test]
fn a_nonce_cannot_include_the_first_line_of_the_body() {
    // Three lines are signed, and a newline in the second would move the border between them.
    let good = headers(b"one\ntwo", NOW);
    let shifted = with(good, NONCE_HEADER, "nonce\none");
    assert_eq!(verify(&shifted, b"two", NOW), Err(VerifyError::BadHeader(NONCE_HEADER)));
}

#[test]
fn the_window_is_just_short_of_300_seconds() {
    let headers = headers(b"{}", NOW);
    for (now, error) in [
        (NOW - 300, Some(VerifyError::Early { by_secs: 300, most_secs: 299 })),
        (NOW - 299, None),
        (NOW + 299, None),
        (NOW + 300, Some(VerifyError::Stale { by_secs: 300, most_secs: 299 })),
    ] {
        assert_eq!(verify(&headers, b"{}", now).err(), error, "{now}");
    }
}

#[test]
fn a_probe_and_other_wrong_signatures_are_rejected() {
    let good = headers(b"{}", NOW);
    let (_, signature) = &good[2];
    for (odd, why) in [
        (format!("WECHATPAY/SIGNTEST/{signature}"), VerifyError::Probe),
        (format!("{signature}="), VerifyError::NoSignature),
        ("%".to_owned(), VerifyError::NoSignature),
        ("AAAA".to_owned(), VerifyError::BadSignature),
        (Pair::other().sign(&signed(&NOW.to_string(), "nonce", b"{}")), VerifyError::BadSignature),
    ] {
        assert_eq!(verify(&with(good.clone(), SIGNATURE_HEADER, &odd), b"{}", NOW), Err(why));
    }
    assert_eq!(verify(&good, b"{} ", NOW), Err(VerifyError::BadSignature));
    let other = with(good.clone(), NONCE_HEADER, "nonce2");
    assert_eq!(verify(&other, b"{}", NOW), Err(VerifyError::BadSignature));
}

#[test]
fn the_serial_chooses_the_key_and_two_keys_may_be_configured() {
    let both = json!({"public_keys": {
        "7CE59D1F522D7012": Pair::other().public_pem(), SERIAL: Pair::one().public_pem(),
    }});
    let both = keys(&both).unwrap();
    let verify = |headers: &Pairs| both.verify(&Headers::from_pairs(headers), b"{}", at(NOW));
    let one = headers(b"{}", NOW);
    assert!(verify(&one).is_ok());
    let signature = Pair::other().sign(&signed(&NOW.to_string(), "nonce", b"{}"));
    let other = with(one.clone(), SIGNATURE_HEADER, &signature);
    let other = with(other, SERIAL_HEADER, "7ce59d1f522d7012");
    assert!(verify(&other).is_ok());
    let crossed = with(other, SERIAL_HEADER, SERIAL);
    assert_eq!(verify(&crossed), Err(VerifyError::BadSignature));
    let unknown = with(one, SERIAL_HEADER, "7CE59D1F522D7013");
    assert_eq!(verify(&unknown), Err(VerifyError::UnknownSerial));
    assert!(VerifyError::UnknownSerial.is_of_unknown_key());
    let none = WeChatKeys::default();
    let found = none.verify(&Headers::from_pairs(&headers(b"{}", NOW)), b"{}", at(NOW));
    assert_eq!(found, Err(VerifyError::NoKeys));
}
