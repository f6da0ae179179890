//! What the placeholders of an event name.

use std::collections::BTreeMap;

use local::simulator::ledger::Orders;
use local::{Order, Stack, client};
use pay_core::domain::Provider;
use serde_json::{Value, json};

use super::{KEY, create, notify, payment};
use crate::echo;

/// What exists before an event.
pub(super) struct Given {
    /// By placeholder.
    pub(super) values: BTreeMap<String, String>,
    /// The payment it is about, and its record as it was.
    pub(super) payment: Option<(u64, Value)>,
}

impl Given {
    /// Creates what the placeholders of an event name.
    pub(super) async fn by(stack: &Stack, text: &str) -> Self {
        free_order_1(stack).await;
        let mut given = Self { values: BTreeMap::new(), payment: None };
        let mut put =
            |name: &str, value: u64| given.values.insert(name.to_owned(), value.to_string());
        let wants =
            |name: &str| ["{{", ":"].iter().any(|before| text.contains(&format!("{before}{name}")));
        if wants("other_oid") {
            put("other_oid", stack.shop().add_order(1, 100));
        }
        if wants("others_oid") {
            stack.shop().add_user(2);
            put("others_oid", stack.shop().add_order(2, 100));
        }
        if wants("shop_paid_oid") {
            let oid = stack.shop().add_order(1, 100);
            let order = stack.shop().order(oid).unwrap();
            stack.shop().put_order(Order { status: 1, ..order });
            put("shop_paid_oid", oid);
        }
        for state in ["pending", "paid", "closed", "replaced"] {
            if wants(&format!("{state}_")) {
                let oid = stack.shop().add_order(1, 100);
                let id = create(stack, oid, KEY).await;
                match state {
                    "paid" => notify(stack, id, oid, 1).await,
                    "closed" => notify(stack, id, oid, 3).await,
                    "replaced" => {
                        notify(stack, id, oid, 3).await;
                        create(stack, oid, "another-key").await;
                    }
                    _ => {}
                }
                put(&format!("{state}_oid"), oid);
                put(&format!("{state}_id"), id);
                given.payment = Some((id, payment(stack, id).await));
            }
        }
        for state in ["collected", "disputed"] {
            if wants(&format!("{state}_")) {
                let id = collected(stack, state == "disputed").await;
                put(&format!("{state}_id"), id);
                given.payment = Some((id, payment(stack, id).await));
            }
        }
        // Stripe refuses its checkouts, and those of no other.
        let unwanted = wants("unwanted_id");
        let code = unwanted.then_some("amount_too_small");
        stack.account(Provider::Stripe).unwrap().refuse_checkouts(code);
        if unwanted {
            let id = create(stack, stack.shop().add_order(1, 100), KEY).await;
            put("unwanted_id", id);
            given.payment = Some((id, payment(stack, id).await));
        }
        given
    }
}

/// A payment that Stripe collected, and of which 30 went back; it refuses further refunds of a disputed one.
async fn collected(stack: &Stack, is_disputed: bool) -> u64 {
    let id = create(stack, stack.shop().add_order(1, 100), KEY).await;
    let account = stack.account(Provider::Stripe).unwrap();
    account.pay(id, 100).await.unwrap();
    account.refund_orders(Orders::Succeed);
    let refund = json!({"operation": "refund", "id": id, "amount": 30, "idempotency_key": KEY});
    assert_eq!(stack.invoke("callback", &refund).await.unwrap()["status"], "succeeded");
    if is_disputed {
        account.refund_orders(Orders::Refused("charge_disputed".to_owned()));
    }
    id
}

/// Makes order 1 unpaid, and removes its guard.
async fn free_order_1(stack: &Stack) {
    let order = Order { id: 1, uid: 1, pid: 1, amount: 100, status: 0 };
    stack.shop().put_order(order);
    let key = json!({"pk": {"S": "order#1"}, "sk": {"S": "guard"}});
    let request = json!({"TableName": stack.table, "Key": key});
    let target = "DynamoDB_20120810.DeleteItem";
    let call = client::call(&echo::http(), &stack.dynamodb, "dynamodb", target, &request).await;
    assert_eq!(call.unwrap().0, 200);
}
