//! Every fault at every step: what the caller hears, what the store holds, and that one repeat
//! heals it.

mod file;
