//! Work on a store that waits for the disk.

use tokio::task::spawn_blocking;

use crate::error::OperationError;

/// Does work that blocks, on a thread for such.
pub(crate) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, OperationError>
where
    T: Send + 'static,
    E: Send + 'static,
    OperationError: From<E>,
{
    Ok(spawn_blocking(work).await??)
}
