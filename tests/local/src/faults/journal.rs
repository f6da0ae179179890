//! What is called, in which order, and what it costs: for tests that count.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

/// How long a call is held for those that are to come with it. Less than what callers wait for an
/// answer, so that a caller that makes them one after another is seen to do so and not to fail.
const PATIENCE: Duration = Duration::from_millis(900);

/// A call to one of the services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// One of [`super::POINTS`].
    pub point: String,
    /// Whether it asks for a consistent read.
    pub consistent: bool,
    /// What DynamoDB charges for it, its indexes included: in halves of a unit.
    pub halves: u64,
    /// Where it stands in the longest chain of calls each of which began only after the one before
    /// had ended: 1 for the first.
    pub hop: usize,
}

#[derive(Debug)]
struct Entry {
    noted: Noted,
    ended: bool,
}

#[derive(Debug)]
struct State {
    on: bool,
    /// How many calls are held for each other: of the first hop, of the second, and so on.
    together: VecDeque<usize>,
    held: usize,
    entries: Vec<Entry>,
    released: watch::Sender<u64>,
}

/// The list of calls. Clones are the same.
#[derive(Debug, Clone)]
pub struct Journal {
    state: Arc<Mutex<State>>,
    patience: Duration,
}

impl Default for Journal {
    fn default() -> Self {
        Self::with_patience(PATIENCE)
    }
}

impl Journal {
    fn with_patience(patience: Duration) -> Self {
        let state = State {
            on: false,
            together: VecDeque::new(),
            held: 0,
            entries: Vec::new(),
            released: watch::Sender::new(0),
        };
        Self { state: Arc::new(Mutex::new(state)), patience }
    }

    /// Notes every call from now on, and has DynamoDB say what each costs.
    ///
    /// Calls that are made side by side must not look as if they were made one after another: the
    /// first so many of `together` are held until all of them are there, then the next so many.
    /// Those that do not come within a second are waited for no longer.
    pub fn start(&self, together: impl IntoIterator<Item = usize>) {
        let mut state = self.lock();
        state.entries.clear();
        state.together = together.into_iter().collect();
        (state.on, state.held) = (true, 0);
    }

    /// Ends it; the calls, by hop and name.
    #[must_use]
    pub fn stop(&self) -> Vec<Noted> {
        let mut state = self.lock();
        state.on = false;
        let mut calls: Vec<Noted> = state.entries.drain(..).map(|entry| entry.noted).collect();
        calls.sort_by(|one, other| (one.hop, &one.point).cmp(&(other.hop, &other.point)));
        calls
    }

    /// Whether calls are noted.
    pub(crate) fn is_on(&self) -> bool {
        self.lock().on
    }

    /// A call begins, and is held as long as it must be. Its place, if it is noted.
    pub(super) async fn begin(&self, point: &str, request: &[u8]) -> Option<usize> {
        let (place, mut released) = {
            let mut state = self.lock();
            // What nobody can name is no call: a connection that is opened ahead of time.
            if !state.on || point.is_empty() {
                return None;
            }
            // Seen before this call is held: whoever releases it may be next.
            let released = state.released.subscribe();
            (state.note(point, request), state.hold().then_some(released))
        };
        if let Some(released) = &mut released
            && tokio::time::timeout(self.patience, released.changed()).await.is_err()
        {
            self.lock().give_up();
        }
        Some(place)
    }

    /// It ends: its answer is about to leave.
    pub(super) fn end(&self, place: usize, answer: &[u8]) {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        if let Some(entry) = self.lock().entries.get_mut(place) {
            entry.noted.halves = answer.get("ConsumedCapacity").map_or(0, halves);
            entry.ended = true;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, point: &str, request: &[u8]) -> usize {
        let request: Value = serde_json::from_slice(request).unwrap_or_default();
        let ended = self.entries.iter().filter(|entry| entry.ended);
        let before = ended.map(|entry| entry.noted.hop).max().unwrap_or(0);
        let noted = Noted {
            point: point.to_owned(),
            consistent: is_consistent(&request),
            halves: 0,
            hop: before.saturating_add(1),
        };
        self.entries.push(Entry { noted, ended: false });
        self.entries.len().saturating_sub(1)
    }

    /// Whether the call that came is to be held. If it is the last of its hop, all go.
    fn hold(&mut self) -> bool {
        let Some(together) = self.together.front() else { return false };
        self.held = self.held.saturating_add(1);
        if self.held < *together {
            return true;
        }
        self.together.pop_front();
        self.release();
        false
    }

    /// The others do not come: nothing is held any more.
    fn give_up(&mut self) {
        self.together.clear();
        self.release();
    }

    fn release(&mut self) {
        self.held = 0;
        self.released.send_modify(|times| *times = times.wrapping_add(1));
    }
}

/// Whether a request, or each part of a `BatchGetItem`, asks for a consistent read.
fn is_consistent(request: &Value) -> bool {
    let asks = |of: &Value| of.get("ConsistentRead") == Some(&Value::Bool(true));
    let tables = request.get("RequestItems").and_then(Value::as_object);
    asks(request) || tables.is_some_and(|tables| tables.values().all(asks))
}

/// The units of one table, or of a list of them, in halves: no float has to be read.
fn halves(consumed: &Value) -> u64 {
    if let Value::Array(tables) = consumed {
        return tables.iter().map(halves).fold(0, u64::saturating_add);
    }
    let units = consumed.get("CapacityUnits").map(Value::to_string).unwrap_or_default();
    let (whole, part) = units.split_once('.').unwrap_or((&units, "0"));
    let whole: u64 = whole.parse().unwrap_or(0);
    whole.saturating_mul(2).saturating_add(u64::from(part.starts_with('5')))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{Journal, halves, is_consistent};

    async fn call(journal: &Journal, point: &str) {
        let place = journal.begin(point, b"{}").await.unwrap();
        journal.end(place, b"{}");
    }

    async fn hops(journal: &Journal, calls: impl Future<Output = ()>) -> Vec<(String, usize)> {
        calls.await;
        journal.stop().into_iter().map(|noted| (noted.point, noted.hop)).collect()
    }

    fn named(calls: &[(&str, usize)]) -> Vec<(String, usize)> {
        calls.iter().map(|(point, hop)| ((*point).to_owned(), *hop)).collect()
    }

    #[tokio::test]
    async fn calls_side_by_side_are_one_hop_and_calls_in_turn_are_several() {
        let journal = Journal::default();
        assert_eq!(journal.begin("a", b"{}").await, None, "not on");
        journal.start([2, 1]);
        let calls = async {
            tokio::join!(call(&journal, "b"), call(&journal, "a"));
            call(&journal, "c").await;
        };
        assert_eq!(hops(&journal, calls).await, named(&[("a", 1), ("b", 1), ("c", 2)]));

        // Two that are to be side by side and are not.
        let journal = Journal::with_patience(Duration::ZERO);
        journal.start([2, 1]);
        let calls = async {
            call(&journal, "a").await;
            call(&journal, "b").await;
            call(&journal, "c").await;
        };
        assert_eq!(hops(&journal, calls).await, named(&[("a", 1), ("b", 2), ("c", 3)]));
    }

    #[test]
    fn units_are_read_in_halves() {
        assert_eq!(halves(&json!({"CapacityUnits": 0.5})), 1);
        assert_eq!(halves(&json!([{"CapacityUnits": 6.0}, {"CapacityUnits": 1.5}])), 15);
        assert_eq!(halves(&json!({"CapacityUnits": 3})), 6);
    }

    #[test]
    fn a_batch_is_consistent_if_every_table_of_it_is() {
        assert!(is_consistent(&json!({"ConsistentRead": true})));
        assert!(!is_consistent(&json!({"ConsistentRead": false})));
        let batch = |asked: bool| json!({"RequestItems": {"a": {"ConsistentRead": asked}}});
        assert!(is_consistent(&batch(true)) && !is_consistent(&batch(false)));
        assert!(!is_consistent(&json!({"RequestItems": {"a": {}}})));
    }
}
