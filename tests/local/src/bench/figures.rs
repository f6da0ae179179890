//! Finding a subject's figures among all, and putting them together.

use bench::plan::{Conversation, Figure, Freeze, Life, Long};

use super::stats::{median, percentile};

/// Instances of one subject.
pub(super) struct Lives<'a>(Vec<&'a Life>);

impl<'a> Lives<'a> {
    pub(super) fn of(figures: &'a [Figure], subject: &str) -> Self {
        let lives = figures.iter().filter_map(|figure| match figure {
            Figure::Life(life) => (life.subject == subject).then_some(life),
            Figure::Client(_) | Figure::Long(_) | Figure::Freeze(_) => None,
        });
        Self(lives.collect())
    }

    /// One after the other.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'a Life> {
        self.0.iter().copied()
    }

    /// The median of a value of each.
    pub(super) fn median(&self, value: impl Fn(&Life) -> u64) -> u64 {
        median(&self.0.iter().map(|life| value(life)).collect::<Vec<_>>())
    }

    /// Every warm call of all of them.
    pub(super) fn warm_ns(&self) -> Vec<u64> {
        self.0.iter().flat_map(|life| life.warm_ns.iter().copied()).collect()
    }

    pub(super) fn warm_percentile(&self, percent: usize) -> u64 {
        percentile(&self.warm_ns(), percent)
    }
}

/// Conversations of one subject.
pub(super) fn conversations<'a>(figures: &'a [Figure], subject: &str) -> Vec<&'a Conversation> {
    let conversations = figures.iter().filter_map(|figure| match figure {
        Figure::Client(client) => (client.subject == subject).then_some(client),
        Figure::Life(_) | Figure::Long(_) | Figure::Freeze(_) => None,
    });
    conversations.collect()
}

/// The long lives.
pub(super) fn long(figures: &[Figure]) -> Vec<Long> {
    let long = figures.iter().filter_map(|figure| match figure {
        Figure::Long(long) => Some(long.clone()),
        Figure::Life(_) | Figure::Client(_) | Figure::Freeze(_) => None,
    });
    long.collect()
}

/// The freezes.
pub(super) fn freezes(figures: &[Figure]) -> Vec<Freeze> {
    let freezes = figures.iter().filter_map(|figure| match figure {
        Figure::Freeze(freeze) => Some(freeze.clone()),
        Figure::Life(_) | Figure::Client(_) | Figure::Long(_) => None,
    });
    freezes.collect()
}

/// A total, for each of so many calls.
pub(super) fn each(total: u64, calls: &[u64]) -> u64 {
    let calls = u64::try_from(calls.len()).unwrap_or(u64::MAX);
    total.checked_div(calls).unwrap_or_default()
}
