//! The files of a corpus, and changes to them.

use std::path::Path;

/// Texts that are rarely valid where they are put.
const ODD: [&str; 34] = [
    "null",
    "true",
    "-1",
    "0",
    "9007199254740992",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "1.5",
    "3e2",
    "1e400",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"%%%\"",
    "\"\\r\\n\"",
    "[]",
    "{}",
    "[[1]]",
    "{\"a\":1,\"a\":2}",
    "\u{feff}",
    ",",
    "\"",
    "=",
    "&",
    "+",
    "%2B",
    "\\u00e9",
    "t=1,v1=0",
    "v1a,e30=",
    "whsec_",
    "-----BEGIN PUBLIC KEY-----",
    "語",
    "\n",
];

/// The files of a target's corpus, and for events those of `events/` as well.
pub(crate) fn corpus(target: &str) -> Vec<Vec<u8>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut directories = vec![tests.join("__fuzz__").join(target).join("corpus")];
    if let Some(function) = target.strip_suffix("_event") {
        directories.push(tests.join("../../events").join(function));
    }
    let files = |directory| std::fs::read_dir(directory).unwrap();
    let mut paths: Vec<_> =
        directories.into_iter().flat_map(files).map(|file| file.unwrap().path()).collect();
    paths.sort_unstable();
    paths.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// One of these files with the changes of the input, whose first byte chooses the file.
pub(crate) fn changed(corpus: &[Vec<u8>], input: &[u8]) -> Vec<u8> {
    let (which, changes) = input.split_first().unwrap_or((&0, &[]));
    let which = usize::from(*which).checked_rem(corpus.len()).unwrap();
    edited(&corpus[which], changes)
}

/// The bytes after one to four changes. The first byte is their number; each change has four bytes:
/// where (two), how, and with what.
pub(crate) fn edited(bytes: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let (count, changes) = changes.split_first().unwrap_or((&0, &[]));
    for [high, low, how, with] in changes.as_chunks::<4>().0.iter().take(usize::from(count % 4) + 1)
    {
        let end = bytes.len().saturating_add(1);
        let at = usize::from(u16::from_be_bytes([*high, *low])).checked_rem(end).unwrap();
        let next = at.saturating_add(1).min(bytes.len());
        let odd = ODD[usize::from(*with).checked_rem(ODD.len()).unwrap()].bytes();
        match how % 8 {
            0 => drop(bytes.splice(at..next, [*with])),
            // The next letter, digit or bit.
            1 => drop(bytes.splice(at..next, bytes.get(at).map(|byte| byte.wrapping_add(1)))),
            2 => bytes.insert(at, *with),
            3 => drop(bytes.drain(at..next)),
            4 => drop(bytes.splice(at..at, odd)),
            5 | 6 => drop(bytes.splice(value_at(&bytes, at), odd)),
            // Cut off at its end.
            _ => bytes.truncate(bytes.len().saturating_sub(usize::from(*with % 16))),
        }
    }
    bytes
}

/// The place of the first JSON value after the next colon, up to a comma.
fn value_at(bytes: &[u8], from: usize) -> std::ops::Range<usize> {
    let find = |from: usize, among: &[u8]| {
        let rest = bytes.get(from..).unwrap_or_default();
        let found = rest.iter().position(|byte| among.contains(byte));
        found.map(|found| found.saturating_add(from))
    };
    let start = find(from, b":").map_or(from, |colon| colon.saturating_add(1));
    start..find(start, b",}\n").unwrap_or(bytes.len())
}
