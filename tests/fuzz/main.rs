//! Any bytes at the boundaries: no panic, and what must hold of every answer.
//!
//! `cargo test -p fuzz` replays the corpus of each target, `__fuzz__/TARGET/corpus`,
//! and then as many random inputs as the target says. Each input counts twice: as it is, and as a
//! list of changes to a file of the corpus, since random bytes alone seldom come far. Placeholders
//! of `events/` are filled after that, so that a changed body has a signature that fits.
//!
//! To fuzz for real, with coverage to guide it and for as long as you like (`cargo install
//! cargo-bolero`; with a nightly toolchain leave `--sanitizer NONE` out, and memory is watched too):
//!
//! ```text
//! cargo bolero test --package fuzz --sanitizer NONE -T 1h callback_event
//! ```
//!
//! Inputs that reach new code it adds to the corpus: keep the few that are worth it. What fails it
//! puts into `__fuzz__/TARGET/crashes`, which `cargo test` replays as well. Without it, more random
//! inputs are a matter of `BOLERO_RANDOM_ITERATIONS`; `BOLERO_RANDOM_SEED`, which a failure names,
//! brings one of them back.

// `cfg(test)` is what tells clippy that a helper here may unwrap as a test may.
#[cfg(test)]
mod change;
#[cfg(test)]
mod events;
#[cfg(test)]
mod handlers;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod texts;

/// The time of every input, in Unix seconds: the corpus has tokens and signatures of then.
#[cfg(test)]
const NOW_SECS: u64 = 1_800_000_000;

/// A target: its name, how many random inputs it gets, and what holds of all of them.
#[cfg(test)]
macro_rules! targets {
    ($($name:ident, $inputs:literal, $holds:path;)*) => {$(
        #[test]
        fn $name() {
            let corpus = change::corpus(stringify!($name));
            bolero::check!().with_iterations($inputs).for_each(|input: &[u8]| {
                $holds(input);
                $holds(&change::changed(&corpus, input));
            });
        }
    )*};
}

#[cfg(test)]
targets! {
    callback_event, 4000, events::callback;
    create_event, 2000, events::create;
    detail_event, 2000, events::detail;
    webhook_headers, 2000, messages::only_what_is_signed_passes;
    signed_body, 200, messages::whatever_is_signed_is_read;
    json, 2000, texts::json;
    token, 2000, texts::token;
    doctor_line, 200, texts::doctor_line;
    secret, 1000, keys::secret;
}
