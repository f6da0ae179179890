//! SHA-256, for event ids and idempotency keys.

use pay_core::domain::Digest;
use ring::digest;

/// The SHA-256 of the parts, one after the other.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut bytes = [0; 32];
    // A SHA-256 is 32 bytes long; were it shorter, the rest would stay zero.
    for (byte, computed) in bytes.iter_mut().zip(context.finish().as_ref()) {
        *byte = *computed;
    }
    Digest::new(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_of_all_parts() {
        // FIPS 180-4, example "abc".
        let want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&[b"abc"]).to_string(), want);
        assert_eq!(sha256(&[b"a", b"", b"bc"]).to_string(), want);
    }
}
