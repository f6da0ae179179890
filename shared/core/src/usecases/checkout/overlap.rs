//! Two callers whose reads and writes overlap.

use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    task::Poll,
};

use super::*;
use crate::{
    domain::Provider,
    testing::{Call, Fate, block_on},
    usecases::{
        query::QueryPorts,
        world::{World, later, now, uid},
    },
};

/// The record is read together with the checkouts, and after them.
#[test]
fn another_caller_between_the_two_reads_makes_no_second_checkout() {
    let (world, id) = World::with_payment();
    world.give_keys(Provider::ALL);
    let asked = AskedCheckout {
        method: CheckoutMethod::WeChatNative,
        description: None,
        return_url: None,
        openid: None,
        payer_ip: None,
    };
    let request = CheckoutPayment {
        id,
        payer: Some(uid(1)),
        asked,
        notify_url: WebUrl::new("https://pay.example/api/pay/callback/wechat").ok(),
        time_to_live: None,
        sender: Sender::Native,
        body: RawBody::empty(),
    };

    let (store, shop, providers) =
        (world.store.clone(), world.shop.clone(), world.providers.clone());
    let (other, trace, reads) = (request.clone(), world.trace.clone(), AtomicU32::new(0));
    world.gate.hook(move |call, asked| {
        // The other caller is there once the first one waits for the record, and has read the checkouts.
        if call == Call::Payment && reads.load(Relaxed) == 0 {
            if asked == 0 {
                return Poll::Pending;
            }
            reads.store(1, Relaxed);
            let ports =
                QueryPorts { users: &shop, orders: &shop, store: &store, providers: &providers };
            let how: (Observe<'_>, &dyn Fn() -> bool) = (&|_, _| (), &|| true);
            let first = block_on(checkout(&ports, &other, how, now(), &trace)).unwrap();
            assert_eq!(first.checkout.reference.number.get(), 1);
        }
        Poll::Ready(Fate::Responded)
    });
    let how: (Observe<'_>, &dyn Fn() -> bool) = (&|_, _| (), &|| true);
    let started =
        block_on(checkout(&world.ports(), &request, how, later(5_000), &world.trace)).unwrap();
    assert_eq!(started.checkout.reference.number.get(), 1);
    assert_eq!(world.payment(id).checkouts, 1);
    assert_eq!(world.providers.edit(|held| held.checkouts.len()), 1);
}
