//! Lists, and their files.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{console, encoded, item, pending, quarantined};
use crate::stage::{notify, own, payment_of, user};
use crate::{payctl, table};

/// The ids that a page links to as payments.
fn payments(page: &str) -> Vec<u64> {
    let links = page.split("<a href=\"/payment/").skip(1);
    links.map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
}

fn ids(lines: &[Value], name: &str) -> Vec<u64> {
    lines.iter().map(|line| line[name].as_u64().unwrap()).collect()
}

/// The first cell of each line of a file but the head.
fn first_cells(csv: &str) -> Vec<&str> {
    assert!(csv.ends_with("\r\n"), "{csv}");
    csv.split("\r\n")
        .skip(1)
        .filter(|line| !line.is_empty())
        .map(|line| line.split(',').next().unwrap())
        .collect()
}

#[tokio::test]
async fn a_payers_payments_are_listed_and_a_file_has_what_the_filter_shows() {
    let stack = own().await;
    let uid = user(&stack);
    let mut made = Vec::new();
    for number in 0..4 {
        made.push(payment_of(&stack, uid, 100 + number).await);
    }
    notify(&stack, made[1], 3, 1).await.ok();
    notify(&stack, made[2], 3, 1).await.ok();
    payment_of(&stack, user(&stack), 100).await;
    // One of them cannot be read, and its transaction is what a spreadsheet would run.
    let pk = format!("pay#{}", made[2].id);
    table::set(&stack, &pk, "record", "provider_txn", json!({"S": "=HYPERLINK(\"x\")"})).await;

    let console = console(&stack, &[]).await;
    let mut newest: Vec<_> = made.iter().map(|payment| payment.id).collect();
    newest.reverse();
    let paid = [made[2].id, made[1].id];
    for (status, want) in [("", &newest[..]), ("paid", &paid), ("refunded", &[])] {
        let query = format!("uid={uid}&status={status}");
        let page = console.page(&format!("/payments?{query}")).await;
        assert_eq!(payments(&page), want, "{status}: {page}");
        let link = format!("/payments.csv?uid={uid}");
        assert!(page.contains(&link) && page.contains("/payments.jsonl?uid="), "{page}");
        let lines = console.lines(&format!("/payments.jsonl?{query}")).await;
        assert_eq!(ids(&lines, "payment"), want, "{status}");
        let csv = console.file(&format!("/payments.csv?{query}")).await;
        let cells: Vec<u64> = first_cells(&csv).iter().map(|id| id.parse().unwrap()).collect();
        assert_eq!(cells, want, "{status}");
        if status == "paid" {
            assert!(page.contains("class=\"word ill\">unreadable"), "{page}");
            assert!(csv.contains(",\"'=HYPERLINK(\"\"x\"\")\","), "{csv}");
            assert_eq!(lines[0]["transaction"], "=HYPERLINK(\"x\")");
            assert_eq!(
                (&lines[1]["amount"], &lines[1]["amount_minor"]),
                (&json!("1.01"), &json!(101))
            );
            let create_time = lines[1]["create_time"].as_str().unwrap();
            assert!(create_time.ends_with('Z') && csv.contains(create_time), "{csv}");
        }
    }
    let nobody = console.page("/payments?uid=999999").await;
    assert!(nobody.contains("Payer 999999 has no payment here."), "{nobody}");
    assert!(console.page("/payments").await.contains("give one to see the payments"));
    for (path, status) in [
        ("/payments?uid=x", 400),
        ("/payments?uid=1&status=x", 400),
        ("/payments?uid=1&cursor=x", 400),
        ("/payments.csv", 400),
        ("/due?kind=x", 400),
        ("/due?cursor=x", 400),
        ("/quarantine.csv?from=x", 400),
    ] {
        assert_eq!(console.get(path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn what_is_due_is_listed_longest_overdue_first() {
    let stack = own().await;
    let due = |id: u64| 1_700_000_000_000 + (id * 7) % 250;
    let mut items = Vec::new();
    for id in 1..=249 {
        let mut record = pending(id, 7, 1_600_000_000_000);
        record["due"] = json!(due(id));
        items.push(item(&record));
    }
    let refund = "refund#9_0a1b2c3d4e5f6071";
    items.push(item(&json!({"pk": "pay#9", "sk": refund, "amount": 30,
        "state": "requested", "source": 3, "queue": "sweep#9", "due": 1_690_000_000_000_u64, "attempts": 4})));
    let later = json!({"pk": "pay#300", "sk": "record", "id": 300, "queue": "sweep#1", "due": 9_000_000_000_000_u64});
    items.push(item(&later));
    table::put_all(&stack, &items).await;
    let mut want: Vec<u64> = (1..=249).collect();
    want.sort_by_key(|id| due(*id));

    let console = console(&stack, &[]).await;
    let (mut path, mut seen) = ("/due?kind=payment".to_owned(), Vec::new());
    loop {
        let page = console.page(&path).await;
        seen.extend(payments(&page));
        let Some((before, _)) = page.split_once("\">The next of ") else { break };
        path = before.rsplit("href=\"").next().unwrap().replace("&amp;", "&");
    }
    assert_eq!(seen, want);
    let lines = console.lines("/due.jsonl?kind=payment").await;
    assert_eq!(ids(&lines, "payment"), want);
    let page = console.page("/due?kind=refund").await;
    assert_eq!(payments(&page), [9], "{page}");
    assert!(
        page.contains("9_0a1b2c3d4e5f6071") && page.contains("class=\"word waits\">requested"),
        "{page}"
    );
    assert_eq!(first_cells(&console.file("/due.csv?kind=refund").await), ["9"]);
    let all = console.lines("/due.jsonl").await;
    assert_eq!(
        (all.len(), &all[0]["refund"], &all[0]["attempts"]),
        (250, &json!("9_0a1b2c3d4e5f6071"), &json!(4))
    );
}

#[tokio::test]
async fn a_file_of_the_quarantine_has_what_its_filter_shows() {
    let stack = own().await;
    let day = 86_400_000;
    let mut items: Vec<_> = (0..120)
        .map(|number| {
            item(&quarantined(
                7,
                &format!("evt_{number:03}"),
                1_700_000_000_000 + number * day,
                b"{}",
            ))
        })
        .collect();
    let mut other = quarantined(8, "evt_other", 1_700_000_000_000, b"{}");
    other["mismatch"] = json!("currency");
    items.push(item(&other));
    table::put_all(&stack, &items).await;
    let console = console(&stack, &[]).await;
    let all: BTreeSet<String> = payctl::ok(&stack, &["quarantine", "list", "--json"])
        .await
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["event"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(all.len(), 121);
    for (query, count) in [
        ("", 121),
        ("reason=amount", 120),
        ("reason=currency", 1),
        ("provider=wechat", 0),
        ("from=2024-02-22", 20),
        ("reason=amount&from=2024-02-22&provider=stripe", 20),
    ] {
        let lines = console.lines(&format!("/quarantine.jsonl?{query}")).await;
        let of_file: BTreeSet<String> =
            lines.iter().map(|line| line["notification"].as_str().unwrap().to_owned()).collect();
        assert!(
            of_file.is_subset(&all) && of_file.len() == count,
            "{query}: {} of {count}",
            of_file.len()
        );
        let (mut path, mut of_pages) = (format!("/quarantine?{query}"), BTreeSet::new());
        loop {
            let page = console.page(&path).await;
            let named = page.split("/decide?name=").skip(1);
            of_pages.extend(named.map(|rest| rest.split('"').next().unwrap().to_owned()));
            assert!(page.contains("/quarantine.csv"), "{page}");
            let Some((before, _)) = page.split_once("\">Newer ones") else { break };
            path = before.rsplit("href=\"").next().unwrap().replace("&amp;", "&");
        }
        let of_file: BTreeSet<String> = of_file.iter().map(|name| encoded(name)).collect();
        assert_eq!(of_pages, of_file, "{query}");
        let csv = console.file(&format!("/quarantine.csv?{query}")).await;
        assert_eq!(first_cells(&csv).len(), count, "{query}");
    }
}
