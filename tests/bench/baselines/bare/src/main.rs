//! The floor: a function on `lambda_http` that calls nobody and always answers the same.

use lambda_http::{Body, Error, Request, Response, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_http::run(service_fn(answer)).await
}

async fn answer(_request: Request) -> Result<Response<Body>, Error> {
    let answer = Response::builder().header("content-type", "application/json");
    Ok(answer.body(Body::from(r#"{"id":1}"#))?)
}
