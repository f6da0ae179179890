//! The pages.

mod audit;
mod find;
mod home;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use super::app::App;

/// The routes of every page.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(home::show))
        .route("/find", get(find::show))
        .route(audit::PATH, get(audit::show).post(audit::run))
}
