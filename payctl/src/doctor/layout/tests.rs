use super::super::tests::{hint, no_hint, received, standard_line, stripe_line};
use super::*;

/// What Python's `json.dumps` makes of `{"b": [1, {}, []], "a": "é/"}`, by its arguments.
const COMPACT: &str = r#"{"b":[1,{},[]],"a":"é/"}"#;
const SPACED: &str = r#"{"b": [1, {}, []], "a": "é/"}"#;
const INDENTED: &str = "{\n  \"b\": [\n    1,\n    {},\n    []\n  ],\n  \"a\": \"é/\"\n}";

#[test]
fn a_layout_is_made_of_any_other() {
    let four = INDENTED.replace("  ", "    ");
    let tabs = INDENTED.replace("  ", "\t");
    let wanted = [
        (Layout::Compact, COMPACT),
        (Layout::Spaced, SPACED),
        (Layout::Indented("  "), INDENTED),
        (Layout::Indented("    "), &four),
        (Layout::Indented("\t"), &tabs),
    ];
    for (_, source) in wanted {
        let pieces: Vec<String> = pieces(source).unwrap().into_iter().map(str::to_owned).collect();
        assert_eq!(written(&pieces, Layout::Kept), source);
        for (layout, text) in wanted {
            assert_eq!(written(&pieces, layout), text, "{source}");
        }
    }
}

#[test]
fn numbers_names_and_their_order_stay() {
    let source = r#"{"z": 1.50, "a": 1e+02, "z": -0, "n": [null, true], "": [[]]}"#;
    let pieces: Vec<String> = pieces(source).unwrap().into_iter().map(str::to_owned).collect();
    let wanted = r#"{"z":1.50,"a":1e+02,"z":-0,"n":[null,true],"":[[]]}"#;
    assert_eq!(written(&pieces, Layout::Compact), wanted);
    assert_eq!(written(&pieces, Layout::Spaced), source);
}

#[test]
fn letters_have_several_ways_and_what_is_no_letter_is_kept() {
    let text = r#""é\u00E9\ud83d\ude00😀<\u003c\n\"\\\u001f/\/""#;
    let styled = |piece: &str, unicode, escaped| styled(piece, Style { unicode, escaped });
    for (unicode, wanted) in [
        (Unicode::Kept, r#""é\u00E9\ud83d\ude00😀<\u003c\n\"\\\u001f//""#),
        (Unicode::Raw, r#""éé😀😀<<\n\"\\\u001f//""#),
        (Unicode::Lower, r#""\u00e9\u00e9\ud83d\ude00\ud83d\ude00<<\n\"\\\u001f//""#),
        (Unicode::Upper, r#""\u00E9\u00E9\uD83D\uDE00\uD83D\uDE00<<\n\"\\\u001f//""#),
        (Unicode::Html, r#""éé😀😀\u003c\u003c\n\"\\\u001f//""#),
    ] {
        assert_eq!(styled(text, unicode, false), wanted, "{unicode:?}");
        assert_eq!(styled(text, unicode, true), wanted.replace('/', "\\/"), "{unicode:?}");
    }
    for text in ["1e3", "true", r#""\ud83d""#, r#""\udc00x""#, r#""\u12""#, "\"\\"] {
        assert_eq!(styled(text, Unicode::Raw, false), text);
    }
}

#[test]
fn a_body_that_was_written_again_is_explained() {
    for (signed, got, says) in [
        (INDENTED, COMPACT, "indented by 2 spaces:"),
        (&format!("{INDENTED}\n"), COMPACT, "indented by 2 spaces, with a newline at its end:"),
        (&INDENTED.replace("  ", "    "), SPACED, "indented by 4 spaces:"),
        (COMPACT, INDENTED, "without white space between its parts:"),
        (SPACED, COMPACT, "with a space after each `,` and `:`:"),
        (COMPACT, &COMPACT.replace('é', "\\u00e9"), "no letter as `\\u…`:"),
        (COMPACT, &COMPACT.replace('/', "\\/"), "`/` as it is:"),
        (
            &COMPACT.replace('é', "\\u00e9").replace('/', "\\/"),
            SPACED,
            "without white space between its parts, other than ASCII as `\\u…`, `/` as `\\/`:",
        ),
        (&COMPACT.replace('é', "\\u00E9"), COMPACT, "other than ASCII as `\\u…` in upper case:"),
        (r#"{"a":"<"}"#, r#"{"a":"\u003c"}"#, "no letter as `\\u…`:"),
        (r#"{"a":"\u003c"}"#, r#"{"a":"<"}"#, "`<`, `>` and `&` as `\\u…`:"),
    ] {
        for line in [standard_line, stripe_line] {
            let hint = hint(&received(&line(signed.as_bytes()), got.as_bytes()));
            assert!(hint.starts_with("the signature fits the same JSON written "), "{hint}");
            assert!(hint.contains(says), "{says} {hint}");
        }
    }
}

#[test]
fn what_is_no_json_or_too_large_is_left_alone() {
    no_hint(&received(&stripe_line(b"{} "), b"{]"));
    no_hint(&received(&stripe_line(b"{}"), b"{\"a\": 1}"));
    let signed = format!("[\"{}\",1]", "a".repeat(LARGEST));
    no_hint(&received(&stripe_line(signed.as_bytes()), signed.replace(',', ", ").as_bytes()));
}
