//! Forms as a browser sends them.

use super::{Console, Got};

/// The hidden fields of the form of a page that posts to this path.
pub(super) fn hidden(page: &str, path: &str) -> Vec<(String, String)> {
    let begin = format!("<form method=\"post\" action=\"{path}\"");
    let other = format!("<form action=\"{path}\" method=\"post\"");
    let after = page.split_once(&begin).or_else(|| page.split_once(&other));
    let (_, form) = after.unwrap_or_else(|| panic!("{path} in {page}"));
    let form = form.split("</form>").next().unwrap();
    let hidden = form.split("<input type=\"hidden\" ").skip(1);
    hidden
        .map(|input| {
            let input = input.split('>').next().unwrap();
            let part = |name: &str| {
                let (_, value) = input.split_once(&format!("{name}=\"")).unwrap();
                let value = value.split('"').next().unwrap();
                value.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
            };
            (part("name"), part("value"))
        })
        .collect()
}

/// Fields as a form has them in a body.
pub(super) fn body(fields: &[(String, String)]) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields).finish()
}

impl Console {
    /// Sends the form of a page that posts to this path, filled in.
    pub(super) async fn send(&self, page: &str, path: &str, filled: &[(&str, &str)]) -> Got {
        let mut fields = hidden(page, path);
        fields.extend(filled.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.post(path, body(&fields)).await
    }

    /// Sends the form, and reads the page that the browser is sent to.
    pub(super) async fn sent(&self, page: &str, path: &str, filled: &[(&str, &str)]) -> String {
        let got = self.send(page, path, filled).await;
        assert_eq!(got.status, 303, "{path} {filled:?}: {}", got.text);
        self.page(got.headers["location"].to_str().unwrap()).await
    }

    /// Sends a body as a form of our own page.
    pub(super) async fn post(&self, path: &str, body: String) -> Got {
        let request = self.http.post(format!("{}{path}", self.origin));
        let request = request
            .header("cookie", &self.cookie)
            .header("origin", &self.origin)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Got { status, headers, text: response.text().await.unwrap() }
    }
}
