//! The headers, and what they must hold.

use super::*;

#[test]
fn every_header_is_needed_once() {
    let good = headers(b"{}", NOW);
    assert!(judge(&good, b"{}", NOW).is_ok());
    for name in [TIMESTAMP_HEADER, NONCE_HEADER, SIGNATURE_HEADER, SERIAL_HEADER] {
        let missing = Err(WebhookError::MissingHeader(name));
        let absent: Pairs =
            good.iter().filter(|(known, _)| !known.eq_ignore_ascii_case(name)).cloned().collect();
        assert_eq!(judge(&absent, b"{}", NOW), missing);
        assert_eq!(judge(&with(good.clone(), name, ""), b"{}", NOW), missing);
        let (_, value) = good.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).unwrap();
        let joined = with(good.clone(), name, &format!("{value},{value}"));
        assert_eq!(judge(&joined, b"{}", NOW), Err(WebhookError::Doubled(name)));
        let mut twice = good.clone();
        twice.push((name.to_owned(), value.clone()));
        assert_eq!(judge(&twice, b"{}", NOW), Err(WebhookError::Doubled(name)));
        for odd in ["a\nb", "a b", "é"] {
            let odd = with(good.clone(), name, odd);
            assert_eq!(judge(&odd, b"{}", NOW), Err(WebhookError::BadHeader(name)));
        }
    }
    let untyped = with(good.clone(), "Wechatpay-Signature-Type", "");
    assert_eq!(judge(&untyped, b"{}", NOW), Err(WebhookError::BadAlgorithm));
    for other in ["WECHATPAY-BRAND-SHA256-RSA2048", "WECHATPAY2-SM2-WITH-SM3", "wechatpay2"] {
        let other = with(good.clone(), SIGNATURE_TYPE_HEADER, other);
        assert_eq!(judge(&other, b"{}", NOW), Err(WebhookError::BadAlgorithm));
    }
    assert!(judge(&good[..4].to_vec(), b"{}", NOW).is_ok());
}

#[test]
fn a_nonce_cannot_take_the_bodys_first_line_over() {
    // Signed are three lines; where the second ends must not be the sender's choice.
    let good = headers(b"one\ntwo", NOW);
    let shifted = with(good, NONCE_HEADER, "nonce\none");
    assert_eq!(judge(&shifted, b"two", NOW), Err(WebhookError::BadHeader(NONCE_HEADER)));
}

#[test]
fn the_window_is_just_short_of_300_seconds() {
    let headers = headers(b"{}", NOW);
    for (now, good) in
        [(NOW - 300, false), (NOW - 299, true), (NOW + 299, true), (NOW + 300, false)]
    {
        assert_eq!(judge(&headers, b"{}", now).is_ok(), good, "{now}");
    }
}

#[test]
fn a_probe_and_other_signatures_fail() {
    let good = headers(b"{}", NOW);
    let (_, signature) = &good[2];
    for (odd, why) in [
        (format!("WECHATPAY/SIGNTEST/{signature}"), WebhookError::Probe),
        (format!("{signature}="), WebhookError::NoSignature),
        ("%".to_owned(), WebhookError::NoSignature),
        ("AAAA".to_owned(), WebhookError::BadSignature),
        (Pair::other().sign(&signed(&NOW.to_string(), "nonce", b"{}")), WebhookError::BadSignature),
    ] {
        assert_eq!(judge(&with(good.clone(), SIGNATURE_HEADER, &odd), b"{}", NOW), Err(why));
    }
    assert_eq!(judge(&good, b"{} ", NOW), Err(WebhookError::BadSignature));
    let other = with(good.clone(), NONCE_HEADER, "nonce2");
    assert_eq!(judge(&other, b"{}", NOW), Err(WebhookError::BadSignature));
}

#[test]
fn a_key_is_chosen_by_its_serial_and_two_may_be_in_use() {
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
    assert_eq!(verify(&crossed), Err(WebhookError::BadSignature));
    let unknown = with(one, SERIAL_HEADER, "7CE59D1F522D7013");
    assert_eq!(verify(&unknown), Err(WebhookError::UnknownSerial));
    assert!(WebhookError::UnknownSerial.is_of_unknown_key());
}
