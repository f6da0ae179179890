//! The edge of one function.
