//! Queries: the requests, and what responses prove.

use pay_core::{
    domain::Timestamp,
    json::Json,
    ports::{BadSecret, Query, QueryError, QueryResponse},
};

use crate::query::{HttpRequest, HttpResponse, Querier, unusable};

/// What this provider is queried with. Never printed.
#[derive(Debug)]
pub(super) struct WeChatQuerier;

impl WeChatQuerier {
    pub(super) fn from_json(_entry: &Json) -> Result<Self, BadSecret> {
        Err(BadSecret("not there yet"))
    }
}

impl Querier for WeChatQuerier {
    fn request(&self, _: &Query, _: &str, _: Timestamp) -> Result<HttpRequest, QueryError> {
        Err(unusable("not there yet"))
    }

    fn response(
        &self,
        _: &Query,
        _: &HttpResponse<'_>,
        _: Timestamp,
    ) -> Result<QueryResponse, QueryError> {
        Err(unusable("not there yet"))
    }
}
