//! Changes to credentials: they are issued, rotated, retired, cancelled and removed.

use std::time::Duration;

use gatepost_message::Millis;

use crate::{
    AuditEntry, Credential, Directory, DirectoryError, Grant, Issued, Refusal, Rotation, Secret,
    UserName,
    rules::{
        self,
        credential::{CredentialEnding, NewCredential},
    },
};

type Result<T> = std::result::Result<T, DirectoryError>;

impl Directory {
    /// Issues a credential with a new secret, which is shown this once. With `with_alias`, it also
    /// gets the alias of the account.
    ///
    /// # Errors
    /// There is no such account or connector, the connector is not two-way, too many credentials
    /// are live, a live credential has the alias, or the store failed.
    pub fn issue(&self, grant: Grant, with_alias: bool) -> Result<Issued> {
        self.issue_for(grant, with_alias, None)
    }

    /// Issues a second credential beside a live one, whose place it is to take. Both are valid
    /// until the former one ends; then the next one has its alias.
    ///
    /// # Errors
    /// There is no such credential, its use has ended, it is being rotated already, too many
    /// credentials are live, or the store failed.
    pub fn rotate(&self, user: &UserName) -> Result<Issued> {
        let view = self.view();
        let grant = rules::credential::grant_of(&view, user)?;
        self.issue_for(grant, false, Some(user.clone()))
    }

    fn issue_for(
        &self,
        grant: Grant,
        with_alias: bool,
        replaces: Option<UserName>,
    ) -> Result<Issued> {
        let secret = Secret::generate()?;
        let verifier = secret.verifier()?;
        let user_name = UserName::generate(&grant)?;
        let credential = self.change(|view, state| {
            let new = NewCredential {
                verifier: state.ring.seal_verifier(&user_name, &verifier)?,
                user_name,
                grant,
                with_alias,
                replaces,
                created: Millis::now(),
            };
            let issued = rules::credential::issue(view, &state.limits, new);
            Ok::<_, DirectoryError>(issued?)
        })?;
        Ok(Issued { credential, secret })
    }

    /// Retires a credential that has not been used for [a time](crate::Limits::retire_unused), or
    /// one that has, if `force` says so. It no longer logs in, open sessions see that at their next
    /// command, and for a grace period its user is asked to come again.
    ///
    /// # Errors
    /// There is no such credential, it was used too lately, or the store failed.
    pub fn retire(&self, user: &UserName, force: bool) -> Result<Credential> {
        // What was used a moment ago must not seem unused.
        self.shared.write_uses()?;
        self.change(|view, state| {
            let unused = (!force).then_some(state.limits.retire_unused);
            rules::credential::end(
                view,
                user,
                CredentialEnding::Retire { unused },
                Millis::now(),
            )
        })
    }

    /// Cancels a credential, in an emergency: it is refused for good, and open sessions see that at
    /// their next command. Its alias receives until the credential is removed.
    ///
    /// # Errors
    /// There is no such credential, or the store failed.
    pub fn cancel(&self, user: &UserName) -> Result<Credential> {
        self.change(|view, _| {
            rules::credential::end(view, user, CredentialEnding::Cancel, Millis::now())
        })
    }

    /// Takes a credential out of all lists, live or ended. Unless it was cancelled, its verifier
    /// stays for the grace period, in which its user is asked to come again.
    ///
    /// # Errors
    /// There is no such credential, or the store failed.
    pub fn remove_credential(&self, user: &UserName) -> Result<()> {
        self.change(|view, _| rules::credential::remove(view, user, Millis::now()))
    }

    /// Deletes the removed credentials whose grace period is over.
    ///
    /// # Errors
    /// The store failed.
    pub fn forget_removed(&self, grace: Duration, now: Millis) -> Result<()> {
        self.change(|view, _| Ok::<_, Refusal>(rules::credential::forget(view, grace, now)))
    }

    /// Returns the rotations of which it is time to remind, since they have been under way for that
    /// time without another reminder.
    ///
    /// # Errors
    /// The store failed.
    pub fn remind_of_rotations(&self, after: Duration, now: Millis) -> Result<Vec<Rotation>> {
        self.change(|view, _| rules::credential::remind(view, after, now))
    }

    /// Notes that the account is told of the uses of a credential in its grace period: once a day at
    /// most. `entry` makes the entry of the audit log of the credential and the number of uses since
    /// it was told last, which is written in the same commit and returned. Returns `None`, and
    /// changes nothing, if it was told within a day.
    ///
    /// # Errors
    /// There is no such credential, or the store failed.
    pub fn tell_of_grace(
        &self,
        user: &UserName,
        now: Millis,
        entry: impl FnOnce(&Credential, u64) -> AuditEntry,
    ) -> Result<Option<AuditEntry>> {
        // The use that is told of is among them.
        self.shared.write_uses()?;
        self.change(|view, _| rules::credential::tell_of_grace(view, user, now, entry))
    }
}
