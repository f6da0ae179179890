//! What a form of ours posts.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::app::App;
use super::fault::Fault;
use super::page;

/// How browsers send forms.
const FORM: &str = "application/x-www-form-urlencoded";

/// A form without fields but for its token.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

/// The fields of a form that was made for the path that it is posted to: its token says so.
#[derive(Debug)]
pub(super) struct TokenForm<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for TokenForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let path = request.uri().path().to_owned();
        let reject = |fault: Fault| page::fault(app, &path, &fault);
        let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim());
        if kind.is_none_or(|kind| !kind.eq_ignore_ascii_case(FORM)) {
            let what = "What was sent is not the form of a page.";
            return Err(reject(Fault::unusable(
                what,
                "Go back, reload the page, and send it again.",
            )));
        }
        let body = Bytes::from_request(request, app).await.map_err(|_too_large| {
            reject(Fault::unusable("What was sent is too large.", "Send at most 64 KB."))
        })?;
        let tokens = form_urlencoded::parse(&body).filter(|(name, _)| name == "token");
        let tokens: Vec<_> = tokens.map(|(_, value)| value).collect();
        let is_ours = matches!(&tokens[..], [token] if app.access.is_token(&path, token));
        if !is_ours {
            let what = "This form is of an earlier run of the console, so nothing was done.";
            return Err(reject(Fault::forbidden(
                what,
                "Go back, reload the page, and send it again.",
            )));
        }
        let again = Request::post(path.as_str()).header(CONTENT_TYPE, FORM).body(Body::from(body));
        let Ok(again) = again else {
            return Err(reject(Fault::unusable("What was sent is no form.", "Reload the page.")));
        };
        match axum::Form::<T>::from_request(again, &()).await {
            Ok(axum::Form(fields)) => Ok(Self(fields)),
            Err(why) => {
                let what = format!("A field of the form is missing or unusable: {why}");
                Err(reject(Fault::unusable(what, "Go back and fill it in.")))
            }
        }
    }
}
