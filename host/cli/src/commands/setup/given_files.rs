//! Files that are given as options: all are read and checked before the first change.

use std::path::Path;

use gatepost_config::SecretSource;
use gatepost_connections::{ConnectionDraft, Secret, ServerTrust};
use gatepost_operations::connections::GivenSecret;

use super::Given;
use crate::commands::{connection, instructions_file};

/// Contents of the files that are given as options.
#[derive(Debug, Default)]
pub(super) struct GivenFiles {
    /// Password at the customer's server.
    pub(super) password: Option<GivenSecret>,
    /// Settings of the connection to it.
    pub(super) settings: Option<ConnectionDraft<GivenSecret>>,
    /// Authorities that vouch for it, as PEM.
    pub(super) authorities: Option<String>,
}

impl GivenFiles {
    /// Reads the files, and checks that the instructions can be written.
    ///
    /// # Errors
    /// One cannot be read, holds something else, or cannot be written.
    pub(super) fn read(given: &Given) -> miette::Result<Self> {
        if let Some(file) = &given.output {
            instructions_file::check(file)?;
        }
        let password = given.smart_host_password_file.as_deref();
        let settings = given.smart_host_settings.as_deref();
        let authorities = given.smart_host_ca.as_deref();
        Ok(Self {
            settings: settings.map(connection::read_settings).transpose()?,
            password: password.map(read_password).transpose()?,
            authorities: authorities.map(read_authorities).transpose()?,
        })
    }
}

/// Reads the file of a password. The error does not repeat the name: somebody may have typed the
/// password in its place.
pub(super) fn read_password(file: &Path) -> miette::Result<GivenSecret> {
    let secret = SecretSource::File(file.to_owned()).read();
    let secret = secret.map_err(|error| {
        // A file that is there was meant, so that its name may be shown.
        match file.exists() {
            true => miette::miette!("{error}"),
            false => miette::miette!("there is no such file with a password"),
        }
    })?;
    Ok(GivenSecret::new(&secret))
}

/// Reads a file of authorities.
pub(super) fn read_authorities(file: &Path) -> miette::Result<String> {
    let read = SecretSource::File(file.to_owned()).read();
    let pem = read.map_err(|error| miette::miette!("{error}"))?;
    let text = pem.reveal().to_owned();
    match ServerTrust::of(Some(pem), None) {
        Ok(_) => Ok(text),
        Err(_) => Err(miette::miette!(
            help = "it begins with -----BEGIN CERTIFICATE-----, and has 64 KiB at most",
            "{} holds no certificates in PEM",
            file.display()
        )),
    }
}

/// Makes authorities a part of a request.
pub(super) fn as_given(pem: &str) -> GivenSecret {
    GivenSecret::new(&Secret::new(pem))
}
