//! What has to hold in each of the three set-ups.

mod desks;
mod marks;
mod partners;
mod threads;

pub use self::desks::{desks_do_not_loop, machines_do_not_loop};
pub use self::marks::{assert_marked, marks_survive};
pub use self::partners::partners_are_left_alone;
pub use self::threads::{answers_stay_in_their_thread, thread_survives_another_message_id};
