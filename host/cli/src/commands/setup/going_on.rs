//! The command that goes on with a set-up that was interrupted.

use std::sync::Arc;

use gatepost_message::Domain;
use parking_lot::Mutex;

use super::super::output;

/// Command that goes on, which names what is known so far. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct GoingOn(Arc<Mutex<String>>);

impl GoingOn {
    /// Begins with these options, and prints the command if the set-up is interrupted from the
    /// keyboard: then the process exits with 130, as shells report it.
    pub(super) fn watch(options: String) -> Self {
        let mut command = "gatepost connector setup".to_owned();
        if !options.is_empty() {
            command = format!("{command} {options}");
        }
        let going_on = Self(Arc::new(Mutex::new(command)));
        let told = going_on.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                output::complain(format!("\ninterrupted; {}", told.in_words()));
                std::process::exit(130);
            }
        });
        going_on
    }

    /// Adds the account.
    pub(super) fn with_account(&self, native_domain: &Domain) {
        self.add("--account", native_domain);
    }

    /// Adds the domain.
    pub(super) fn with_domain(&self, domain: &Domain) {
        self.add("--domain", domain);
    }

    /// Returns the command.
    pub(super) fn command(&self) -> String {
        self.0.lock().clone()
    }

    /// Returns a sentence that says what is kept, and how to go on.
    pub(super) fn in_words(&self) -> String {
        format!(
            "what is done is kept: `{}` goes on from there",
            self.command()
        )
    }

    fn add(&self, option: &str, domain: &Domain) {
        let mut command = self.0.lock();
        *command = format!("{command} {option} {domain}");
    }
}
