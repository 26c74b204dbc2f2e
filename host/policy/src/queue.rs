//! A guest's look-ups of the message in the queue, and of an attempt that has ended.

use gatepost_model::{AttemptResult, Queued};
use wasmtime::component::Resource;

use crate::contract::wit::{attempts, queued as wit, types};
use crate::convert;
use crate::host::{CallState, refuse};
use crate::records::Mapped;

/// Handle of the only result of a call; its record is in [`CallState`].
pub struct ResultHandle;

/// Returns the handle of the call's result.
pub(crate) fn result_handle() -> Resource<ResultHandle> {
    Resource::new_borrow(0)
}

impl CallState {
    fn queued(&self) -> wasmtime::Result<&Queued> {
        let queued = self.view.queued.as_deref();
        queued.ok_or_else(|| refuse("the message is in the queue in route and outcome alone"))
    }

    fn result(&self) -> wasmtime::Result<&AttemptResult> {
        let result = self.view.result.as_deref();
        result.ok_or_else(|| refuse("no attempt has ended in this hook"))
    }
}

impl wit::Host for CallState {
    fn attempt_time(&mut self) -> wasmtime::Result<u64> {
        Ok(self.queued()?.attempt_time.0)
    }

    fn accepted(&mut self) -> wasmtime::Result<u64> {
        Ok(self.queued()?.accepted.0)
    }

    fn expires(&mut self) -> wasmtime::Result<u64> {
        Ok(self.queued()?.expires.0)
    }

    fn header(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        Ok(self.queued()?.message.header(&name))
    }

    fn headers_named(&mut self, name: String) -> wasmtime::Result<Vec<String>> {
        Ok(self.queued()?.message.headers_named(&name))
    }

    fn tags(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(self.queued()?.tags.clone())
    }

    fn class(&mut self) -> wasmtime::Result<Option<types::MessageClass>> {
        Ok(self.queued()?.class.mapped())
    }

    fn metadata(&mut self) -> wasmtime::Result<Vec<wit::MetadataItem>> {
        let items = self.queued()?.metadata.iter().cloned();
        let items = items.map(|(name, value)| wit::MetadataItem { name, value });
        Ok(items.collect())
    }

    fn size(&mut self) -> wasmtime::Result<u64> {
        Ok(self.queued()?.message.size())
    }

    fn last_reply(&mut self) -> wasmtime::Result<Option<types::Reply>> {
        Ok(self.queued()?.last_reply.as_ref().map(convert::given_reply))
    }

    fn steps_tried(&mut self) -> wasmtime::Result<Vec<wit::TriedStep>> {
        let steps = self.queued()?.steps_tried.iter();
        let steps = steps.map(|tried| wit::TriedStep {
            step: tried.step.clone(),
            failures: tried.failures,
            since: tried.since.0,
        });
        Ok(steps.collect())
    }
}

impl attempts::Host for CallState {}

impl attempts::HostResultOfAttempt for CallState {
    fn recipient(&mut self, _: Resource<ResultHandle>) -> wasmtime::Result<String> {
        Ok(self.result()?.recipient.as_str().to_owned())
    }

    fn ending(&mut self, _: Resource<ResultHandle>) -> wasmtime::Result<attempts::Ending> {
        Ok(self.result()?.ending.mapped())
    }

    fn stage(&mut self, _: Resource<ResultHandle>) -> wasmtime::Result<attempts::Stage> {
        Ok(self.result()?.stage.mapped())
    }

    fn reply(&mut self, _: Resource<ResultHandle>) -> wasmtime::Result<types::Reply> {
        Ok(convert::given_reply(&self.result()?.reply))
    }

    fn step(&mut self, _: Resource<ResultHandle>) -> wasmtime::Result<Option<String>> {
        Ok(self.result()?.step.clone())
    }

    fn server(&mut self, _: Resource<ResultHandle>) -> wasmtime::Result<Option<String>> {
        Ok(self.result()?.server.clone())
    }

    fn tls(&mut self, _: Resource<ResultHandle>) -> wasmtime::Result<Option<String>> {
        Ok(self.result()?.tls.clone())
    }

    fn sent_as(&mut self, _: Resource<ResultHandle>) -> wasmtime::Result<Option<String>> {
        let sent_as = self.result()?.sent_as.as_ref();
        Ok(sent_as.map(|address| address.as_str().to_owned()))
    }

    fn message_id(&mut self, _: Resource<ResultHandle>) -> wasmtime::Result<Option<String>> {
        Ok(self.result()?.message_id.clone())
    }

    fn drop(&mut self, _: Resource<ResultHandle>) -> wasmtime::Result<()> {
        Ok(())
    }
}
