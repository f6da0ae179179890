//! The search: depth first over every next step, each state once.
//!
//! A state is a world, the place of each actor, and the faults left. Worlds and places are numbers,
//! so a call is carried out once for each world and place it can happen in, however many schedules
//! lead there.

use std::collections::{BTreeMap, BTreeSet};

use pay_core::{domain::PaymentId, testing::Call};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    actor::Tree,
    client::ClientResponse,
    invariants::{Broken, check_call, check_change, check_response, check_world},
    ports::{CallId, Request},
    scenario::Scenario,
    schedule::{self, Step, WorldStep},
    world::{Fakes, Fault, World, Worlds},
};

/// How many bits of a state's key hold the place of an actor.
const PLACE_BITS: u32 = 23;

/// The place of an actor that crashed.
const CRASHED: usize = (1 << PLACE_BITS) - 1;

#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) world: usize,
    places: Vec<usize>,
    faults: usize,
}

impl State {
    /// The actors that have not crashed, and their places.
    fn actors(&self) -> impl Iterator<Item = (usize, usize)> {
        self.places.iter().copied().enumerate().filter(|(_, at)| *at != CRASHED)
    }

    /// The whole state in one number: 36 bits, and 23 for each of up to four actors.
    fn key(&self) -> u128 {
        assert!(self.world >> 32 == 0 && self.faults >> 4 == 0 && self.places.len() <= 4);
        let whole = (self.world << 4 | self.faults).try_into().unwrap();
        self.places.iter().fold(whole, |key, place| {
            assert!(*place <= CRASHED);
            key << PLACE_BITS | u128::try_from(*place).unwrap()
        })
    }
}

/// What was found in a scenario.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) states: usize,
    pub(crate) schedules: u128,
    /// The calls that were made while a fault was left.
    pub(crate) calls: BTreeSet<Call>,
    pub(crate) faults: BTreeSet<(Call, Fault)>,
    /// The kinds of [`WorldStep`].
    pub(crate) world_steps: BTreeSet<&'static str>,
    /// What the clients got.
    pub(crate) responses: BTreeSet<String>,
    /// What became of the payments in the end, each with a schedule that leads there.
    pub(crate) ends: BTreeMap<String, Vec<Step>>,
}

/// Everything that the effect of a call depends on: world, actor, its place, call, fault.
type Cause = (usize, usize, usize, CallId, Option<Fault>);

pub(crate) struct Explorer<'a> {
    pub(super) scenario: &'a Scenario,
    faults: usize,
    pub(super) fakes: Fakes,
    trees: Vec<Tree>,
    pub(super) worlds: Worlds,
    effects: FxHashMap<Cause, (usize, usize)>,
    world_effects: FxHashMap<(usize, WorldStep), usize>,
    seen: FxHashMap<u128, u128>,
    calls: BTreeSet<Call>,
    pub(super) recovered: FxHashSet<(usize, Vec<Option<PaymentId>>, Vec<bool>)>,
    pub(super) ends: BTreeMap<String, Vec<Step>>,
    pub(super) path: Vec<Step>,
}

impl<'a> Explorer<'a> {
    pub(crate) fn new(scenario: &'a Scenario, faults: usize) -> Self {
        Self {
            scenario,
            faults,
            fakes: Fakes::new(scenario.store_bug),
            trees: scenario.actors.iter().map(Tree::of).collect(),
            worlds: Worlds::default(),
            effects: FxHashMap::default(),
            world_effects: FxHashMap::default(),
            seen: FxHashMap::default(),
            calls: BTreeSet::new(),
            recovered: FxHashSet::default(),
            ends: BTreeMap::new(),
            path: Vec::new(),
        }
    }

    /// Goes through every schedule.
    ///
    /// # Errors
    ///
    /// The first invariant that is broken, and the schedule that breaks it.
    pub(crate) fn explore(mut self) -> Result<Found, (Broken, Vec<Step>)> {
        let visited = self.start().and_then(|start| self.visit(&start));
        match visited {
            Ok(schedules) => Ok(self.found(schedules)),
            Err(broken) => Err((broken, self.path)),
        }
    }

    /// Goes through one schedule and passes what each step does to `say`; then recovers, if no
    /// actor has anything left to do.
    ///
    /// # Errors
    ///
    /// The first invariant that is broken.
    pub(crate) fn follow(
        &mut self,
        text: &str,
        say: &mut impl FnMut(String),
    ) -> Result<(), Broken> {
        let mut state = self.start()?;
        for word in text.split_whitespace() {
            let steps = self.steps(&state);
            let step = steps.iter().copied().find(|step| step.to_string() == word);
            let step =
                step.unwrap_or_else(|| panic!("{word} is none of {}", schedule::text(&steps)));
            let before = state.clone();
            state = self.take(&before, step)?;
            say(self.described(&before, &state, step));
        }
        if self.is_over(&state) {
            say("no actor has anything left to do: faults stop, and every client repeats".into());
            self.recover(&state)?;
        }
        Ok(())
    }

    fn described(&self, before: &State, after: &State, step: Step) -> String {
        let mut lines = vec![step.to_string()];
        if let Step::Call { actor, id, .. } = step {
            let tree = &self.trees[actor];
            let request = waits(tree.waiting(before.places[actor]), id);
            lines.push(format!("{request:?}"));
            let at = Some(after.places[actor]).filter(|at| *at != CRASHED);
            let response = at.and_then(|at| tree.last_response(at));
            lines.push(response.map_or("crash".into(), |response| format!("-> {response:?}")));
            let end = self.end(after, actor);
            lines.extend(end.map(|end| format!("actor {actor} ends with {end:?}")));
        }
        if before.world != after.world {
            let world = self.worlds.get(after.world);
            lines.extend(world.table.payments.values().map(|payment| format!("{payment:?}")));
        }
        lines.join("\n  ")
    }

    fn start(&mut self) -> Result<State, Broken> {
        let world = self.intern(None, self.scenario.world.clone())?;
        Ok(State { world, places: vec![0; self.trees.len()], faults: self.faults })
    }

    fn found(self, schedules: u128) -> Found {
        let faults =
            self.effects.keys().filter_map(|(_, _, _, id, fault)| Some((id.call, (*fault)?)));
        let responses = self.trees.iter().flat_map(Tree::ends).map(ClientResponse::label);
        Found {
            states: self.seen.len(),
            schedules,
            faults: faults.collect(),
            calls: self.calls,
            world_steps: self.world_effects.keys().map(|(_, step)| step.as_str()).collect(),
            responses: responses.collect(),
            ends: self.ends,
        }
    }

    /// How many schedules go on from a state.
    fn visit(&mut self, state: &State) -> Result<u128, Broken> {
        if let Some(schedules) = self.seen.get(&state.key()) {
            return Ok(*schedules);
        }
        let mut schedules = 0_u128;
        if self.is_over(state) {
            self.recover(state)?;
            schedules = 1;
        }
        for step in self.steps(state) {
            self.path.push(step);
            let next = self.take(state, step)?;
            schedules = schedules.saturating_add(self.visit(&next)?);
            self.path.pop();
        }
        self.seen.insert(state.key(), schedules);
        Ok(schedules)
    }

    /// Whether no actor has anything left to do.
    fn is_over(&self, state: &State) -> bool {
        let world = self.worlds.get(state.world);
        let mut trees = state.actors().map(|(actor, at)| (&self.trees[actor], at));
        trees.all(|(tree, at)| {
            let (actor, has_begun) = (tree.actor(), at != 0);
            let never = !has_begun && (actor.is_lossy() || !actor.may_begin(&world));
            tree.end(at).is_some() || never
        })
    }

    /// What the client of an actor got, if anything.
    fn end(&self, state: &State, actor: usize) -> Option<&ClientResponse> {
        let at = Some(state.places[actor]).filter(|at| *at != CRASHED)?;
        self.trees[actor].end(at)
    }

    /// What each client got, actor by actor.
    pub(super) fn clients(&self, state: &State) -> impl Iterator<Item = Option<&ClientResponse>> {
        (0..self.trees.len()).map(|actor| self.end(state, actor))
    }

    /// Everything that can happen next.
    fn steps(&self, state: &State) -> Vec<Step> {
        let world = self.worlds.get(state.world);
        let mut steps = Vec::new();
        let mut is_behind = false;
        let begun = |(actor, _): &(usize, usize)| self.trees[*actor].actor().may_begin(&world);
        for (actor, at) in state.actors().filter(begun) {
            let calls = CallId::all(self.trees[actor].waiting(at));
            // No call changes who exists, so when that is read makes no difference: it goes first.
            if let Some(user) = calls.iter().find(|id| id.call == Call::UserExists) {
                return self.with_faults(actor, *user, true, state.faults);
            }
            for (number, id) in calls.into_iter().enumerate() {
                is_behind |= world.is_index_behind(id.call);
                steps.extend(self.with_faults(actor, id, number == 0, state.faults));
            }
        }
        if is_behind {
            steps.push(Step::World(WorldStep::Index));
        }
        let writes = (0..world.table.late.len()).map(WorldStep::LateWrite);
        let notifications = (0..world.shop.late.len()).map(WorldStep::LateNotification);
        let refunds = (0..world.providers.late.len()).map(WorldStep::LateRefund);
        let checkouts = (0..world.providers.late_checkouts.len()).map(WorldStep::LateCheckout);
        let provider = world.can_happen().then_some(WorldStep::Provider);
        let late = writes.chain(notifications).chain(refunds).chain(checkouts);
        steps.extend(late.chain(provider).map(Step::World));
        steps
    }

    /// A call without a fault, and with each one that it can have. An actor crashes before all of
    /// its waiting calls at once, so only the `first` of them has that fault.
    fn with_faults(&self, actor: usize, id: CallId, first: bool, left: usize) -> Vec<Step> {
        let faults = Fault::of(id.call).iter().copied();
        let faults = faults.filter(|fault| first || *fault != Fault::CrashBefore).map(Some);
        let allowed = faults.filter(|fault| self.cost(id.call, *fault) <= left);
        [None].into_iter().chain(allowed).map(|fault| Step::Call { actor, id, fault }).collect()
    }

    fn cost(&self, call: Call, fault: Option<Fault>) -> usize {
        match fault {
            None => 0,
            Some(Fault::CrashBefore | Fault::CrashAfter) => 1,
            Some(_) => usize::from(self.scenario.down != Some(call)),
        }
    }

    /// The state after a step.
    fn take(&mut self, state: &State, step: Step) -> Result<State, Broken> {
        let mut next = state.clone();
        match step {
            Step::Call { actor, id, fault } => {
                if state.faults > 0 {
                    self.calls.insert(id.call);
                }
                let cause = (state.world, actor, state.places[actor], id, fault);
                (next.world, next.places[actor]) = self.effect(cause)?;
                next.faults = state.faults.saturating_sub(self.cost(id.call, fault));
                self.check_client(&next, actor)?;
            }
            Step::World(step) => next.world = self.world_effect(state.world, step)?,
        }
        Ok(next)
    }

    fn effect(&mut self, cause: Cause) -> Result<(usize, usize), Broken> {
        if let Some(effect) = self.effects.get(&cause) {
            return Ok(*effect);
        }
        let (before, actor, at, id, fault) = cause;
        let request = waits(self.trees[actor].waiting(at), id).clone();
        let mut world = World::clone(&self.worlds.get(before));
        check_call(&world, &request)?;
        let response = self.fakes.carry_out(&mut world, &request, fault);
        let place = match response {
            Some(response) => self.trees[actor].respond(at, id, &response),
            None => CRASHED,
        };
        if let Some(end) = Some(place).filter(|at| *at != CRASHED)
            && let Some(end) = self.trees[actor].end(end)
        {
            world.hand_out(end);
        }
        let after = self.intern(Some(before), world)?;
        self.effects.insert(cause, (after, place));
        Ok((after, place))
    }

    fn world_effect(&mut self, before: usize, step: WorldStep) -> Result<usize, Broken> {
        if let Some(after) = self.world_effects.get(&(before, step)) {
            return Ok(*after);
        }
        let mut world = World::clone(&self.worlds.get(before));
        match step {
            WorldStep::LateWrite(number) => {
                world.table.late[..=number].rotate_right(1);
                world.table.land_late();
            }
            WorldStep::LateNotification(number) => {
                world.shop.late[..=number].rotate_right(1);
                world.shop.land_late();
            }
            WorldStep::LateRefund(number) => {
                world.providers.late[..=number].rotate_right(1);
                world.providers.land_late();
            }
            WorldStep::LateCheckout(number) => {
                world.providers.late_checkouts[..=number].rotate_right(1);
                world.providers.land_late_checkout();
            }
            WorldStep::Index => world.table.catch_up(),
            WorldStep::Provider => world.happen(),
        }
        let after = self.intern(Some(before), world)?;
        self.world_effects.insert((before, step), after);
        Ok(after)
    }

    /// The number of a world, after it was checked.
    fn intern(&mut self, before: Option<usize>, world: World) -> Result<usize, Broken> {
        if let Some(before) = before {
            check_change(&self.worlds.get(before), &world)?;
        }
        let (number, new) = self.worlds.number(world);
        if new {
            check_world(&self.worlds.get(number))?;
        }
        Ok(number)
    }

    /// Checks what the client of an actor gets, if the actor has just come to its end.
    fn check_client(&self, state: &State, actor: usize) -> Result<(), Broken> {
        let Some(end) = self.end(state, actor) else { return Ok(()) };
        let others = self.clients(state).enumerate().filter(|(other, _)| *other != actor);
        check_response(&self.worlds.get(state.world), end, others.filter_map(|(_, end)| end))
    }
}

/// The call of this id, of those that wait.
fn waits(waiting: &[Request], id: CallId) -> &Request {
    let mut ids = CallId::all(waiting).into_iter().zip(waiting);
    ids.find(|(of, _)| *of == id).expect("a call that waits").1
}
