//! Any bytes at the boundaries: no panic, and what must hold of every response.
//!
//! `cargo test -p fuzz` replays the corpus of each target, `__fuzz__/TARGET/corpus`,
//! and then as many random inputs as the target says. Each input is used twice: as it is, and as a
//! list of changes to a file of the corpus, since random bytes alone rarely reach deep code.
//! Placeholders of `events/` are filled after that, so that a changed body has a valid signature.
//!
//! To fuzz guided by coverage and without a limit (`cargo install cargo-bolero`; with a nightly
//! toolchain leave `--sanitizer NONE` out, and memory errors are found too):
//!
//! ```text
//! cargo bolero test --package fuzz --sanitizer NONE -T 1h callback_event
//! ```
//!
//! It adds inputs that reach new code to the corpus: keep the few that are useful. Inputs that fail
//! are put into `__fuzz__/TARGET/crashes`, which `cargo test` replays as well. Without it,
//! `BOLERO_RANDOM_ITERATIONS` sets how many random inputs there are, and `BOLERO_RANDOM_SEED`,
//! which a failure prints, repeats them.

// Only here does clippy let a helper unwrap, as a test may.
#![cfg(test)]

mod change;
mod checkouts;
mod events;
mod handlers;
mod keys;
mod messages;
mod orders;
mod responses;
mod texts;

/// The time of every input, in Unix seconds: tokens and signatures of the corpus are of this time.
const NOW_SECS: u64 = 1_800_000_000;

/// A target: its name, how many random inputs it gets, and the assertion that holds for all of
/// them.
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

targets! {
    callback_event, 4000, events::callback;
    create_event, 2000, events::create;
    detail_event, 2000, events::detail;
    webhook_headers, 2000, messages::only_signed_messages_pass;
    signed_body, 200, messages::every_signed_message_is_read;
    json, 2000, texts::json;
    token, 2000, texts::token;
    doctor_line, 1000, texts::doctor_line;
    secret, 1000, keys::secret;
    query_response, 200, responses::only_what_was_asked_is_read;
    refund_response, 200, orders::only_what_was_ordered_is_read;
    checkout_response, 200, checkouts::only_what_was_ordered_is_handed_out;
}
