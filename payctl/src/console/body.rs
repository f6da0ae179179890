//! The body of a message as a person reads it: laid out, as the bytes that came, and without its secrets.

mod layout;
mod secret;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use maud::{Markup, html};

use self::layout::{NOT_SHOWN, laid_out};
use self::secret::{Secret, secrets};
use super::view::lines;

/// A run of text that is shown alike.
#[derive(Debug, Clone, PartialEq, Eq)]
struct BodyRun {
    text: String,
    /// Whether it stands for what cannot be seen, or must not be.
    is_marked: bool,
}

/// A body in one way to show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BodyView {
    /// What it is: `JSON`, `exact bytes`.
    pub(super) name: &'static str,
    runs: Vec<BodyRun>,
}

/// The ways to show a body.
#[derive(Debug)]
pub(super) struct ShownBody {
    /// For reading, where its kind is known.
    pub(super) laid_out: Option<BodyView>,
    /// As it came: every byte that cannot be seen is marked.
    pub(super) exact: BodyView,
    /// Where it is no text.
    pub(super) base64: Option<BodyView>,
    /// How many values are left out.
    pub(super) secrets: usize,
}

impl ShownBody {
    /// Every way to show a body that has some.
    pub(super) fn of(body: &[u8]) -> Self {
        let secrets = secrets(body);
        let run = |text: String| vec![BodyRun { text, is_marked: false }];
        let laid_out =
            laid_out(body, &secrets).map(|(name, text)| BodyView { name, runs: run(lines(&text)) });
        let exact = BodyView { name: "exact bytes", runs: exact(body, &secrets) };
        let base64 = std::str::from_utf8(body).is_err().then(|| {
            let mut bytes = body.to_vec();
            for Secret { range, .. } in &secrets {
                bytes.get_mut(range.clone()).into_iter().for_each(|hidden| hidden.fill(b'*'));
            }
            BodyView { name: "Base64", runs: run(BASE64.encode(bytes)) }
        });
        Self { laid_out, exact, base64, secrets: secrets.len() }
    }
}

impl BodyView {
    /// What comes after `from` characters, as much as fits into `budget` bytes of markup; and where the rest
    /// begins.
    pub(super) fn part(&self, from: usize, budget: usize) -> (Markup, Option<usize>) {
        let (mut passed, mut used) = (0_usize, 0_usize);
        let mut shown: Vec<(String, bool)> = Vec::new();
        for BodyRun { text, is_marked } in &self.runs {
            let mut fits = String::new();
            for letter in text.chars() {
                if passed >= from {
                    used = used.saturating_add(cost(letter));
                    if used > budget {
                        shown.push((fits, *is_marked));
                        return (marked(&shown), Some(passed));
                    }
                    fits.push(letter);
                }
                passed = passed.saturating_add(1);
            }
            if !fits.is_empty() {
                // The markup around it.
                used = used.saturating_add(if *is_marked { 13 } else { 0 });
                shown.push((fits, *is_marked));
            }
        }
        (marked(&shown), None)
    }
}

fn marked(runs: &[(String, bool)]) -> Markup {
    html! {
        pre tabindex="0" {
            @for (text, is_marked) in runs {
                @if *is_marked { mark { (text) } } @else { (text) }
            }
        }
    }
}

/// The bytes that a character takes in a page.
const fn cost(letter: char) -> usize {
    match letter {
        '"' => 6,
        '&' => 5,
        '<' | '>' => 4,
        _ => letter.len_utf8(),
    }
}

/// A body as it came: what cannot be seen is written as Rust writes it, and marked.
fn exact(body: &[u8], secrets: &[Secret]) -> Vec<BodyRun> {
    let mut runs = Vec::new();
    let mut at = 0;
    for Secret { range, .. } in secrets {
        visible(body.get(at..range.start).unwrap_or_default(), &mut runs);
        push(&mut runs, NOT_SHOWN, true);
        at = range.end;
    }
    visible(body.get(at..).unwrap_or_default(), &mut runs);
    runs
}

fn visible(bytes: &[u8], runs: &mut Vec<BodyRun>) {
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            let escaped: String = letter.escape_debug().collect();
            let is_plain = matches!(letter, '"' | '\'' | '\\') || escaped.chars().eq([letter]);
            if is_plain {
                push(runs, letter.encode_utf8(&mut [0; 4]), false);
            } else {
                push(runs, &escaped, true);
            }
            if letter == '\n' {
                push(runs, "\n", false);
            }
        }
        for byte in chunk.invalid() {
            push(runs, &format!("\\x{byte:02x}"), true);
        }
    }
}

fn push(runs: &mut Vec<BodyRun>, text: &str, is_marked: bool) {
    match runs.last_mut().filter(|last| last.is_marked == is_marked) {
        Some(last) => last.text.push_str(text),
        None => runs.push(BodyRun { text: text.to_owned(), is_marked }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exactly(body: &[u8]) -> String {
        ShownBody::of(body).exact.part(0, usize::MAX).0.into_string()
    }

    #[test]
    fn every_byte_that_cannot_be_seen_is_marked() {
        for (body, shown) in [
            (&b"{\"a\":\"\\n\"}"[..], r"{&quot;a&quot;:&quot;\n&quot;}"),
            (b"a\nb", "a<mark>\\n</mark>\nb"),
            (b"\xef\xbb\xbfa\r\n", "<mark>\\u{feff}</mark>a<mark>\\r\\n</mark>\n"),
            (b"a\xff\x00\x1b[1m", "a<mark>\\xff\\0\\u{1b}</mark>[1m"),
            (
                "a\u{202e}b\u{200b}\u{a0}支".as_bytes(),
                "a<mark>\\u{202e}</mark>b<mark>\\u{200b}\\u{a0}</mark>支",
            ),
            (b"<script>", "&lt;script&gt;"),
            (b"token=abc&a=b", "token=<mark>not shown</mark>&amp;a=b"),
        ] {
            assert_eq!(exactly(body), format!("<pre tabindex=\"0\">{shown}</pre>"));
        }
    }

    #[test]
    fn what_is_no_text_is_also_in_base64_without_its_secrets() {
        let body = ShownBody::of(b"\xfftoken=abc");
        let base64 = body.base64.unwrap().part(0, usize::MAX).0.into_string();
        assert!(base64.contains(&BASE64.encode(b"\xfftoken=***")), "{base64}");
        assert_eq!((body.secrets, body.laid_out), (1, None));
        assert!(ShownBody::of(b"text").base64.is_none());
    }

    #[test]
    fn a_long_body_is_shown_in_parts_that_are_the_whole() {
        let body = format!("{{\"a\":\"{}\"}}", "<&\u{202e}支\"".replace('"', "\\\"").repeat(300));
        let view = ShownBody::of(body.as_bytes()).exact;
        let whole: String = view.runs.iter().map(|run| run.text.as_str()).collect();
        let (mut from, mut all, mut parts) = (Some(0), String::new(), 0);
        while let Some(at) = from {
            let (markup, next) = view.part(at, 1000);
            // Each run of marks is longer than a character, and its markup comes on top.
            assert!(markup.0.len() < 1100, "{}", markup.0.len());
            assert!(next.is_none_or(|next| next > at));
            let text = markup.0.replace("<mark>", "").replace("</mark>", "");
            let text = text.replace("<pre tabindex=\"0\">", "").replace("</pre>", "");
            all.push_str(&text);
            from = next;
            parts += 1;
        }
        let all = all.replace("&quot;", "\"").replace("&lt;", "<").replace("&amp;", "&");
        assert_eq!(all, whole);
        assert!(parts > 5, "{parts}");
    }
}
