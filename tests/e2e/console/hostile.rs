//! Whatever somebody wrote into a field is text on a page.

use local::Stack;
use serde_json::{Value, json};

/// What the page of a message shows.
const OF_MESSAGE: [&str; 17] = [
    "verdict",
    "sender",
    "outcome",
    "amount",
    "provider_txn",
    "mismatch",
    "expected",
    "received",
    "by",
    "about",
    "decision",
    "decided_by",
    "decision_event",
    "refund",
    "refund_state",
    "sha256",
    "odd",
];

use super::{Console, console, encoded, item};
use crate::stage::own;
use crate::table;

/// A value that does harm where it is more than text; no white space is at its ends, which may be cut off. Its name says which field it was written to.
fn hostile(field: &str) -> String {
    format!("<script id={field}>\"'&</script>\u{202e}\u{1b}[31m\u{2028}.")
}

/// The same as a page has it.
fn escaped(field: &str) -> String {
    format!(
        "&lt;script id={field}&gt;&quot;'&amp;&lt;/script&gt;\\u{{202e}}\\u{{1b}}[31m\\u{{2028}}"
    )
}

/// An item of which every one of these attributes is hostile.
fn item_of(pk: &str, sk: &str, fields: &[&str], others: &Value) -> Value {
    let mut members = json!({"pk": pk, "sk": sk});
    for field in fields {
        members[*field] = json!(hostile(field));
    }
    members.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    item(&members)
}

/// Nothing of it acts: no element and no attribute is made of it, nothing reorders or controls.
fn assert_harmless(path: &str, text: &str) {
    // Ours alone.
    assert_eq!(text.matches("<script").count(), 1, "{path}: {text}");
    assert!(!text.contains("</script>\u{202e}"), "{path}");
    for letter in ['\u{202e}', '\u{1b}', '\u{2028}', '\u{7}'] {
        assert!(!text.contains(letter), "{path} holds {letter:?}");
    }
}

async fn assert_shows(console: &Console, path: &str, fields: &[&str]) {
    let page = console.page(path).await;
    assert_harmless(path, &page);
    for field in fields {
        assert!(page.contains(&escaped(field)), "{path} lacks {field}: {page}");
    }
}

async fn fill(stack: &Stack) {
    let record = [
        "amount",
        "refunded",
        "refund_pending",
        "source",
        "status",
        "checkouts",
        "version",
        "create_time",
        "paid_time",
        "update_time",
        "provider_txn",
        "currency",
        "closing",
        "attempts",
    ];
    table::put(stack, item_of("pay#7", "record", &record, &json!({"uid": 7, "id": 7}))).await;
    let checkout = [
        "provider",
        "method",
        "state",
        "provider_id",
        "expires_time",
        "create_time",
        "update_time",
    ];
    table::put(stack, item_of("pay#7", "checkout#1", &checkout, &json!({}))).await;
    let refund = ["amount", "state", "provider_txn", "reference", "reason", "quarantined"];
    table::put(stack, item_of("pay#7", "refund#7_0a1b2c3d4e5f6071", &refund, &json!({}))).await;
    let event = [&OF_MESSAGE[..], &["currency"]].concat();
    let body = json!({"B": base64_of(&hostile("body"))});
    let others = json!({"at": 1_700_000_000_000_u64, "queue": "review", "due": 1_700_000_000_000_u64, "body": body});
    table::put(stack, item_of("pay#7", "event#stripe#evt_1", &event, &others)).await;
    table::put(stack, item_of("pay#7", &hostile("sk"), &["verdict"], &json!({}))).await;
    table::put(stack, item_of("unmatched#stripe", "event#stripe#evt_2", &event, &others)).await;
    table::put(stack, item_of(&hostile("pk"), "x", &[], &json!({"queue": "sweep#1", "due": 1})))
        .await;
    table::put(
        stack,
        item_of("pay#7", "refund#x", &["state"], &json!({"queue": "sweep#2", "due": 2})),
    )
    .await;
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "every field of every page")]
async fn a_field_is_shown_as_text_whatever_it_holds() {
    let stack = own().await;
    fill(&stack).await;
    let console = console(&stack, &[]).await;
    let found = format!("/payment/7?found={}", encoded(&hostile("found")));
    let of_payment = [
        "found",
        "amount",
        "refunded",
        "refund_pending",
        "source",
        "status",
        "checkouts",
        "version",
        "create_time",
        "paid_time",
        "update_time",
        "provider_txn",
        "provider",
        "method",
        "state",
        "provider_id",
        "expires_time",
        "reference",
        "reason",
        "quarantined",
        "verdict",
        "outcome",
        "sender",
        "refund",
        "refund_state",
        "by",
    ];
    assert_shows(&console, &found, &of_payment).await;
    for name in ["7/stripe/evt_1", "unmatched/stripe/evt_2"] {
        let path = format!("/message?name={}", encoded(name));
        assert_shows(&console, &path, &OF_MESSAGE).await;
        let page = console.page(&path).await;
        assert!(page.contains("<mark>\\u{202e}\\u{1b}</mark>[31m<mark>\\u{2028}</mark>"), "{page}");
    }
    let odd = format!("item/{}/{}", encoded("pay#7"), encoded(&hostile("sk")));
    assert_shows(&console, &format!("/message?name={}", encoded(&odd)), &["verdict"]).await;
    assert_shows(&console, "/payments?uid=7", &["amount", "refunded", "status", "create_time"])
        .await;
    assert_shows(&console, "/due", &["pk", "state"]).await;
    assert_shows(&console, "/quarantine", &["outcome", "expected"]).await;
    // What the address says is text, too.
    for path in [
        "/payments?uid=",
        "/payments?uid=7&status=",
        "/due?kind=",
        "/due?cursor=",
        "/message?name=",
        "/payment/",
        "/quarantine?from=",
        "/find?q=",
    ] {
        let path = format!("{path}{}", encoded(&hostile("address")).replace('+', "%20"));
        let got = console.get(&path).await;
        assert!([200, 400, 404].contains(&got.status), "{path}: {}", got.status);
        assert_harmless(&path, &got.text);
        assert!(got.text.contains(&escaped("address")), "{path}: {}", got.text);
    }
    for path in [
        "/payments.csv?uid=7",
        "/payments.jsonl?uid=7",
        "/due.csv",
        "/due.jsonl",
        "/quarantine.csv",
        "/quarantine.jsonl",
    ] {
        let file = console.file(path).await;
        assert!(file.contains("script id="), "{path}: {file}");
        for letter in ['\u{202e}', '\u{1b}', '\u{2028}'] {
            assert!(!file.contains(letter), "{path} holds {letter:?}");
        }
    }
}
