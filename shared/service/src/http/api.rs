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

/// Whether an event has the shape of one that an API or load balancer sends.
///
/// No bare request has a `requestContext`.
pub(super) fn is_api(event: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Shape {
        #[serde(rename = "requestContext")]
        context: Option<IgnoredAny>,
    }
    // A derived struct reads an array, too.
    event.get().trim_start().starts_with('{')
        && serde_json::from_str::<Shape>(event.get()).is_ok_and(|shape| shape.context.is_some())
}

impl ApiRequest {
    /// Reads an event whose body may be `body_max` bytes long.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidRequest`] for an event that is not of payload format 2.0,
    /// [`Code::BodyTooLarge`], [`Code::InvalidRequest`] for a body that is marked as base64 and is not.
    pub(super) fn read(event: &RawValue, body_max: usize) -> Result<Self, Problem> {
        let event: ApiGatewayV2httpRequest = serde_json::from_str(event.get())
            .map_err(|_names_parts_of_it| Problem::invalid("the request cannot be read"))?;
        if event.version.as_deref() != Some("2.0") {
            return Err(Problem::invalid("only payload format 2.0 is understood"));
        }
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
            // A gateway with one catch-all route says where the request went by its path.
            route: event
                .route_key
                .filter(|route| route != "$default")
                .or(event.raw_path)
                .unwrap_or_default(),
            provider: event.path_parameters.get("provider").cloned(),
            headers: event.headers,
            body,
        })
    }

    /// The route it came by, as the API declares it: `POST /api/pay/create`.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.route
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
                value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
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
    fn an_event_is_of_the_api_if_it_has_a_request_context() {
        assert!(is_api(&raw(r#" {"requestContext":{},"other":1}"#)));
        for other in
            ["null", "[]", "[{}]", r#"{"id":1}"#, r#"{"requestContext":null}"#, "1", "\"\""]
        {
            assert!(!is_api(&raw(other)), "{other}");
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
    fn an_event_of_another_kind_is_rejected_not_guessed() {
        for odd in [
            r#"{"requestContext":{"http":{"method":"POST"}},"httpMethod":"POST","body":"{}"}"#,
            r#"{"requestContext":{"http":{"method":"POST"}},"version":"1.0"}"#,
            r#"{"requestContext":5,"version":"2.0"}"#,
            r#"{"requestContext":{"http":{"method":"POST"}},"version":"2.0","headers":{"x":"a\u0000b"}}"#,
            r#"{"requestContext":{"http":{"method":"POST"}},"version":"2.0","body":"\ud800"}"#,
        ] {
            assert!(is_api(&raw(odd)));
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
            "application/json, application/json",
            "application/json;charset=\"utf-8\";charset=gbk",
            "application/problem+json",
        ] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
