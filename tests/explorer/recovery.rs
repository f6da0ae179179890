//! Recovery: once no actor has anything left to do, faults stop, and every client repeats its
//! request.

use pay_core::{
    domain::{Payment, ProviderRef, RefundState, Status},
    testing::Call,
    usecases::checkout::CheckoutError,
};

use super::{
    actor::{Actor, LiveRun, Progress, Role, When},
    client::ClientResponse,
    explore::{Explorer, State},
    invariants::{
        Broken, check_call, check_change, check_recovered, check_repeat, check_response,
        check_world, hold,
    },
    scenario::{ACCOUNT, sweeping},
    world::{Fakes, Fault, World},
};

/// Runs an actor alone, without faults but for a call that fails each time, and checks every step.
pub(crate) fn run_alone(
    fakes: &Fakes,
    (actor, attempt): (&Actor, u64),
    down: Option<Call>,
    world: &mut World,
) -> Result<ClientResponse, Broken> {
    let (mut live, mut progress) = LiveRun::begin(actor, attempt);
    loop {
        let request = match progress {
            Progress::Done(end) => {
                let before = world.clone();
                world.hand_out(&end);
                checked(&before, world)?;
                return Ok(end);
            }
            Progress::Waiting(waiting) => waiting.into_iter().next().expect("a call that waits"),
        };
        let before = world.clone();
        check_call(world, &request)?;
        let fault = (down == Some(request.id().call)).then_some(Fault::Before);
        let response = fakes.carry_out(world, &request, fault).expect("no crash");
        checked(&before, world)?;
        progress = live.respond(request.id(), response);
    }
}

fn checked(before: &World, world: &World) -> Result<(), Broken> {
    if before != world {
        check_change(before, world)?;
        check_world(world)?;
    }
    Ok(())
}

impl Explorer<'_> {
    /// Recovers a state in which no actor has anything left to do, in every way, and checks the end
    /// of each.
    pub(super) fn recover(&mut self, state: &State) -> Result<(), Broken> {
        let created = self.clients(state).map(|end| Some(end?.created()?.1.id)).collect();
        let actors = self.scenario.actors.iter();
        let comes_again = actors.zip(self.clients(state)).map(|(actor, end)| {
            let comes = matches!(actor.role, Role::Follow { lossy: false, .. });
            comes && !end.is_some_and(ClientResponse::is_acknowledgement)
        });
        let comes_again: Vec<bool> = comes_again.collect();
        if !self.recovered.insert((state.world, created, comes_again.clone())) {
            return Ok(());
        }
        self.check_detail(&self.worlds.get(state.world))?;
        // Every client repeats, since any response can be lost on its way; the sweep has no client.
        let clients = self.scenario.actors.iter();
        let forward: Vec<Actor> =
            clients.filter(|actor| !matches!(actor.role, Role::Sweep(_))).cloned().collect();
        // One client has one order.
        let backward: Vec<Actor> = forward.iter().rev().cloned().collect();
        let orders = if forward.len() < 2 { vec![forward] } else { vec![forward, backward] };
        for order in orders {
            for late in [false, true] {
                let end = self.recover_once(state, &order, late)?;
                self.ends.entry(described(&end)).or_insert_with(|| self.path.clone());
            }
        }
        // What was acknowledged does not come again. What takes effect after a sweep is left for the
        // next sweep.
        let unacknowledged = self.scenario.actors.iter().zip(comes_again);
        let unacknowledged = unacknowledged.filter(|(_, comes)| *comes);
        let unacknowledged: Vec<Actor> = unacknowledged.map(|(actor, _)| actor.clone()).collect();
        self.recover_once(state, &unacknowledged, false)?;
        Ok(())
    }

    /// However far the index lags, `detail` of an order shows the payment that its guard names.
    fn check_detail(&self, world: &World) -> Result<(), Broken> {
        for (oid, guard) in &world.table.guards {
            let shown = self.fakes.detail(world, *oid);
            let guarded = shown.as_ref().is_ok_and(|shown| shown.id == guard.payment);
            hold(guarded, "I4", || format!("{guard:?}, and detail of the order is {shown:?}"))?;
        }
        Ok(())
    }

    /// One recovery in this order, by a sweep if nobody repeats. The late effects never happen, and
    /// the indexes have caught up; or, if `late`, they happen after everything else, and the
    /// indexes lag until then.
    fn recover_once(&self, state: &State, order: &[Actor], late: bool) -> Result<World, Broken> {
        let mut world = World::clone(&self.worlds.get(state.world));
        if !late {
            world.table.late.clear();
            world.shop.late.clear();
            world.table.catch_up();
        }
        // A request to refund that is on its way has arrived by now, or never does.
        if late {
            while let before = world.clone()
                && world.providers.land_late()
            {
                checked(&before, &world)?;
            }
        }
        if late {
            while let before = world.clone()
                && world.providers.land_late_checkout()
            {
                checked(&before, &world)?;
            }
        }
        world.providers.late_checkouts.clear();
        world.providers.late.clear();
        let has_refunds = !world.requested.is_empty();
        let start = world.clone();
        for actor in order.iter().filter(|actor| actor.may_begin(&start)) {
            self.repeat(state, actor, &mut world)?;
        }
        // The sweep that notifies of a payment may leave a refund of it for the next one.
        let sweeps = if has_refunds { 2 } else { usize::from(needs_sweep(&world, order)) };
        for _ in 0..sweeps {
            let sweeping = self.sweeping(&world).in_world(&mut world);
            self.repeat(state, &sweeping, &mut world)?;
        }
        self.sweep_after_expiry(state, &mut world)?;
        loop {
            let before = world.clone();
            if !world.table.land_late() && !world.shop.land_late() {
                break;
            }
            checked(&before, &world)?;
        }
        check_recovered(&world)?;
        Ok(world)
    }

    /// Whatever became of checkouts, their last moment comes, and sweeps find what is left of them.
    fn sweep_after_expiry(&self, state: &State, world: &mut World) -> Result<(), Broken> {
        if !world.has_checkouts() {
            return Ok(());
        }
        let before = world.clone();
        world.expire();
        checked(&before, world)?;
        // From 100 minutes after the attempts of clients: one that finds what is absent, one that finds that it
        // still is, and one for what the order service was notified of before.
        // Or a day later, where somebody was at work then.
        let is_later = self.scenario.actors.iter().any(|actor| actor.when == When::Forgotten);
        let first = if is_later { 1_000 } else { 60 };
        for attempt in (first..).take(3) {
            let sweeping = self.sweeping(world).in_world(world);
            let end = run_alone(&self.fakes, (&sweeping, attempt), None, world)?;
            check_response(world, &end, self.clients(state).flatten())?;
            check_repeat(world, &end)?;
        }
        Ok(())
    }

    /// The sweep of a recovery, of a service that is configured as in the scenario.
    fn sweeping(&self, world: &World) -> Actor {
        let role = Role::Sweep(world.providers.keys.clone());
        let time_to_live = self.scenario.actors.iter().find_map(|actor| actor.time_to_live);
        Actor { role, time_to_live, ..sweeping(9) }
    }

    fn repeat(&self, state: &State, actor: &Actor, world: &mut World) -> Result<(), Broken> {
        // Whatever keys it had, those of the first account are back.
        let actor = &Actor { account: ACCOUNT, ..actor.clone() };
        let mut end = run_alone(&self.fakes, (actor, 1), None, world)?;
        // One provider call for a payment in three seconds: what it leaves is found by the next request.
        if matches!(end, ClientResponse::Checkout(_, Err(CheckoutError::Failed(_)))) {
            end = run_alone(&self.fakes, (actor, 2), None, world)?;
        }
        check_response(world, &end, self.clients(state).flatten())?;
        check_repeat(world, &end)
    }
}

/// Whether a paid payment is not delivered again: one that a person accepted, or that was paid
/// before the scenario begins. Also a sweep alone must recover everything.
fn needs_sweep(world: &World, order: &[Actor]) -> bool {
    let delivered = |payment: &Payment| {
        order.iter().any(|actor| match &actor.role {
            Role::Deliver { notification, .. } => notification.payment == Some(payment.id),
            Role::Create(_)
            | Role::Follow { .. }
            | Role::Sweep(_)
            | Role::Resolve(..)
            | Role::Refund(_)
            | Role::Checkout(_)
            | Role::Close(..) => false,
        })
    };
    let delivers = |actor: &Actor| matches!(actor.role, Role::Deliver { .. });
    let mut paid = world.table.payments.values().filter(|payment| payment.paid_time.is_some());
    world.has_truth()
        || order.iter().any(|actor| matches!(actor.role, Role::Resolve(..)))
        || !order.iter().any(delivers)
        || !paid.all(delivered)
}

/// What became of the payments, in the order of their ids: the end that I6 speaks of.
fn described(world: &World) -> String {
    let payments = world.table.payments.values().map(|payment| {
        let status = format!("{:?}", payment.status).to_lowercase();
        let referred = match &payment.reference {
            reference if *reference == ProviderRef::NONE => status,
            reference => format!("{status} {reference}"),
        };
        // A payment that was refunded in full says so by its status.
        let refunded = match payment.refunded() {
            part if part > 0 && payment.status == Status::Paid => format!("{referred} -{part}"),
            _ => referred,
        };
        let outside = world.table.refunds.values().filter(|of| of.payment == payment.id);
        let outside = outside.filter(|of| of.is_outside() && of.state == RefundState::Succeeded);
        let refunded = match outside.map(|of| of.amount_minor).sum() {
            0_u64 => refunded,
            other => format!("{refunded} and {other} of others"),
        };
        match payment.refunds.pending {
            0 => refunded,
            pending => format!("{refunded} ({pending} pending)"),
        }
    });
    payments.collect::<Vec<_>>().join(", ")
}
