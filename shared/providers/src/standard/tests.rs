use base64::{Engine as _, engine::general_purpose::STANDARD};
use pay_core::domain::Digest;

use super::{
    ID_HEADER, SIGNATURE_HEADER, SVIX_NAMES, StandardKey, TIMESTAMP_HEADER, is_used, sign, verify,
};
use crate::{
    Headers, VerifyError,
    limits::SIGNATURES_MAX,
    samples::{at, cases},
    verify::base64,
};

const VECTORS: &str = include_str!("../../vectors/standard_webhooks.json");
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const PUBLIC: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const NOW: u64 = 1_614_265_330;
const BODY: &str = r#"{"test": 2432232314}"#;
const V1: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const V1A: &str = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3m\
                   Nl8EM+m7TBAg==";

fn keys(texts: &[&str]) -> Vec<StandardKey> {
    texts.iter().map(|text| StandardKey::parse(text).unwrap()).collect()
}

fn pairs(id: &str, timestamp: &str, signature: &str) -> Vec<(String, String)> {
    [(ID_HEADER, id), (TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, signature)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

/// The result for the good message with this signature header, verified with these keys.
fn result(signature: &str, secrets: &[&str]) -> Result<String, VerifyError> {
    let pairs = pairs(ID, &NOW.to_string(), signature);
    let headers = Headers::from_pairs(&pairs);
    verify(&headers, BODY.as_bytes(), &keys(secrets), at(NOW))
}

fn accepts(id: &str, timestamp: &str, signature: &str, body: &[u8]) -> bool {
    let pairs = pairs(id, timestamp, signature);
    verify(&Headers::from_pairs(&pairs), body, &keys(&[SECRET, PUBLIC]), at(NOW)).is_ok()
}

#[test]
fn the_published_vectors_are_accepted_and_rejected_as_published() {
    let cases = cases(VECTORS, None);
    assert_eq!(cases.len(), 12);
    for case in cases {
        let body = case["body"].as_str().map_or_else(
            || {
                let count = case["body_repeat"]["count"].as_u64().unwrap();
                case["body_repeat"]["char"].as_str().unwrap().repeat(count.try_into().unwrap())
            },
            str::to_owned,
        );
        let pairs: Vec<(String, String)> = case["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect();
        let now = at(case["now"].as_u64().unwrap());
        let found = match StandardKey::parse(case["secret"].as_str().unwrap()) {
            Err(_) => "config_error",
            Ok(key) => verify(&Headers::from_pairs(&pairs), body.as_bytes(), &[key], now)
                .map_or("reject", |_| "accept"),
        };
        assert_eq!(case["expect"], found, "{}", case["id"]);
    }
}

#[test]
fn a_missing_empty_or_doubled_header_is_rejected() {
    let good = pairs(ID, &NOW.to_string(), V1);
    let of = |pairs: &[(String, String)]| {
        let headers = Headers::from_pairs(pairs);
        verify(&headers, BODY.as_bytes(), &keys(&[SECRET]), at(NOW))
    };
    assert_eq!(of(&good).as_deref(), Ok(ID));
    for (index, name) in [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER].into_iter().enumerate() {
        let mut missing = good.clone();
        missing.remove(index);
        assert_eq!(of(&missing), Err(VerifyError::MissingHeader(name)));
        assert!(is_used(&Headers::from_pairs(&missing)));
        let mut empty = good.clone();
        empty[index].1.clear();
        assert_eq!(of(&empty), Err(VerifyError::MissingHeader(name)));
        let mut doubled = good.clone();
        doubled.push((name.to_uppercase(), good[index].1.clone()));
        assert_eq!(of(&doubled), Err(VerifyError::Doubled(name)));
        for joint in [",", ", "] {
            let mut joined = good.clone();
            joined[index].1 = [good[index].1.as_str(), &good[index].1].join(joint);
            // A joined timestamp is no number.
            let error = match name {
                TIMESTAMP_HEADER => VerifyError::BadTimestamp,
                name => VerifyError::Doubled(name),
            };
            assert_eq!(of(&joined), Err(error), "{name} joined with {joint:?}");
        }
        let mut upper = good.clone();
        upper[index].0.make_ascii_uppercase();
        assert_eq!(of(&upper).as_deref(), Ok(ID));
        // One header of the scheme is enough.
        assert!(is_used(&Headers::from_pairs(&good[index..=index])));
    }
    assert!(!is_used(&Headers::default()));
}

#[test]
fn the_names_of_svix_are_the_same_scheme() {
    let own = pairs(ID, &NOW.to_string(), V1);
    let svix = |values: &[(String, String)]| -> Vec<(String, String)> {
        let values = values.iter().map(|(_, value)| value.clone());
        SVIX_NAMES.iter().map(|name| (*name).to_owned()).zip(values).collect()
    };
    let of = |pairs: &[(String, String)]| {
        let headers = Headers::from_pairs(pairs);
        assert!(pairs.is_empty() || is_used(&headers));
        verify(&headers, BODY.as_bytes(), &keys(&[SECRET]), at(NOW))
    };
    assert_eq!(of(&svix(&own)), Ok(ID.to_owned()));
    for at in 0..3 {
        let mut fewer = svix(&own);
        fewer.remove(at);
        assert_eq!(of(&fewer), Err(VerifyError::MissingHeader(SVIX_NAMES[at])));
        let mut twice = svix(&own);
        twice.push(twice[at].clone());
        assert_eq!(of(&twice), Err(VerifyError::Doubled(SVIX_NAMES[at])));
        // Never one of these and two of those.
        let mut mixed = svix(&own);
        mixed[at] = own[at].clone();
        assert!(matches!(of(&mixed), Err(VerifyError::MissingHeader(_))), "{mixed:?}");
    }
    // Where both are there, the scheme's own names decide.
    let bad = svix(&pairs("msg_other", &NOW.to_string(), "v1,AAAA"));
    assert_eq!(of(&[own.clone(), bad].concat()), Ok(ID.to_owned()));
    let bad = pairs(ID, &NOW.to_string(), "v1,AAAA");
    assert_eq!(of(&[bad, svix(&own)].concat()), Err(VerifyError::BadSignature));
    assert_eq!(of(&[]), Err(VerifyError::MissingHeader(ID_HEADER)));
}

#[test]
fn one_signature_that_is_valid_for_one_key_is_enough() {
    let wrong = format!("v1,{}", STANDARD.encode([7; 32]));
    for (signature, secrets) in [
        (V1.to_owned(), &[SECRET][..]),
        (V1.to_owned(), &[OTHER, SECRET]),
        (V1.to_owned(), &[PUBLIC, SECRET]),
        (V1A.to_owned(), &[SECRET, PUBLIC]),
        (format!("{V1} {V1A}"), &[PUBLIC]),
        (format!("{wrong} {V1}"), &[SECRET]),
        (format!("{V1} {wrong}"), &[SECRET]),
        (format!("v2,AAAA {V1}"), &[SECRET]),
        (format!("v1,not_base64 {V1}"), &[SECRET]),
        (format!("junk  {V1} "), &[SECRET]),
    ] {
        assert_eq!(result(&signature, secrets).as_deref(), Ok(ID), "{signature}");
    }
}

#[test]
fn signatures_that_are_valid_for_no_key_are_rejected_with_the_reason() {
    let tag = V1.strip_prefix("v1,").unwrap();
    let none = VerifyError::NoSignature;
    let bad = VerifyError::BadSignature;
    for (signature, secrets, want) in [
        (V1.to_owned(), &[OTHER][..], bad),
        (V1.to_owned(), &[], VerifyError::NoKeys),
        // The key decides the version, not the header.
        (V1.to_owned(), &[PUBLIC], none),
        (V1A.to_owned(), &[SECRET], none),
        (format!("v1a,{tag}"), &[SECRET], none),
        (V1A.replace("v1a", "v1"), &[SECRET], bad),
        (V1A.replace("v1a", "v1"), &[PUBLIC], none),
        (format!("v1a,{tag}"), &[PUBLIC], bad),
        (format!("V1,{tag}"), &[SECRET], none),
        (format!("v2,{tag}"), &[SECRET], none),
        (format!(",{tag}"), &[SECRET], none),
        (tag.to_owned(), &[SECRET], none),
        (format!("v1 {tag}"), &[SECRET], none),
        (format!("v1={tag}"), &[SECRET], none),
        (format!("v1,{}", tag.trim_end_matches('=')), &[SECRET], none),
        (format!("v1,{}", tag.replace('+', "-").replace('/', "_")), &[SECRET], none),
        (format!("v1,{tag}="), &[SECRET], none),
        (format!("v1,{}", STANDARD.encode([7; 31])), &[SECRET], bad),
        (format!("v1,{}", STANDARD.encode([7; 33])), &[SECRET], bad),
        ("v1,".to_owned(), &[SECRET], bad),
        (format!("{V1},{V1}"), &[SECRET], VerifyError::Doubled(SIGNATURE_HEADER)),
        (format!("{V1},{tag}"), &[SECRET], VerifyError::Doubled(SIGNATURE_HEADER)),
    ] {
        assert_eq!(result(&signature, secrets), Err(want), "{signature}");
    }
}

#[test]
fn a_signature_in_hex_is_rejected() {
    let tag = base64(V1.strip_prefix("v1,").unwrap()).unwrap();
    let hex = Digest::new(tag.try_into().unwrap()).to_string();
    // 64 hex digits are base64, too: of other bytes.
    for hex in [hex.to_uppercase(), hex] {
        let found = result(&format!("v1,{hex}"), &[SECRET]);
        assert_eq!(found, Err(VerifyError::BadSignature), "{hex}");
    }
}

#[test]
fn an_empty_secret_cannot_be_configured() {
    for bad in ["", "whsec_", "whpk_"] {
        assert!(StandardKey::parse(bad).is_err());
    }
}

#[test]
fn one_changed_bit_of_anything_signed_is_rejected() {
    let timestamp = NOW.to_string();
    for signature in [V1, V1A] {
        assert!(accepts(ID, &timestamp, signature, BODY.as_bytes()));
        each_flip(ID, |id| {
            assert!(!accepts(id, &timestamp, signature, BODY.as_bytes()), "{id}");
        });
        each_flip(&timestamp, |time| {
            assert!(!accepts(ID, time, signature, BODY.as_bytes()), "{time}");
        });
        each_flip(BODY, |body| {
            assert!(!accepts(ID, &timestamp, signature, body.as_bytes()), "{body}");
        });
        each_flip(signature, |flipped| {
            assert!(!accepts(ID, &timestamp, flipped, BODY.as_bytes()), "{flipped}");
        });
    }
}

/// Every text that differs from `text`, which is ASCII, in one of the lower seven bits of one byte.
fn each_flip(text: &str, check: impl Fn(&str)) {
    for at in 0..text.len() {
        for bit in 0..7 {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            check(&String::from_utf8(bytes).unwrap());
        }
    }
}

#[test]
fn the_bytes_of_the_body_are_signed_not_their_meaning() {
    let timestamp = NOW.to_string();
    for body in [
        r#"{"test":2432232314}"#,
        r#"{ "test": 2432232314}"#,
        "{\"test\": 2432232314}\n",
        "\u{feff}{\"test\": 2432232314}",
        "",
    ] {
        assert!(!accepts(ID, &timestamp, V1, body.as_bytes()), "{body}");
    }
    // Any bytes can be signed, UTF-8 or not.
    let body = b"\xff\x00\xfe";
    let signature = sign(&keys(&[SECRET])[0], ID, NOW, body).unwrap();
    assert!(accepts(ID, &timestamp, &signature, body));
}

#[test]
fn an_id_may_contain_anything_but_a_comma() {
    for id in ["a.b", "msg.1614265330", ".", "é", "a b"] {
        let signature = sign(&keys(&[SECRET])[0], id, NOW, BODY.as_bytes()).unwrap();
        assert!(accepts(id, &NOW.to_string(), &signature, BODY.as_bytes()), "{id}");
    }
    let signature = sign(&keys(&[SECRET])[0], "a,b", NOW, BODY.as_bytes()).unwrap();
    assert!(!accepts("a,b", &NOW.to_string(), &signature, BODY.as_bytes()));
}

#[test]
fn a_signed_timestamp_outside_the_window_is_rejected() {
    for (secs, error) in [
        (NOW - 301, Some(VerifyError::Stale { by_secs: 301, most_secs: 300 })),
        (NOW - 300, None),
        (NOW - 299, None),
        (NOW + 299, None),
        (NOW + 300, None),
        (NOW + 301, Some(VerifyError::Early { by_secs: 301, most_secs: 300 })),
    ] {
        let signature = sign(&keys(&[SECRET])[0], ID, secs, BODY.as_bytes()).unwrap();
        let pairs = pairs(ID, &secs.to_string(), &signature);
        let headers = Headers::from_pairs(&pairs);
        let found = verify(&headers, BODY.as_bytes(), &keys(&[SECRET]), at(NOW));
        assert_eq!(found, error.map_or_else(|| Ok(ID.to_owned()), Err), "{secs}");
    }
}

#[test]
fn signing_makes_the_published_signature_and_needs_a_secret() {
    let [secret, public] = [SECRET, PUBLIC].map(|text| StandardKey::parse(text).unwrap());
    assert_eq!(sign(&secret, ID, NOW, BODY.as_bytes()).as_deref(), Some(V1));
    assert_eq!(sign(&public, ID, NOW, BODY.as_bytes()), None);
}

/// Each one costs a hash of the whole body, and an unauthenticated sender chooses how many there
/// are.
#[test]
fn only_the_first_sixteen_signatures_of_a_version_are_checked() {
    assert_eq!(SIGNATURES_MAX, 16);
    let after = |wrong: usize| format!("{}{V1}", "v1,AAAA ".repeat(wrong));
    assert_eq!(result(&after(SIGNATURES_MAX - 1), &[SECRET]).as_deref(), Ok(ID));
    assert_eq!(result(&after(SIGNATURES_MAX), &[SECRET]), Err(VerifyError::BadSignature));
    // Signatures of other versions are not checked, and do not count.
    let others = format!("{}{V1}", "v9,AAAA v1a,AAAA ".repeat(SIGNATURES_MAX));
    assert_eq!(result(&others, &[SECRET]).as_deref(), Ok(ID));
}
