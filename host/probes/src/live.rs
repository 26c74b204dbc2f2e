//! Live traffic that proves what a probe would.

use gatepost_directory::{Directory, Verification};
use gatepost_message::{Address, Millis};

use crate::{ProbedDirection, Probes};

impl Probes {
    /// Takes note that mail of an account went its way: a server took mail that left through the
    /// connection of this sender, or mail for this address came in as it has to. What is verified is
    /// so from now on. Written at most once in a quarter of the interval for an address.
    pub async fn proved(&self, account: &str, address: &Address, direction: ProbedDirection) {
        let every = self.settings().every;
        let Ok(account) = account.parse() else {
            return;
        };
        let view = self.stores.directory.view();
        let now = Millis::now();
        let is_old = |at: Millis| now.since(at) >= every / 4;
        let found = view.address(account, address);
        let state = found.map(|of| direction.state(&of.details));
        let Some(Verification::Verified { at }) = state else {
            return;
        };
        if every.is_zero() || !is_old(*at) {
            return;
        }
        let address = address.clone();
        let proved = self.change(move |directory: &Directory| {
            directory.change_address(account, &address, |details| {
                let state = direction.state_mut(details);
                if state.is_verified() {
                    *state = Verification::Verified { at: now };
                }
            })
        });
        if let Err(error) = proved.await {
            tracing::error!(%error, "the proof by live mail cannot be recorded");
        }
    }
}
