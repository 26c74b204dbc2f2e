//! Changes to endpoints of accounts.

use gatepost_message::Millis;

use crate::{
    AccountEndpoint, AccountId, Directory, DirectoryError, EndpointName, EndpointScope,
    EndpointSettings,
    rules::{self, endpoint::NewEndpoint},
};

impl Directory {
    /// Adds an endpoint of an account, or changes the one with this name. `make` is given the
    /// present one, and makes the next.
    ///
    /// # Errors
    /// There is no such account, it has too many endpoints, the brand or the address is not the
    /// account's or has an endpoint already, or the store failed. In the value, the error of `make`.
    pub fn set_endpoint<E>(
        &self,
        account: AccountId,
        name: &EndpointName,
        make: impl FnOnce(Option<&AccountEndpoint>) -> Result<(EndpointScope, EndpointSettings), E>,
    ) -> Result<Result<AccountEndpoint, E>, DirectoryError> {
        self.change(|view, state| {
            let (scope, settings) = match make(view.endpoint(account, name.as_str())) {
                Ok(made) => made,
                Err(error) => return Ok((Err(error), Vec::new())),
            };
            let sealed = state.ring.seal_endpoint(account, name, &scope, &settings)?;
            let new = NewEndpoint {
                account,
                name: name.clone(),
                scope,
                settings,
                sealed,
                now: Millis::now(),
            };
            let (made, changes) = rules::endpoint::set(view, new)?;
            Ok::<_, DirectoryError>((Ok(made), changes))
        })
    }

    /// Removes an endpoint of an account. Mail that waits for it goes the way that the mail of its
    /// recipients then has.
    ///
    /// # Errors
    /// There is no such account or endpoint, or the store failed.
    pub fn remove_endpoint(
        &self,
        account: AccountId,
        name: &EndpointName,
    ) -> Result<(), DirectoryError> {
        self.change(|view, _| rules::endpoint::remove(view, account, name))
    }
}
