//! A server that runs beside its owner and ends with it.

use std::future::Future;

use tokio::task::JoinHandle;

/// A task that is aborted when this is dropped.
#[derive(Debug)]
pub(crate) struct Task(JoinHandle<()>);

impl Task {
    pub(crate) fn run<F>(work: F) -> Self
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        // A server here ends only by being aborted; what it would return is of no interest.
        Self(tokio::spawn(async move { drop(work.await) }))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
