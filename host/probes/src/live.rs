//! Live traffic that proves what a probe would.

use gatepost_directory::{AccountId, Directory, Verification};
use gatepost_message::{Address, Millis};

use crate::{ProbedDirection, Probes};

impl Probes {
    /// Returns true if a proof by live mail would be written now: the address is verified, and that
    /// is not new.
    pub fn wants_proof(
        &self,
        account: AccountId,
        address: &Address,
        direction: ProbedDirection,
        now: Millis,
    ) -> bool {
        let every = self.settings().every;
        let view = self.stores.directory.view();
        let found = view.address(account, address);
        match found.map(|of| direction.state(&of.details)) {
            Some(Verification::Verified { at }) => !every.is_zero() && now.since(*at) >= every / 4,
            _ => false,
        }
    }

    /// Takes note that mail of an account went its way: a server took mail that left through the
    /// connection of this sender, or mail for this address came in as it has to. What is verified is
    /// so from now on. Written at most once in a quarter of the interval for an address.
    pub async fn proved(&self, account: &str, address: &Address, direction: ProbedDirection) {
        let Ok(account) = account.parse() else {
            return;
        };
        let now = Millis::now();
        if !self.wants_proof(account, address, direction, now) {
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
