//! The HTTP entry point: an API Gateway HTTP API event (payload format 2.0), read into a request.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, header};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::{Code, Fields, Problem};

/// The gateway pads; other gateways and hand-written events may not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A request that came through API Gateway, its body within the route's limit.
#[derive(Debug)]
pub struct ApiRequest {
    route: String,
    provider: Option<String>,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// Where an event came from, by its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventKind {
    /// A direct call: the bare request.
    Direct,
    /// An HTTP API or a function URL, in payload format 2.0.
    HttpApi,
    /// Something else that passes requests on: a REST API, an HTTP API in payload format 1.0, a load
    /// balancer. Its requests are rejected, in the form that it reads.
    Other(OtherForm),
}

/// How a source of [`EventKind::Other`] reads a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OtherForm {
    /// Whether headers are lists. A load balancer reads the form in which it sends them, and no other.
    pub(super) multi_value: bool,
    /// Whether it is a load balancer.
    pub(super) load_balancer: bool,
}

impl EventKind {
    /// Reads the shape. No bare request has a `requestContext`, and every other event has one.
    pub(super) fn of(event: &RawValue) -> Self {
        #[derive(Deserialize)]
        struct Shape<'a> {
            #[serde(borrow, rename = "requestContext")]
            context: Option<&'a RawValue>,
        }
        // A derived struct reads an array, too.
        let object = event.get().trim_start().starts_with('{');
        let shape = object.then(|| serde_json::from_str::<Shape<'_>>(event.get()).ok()).flatten();
        let Some(context) = shape.and_then(|shape| shape.context) else {
            return Self::Direct;
        };
        Marks::of(event).map_or(Self::HttpApi, |marks| marks.kind(context))
    }
}

/// What tells the sources of requests apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marks<'a> {
    #[serde(borrow)]
    version: Option<&'a RawValue>,
    headers: Option<IgnoredAny>,
    multi_value_headers: Option<IgnoredAny>,
}

impl<'a> Marks<'a> {
    /// `None` where a name is there twice: no source sends such an event.
    fn of(event: &'a RawValue) -> Option<Self> {
        serde_json::from_str(event.get()).ok()
    }

    fn kind(&self, context: &RawValue) -> EventKind {
        #[derive(Deserialize)]
        struct Context {
            elb: Option<IgnoredAny>,
        }
        if self.version.is_some_and(|version| version.get() == "\"2.0\"") {
            return EventKind::HttpApi;
        }
        let context = serde_json::from_str::<Context>(context.get());
        EventKind::Other(OtherForm {
            multi_value: self.headers.is_none() && self.multi_value_headers.is_some(),
            load_balancer: context.is_ok_and(|context| context.elb.is_some()),
        })
    }
}

impl ApiRequest {
    /// Reads an event of [`EventKind::HttpApi`] whose body may be `body_max` bytes long.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidRequest`] for an event that cannot be read, [`Code::BodyTooLarge`], [`Code::InvalidRequest`] for a body that is marked as base64 and is not.
    pub(super) fn read(event: &RawValue, body_max: usize) -> Result<Self, Problem> {
        let event: ApiGatewayV2httpRequest = serde_json::from_str(event.get())
            .map_err(|_names_parts_of_it| Problem::invalid("the request cannot be read"))?;
        let body = event.body.unwrap_or_default();
        // Four characters of base64 hold at most three bytes.
        let len = if event.is_base64_encoded {
            body.len().div_ceil(4).saturating_mul(3).saturating_sub(2)
        } else {
            body.len()
        };
        if len > body_max {
            return Err(Code::BodyTooLarge.into());
        }
        let body = if event.is_base64_encoded {
            BASE64
                .decode(body)
                .map_err(|_junk| Problem::invalid("the body is not the base64 it is said to be"))?
        } else {
            body.into_bytes()
        };
        if body.len() > body_max {
            return Err(Code::BodyTooLarge.into());
        }
        Ok(Self {
            route: event.route_key.unwrap_or_default(),
            provider: event.path_parameters.get("provider").cloned(),
            headers: event.headers,
            body,
        })
    }

    /// The one of these operations whose route it came by: `POST /api/pay/create`, as the API declares it.
    ///
    /// By a route that catches other requests too, such as `$default`, nobody knows which operation was
    /// meant, and the provider that a path names is in no parameter.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidRequest`] for any other route.
    pub fn operation<O: Copy>(
        &self,
        all: &[O],
        route: impl Fn(O) -> Option<&'static str>,
    ) -> Result<O, Problem> {
        let mut operations = all.iter().copied();
        let found = operations.find(|operation| route(*operation) == Some(&self.route));
        found.ok_or_else(|| {
            tracing::warn!(route = self.route, "request by another route");
            Problem::other_route(all.iter().filter_map(|operation| route(*operation)))
        })
    }

    /// The provider its path names.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.provider.as_deref()
    }

    /// Its headers.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Its body, byte for byte.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The one value of a header; `None` if it is absent.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidRequest`] if it is there twice, or is not visible ASCII.
    pub fn header(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        let mut values = self.headers.get_all(name).iter();
        let (first, second) = (values.next(), values.next());
        let bad = || Problem::invalid(format!("the header `{name}` is doubled or not text"));
        match (first, second) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().map(Some).map_err(|_not_visible_ascii| bad()),
            (Some(_), Some(_)) => Err(bad()),
        }
    }

    /// Its body as a JSON object.
    ///
    /// # Errors
    ///
    /// [`Code::UnsupportedMediaType`], then [`Code::InvalidRequest`].
    pub fn json(&self) -> Result<Fields, Problem> {
        let content_type = self.header(header::CONTENT_TYPE.as_str()).ok().flatten();
        let plain = !self.headers.contains_key(header::CONTENT_ENCODING);
        if plain && content_type.is_some_and(is_json) {
            Fields::parse(&self.body)
        } else {
            Err(Code::UnsupportedMediaType.into())
        }
    }
}

/// Whether a content type is `application/json` in UTF-8.
fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    media_type.eq_ignore_ascii_case("application/json")
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                // Many senders leave the hyphen out.
                let charset = value.trim().trim_matches('"');
                ["utf-8", "utf8"].iter().any(|utf8| charset.eq_ignore_ascii_case(utf8))
            }
            Some(_) | None => true,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    fn event(fields: &str) -> Box<RawValue> {
        raw(&format!(
            r#"{{"version":"2.0","routeKey":"POST /x","requestContext":{{"http":{{"method":"POST"}}}},{fields}}}"#
        ))
    }

    #[test]
    fn an_event_that_has_a_request_context_is_of_an_api_or_a_load_balancer() {
        let other =
            |multi_value, load_balancer| EventKind::Other(OtherForm { multi_value, load_balancer });
        for (event, want) in [
            (r#" {"requestContext":{},"version":"2.0"}"#, EventKind::HttpApi),
            (r#"{"requestContext":[],"version":"2.0"}"#, EventKind::HttpApi),
            // Unreadable, whoever sent it.
            (r#"{"requestContext":{},"headers":{},"headers":{}}"#, EventKind::HttpApi),
            (r#"{"requestContext":{},"version":"1.0"}"#, other(false, false)),
            (r#"{"requestContext":{},"version":2}"#, other(false, false)),
            (r#"{"requestContext":5}"#, other(false, false)),
            (
                r#"{"requestContext":{"stage":"p"},"headers":{},"multiValueHeaders":{}}"#,
                other(false, false),
            ),
            (r#"{"requestContext":{"elb":{}},"headers":{}}"#, other(false, true)),
            (r#"{"requestContext":{"elb":{}},"multiValueHeaders":{}}"#, other(true, true)),
        ] {
            assert_eq!(EventKind::of(&raw(event)), want, "{event}");
        }
        for direct in
            ["null", "[]", "[{}]", r#"{"id":1}"#, r#"{"requestContext":null}"#, "1", "\"\""]
        {
            assert_eq!(EventKind::of(&raw(direct)), EventKind::Direct, "{direct}");
        }
    }

    #[test]
    fn a_body_is_taken_as_it_came() {
        let body = |fields: &str| ApiRequest::read(&event(fields), 9).map(|request| request.body);
        assert_eq!(body(r#""body":"{}""#).unwrap(), b"{}");
        assert_eq!(body(r#""body":null"#).unwrap(), b"");
        for padded in ["e30=", "e30"] {
            let fields = format!(r#""body":"{padded}","isBase64Encoded":true"#);
            assert_eq!(body(&fields).unwrap(), b"{}");
        }
        for junk in ["e3", "%%%%", "e30==", "e30= "] {
            let fields = format!(r#""body":"{junk}","isBase64Encoded":true"#);
            let code = body(&fields).map(|body| format!("{body:?}")).unwrap_err().code;
            assert_eq!(code, Code::InvalidRequest, "{junk}");
        }
    }

    #[test]
    fn the_limit_is_on_the_decoded_body() {
        let code = |fields: &str| ApiRequest::read(&event(fields), 9).map_err(|error| error.code);
        assert!(code(r#""body":"123456789""#).is_ok());
        assert_eq!(code(r#""body":"1234567890""#).unwrap_err(), Code::BodyTooLarge);
        assert!(code(r#""body":"MTIzNDU2Nzg5","isBase64Encoded":true"#).is_ok());
        for long in ["MTIzNDU2Nzg5MA==", "MTIzNDU2Nzg5MA", "MTIzNDU2Nzg5MDEy"] {
            let fields = format!(r#""body":"{long}","isBase64Encoded":true"#);
            assert_eq!(code(&fields).unwrap_err(), Code::BodyTooLarge, "{long}");
        }
    }

    #[test]
    fn an_event_that_cannot_be_read_is_rejected_not_guessed() {
        for odd in [
            r#"{"requestContext":5,"version":"2.0"}"#,
            r#"{"requestContext":{"http":{"method":"POST"}},"version":"2.0","headers":{"x":"a\u0000b"}}"#,
            r#"{"requestContext":{"http":{"method":"POST"}},"version":"2.0","body":"\ud800"}"#,
        ] {
            assert_eq!(EventKind::of(&raw(odd)), EventKind::HttpApi);
            let code = ApiRequest::read(&raw(odd), 9).map_err(|error| error.code).unwrap_err();
            assert_eq!(code, Code::InvalidRequest, "{odd}");
        }
    }

    #[test]
    fn only_utf8_json_is_json() {
        for good in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
            "application/json; profile=x",
            "application/json; charset=utf8",
            "application/json;charset=\"UTF8\"",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in [
            "",
            "text/plain",
            "text/json",
            "application/jsonp",
            "application/xml",
            "*/*",
            "application/x-www-form-urlencoded",
            "application/json; charset=utf-16",
            "application/json; charset=gbk",
            "application/json; charset=utf_8",
            "application/json, application/json",
            "application/json;charset=\"utf-8\";charset=gbk",
            "application/problem+json",
        ] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
