//! The `gatepost` command.

#![forbid(unsafe_code)]

fn main() {}
