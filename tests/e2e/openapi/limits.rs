//! The ranges in the document are those of the domain, to the last number and letter.

use local::simulator::simulator;
use pay_core::domain::{
    Amount, Currency, OrderId, PaymentId, Provider, ProviderTxn, Source, Status, UserId,
};
use pay_core::usecases::list::PageSize;
use pay_providers::{alipay, standard};
use serde_json::{Value, json};

use super::document::{document, members};
use super::provider_path;
use crate::stage::{shared, user};
use crate::{api, operations};

/// Numbers at the bounds of every range.
const BOUNDS: [u64; 17] = [
    0,
    1,
    2,
    4,
    5,
    100,
    101,
    255,
    256,
    Amount::MINOR_MAX,
    Amount::MINOR_MAX + 1,
    (1 << 53) - 1,
    1 << 53,
    (1 << 63) - 1,
    1 << 63,
    (1 << 63) + 1,
    u64::MAX,
];

#[test]
fn numbers_have_the_ranges_of_the_domain() {
    type Accepts = fn(u64) -> bool;
    let ranges: [(&str, Accepts); 6] = [
        ("Id", |number| PaymentId::new(number).is_ok()),
        ("ShopId", |number| UserId::new(number).is_ok()),
        ("ShopId", |number| OrderId::new(number).is_ok()),
        ("Amount", |number| Amount::check_minor(number).is_ok()),
        ("Source", |number| Source::new(number).is_ok()),
        ("Status", |number| Status::new(number).is_ok()),
    ];
    for (name, accepts) in ranges {
        let schema = document().component(name);
        for number in BOUNDS {
            assert_eq!(schema.is_valid(&json!(number)), accepts(number), "{name} {number}");
        }
        for other in [json!(-1), json!("1"), json!(null), json!(1.5), json!([1])] {
            assert!(!schema.is_valid(&other), "{name} {other}");
        }
    }
    for name in ["Id", "ShopId"] {
        // Without it a generated client has numbers of 32 bits.
        let schema = &document().root["components"]["schemas"][name];
        assert_eq!(schema["format"], "int64", "{name}");
    }
    let list = document().component("ListRequest");
    for number in BOUNDS {
        let request = json!({"limit": number});
        assert_eq!(list.is_valid(&request), PageSize::new(number).is_ok(), "{number}");
    }
    let schema = &document().root["components"]["schemas"]["ListRequest"];
    let default = schema["properties"]["limit"]["default"].as_u64().unwrap();
    assert_eq!(PageSize::new(default), Ok(PageSize::DEFAULT));
}

#[test]
fn every_currency_is_listed_and_no_other() {
    let schema = document().component("Currency");
    let letters = || b'A'..=b'Z';
    for one in letters() {
        for two in letters() {
            for three in letters() {
                let code = String::from_utf8(vec![one, two, three]).unwrap();
                assert_eq!(schema.is_valid(&json!(code)), Currency::new(&code).is_ok(), "{code}");
            }
        }
    }
    for code in ["eur", "", "EURO", "978"] {
        assert!(!schema.is_valid(&json!(code)) && Currency::new(code).is_err(), "{code}");
    }
}

/// Texts at the bounds of what a text of up to `longest` visible ASCII characters can be.
fn texts(longest: usize) -> Vec<String> {
    let of = |letters: usize| "x".repeat(letters);
    let odd = ["!", "~", " ", "a b", "\u{7f}", "\n", "a\n", "é", "\u{0}"];
    let lengths = [0, 1, longest, longest.saturating_add(1)].map(of);
    odd.map(str::to_owned).into_iter().chain(lengths).collect()
}

#[test]
fn a_providers_transaction_has_the_characters_of_the_domain() {
    let schema = &document().root["components"]["schemas"]["CallbackRequest"];
    let schema = document().validator(&schema["properties"]["provider_txn"]);
    for text in texts(128) {
        let accepted = ProviderTxn::new(&text).is_ok();
        assert_eq!(schema.is_valid(&json!(text)), accepted, "{text:?}");
    }
}

#[tokio::test]
async fn a_key_has_the_characters_that_create_accepts() {
    let schema = &document().root["components"]["parameters"]["IdempotencyKey"]["schema"];
    let schema = document().validator(schema);
    let stack = shared();
    let uid = user(stack);
    for text in texts(255) {
        // A header can have neither other characters nor space around it.
        if text.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) || text.trim() != text {
            assert!(!schema.is_valid(&json!(text)), "{text:?}");
            continue;
        }
        let oid = stack.shop().add_order(uid, 100);
        let create = api::post(stack, "create").payer(uid).header("idempotency-key", &text);
        let response = create.json(&json!({"uid": uid, "oid": oid, "amount": 100})).send().await;
        assert_eq!(response.status == 200, schema.is_valid(&json!(text)), "{text:?}");
    }
}

#[test]
fn bodies_have_the_sizes_of_the_functions() {
    for operation in operations::all() {
        let Some(path) = operation.path() else { continue };
        let body = &document().root["paths"][path]["post"]["requestBody"];
        assert_eq!(body["x-max-bytes"], operation.body_max, "{path}");
        assert_eq!(body["required"], true, "{path}");
    }
}

#[test]
fn every_provider_and_every_header_of_a_signature_is_described() {
    let components = &document().root["components"];
    let names: Vec<_> = Provider::ALL.iter().map(|provider| provider.as_str()).collect();
    assert_eq!(components["parameters"]["Provider"]["schema"]["enum"], json!(names));

    let schemes = members(&components["securitySchemes"]).values();
    let keys = schemes.filter(|scheme| scheme["type"] == "apiKey");
    let parameters = members(&components["parameters"]).values();
    let header = |value: &&Value| value["in"] == "header" && value["name"] != "Idempotency-Key";
    let mut described: Vec<_> = keys
        .chain(parameters)
        .filter(header)
        .map(|value| value["name"].as_str().unwrap().to_lowercase())
        .collect();
    described.sort_unstable();
    let mut read =
        vec![standard::ID_HEADER, standard::TIMESTAMP_HEADER, standard::SIGNATURE_HEADER];
    for provider in Provider::ALL {
        let sign = simulator(*provider).sign(None, "id", 1000, b"");
        read.extend(sign.unwrap().headers.iter().map(|(name, _)| *name));
    }
    read.sort_unstable();
    assert_eq!(described, read);
    let provider = &document().root["paths"][provider_path()]["post"]["requestBody"]["content"];
    let form = &provider["application/x-www-form-urlencoded"]["schema"];
    assert_eq!(form["required"], json!([alipay::SIGNATURE_FIELD]));
    let kind = format!("^{}$", alipay::SIGNATURE_TYPE_FIELD);
    assert!(form["patternProperties"][kind]["const"].is_string());
}
