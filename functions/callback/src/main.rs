//! Wires one function.

fn main() {}
