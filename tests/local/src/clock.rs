//! The clock and the randomness of the local stack.

use std::time::{SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};

/// Unix time in milliseconds.
#[must_use]
pub fn now_ms() -> u64 {
    // A clock before 1970 is as good as 1970 here: tokens and signatures are then refused.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Unix time in seconds.
#[must_use]
pub fn now_secs() -> u64 {
    now_ms() / 1000
}

/// A random identifier in the form of a version 4 UUID.
#[must_use]
pub fn uuid() -> String {
    let mut hex = String::new();
    for (at, byte) in random::<16>().into_iter().enumerate() {
        let byte = match at {
            6 => byte & 0x0f | 0x40,
            8 => byte & 0x3f | 0x80,
            _ => byte,
        };
        let hyphen = if [4, 6, 8, 10].contains(&at) { "-" } else { "" };
        hex.extend([hyphen, &format!("{byte:02x}")]);
    }
    hex
}

/// Random bytes for identifiers; nothing here guards a secret.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // It fails only where the kernel has no randomness; equal ids are then the least problem.
    if SystemRandom::new().fill(&mut bytes).is_err() {
        bytes = [0; N];
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::uuid;

    #[test]
    fn a_uuid_has_its_shape_and_is_new_each_time() {
        let id = uuid();
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(id.chars().nth(14), Some('4'));
        assert_ne!(id, uuid());
    }
}
