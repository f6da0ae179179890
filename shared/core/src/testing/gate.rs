//! The gate that every call of a fake passes: what goes wrong, and when.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex},
    task::Poll,
};

use super::lock;

/// A call of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is named after the port's method")]
pub enum Call {
    NewestOfOrder,
    Guard,
    Payment,
    OfTransaction,
    Refund,
    RefundNamed,
    Refunds,
    Checkouts,
    ChangeCheckout,
    EndCheckout,
    ListByUser,
    Create,
    Update,
    Append,
    MarkNotified,
    Clear,
    DueItems,
    Reschedule,
    RescheduleRefund,
    Quarantined,
    Resolve,
    UserExists,
    FindOrder,
    NotifyPaid,
    NotifyRefunded,
    Queried,
    Query,
    MakeRefund,
    Account,
    MakeCheckout,
    Close,
}

/// What becomes of a call. A read whose result does not arrive is `Unavailable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// It is carried out, and its result arrives.
    Responded,
    /// Nothing happens, and the caller knows: `Unavailable`.
    Before,
    /// Nothing happens, and the caller does not know: `Unknown`.
    Lost,
    /// It is carried out, and the caller does not know: `Unknown`.
    After,
    /// The caller does not know: `Unknown`; it is carried out when the test says so.
    Late,
}

type Hook = Arc<dyn Fn(Call, u32) -> Poll<Fate> + Send + Sync>;

#[derive(Default)]
struct Plan {
    scripts: BTreeMap<Call, VecDeque<Fate>>,
    always: BTreeMap<Call, Fate>,
    hook: Option<Hook>,
    passed: Vec<Call>,
}

/// Decides the fate of every call. Clones are handles on one gate; one may serve several fakes.
///
/// The hook decides if there is one; else what is scripted for the call, in order; else what is
/// always to become of it; else its result arrives.
#[derive(Clone, Default)]
pub struct Gate {
    plan: Arc<Mutex<Plan>>,
}

impl Gate {
    /// Sets what becomes of the next calls of this kind, one after another.
    pub fn script(&self, call: Call, fates: impl IntoIterator<Item = Fate>) {
        let mut plan = lock(&self.plan);
        plan.scripts.entry(call).or_default().extend(fates);
    }

    /// Sets what becomes of every call of this kind from now on.
    pub fn always(&self, call: Call, fate: Fate) {
        lock(&self.plan).always.insert(call, fate);
    }

    /// Asks `hook` at every poll of every call, with how often this call asked before.
    ///
    /// A call that has to wait asks again when it is polled again: this is how calls yield,
    /// and how whoever polls them by hand decides which goes on, and how.
    pub fn hook(&self, hook: impl Fn(Call, u32) -> Poll<Fate> + Send + Sync + 'static) {
        lock(&self.plan).hook = Some(Arc::new(hook));
    }

    /// Makes every call wait for a second poll.
    pub fn yield_once(&self) {
        self.hook(|_, asked| match asked {
            0 => Poll::Pending,
            _ => Poll::Ready(Fate::Responded),
        });
    }

    /// The calls that passed, in order.
    #[must_use]
    pub fn passed(&self) -> Vec<Call> {
        lock(&self.plan).passed.clone()
    }

    /// Waits as long as it has to, and returns the fate of a call.
    pub(super) async fn pass(&self, call: Call) -> Fate {
        let mut asked = 0_u32;
        poll_fn(|context| {
            // The hook may use the gate, so it is asked without the lock.
            let hook = lock(&self.plan).hook.clone();
            let fate = match hook {
                Some(hook) => hook(call, asked),
                None => Poll::Ready(lock(&self.plan).next(call)),
            };
            asked = asked.saturating_add(1);
            match fate {
                Poll::Ready(_) => lock(&self.plan).passed.push(call),
                Poll::Pending => context.waker().wake_by_ref(),
            }
            fate
        })
        .await
    }
}

impl Plan {
    fn next(&mut self, call: Call) -> Fate {
        let scripted = self.scripts.get_mut(&call).and_then(VecDeque::pop_front);
        let always = || self.always.get(&call).copied();
        scripted.or_else(always).unwrap_or(Fate::Responded)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = lock(&self.plan);
        f.debug_struct("Gate")
            .field("scripts", &plan.scripts)
            .field("always", &plan.always)
            .field("hooked", &plan.hook.is_some())
            .finish_non_exhaustive()
    }
}
