//! Somebody who has read nothing, with the demo's complaint.

use local::Scheme;

use super::{Got, console_at};
use crate::tools::Printed;

/// Where a response leads.
fn place(got: &Got) -> String {
    assert_eq!(got.status, 303, "{}", got.text);
    got.headers["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_transaction_of_the_demos_complaint_leads_to_its_reason_and_to_a_decision() {
    for provider in Scheme::all().map(Scheme::as_str) {
        let mut demo = Printed::start(&["demo", "--serve", "--port", "0", "--provider", provider]);
        let complaint = demo.after("The payer writes: ").await;
        let transaction = complaint.trim_end_matches(['"', '.']).rsplit(' ').next().unwrap();
        let api = demo.after("cargo --quiet payctl console --local=").await;

        let console = console_at(&api, &[]).await;
        let home = console.page("/").await;
        assert!(home.contains("the oldest waits for"), "{home}");
        let message = place(&console.get(&format!("/find?q={transaction}")).await);
        let page = console.page(&message).await;
        let link = page.split("href=\"").find(|rest| rest.starts_with("/decide?")).unwrap();
        let link = link.split('"').next().unwrap().replace("&amp;", "&");
        let page = console.page(&link).await;
        for shown in ["129.00 CNY", "120.00 CNY", "<strong>differs</strong>"] {
            assert!(page.contains(shown), "{provider}: {shown} in {page}");
        }
        let done = console.sent(&page, "/decide/accept", &[("note", "it is enough")]).await;
        assert!(
            done.contains("Accepted by ada at <time") && done.contains("</a> is paid."),
            "{done}"
        );
        let again = place(&console.get(&format!("/find?q={transaction}")).await);
        assert!(again.starts_with("/payment/"), "{again}");
        let page = console.page(&again).await;
        assert!(page.contains("class=\"word well\">paid"), "{page}");
    }
}
