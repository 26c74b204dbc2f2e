//! Handovers of secrets by links.

use std::net::IpAddr;

use gatepost_message::Millis;

use crate::{
    AuditEntry, Directory, DirectoryError, HandedOver, Handover, HandoverToken, Issued, Secret,
    UserName,
    rules::{self, handover},
};

type Result<T> = std::result::Result<T, DirectoryError>;

impl Directory {
    /// Gives a credential that was never used a new secret, and returns the token of a link that
    /// shows it once. The store gets neither of them.
    ///
    /// # Errors
    /// There is no such credential, it is revoked, it has logged in, or the store failed.
    pub fn hand_over(&self, user: &UserName, now: Millis, expires: Millis) -> Result<HandedOver> {
        // A log-in of a moment ago counts, too.
        self.shared.write_uses()?;
        let (secret, token) = (Secret::generate()?, HandoverToken::random()?);
        let verifier = secret.verifier()?;
        let (id, sealed) = (token.id()?, token.seal(user, &secret)?);
        let credential = self.change(|view, state| {
            let credential = rules::credential::find(view, user)?.credential;
            let handover = Handover {
                id,
                account: credential.account,
                user_name: user.clone(),
                created: now,
                expires,
                sealed,
            };
            let verifier = state.ring.seal_verifier(user, &verifier)?;
            Ok::<_, DirectoryError>(handover::hand_over(view, verifier, handover)?)
        })?;
        Ok(HandedOver {
            credential,
            token,
            expires,
        })
    }

    /// Returns true if the link with this token still shows a secret. Never blocks.
    pub fn is_handed_over(&self, token: &HandoverToken, now: Millis) -> bool {
        let id = token.id();
        id.is_ok_and(|id| handover::find(&self.view(), &id, now).is_some())
    }

    /// Returns the credential and the secret that the link with this token shows, which it does
    /// once; `None` if it shows nothing any more. `from` is the address of who opened it.
    ///
    /// # Errors
    /// The handover is damaged, or the store failed.
    pub fn open_handover(
        &self,
        token: &HandoverToken,
        now: Millis,
        from: IpAddr,
    ) -> Result<Option<Issued>> {
        let id = token.id()?;
        let opened = self.change(|view, _| {
            handover::open(view, &id, now, |of| AuditEntry {
                at: now,
                account: Some(of.account.to_string()),
                actor: of.user_name.to_string(),
                origin: Some(from.to_string()),
                action: "credential-link-opened".to_owned(),
                subject: of.user_name.to_string(),
                detail: None,
            })
        })?;
        let Some(Handover {
            user_name, sealed, ..
        }) = opened
        else {
            return Ok(None);
        };
        let secret = token.open(&user_name, &sealed)?;
        let known = self.view().sealed_credential(&user_name);
        Ok(known.map(|known| Issued {
            credential: known.credential,
            secret,
        }))
    }

    /// Takes back the links that have expired, and returns their number.
    ///
    /// # Errors
    /// The store failed.
    pub fn drop_expired_handovers(&self, now: Millis) -> Result<usize> {
        self.change(|view, _| {
            let changes = handover::expired(view, now);
            Ok::<_, DirectoryError>((changes.len(), changes))
        })
    }
}
