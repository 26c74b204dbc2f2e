//! Panics.

hostile_guests::hostile!(Trap, |_message, _decision| panic!("on purpose"));
