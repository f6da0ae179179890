//! Items that cannot be read as what their place says: they stop no command, and can be dismissed.

use serde_json::{Value, json};

use super::{ok, run, short};
use crate::stage::own;
use crate::table;

#[tokio::test]
async fn an_unreadable_item_is_shown_with_what_is_wrong_and_can_be_dismissed() {
    let stack = own().await;
    let (_, good) = short(&stack).await;
    let (payment, spoilt) = short(&stack).await;
    let (pk, sk) = (format!("pay#{}", payment.id), format!("event#native#msg_{}", payment.id));
    table::set(&stack, &pk, &sk, "body", json!({"S": "no bytes"})).await;
    table::set(&stack, &pk, &sk, "verdict", json!({"N": "7"})).await;
    let odd = json!({"pk": {"S": "what"}, "sk": {"S": "ever\n"}, "queue": {"S": "review"},
        "due": {"N": "0.5"}});
    table::put(&stack, odd).await;
    let odd = "item/what/ever%0A";

    let listed = async || {
        let text = ok(&stack, &["quarantine", "list", "--json"]).await;
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect::<Vec<Value>>()
    };
    let names = |lines: &[Value]| {
        let mut names: Vec<_> =
            lines.iter().map(|one| one["event"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let mut all = vec![good.clone(), spoilt.clone(), odd.to_owned()];
    all.sort();
    let lines = listed().await;
    assert_eq!(names(&lines), all);
    let wrong =
        |name: &str| lines.iter().find(|one| one["event"] == name).unwrap()["unreadable"].clone();
    assert_eq!(wrong(&good), Value::Null);
    let of_spoilt = wrong(&spoilt).to_string();
    assert!(
        of_spoilt.contains("body is no bytes") && of_spoilt.contains("verdict is no"),
        "{of_spoilt}"
    );
    assert_eq!(wrong(odd), json!(["its key is none of a notification"]));
    let (code, text) = run(&stack, &["quarantine", "list"]).await;
    assert!(code == 0 && text.ends_with("3 notifications\n"), "{text}");
    assert!(text.contains(odd) && text.contains("unreadable: verdict is"), "{text}");

    for name in [&*spoilt, odd] {
        let (code, text) = run(&stack, &["quarantine", "show", name]).await;
        assert!(code == 0 && text.contains("unreadable: "), "{text}");
        let decide = async |decision: &str| {
            let arguments = ["quarantine", decision, name, "--by", "ada", "--note", "damaged"];
            run(&stack, &arguments).await
        };
        let (code, text) = decide("accept").await;
        assert!(code == 1 && text.contains("is unreadable, and can only be dismissed"), "{text}");
        let (code, text) = decide("dismiss").await;
        assert!(code == 0 && text.starts_with(&format!("{name} is dismissed by ada")), "{text}");
        let (code, text) = decide("dismiss").await;
        assert!(code == 1 && text.contains("does not wait for a decision"), "{text}");
    }
    assert_eq!(names(&listed().await), [good]);
    let (code, text) = run(&stack, &["history", &payment.id.to_string()]).await;
    assert!(code == 0 && text.contains("unreadable: ") && text.contains("ada  damaged"), "{text}");
    // What is wrong with them stays, and the audit names it.
    let (code, text) = run(&stack, &["audit"]).await;
    assert!(code == 3 && text.contains(&sk) && text.contains("what ever"), "{text}");
}

#[tokio::test]
async fn a_record_on_the_review_list_is_no_notification_and_stops_nothing() {
    let stack = own().await;
    let (payment, name) = short(&stack).await;
    let pk = format!("pay#{}", payment.id);
    table::set(&stack, &pk, "record", "queue", json!({"S": "review"})).await;
    table::set(&stack, &pk, "record", "due", json!({"N": "1"})).await;
    let record = format!("item/pay%23{}/record", payment.id);
    let (code, text) = run(&stack, &["quarantine", "list"]).await;
    assert!(code == 0 && text.contains(&name) && text.contains(&record), "{text}");
    let dismiss = async |name: &str| {
        run(&stack, &["quarantine", "dismiss", name, "--by", "ada", "--note", "x"]).await
    };
    let (code, text) = dismiss(&record).await;
    assert!(code == 1 && text.contains("is no notification: `payctl audit` says"), "{text}");
    // The notification is dismissed, although its payment cannot be read.
    let (code, text) = dismiss(&name).await;
    assert_eq!(code, 0, "{text}");
    let (code, text) = run(&stack, &["history", &payment.id.to_string(), "--json"]).await;
    let shown: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, shown["unreadable"].is_array()), (0, true), "{text}");
}
