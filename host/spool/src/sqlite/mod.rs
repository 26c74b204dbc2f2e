//! The embedded store.

use std::{sync::Arc, time::Duration};

use gatepost_message::{Millis, TransactionId};
use tokio::sync::Notify;

use crate::{
    Changed, Claim, Expired, Filter, NewMessage, Owner, QueueDepth, Record, Recorded, Report,
    Scope, Selection, Spool, SpoolError, SpoolSettings, Staging, Summary, Ticket,
};

/// A [`Spool`] in one directory of the local file system.
#[derive(Debug)]
pub struct SqliteSpool {}

impl SqliteSpool {
    /// Opens the store, makes it if it is not there, and brings it to the present schema.
    ///
    /// Whatever was leased when the last relay ended is due again at once, and bodies that belong
    /// to no message are removed.
    ///
    /// # Errors
    /// [`SpoolError::InUse`] if another relay has it open, [`SpoolError::Newer`] if a later
    /// version wrote it.
    pub fn open(settings: SpoolSettings) -> Result<Self, SpoolError> {
        let _ = settings;
        todo!()
    }
}

#[rustfmt::skip]
#[allow(unused_variables)]
impl Spool for SqliteSpool {
    fn room(&self) -> Result<(), SpoolError> { todo!() }
    fn stage(&self, id: TransactionId) -> Result<Staging, SpoolError> { todo!() }
    fn accept(&self, message: NewMessage) -> Ticket<()> { todo!() }
    fn claim(&self, owner: Owner, now: Millis, limit: usize, lease: Duration) -> Ticket<Vec<Claim>> { todo!() }
    fn record(&self, report: Report) -> Ticket<Recorded> { todo!() }
    fn next_due(&self) -> Ticket<Option<Millis>> { todo!() }
    fn changed(&self) -> Arc<Notify> { todo!() }
    fn list(&self, filter: Filter) -> Ticket<Vec<Summary>> { todo!() }
    fn show(&self, id: TransactionId) -> Ticket<Option<Record>> { todo!() }
    fn retry(&self, selection: Selection, now: Millis) -> Ticket<Changed> { todo!() }
    fn cancel(&self, selection: Selection) -> Ticket<Changed> { todo!() }
    fn hold(&self, selection: Selection) -> Ticket<Changed> { todo!() }
    fn release(&self, selection: Selection, now: Millis) -> Ticket<Changed> { todo!() }
    fn quarantine_list(&self, filter: Filter) -> Ticket<Vec<Summary>> { todo!() }
    fn quarantine_show(&self, id: TransactionId) -> Ticket<Option<Record>> { todo!() }
    fn quarantine_release(&self, id: TransactionId, now: Millis) -> Ticket<bool> { todo!() }
    fn quarantine_delete(&self, id: TransactionId) -> Ticket<bool> { todo!() }
    fn expire(&self, now: Millis) -> Ticket<Expired> { todo!() }
    fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64 { todo!() }
    fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool { todo!() }
    fn depth(&self) -> Ticket<QueueDepth> { todo!() }
}
