//! Everything outside the actors, and what a call does to it: the fakes, a call at a time.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    mem::swap,
    rc::Rc,
};

use pay_core::testing::{Call, FakeShop, FakeStore, Fate, Gate, ShopState, Table, block_on};
use pay_core::{
    domain::{OrderId, Payment},
    usecases::detail::{DetailError, Wanted, detail},
};

use super::ports::{Answer, Request, put};

/// What the store and the shop hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) table: Table,
    pub(crate) shop: ShopState,
}

/// A map whose hashing is quick even where it is not optimized.
pub(crate) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

/// Multiplies and rotates, a word at a time. Not for keys that a stranger chooses.
#[derive(Default)]
pub(crate) struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        for byte in rest {
            self.write_u8(*byte);
        }
    }

    fn write_u128(&mut self, number: u128) {
        let [low, high] = [number, number >> 64].map(|half| half & u128::from(u64::MAX));
        self.write_u64(low.try_into().unwrap());
        self.write_u64(high.try_into().unwrap());
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(u64::try_from(number).unwrap());
    }

    fn write_isize(&mut self, number: isize) {
        self.write_usize(number.unsigned_abs());
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fault {
    /// Nothing happens, and the caller knows.
    Before,
    /// Nothing happens, and the caller does not know.
    Lost,
    /// It happens, and the caller does not know.
    After,
    /// The caller does not know; it happens later, or never.
    Late,
    /// It happens, its answer is lost on the way, and the retry below the port hears the second
    /// answer.
    Twice,
    /// The actor ends, and the call was never made.
    CrashBefore,
    /// The call is made, and the actor ends.
    CrashAfter,
}

impl Fault {
    const ALL: [Self; 7] = [
        Self::Before,
        Self::Lost,
        Self::After,
        Self::Late,
        Self::Twice,
        Self::CrashBefore,
        Self::CrashAfter,
    ];

    /// What can go wrong with a call, each with another end.
    pub(crate) fn of(call: Call) -> &'static [Self] {
        match call {
            // Reading has no effect, so all that matters is whether there is an answer.
            Call::NewestOfOrder
            | Call::Guard
            | Call::Payment
            | Call::OfUser
            | Call::ToTell
            | Call::Quarantined
            | Call::UserExists
            | Call::FindOrder => &[Self::Before, Self::CrashBefore],
            Call::Create
            | Call::Apply
            | Call::Log
            | Call::Told
            | Call::PutOff
            | Call::Resolved
            | Call::TellPaid => &Self::ALL,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Lost => "lost",
            Self::After => "after",
            Self::Late => "late",
            Self::Twice => "twice",
            Self::CrashBefore => "crash-before",
            Self::CrashAfter => "crash-after",
        }
    }

    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.word() == word)
    }
}

/// How a broken store carries out a request; `None` leaves it to the sound one.
pub(crate) type Breakage = fn(&mut Table, &Request) -> Option<Answer>;

/// The fakes, which are lent one world after another.
pub(crate) struct Fakes {
    gate: Gate,
    store: FakeStore,
    shop: FakeShop,
    breakage: Option<Breakage>,
}

impl Fakes {
    pub(crate) fn new(breakage: Option<Breakage>) -> Self {
        let gate = Gate::default();
        let store = FakeStore::behind(gate.clone());
        Self { store, shop: FakeShop::behind(gate.clone()), gate, breakage }
    }

    /// What a call does to the world, and what the caller hears; `None` if it never does.
    pub(crate) fn carry_out(
        &self,
        world: &mut World,
        request: &Request,
        fault: Option<Fault>,
    ) -> Option<Answer> {
        let fates: &[Fate] = match fault {
            None => &[Fate::Answered],
            Some(Fault::Before) => &[Fate::Before],
            Some(Fault::Lost) => &[Fate::Lost],
            Some(Fault::After | Fault::CrashAfter) => &[Fate::After],
            Some(Fault::Late) => &[Fate::Late],
            Some(Fault::Twice) => &[Fate::After, Fate::Answered],
            Some(Fault::CrashBefore) => &[],
        };
        let heard = fates.iter().map(|fate| self.once(world, request, *fate)).last();
        heard.filter(|_| fault != Some(Fault::CrashAfter))
    }

    /// What `detail` shows of an order.
    pub(crate) fn shown(&self, world: &World, oid: OrderId) -> Result<Payment, DetailError> {
        self.store.edit(|table| table.clone_from(&world.table));
        block_on(detail(&self.store, Wanted::Order(oid), None))
    }

    fn once(&self, world: &mut World, request: &Request, mut fate: Fate) -> Answer {
        if let (Some(breakage), Fate::Answered | Fate::After) = (self.breakage, fate)
            && let Some(answer) = breakage(&mut world.table, request)
        {
            if fate == Fate::Answered {
                return answer;
            }
            // It is done; what is left to do is to lose the answer.
            fate = Fate::Lost;
        }
        self.lend(world);
        self.gate.script(request.call(), [fate]);
        let answer = block_on(put(request, &self.store, &self.shop));
        self.lend(world);
        answer
    }

    fn lend(&self, world: &mut World) {
        self.store.edit(|table| swap(table, &mut world.table));
        self.shop.edit(|shop| swap(shop, &mut world.shop));
    }
}

/// Every world that was seen, each once.
#[derive(Default)]
pub(crate) struct Worlds {
    numbers: Map<Rc<World>, usize>,
    all: Vec<Rc<World>>,
}

impl Worlds {
    pub(crate) fn get(&self, number: usize) -> Rc<World> {
        Rc::clone(&self.all[number])
    }

    /// A world's number, and whether it is new.
    pub(crate) fn number(&mut self, world: World) -> (usize, bool) {
        if let Some(number) = self.numbers.get(&world) {
            return (*number, false);
        }
        let (number, world) = (self.all.len(), Rc::new(world));
        self.all.push(Rc::clone(&world));
        self.numbers.insert(world, number);
        (number, true)
    }
}
