//! Access to the directory for operations on it, and how its errors become theirs.

use std::cell::Cell;
use std::sync::Arc;

use gatepost_directory::{Account, AccountId, Directory, DirectoryError, Refusal, View};

use crate::blocking::blocking;
use crate::code::Code;
use crate::error::OperationError;

/// Does work on the directory that waits for the disk.
pub(crate) async fn change<T: Send + 'static>(
    directory: &Arc<Directory>,
    work: impl FnOnce(&Directory) -> Result<T, DirectoryError> + Send + 'static,
) -> Result<T, OperationError> {
    let directory = Arc::clone(directory);
    let Some(revision) = EXPECTED.try_with(Cell::take).ok().flatten() else {
        return blocking(move || work(&directory)).await;
    };
    let done = blocking(move || {
        let (done, was_met) = directory.expecting(revision, work);
        done.map(|done| (done, was_met))
    });
    let (done, was_met) = done.await?;
    if !was_met {
        // It only read: what comes after it expects the revision.
        EXPECTED.with(|expected| expected.set(Some(revision)));
    }
    Ok(done)
}

tokio::task_local! {
    /// Revision of the directory that the first change of an operation expects.
    static EXPECTED: Cell<Option<u64>>;
}

/// Does work, an operation, whose first change of the directory is refused with
/// [`Code::ChangedMeanwhile`] unless the directory still has this revision.
pub async fn expecting<F: Future>(revision: u64, work: F) -> F::Output {
    EXPECTED.scope(Cell::new(Some(revision)), work).await
}

/// Finds an account by its id or its native domain.
pub(crate) fn account<'v>(view: &'v View, named: &str) -> Result<&'v Account, Refusal> {
    let by_id = named.parse().ok().and_then(|id| view.account(id));
    let by_domain = || {
        let found = view.domain(named)?;
        let native = found.connector.is_none();
        native.then(|| view.account(found.account)).flatten()
    };
    by_id
        .or_else(by_domain)
        .ok_or_else(|| unknown("account", named))
}

/// Finds the id of an account by it, or by the account's native domain.
pub(crate) fn account_id(view: &View, named: &str) -> Result<AccountId, Refusal> {
    account(view, named).map(|account| account.id)
}

/// Finds the id of the account, or those of all if none is named.
pub(crate) fn account_ids(view: &View, named: Option<&str>) -> Result<Vec<AccountId>, Refusal> {
    match named {
        Some(named) => Ok(vec![account_id(view, named)?]),
        None => Ok(view.accounts().map(|account| account.id).collect()),
    }
}

/// Returns the name of an account in policies, queue and trace: of an account of the directory its
/// id, of one of the configuration the given name.
pub(crate) fn account_name(directory: &Directory, named: &str) -> String {
    account_id(&directory.view(), named).map_or_else(|_| named.to_owned(), |id| id.to_string())
}

pub(crate) fn unknown(what: &'static str, name: impl ToString) -> Refusal {
    let name = name.to_string();
    Refusal::Unknown { what, name }
}

impl From<DirectoryError> for OperationError {
    fn from(error: DirectoryError) -> Self {
        let code = match error {
            DirectoryError::Refused(refusal) => return refusal.into(),
            DirectoryError::Lost { .. }
            | DirectoryError::Unusable { .. }
            | DirectoryError::Damaged(_)
            | DirectoryError::Key { .. }
            | DirectoryError::NoKey { .. } => Code::StoreDamaged,
            DirectoryError::Open { .. }
            | DirectoryError::Sqlite(_)
            | DirectoryError::Newer { .. }
            | DirectoryError::Other { .. }
            | DirectoryError::KeyRing { .. } => Code::StoreFailed,
            DirectoryError::Random | DirectoryError::Thread(_) => Code::Internal,
        };
        Self::new(code, error)
    }
}

impl From<Refusal> for OperationError {
    fn from(refusal: Refusal) -> Self {
        let code = match &refusal {
            Refusal::Unknown { what, .. } => match *what {
                "account" => Code::UnknownAccount,
                "connector" => Code::UnknownConnector,
                "address" => Code::UnknownAddress,
                "credential" => Code::UnknownCredential,
                "connection" => Code::UnknownConnection,
                "endpoint" => Code::UnknownEndpoint,
                "token" => Code::UnknownToken,
                _ => Code::UnknownItem,
            },
            Refusal::DomainTaken { .. } => Code::DomainTaken,
            Refusal::DomainInOther { .. } => Code::DomainInOtherKind,
            Refusal::AdministratorExists { .. } => Code::AdministratorExists,
            Refusal::TooManyAdministrators { .. } => Code::TooManyAdministrators,
            Refusal::NoAdministrator { .. } => Code::UnknownAdministrator,
            Refusal::CodeSentLately { .. } => Code::CodeSentLately,
            Refusal::BeingErased(_) => Code::BeingErased,
            Refusal::NotSandbox(_) => Code::NotSandbox,
            Refusal::NoTestUser { .. } => Code::UnknownTestUser,
            Refusal::TooManyTestUsers { .. } => Code::TooManyTestUsers,
            Refusal::DomainReserved { .. } => Code::DomainReserved,
            Refusal::Connected { .. } => Code::DomainConnected,
            Refusal::TooManyDomains { .. } => Code::TooManyDomains,
            Refusal::AddressTaken { .. } => Code::AddressTaken,
            Refusal::AddressInOther { .. } => Code::AddressInOtherKind,
            Refusal::ForeignAddress { .. } => Code::ForeignAddress,
            Refusal::TooManyAddresses { .. } => Code::TooManyAddresses,
            Refusal::TooManyCredentials { .. } => Code::TooManyCredentials,
            Refusal::TooManyTokens { .. } => Code::TooManyTokens,
            Refusal::NotTwoWay(_) => Code::NotTwoWay,
            Refusal::NoSmartHost(_) => Code::NoSmartHost,
            Refusal::CredentialUsed(_) => Code::CredentialUsed,
            Refusal::AliasTaken { .. } => Code::AliasTaken,
            Refusal::NoAlias(_) => Code::NoAlias,
            Refusal::NotVerified(_) => Code::NotVerified,
            Refusal::DefaultNotNative(_) => Code::DefaultNotNative,
            Refusal::DefaultAddress { .. } => Code::DefaultAddress,
            Refusal::NotOwned(_) => Code::NotOwned,
            Refusal::ForeignReturnPath { .. } => Code::ForeignReturnPath,
            Refusal::NotConnected(_) => Code::NotConnected,
            Refusal::CredentialInUse { .. } => Code::CredentialInUse,
            Refusal::CredentialEnded(_) => Code::CredentialEnded,
            Refusal::RotationUnderWay { .. } => Code::RotationUnderWay,
            Refusal::NotEmpty { .. } => Code::NotEmpty,
            Refusal::SharesWithItself(_) => Code::SharesWithItself,
            Refusal::Shares { .. } => Code::Shares,
            Refusal::SharesNot { .. } => Code::SharesNot,
            Refusal::OwnAddress { .. } => Code::OwnAddress,
            Refusal::NoPartner { .. } => Code::UnknownPartner,
            Refusal::NoImport => Code::UnknownImport,
            Refusal::NoPartnerList { .. } => Code::UnknownPartnerList,
            Refusal::WholeDomain(_) => Code::WholeDomain,
            Refusal::TooManyConnections { .. } => Code::TooManyConnections,
            Refusal::ForeignSender { .. } => Code::ForeignSender,
            Refusal::ServedTwice { .. } => Code::ServedTwice,
            Refusal::TooManyEndpoints { .. } => Code::TooManyEndpoints,
            Refusal::EndpointTwice { .. } => Code::EndpointTwice,
            Refusal::NoBrand { .. } => Code::UnknownBrand,
            Refusal::TooManyBrands { .. } => Code::TooManyBrands,
            Refusal::ForeignDomain { .. } => Code::ForeignDomain,
            Refusal::NoDkimKey { .. } => Code::UnknownDkimKey,
            Refusal::DkimKeyWaits { .. } => Code::DkimKeyWaits,
            Refusal::DkimSelectorsTaken { .. } => Code::DkimSelectorsTaken,
            Refusal::ChangedMeanwhile => Code::ChangedMeanwhile,
        };
        Self::new(code, refusal)
    }
}
