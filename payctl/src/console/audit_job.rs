//! The one audit that a console runs at a time, beside its pages.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pay_core::domain::TimeToLive;
use pay_service::start::clock;

use crate::Table;
use crate::audit::{Audit, audit};

/// How far the last audit is.
#[derive(Debug, Clone, Default)]
pub(super) enum AuditState {
    /// None was run.
    #[default]
    Never,
    /// It reads.
    Running {
        /// When it began, in Unix milliseconds.
        since: u64,
        /// What it has read and found so far.
        so_far: Audit,
    },
    /// It came to its end.
    Done {
        /// When, in Unix milliseconds.
        at: u64,
        /// What it found.
        found: Audit,
    },
    /// The table could not be read.
    Failed {
        /// When, in Unix milliseconds.
        at: u64,
        /// Why.
        why: String,
    },
}

/// The audit of a console. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct AuditJob {
    state: Arc<Mutex<AuditState>>,
    /// How long the deployment keeps payments; `None` where that is not known.
    ttl: Option<TimeToLive>,
}

impl AuditJob {
    /// None was run yet, of a deployment that keeps payments as long as this.
    pub(crate) fn new(ttl: Option<TimeToLive>) -> Self {
        Self { state: Arc::default(), ttl }
    }

    /// How far it is.
    pub(super) fn state(&self) -> AuditState {
        self.lock().clone()
    }

    /// Starts one, unless one runs.
    pub(super) fn start(&self, table: Table) {
        let since = clock().millis();
        {
            let mut state = self.lock();
            if matches!(*state, AuditState::Running { .. }) {
                return;
            }
            *state = AuditState::Running { since, so_far: Audit::default() };
        }
        let job = self.clone();
        #[expect(
            clippy::disallowed_methods,
            reason = "a program of a person's own, and no function"
        )]
        tokio::spawn(async move {
            let found = audit(&table, (clock(), job.ttl), |so_far| {
                *job.lock() = AuditState::Running { since, so_far: so_far.clone() };
            })
            .await;
            let at = clock().millis();
            *job.lock() = match found {
                Ok(found) => AuditState::Done { at, found },
                Err(error) => AuditState::Failed { at, why: format!("{error:#}") },
            };
        });
    }

    fn lock(&self) -> MutexGuard<'_, AuditState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
