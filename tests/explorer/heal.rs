//! The healing round: once all actors are done, faults stop, and every client comes again.

use pay_core::{domain::Payment, testing::Call};

use super::{
    actor::{Actor, Final, Live, Role, Stand},
    explore::{Explorer, State},
    promises::{
        Broken, hold, of_a_change, of_a_healed_world, of_a_repeat, of_a_world, of_an_answer,
    },
    scenario::reconciling,
    world::{Fakes, Fault, World},
};

/// Runs an actor alone and without faults, but for a call that fails each time, holding every step
/// to the promises.
pub(crate) fn alone(
    fakes: &Fakes,
    (actor, attempt): (&Actor, u64),
    down: Option<Call>,
    world: &mut World,
) -> Result<Final, Broken> {
    let (mut live, mut stand) = Live::begin(&actor.begin, attempt);
    loop {
        let request = match stand {
            Stand::Done(end) => return Ok(end),
            Stand::Waiting(waiting) => waiting.into_iter().next().expect("it waits for a call"),
        };
        let before = world.clone();
        let fault = (down == Some(request.call())).then_some(Fault::Before);
        let answer = fakes.carry_out(world, &request, fault).expect("it is answered");
        if *world != before {
            of_a_change(&before, world)?;
            of_a_world(world)?;
        }
        stand = live.answer(request.which(), answer);
    }
}

impl Explorer<'_> {
    /// Heals a world in which all actors are done, in every way, and checks the end of each.
    pub(super) fn heal(&mut self, state: &State) -> Result<(), Broken> {
        let made = |actor| self.end(state, actor).and_then(Final::made).map(|made| made.id);
        if !self.healed.insert((state.world, (0..self.trees.len()).map(made).collect())) {
            return Ok(());
        }
        let world = self.worlds.get(state.world);
        self.shows_what_is_guarded(&world)?;
        // Every client comes again, for an answer can be lost on its way; reconcile is no client.
        let clients = self.scenario.actors.iter();
        let forward: Vec<Actor> =
            clients.filter(|actor| !matches!(actor.role, Role::Reconcile)).cloned().collect();
        let backward = forward.iter().rev().cloned().collect();
        for order in [forward, backward] {
            for late in [false, true] {
                let end = self.heal_once(state, &order, late)?;
                self.ends.entry(described(&end)).or_insert_with(|| self.path.clone());
            }
        }
        // What lands after a reconcile run is the next one's to find.
        self.heal_once(state, &[], false)?;
        Ok(())
    }

    /// However far the index lags, an order shows the payment that its guard names.
    fn shows_what_is_guarded(&self, world: &World) -> Result<(), Broken> {
        for (oid, guard) in &world.table.guards {
            let shown = self.fakes.shown(world, *oid);
            let right = shown.as_ref().is_ok_and(|shown| shown.id == guard.payment);
            hold(right, "I4", || format!("{guard:?}, and the order shows {shown:?}"))?;
        }
        Ok(())
    }

    /// One round in this order, of a reconcile run if nobody comes again. The late writes never
    /// land, and the indexes caught up; or, if `late`, they land after the round, in which the
    /// indexes still lag.
    fn heal_once(&self, state: &State, order: &[Actor], late: bool) -> Result<World, Broken> {
        let mut world = World::clone(&self.worlds.get(state.world));
        if !late {
            world.table.late.clear();
            world.shop.late.clear();
            world.table.catch_up();
        }
        let there = world.clone();
        for actor in order.iter().filter(|actor| actor.role.may_begin(&there)) {
            self.again(state, actor, &mut world)?;
        }
        // What a person accepted is delivered by nobody, and so is what was told of before.
        let delivers = |actor: &Actor, id| match &actor.role {
            Role::Message { notice, .. } => notice.payment == Some(id),
            Role::Create(_) | Role::Reconcile | Role::Resolve => false,
        };
        let mut paid = world.table.payments.values().filter(|payment| payment.paid_time.is_some());
        let delivered = |payment: &Payment| order.iter().any(|actor| delivers(actor, payment.id));
        let accepted = order.iter().any(|actor| matches!(actor.role, Role::Resolve));
        let message = |actor: &Actor| matches!(actor.role, Role::Message { .. });
        if accepted || !order.iter().any(message) || !paid.all(delivered) {
            self.again(state, &reconciling(9), &mut world)?;
        }
        loop {
            let then = world.clone();
            if !world.table.land_late() && !world.shop.land_late() {
                break;
            }
            of_a_change(&then, &world)?;
            of_a_world(&world)?;
        }
        of_a_healed_world(&world)?;
        Ok(world)
    }

    fn again(&self, state: &State, actor: &Actor, world: &mut World) -> Result<(), Broken> {
        let end = alone(&self.fakes, (actor, 1), None, world)?;
        let earlier = (0..self.trees.len())
            .filter_map(|actor| Some((self.trees[actor].role(), self.end(state, actor)?)));
        of_an_answer(world, (&actor.role, &end), earlier)?;
        of_a_repeat(world, &actor.role, &end)?;
        hold(!end.is_open(), "I9", || format!("without faults {:?} gets {end:?}", actor.role))
    }
}

/// What became of the payments, in the order of their ids: the end that I6 speaks of.
fn described(world: &World) -> String {
    let payments = world.table.payments.values().map(|payment| {
        let txn = payment.money.txn.as_ref().map_or("", |txn| txn.as_str());
        let source = payment.money.source.get();
        match source {
            0 if txn.is_empty() => format!("{:?}", payment.status),
            _ => format!("{:?} {source}/{txn}", payment.status),
        }
    });
    payments.collect::<Vec<_>>().join(", ").to_lowercase()
}
