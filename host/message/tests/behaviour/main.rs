//! What is read of a message, and how it is changed.
#![allow(clippy::unwrap_used)]

mod address;
mod edits;
mod header_section;
mod names_and_times;
mod seven_bit;
mod short_lines;
