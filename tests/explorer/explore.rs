//! The search: depth first over every next step, each state once.
//!
//! A state is a world, where each actor stands, and the faults left. Worlds and places are numbers,
//! so a call is carried out once for each world and place it can happen in, however many schedules
//! lead there.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use pay_core::{domain::PaymentId, testing::Call};

use super::{
    actor::{Final, Tree},
    ports::{Request, Which},
    promises::{Broken, of_a_change, of_a_world, of_an_answer},
    scenario::Scenario,
    schedule::Step,
    world::{Fakes, Fault, Map, World, Worlds},
};

/// How many bits of a state's key hold the place of an actor.
const PLACE_BITS: u32 = 23;

/// The place of an actor that is gone.
const CRASHED: usize = (1 << PLACE_BITS) - 1;

#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) world: usize,
    pub(crate) places: Vec<usize>,
    pub(crate) faults: usize,
}

impl State {
    /// The actors that are still there, and where.
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
    pub(crate) fired: BTreeSet<(Call, Fault)>,
    pub(crate) calls: BTreeSet<Call>,
    /// What happened beside the calls.
    pub(crate) arrivals: BTreeSet<&'static str>,
    pub(crate) answers: BTreeSet<String>,
    pub(crate) ends: BTreeMap<String, Vec<Step>>,
}

/// Everything a call's outcome depends on: the world, the actor, its place, the call, the fault.
type Cause = (usize, usize, usize, Which, Option<Fault>);

pub(crate) struct Explorer<'a> {
    pub(super) scenario: &'a Scenario,
    faults: usize,
    pub(super) fakes: Fakes,
    pub(super) trees: Vec<Tree>,
    pub(super) worlds: Worlds,
    effects: Map<Cause, (usize, usize)>,
    altered: Map<(usize, Step), usize>,
    seen: Map<u128, u128>,
    pub(super) healed: HashSet<(usize, Vec<Option<PaymentId>>)>,
    pub(super) ends: BTreeMap<String, Vec<Step>>,
    pub(super) path: Vec<Step>,
}

impl<'a> Explorer<'a> {
    pub(crate) fn new(scenario: &'a Scenario, faults: usize) -> Self {
        Self {
            scenario,
            faults,
            fakes: Fakes::new(scenario.breakage),
            trees: scenario.actors.iter().map(Tree::of).collect(),
            worlds: Worlds::default(),
            effects: Map::default(),
            altered: Map::default(),
            seen: Map::default(),
            healed: HashSet::new(),
            ends: BTreeMap::new(),
            path: Vec::new(),
        }
    }

    /// Goes through every schedule.
    ///
    /// # Errors
    ///
    /// The first promise that is broken, and the schedule that breaks it.
    pub(crate) fn explore(mut self) -> Result<Found, (Broken, Vec<Step>)> {
        let visited = self.start().and_then(|start| self.visit(&start));
        match visited {
            Ok(schedules) => Ok(self.found(schedules)),
            Err(broken) => Err((broken, self.path)),
        }
    }

    /// Goes through one schedule, saying what each step does; then heals, if all is over.
    ///
    /// # Errors
    ///
    /// The first promise that is broken.
    pub(crate) fn follow(
        &mut self,
        steps: &[Step],
        say: &mut impl FnMut(String),
    ) -> Result<(), Broken> {
        let mut state = self.start()?;
        for step in steps {
            let before = state.clone();
            state = self.take(&before, *step)?;
            say(self.described(&before, &state, *step));
        }
        if self.is_over(&state) {
            say("all is over; faults stop, and every client comes again".into());
            self.heal(&state)?;
        }
        Ok(())
    }

    fn described(&self, before: &State, after: &State, step: Step) -> String {
        let mut lines = vec![step.to_string()];
        if let Step::Call { actor, which, .. } = step {
            let waiting = self.trees[actor].waiting(before.places[actor]).iter();
            let request = waiting.filter(|request| request.which() == which);
            lines.extend(request.map(|request| format!("{request:?}")));
            let heard = Some(after.places[actor]).filter(|at| *at != CRASHED);
            let answer = heard.and_then(|at| self.trees[actor].last_answer(at));
            lines.push(answer.map_or("it crashes".into(), |answer| format!("-> {answer:?}")));
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
        let places = self.trees.iter().map(|_| 0).collect();
        Ok(State { world, places, faults: self.faults })
    }

    fn found(self, schedules: u128) -> Found {
        let trees = self.trees.iter();
        let answers = trees.clone().flat_map(Tree::ends).map(Final::label).collect();
        let fired = |(_, _, _, which, fault): &Cause| fault.map(|fault| (which.call, fault));
        Found {
            states: self.seen.len(),
            schedules,
            fired: self.effects.keys().filter_map(fired).collect(),
            calls: self.effects.keys().map(|(_, _, _, which, _)| which.call).collect(),
            arrivals: self.altered.keys().map(|(_, step)| step.word()).collect(),
            answers,
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
            self.heal(state)?;
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
        state.actors().all(|(actor, at)| {
            self.trees[actor].end(at).is_some() || !self.trees[actor].role().may_begin(&world)
        })
    }

    /// What the client of an actor was answered, if anything.
    pub(super) fn end(&self, state: &State, actor: usize) -> Option<&Final> {
        let at = Some(state.places[actor]).filter(|at| *at != CRASHED)?;
        self.trees[actor].end(at)
    }

    /// Everything that can happen next.
    fn steps(&self, state: &State) -> Vec<Step> {
        let world = self.worlds.get(state.world);
        let mut steps = Vec::new();
        let mut hinting = false;
        let begun = |(actor, _): &(usize, usize)| self.trees[*actor].role().may_begin(&world);
        for (actor, at) in state.actors().filter(begun) {
            let waiting = self.trees[actor].waiting(at);
            let calls: Vec<Which> = waiting.iter().map(Request::which).collect();
            // Nobody changes who exists, so when that is read makes no difference: it goes first.
            if let Some(user) = calls.iter().find(|which| which.call == Call::UserExists) {
                return self.fates(actor, *user, true, state.faults);
            }
            for (number, which) in calls.into_iter().enumerate() {
                hinting |= which.call == Call::NewestOfOrder;
                steps.extend(self.fates(actor, which, number == 0, state.faults));
            }
        }
        if hinting && world.table.indexed.len() < world.table.payments.len() {
            steps.push(Step::Index);
        }
        steps.extend((0..world.table.late.len()).map(Step::Land));
        steps.extend((0..world.shop.late.len()).map(Step::Tell));
        steps
    }

    /// What can become of a call. An actor that ends, ends with all its calls: it does so at the
    /// `first` of them.
    fn fates(&self, actor: usize, which: Which, first: bool, left: usize) -> Vec<Step> {
        let mut fates = vec![Step::Call { actor, which, fault: None }];
        for fault in Fault::of(which.call).iter().copied() {
            let fits = first || fault != Fault::CrashBefore;
            if fits && self.cost(which.call, Some(fault)) <= left {
                fates.push(Step::Call { actor, which, fault: Some(fault) });
            }
        }
        fates
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
            Step::Call { actor, which, fault } => {
                let cause = (state.world, actor, state.places[actor], which, fault);
                (next.world, next.places[actor]) = self.effect(cause)?;
                next.faults = state.faults.saturating_sub(self.cost(which.call, fault));
                self.check_answer(&next, actor)?;
            }
            Step::Land(_) | Step::Tell(_) | Step::Index => {
                next.world = self.alter(state.world, step)?;
            }
        }
        Ok(next)
    }

    fn effect(&mut self, cause: Cause) -> Result<(usize, usize), Broken> {
        if let Some(effect) = self.effects.get(&cause) {
            return Ok(*effect);
        }
        let (before, actor, at, which, fault) = cause;
        let waiting = self.trees[actor].waiting(at).iter();
        let request = waiting.clone().find(|request| request.which() == which);
        let request = request.unwrap_or_else(|| panic!("{actor} waits for no {which:?}")).clone();
        let mut world = World::clone(&self.worlds.get(before));
        let heard = self.fakes.carry_out(&mut world, &request, fault);
        let after = self.intern(Some(before), world)?;
        let place = match heard {
            Some(answer) => self.trees[actor].answered(at, which, &answer),
            None => CRASHED,
        };
        self.effects.insert(cause, (after, place));
        Ok((after, place))
    }

    /// The world after a step that is no actor's.
    fn alter(&mut self, before: usize, step: Step) -> Result<usize, Broken> {
        if let Some(after) = self.altered.get(&(before, step)) {
            return Ok(*after);
        }
        let mut world = World::clone(&self.worlds.get(before));
        match step {
            Step::Land(number) => {
                world.table.late[..=number].rotate_right(1);
                world.table.land_late();
            }
            Step::Tell(number) => {
                world.shop.late[..=number].rotate_right(1);
                world.shop.land_late();
            }
            Step::Index => world.table.catch_up(),
            Step::Call { .. } => panic!("an actor's"),
        }
        let after = self.intern(Some(before), world)?;
        self.altered.insert((before, step), after);
        Ok(after)
    }

    /// The number of a world, which keeps every promise of a world and of a change.
    fn intern(&mut self, before: Option<usize>, world: World) -> Result<usize, Broken> {
        if let Some(before) = before {
            of_a_change(&self.worlds.get(before), &world)?;
        }
        let (number, new) = self.worlds.number(world);
        if new {
            of_a_world(&self.worlds.get(number))?;
        }
        Ok(number)
    }

    fn check_answer(&self, state: &State, actor: usize) -> Result<(), Broken> {
        let answered = |actor: usize| Some((self.trees[actor].role(), self.end(state, actor)?));
        let Some(answer) = answered(actor) else { return Ok(()) };
        let others = (0..self.trees.len()).filter(|other| *other != actor);
        of_an_answer(&self.worlds.get(state.world), answer, others.filter_map(answered))
    }
}
