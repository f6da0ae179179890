//! What a function weighs as it is uploaded.

use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Headers of an archive with one file of the name `bootstrap`: local, central and the end of it.
///
/// Source: PKWARE, APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
const HEADERS: usize = 30 + 46 + 22 + 2 * "bootstrap".len();

/// The length in bytes of a zip archive that holds these bytes alone, deflated at level 9.
///
/// # Errors
///
/// None is known: it writes to memory.
pub fn zipped(executable: &[u8]) -> io::Result<usize> {
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    deflated.write_all(executable)?;
    Ok(deflated.finish()?.len().saturating_add(HEADERS))
}

#[cfg(test)]
mod tests {
    use super::zipped;

    #[test]
    fn a_zip_is_its_headers_and_what_deflate_makes() {
        // An empty stream of deflate is 2 bytes, and the archive around it 116 (Python's `zipfile`).
        assert_eq!(zipped(b"").unwrap(), 116 + 2);
        let same = "x".repeat(100_000);
        assert!((116..500).contains(&zipped(same.as_bytes()).unwrap()));
    }
}
