//! The healing round: once all actors are done, faults stop, and every client comes again.

use std::rc::Rc;

use super::{
    actor::{Actor, Final, Live, Role, Stand},
    explore::{Explorer, Place, State},
    promises::{
        Broken, hold, of_a_change, of_a_healed_world, of_a_repeat, of_a_world, of_an_answer,
    },
    world::{Fakes, World},
};

/// Runs an actor alone and without faults, holding every step to the promises.
pub(crate) fn alone(
    fakes: &Fakes,
    actor: &Actor,
    attempt: u64,
    world: &mut World,
) -> Result<Final, Broken> {
    let (mut live, mut stand) = Live::begin(&actor.begin, attempt);
    loop {
        let request = match stand {
            Stand::Done(end) => return Ok(end),
            Stand::Waiting(waiting) => waiting.into_iter().next().expect("it waits for a call"),
        };
        let before = world.clone();
        let answer = fakes.carry_out(world, &request, None).expect("it is answered");
        if *world != before {
            of_a_change(&before, world)?;
            of_a_world(world)?;
        }
        stand = live.answer(request.call(), answer);
    }
}

impl Explorer<'_> {
    /// Heals a world in which all actors are done, in every way, and checks the end of each.
    pub(super) fn heal(&mut self, state: &State) -> Result<(), Broken> {
        let open: Vec<bool> =
            state.places.iter().enumerate().map(|(actor, place)| self.is_open(actor, *place)).collect();
        if !self.healed.insert((state.world, open.clone())) {
            return Ok(());
        }
        let world = self.worlds.get(state.world);
        let messages = |role: &Role| matches!(role, Role::Message { .. });
        let (messages, creates): (Vec<usize>, Vec<usize>) =
            (0..self.trees.len()).partition(|actor| messages(self.trees[*actor].role()));
        let creates: Vec<usize> = creates.into_iter().filter(|actor| open[*actor]).collect();
        let forward: Vec<usize> = creates.iter().chain(&messages).copied().collect();
        let backward: Vec<usize> = forward.iter().rev().copied().collect();
        for order in [forward, backward] {
            for late in [false, true] {
                self.heal_once(&world, &order, late)?;
            }
        }
        Ok(())
    }

    /// Whether its client does not know what was done.
    fn is_open(&self, actor: usize, place: Place) -> bool {
        match place {
            Place::Crashed => true,
            Place::At(at) => self.trees[actor].end(at).is_none_or(Final::is_open),
        }
    }

    /// One round in this order. The late writes never land, and the indexes caught up; or, if
    /// `late`, they land after the round, in which the indexes still lag.
    fn heal_once(&mut self, before: &Rc<World>, order: &[usize], late: bool) -> Result<(), Broken> {
        let mut world = World::clone(before);
        if !late {
            world.table.late.clear();
            world.shop.late.clear();
            world.table.catch_up();
        }
        for actor in order.iter().copied().filter(|actor| self.may_begin(*actor, before)) {
            let actor = &self.scenario.actors[actor];
            let end = alone(&self.fakes, actor, 1, &mut world)?;
            of_an_answer(&world, (&actor.role, &end), [].into_iter())?;
            of_a_repeat(&actor.role, &end)?;
            hold(!end.is_open(), "I9", || format!("without faults {:?} gets {end:?}", actor.role))?;
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
        self.ends.entry(described(&world)).or_insert_with(|| self.path.clone());
        Ok(())
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
