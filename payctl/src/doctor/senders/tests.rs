//! A sender of which no more is known than what verification needs.

use pay_providers::standard::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use serde_json::{Value, json};

use super::*;
use crate::doctor::hint;
use crate::doctor::tests::{
    BODY, NOW, STANDARD_SECRET, received, standard_line as line, with_keys,
};

const EXAMPLE: SenderFacts = SenderFacts::new(
    "Example",
    || SchemeKeys::Standard(Vec::new()),
    &[
        HeaderFacts::plain(ID_HEADER),
        HeaderFacts::plain(TIMESTAMP_HEADER),
        HeaderFacts {
            apart: |value| vec![value.into()],
            ..HeaderFacts::signature(SIGNATURE_HEADER, &[])
        },
    ],
    Some(|case| case.header(TIMESTAMP_HEADER)),
);

/// The hint for a message of the sender; its signature is that of Standard Webhooks.
fn example_hint(line: &Value) -> Option<String> {
    let case = crate::doctor::tests::case(line, NOW);
    let keys = case.scheme.keys(&case.keys).unwrap_or_else(|_| (EXAMPLE.no_keys)());
    let error = keys.verify(&case.headers, &case.body, case.now).unwrap_err();
    hint(&Trial { sender: &EXAMPLE, ..Trial::new(&case, &keys) }, error)
}

#[test]
fn a_sender_without_hints_of_its_own_gets_the_general_ones() {
    let with = |name: &str, value: Value| {
        let mut line = line(BODY);
        line["headers"][name] = value;
        line
    };
    let (mut old, mut of_stripe) = (line(BODY), line(BODY));
    old["now"] = json!(NOW + 400);
    of_stripe["headers"] = json!({"stripe-signature": "x"});
    let quoted = with_keys(&line(BODY), json!([format!("'{STANDARD_SECRET}'")]));
    for (line, says) in [
        (old, "the signature is right; the message is 400 s old"),
        (of_stripe, "the header `stripe-signature` is there: this is a message of Stripe"),
        (with(ID_HEADER, json!(["msg_1", "x"])), "the signature fits with the first value alone"),
        (with(ID_HEADER, json!("\"msg_1\"")), "`webhook-id` has quotes around it"),
        (with(TIMESTAMP_HEADER, json!(format!("{NOW}000"))), "read as milliseconds the timestamp"),
        (received(&line(BODY), b"{}\n"), "the signature fits the body with no newline"),
        (received(&line(BODY), b"e30="), "the signature fits the body once its base64 is decoded"),
        (received(&line(b"[1,2]"), b"[1, 2]"), "the signature fits the same JSON written without"),
        (quoted, "a key has quotes around it: without, the signature fits"),
        (received(&line(BODY), b""), "the body is empty"),
    ] {
        let hint = example_hint(&line);
        assert!(hint.as_ref().is_some_and(|hint| hint.starts_with(says)), "{says}: {hint:?}");
    }
    // What is known about another sender is no hint for this one.
    assert_eq!(example_hint(&with(SIGNATURE_HEADER, json!("v1a,AAAA"))), None);
}
