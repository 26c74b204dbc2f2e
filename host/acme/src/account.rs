//! The account with the authority: registered once, and kept with its private key.

use std::path::Path;

use instant_acme::{Account, AccountCredentials, ExternalAccountKey, NewAccount};
use serde::{Deserialize, Serialize};

use crate::folder::AcmeFolder;
use crate::transport::AcmeTransport;
use crate::{AcmeError, AcmeSettings};

/// Account as it is kept.
#[derive(Serialize, Deserialize)]
struct StoredAccount<C> {
    /// URL of the directory of the authority that has it.
    directory: String,
    /// Addresses that the authority knows.
    contact: Vec<String>,
    credentials: C,
}

/// Opens the account that is kept, or registers one.
pub(crate) async fn open(
    folder: &AcmeFolder,
    settings: &AcmeSettings,
    transport: &AcmeTransport,
) -> Result<Account, AcmeError> {
    let builder = Account::builder_with_http(Box::new(transport.clone()));
    let contact: Vec<String> = (settings.contact.iter())
        .map(|address| format!("mailto:{address}"))
        .collect();
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let path = folder.account();
    let stored: Option<StoredAccount<AccountCredentials>> = match AcmeFolder::read_json(&path) {
        Err(error) if error.is_damage() => {
            tracing::error!(%error, "the account with the certificate authority is lost");
            set_aside(&path)?;
            None
        }
        read => read?,
    };
    let stored = stored.filter(|of| of.directory == settings.directory);
    let Some(stored) = stored else {
        let external = settings.external_account.as_ref();
        let external = external.map(|of| ExternalAccountKey::new(of.id.clone(), &of.key));
        let new = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let directory = settings.directory.clone();
        let created = builder.create(&new, directory, external.as_ref()).await?;
        keep(folder, settings, &created.1)?;
        tracing::info!(
            directory = settings.directory,
            "registered with the certificate authority"
        );
        return Ok(created.0);
    };
    let known = stored.contact;
    let account = builder.from_credentials(stored.credentials).await?;
    if known != settings.contact {
        account.update_contacts(&contact).await?;
        let stored: Option<StoredAccount<serde_json::Value>> = AcmeFolder::read_json(&path)?;
        if let Some(stored) = stored {
            keep(folder, settings, &stored.credentials)?;
        }
    }
    Ok(account)
}

/// Forgets an account that the authority does not know any more: the next attempt registers another.
pub(crate) fn forget(folder: &AcmeFolder) -> Result<(), AcmeError> {
    AcmeFolder::remove(&folder.account())
}

/// Moves a damaged file away, under a name that tells of it.
fn set_aside(path: &Path) -> Result<(), AcmeError> {
    let moved = gatepost_files::move_away(path);
    moved.map(drop).map_err(|source| AcmeError::File {
        file: path.to_owned(),
        source,
    })
}

fn keep(
    folder: &AcmeFolder,
    settings: &AcmeSettings,
    credentials: &impl Serialize,
) -> Result<(), AcmeError> {
    let stored = StoredAccount {
        directory: settings.directory.clone(),
        contact: settings.contact.clone(),
        credentials,
    };
    folder.write_json(&folder.account(), &stored)
}
