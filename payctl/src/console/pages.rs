//! The pages.

mod act;
mod audit;
mod decide;
mod doctor;
mod due;
mod find;
mod home;
mod message;
mod payment;
mod payments;
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
        .route("/payment/{id}", get(payment::show))
        .route("/message", get(message::show))
        .route("/payments", get(payments::show))
        .route("/payments.csv", get(payments::export))
        .route("/payments.jsonl", get(payments::export))
        .route("/due", get(due::show))
        .route("/due.csv", get(due::export))
        .route("/due.jsonl", get(due::export))
        .route(audit::PATH, get(audit::show).post(audit::run))
        .route(doctor::PATH, get(doctor::show).post(doctor::run))
        .route("/quarantine", get(quarantine::show))
        .route("/quarantine.csv", get(quarantine::export))
        .route("/quarantine.jsonl", get(quarantine::export))
        .route(decide::PATH, get(decide::show))
        .route(decide::ACCEPT, post(decide::accept))
        .route(decide::REFUND, post(decide::refund))
        .route(decide::DISMISS, post(decide::dismiss))
        .route("/act/{what}", get(act::show).post(act::act))
        .route(act::ACTED, get(act::acted))
}
