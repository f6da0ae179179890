//! The pages.

mod act;
mod audit;
mod decide;
mod find;
mod home;
mod quarantine;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::app::App;

/// The routes of every page.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(home::show))
        .route("/find", get(find::show))
        .route(audit::PATH, get(audit::show).post(audit::run))
        .route("/quarantine", get(quarantine::show))
        .route(decide::PATH, get(decide::show))
        .route(decide::ACCEPT, post(decide::accept))
        .route(decide::REFUND, post(decide::refund))
        .route(decide::DISMISS, post(decide::dismiss))
        .route("/act/{what}", get(act::show).post(act::act))
        .route(act::ACTED, get(act::acted))
}
