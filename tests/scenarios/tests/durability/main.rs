//! What was answered with 250 is kept, whatever happens.

mod disk_full;
mod fsync_error;
mod kill;
mod power_loss;
