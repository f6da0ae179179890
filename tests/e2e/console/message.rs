//! The page of a message.

use serde_json::json;

use super::{console, item, quarantined};
use crate::stage::own;
use crate::table;

#[tokio::test]
async fn a_body_is_laid_out_and_shown_byte_for_byte_without_its_secrets() {
    let stack = own().await;
    let json = br#"{"object":{"id":"pi_1","client_secret":"hidden-1","note":"a & b"},"access_token":["hidden-2"]}"#;
    let form = b"trade_no=1%2B2&auth_token=hidden-3&note=a%26b";
    let cut = [br#"{"client_secret":"hidden-4","text":""#.as_slice(), &[b'x'; 16 * 1024]].concat();
    let bytes = b"\xff\x00password=hidden-5&a\r\n\xef\xbb\xbf";
    let long: Vec<String> = (0..1500).map(|number| format!("<{number}>")).collect();
    let long = json!(long).to_string();
    let cut = &cut[..16 * 1024];
    let bodies = [&json[..], form, cut, bytes, long.as_bytes(), b""];
    for (number, body) in bodies.iter().enumerate() {
        let body = &body[..body.len().min(16 * 1024)];
        table::put(
            &stack,
            item(&quarantined(7, &format!("evt_{number}"), 1_700_000_000_000, body)),
        )
        .await;
    }
    // Of the third one the end is not kept.
    table::set(&stack, "pay#7", "event#stripe#evt_2", "len", json!({"N": "20000"})).await;
    table::set(&stack, "pay#7", "event#stripe#evt_1", "sha256", json!({"S": "ab".repeat(32)}))
        .await;
    let console = console(&stack, &[]).await;
    let mut pages = Vec::new();
    for number in 0..bodies.len() {
        pages.push(console.page(&format!("/message?name=7/stripe/evt_{number}")).await);
    }
    for (page, shown) in [
        (
            0,
            "  &quot;object&quot;: {\n    &quot;id&quot;: &quot;pi_1&quot;,\n    &quot;client_secret&quot;: &quot;not shown&quot;",
        ),
        (
            0,
            "&quot;client_secret&quot;:<mark>not shown</mark>,&quot;note&quot;:&quot;a &amp; b&quot;",
        ),
        (0, "2 values whose name or form says that it is secret: not shown."),
        (0, "class=\"word well\">the same"),
        (1, "trade_no = 1+2\nauth_token = not shown\nnote = a&amp;b"),
        (1, "trade_no=1%2B2&amp;auth_token=<mark>not shown</mark>&amp;note=a%26b"),
        (1, "class=\"word ill\">differs"),
        (2, "20000 bytes as it came, 16384 kept: the end is not kept"),
        (2, "the whole cannot be checked"),
        (2, "<mark>not shown</mark>"),
        (3, "<mark>\\xff\\0</mark>password=<mark>not shown</mark>&amp;a<mark>\\r\\n</mark>"),
        (3, "Base64, since it is no text"),
        (4, "Laid out, JSON"),
        (5, "It is empty."),
    ] {
        assert!(pages[page].contains(shown), "{shown} in {}", pages[page]);
    }
    for (page, hidden) in pages.iter().zip(["hidden-1", "hidden-3", "hidden-4", "hidden-5"]) {
        assert!(!page.contains(hidden), "{hidden} in {page}");
    }
    assert!(!pages[0].contains("hidden-2") && !pages[3].contains("aGlkZGVu"));

    // A body that is longer than its place is read on, up to its end.
    let mut path = "/message?name=7%2Fstripe%2Fevt_4&body=exact&from=0".to_owned();
    assert!(pages[4].contains("&amp;body=exact&amp;from="), "{}", pages[4]);
    let mut text = String::new();
    loop {
        let page = console.page(&path).await;
        let (_, pre) = page.split_once("<pre tabindex=\"0\">").unwrap();
        text.push_str(pre.split_once("</pre>").unwrap().0);
        let Some((before, _)) = page.split_once("\">The rest") else { break };
        path = before.rsplit("href=\"").next().unwrap().replace("&amp;", "&");
    }
    let text = text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
    assert_eq!(text, long);
}
