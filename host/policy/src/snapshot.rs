//! Configures a component once and freezes the resulting memory, so that every call starts
//! configured (wasmtime-wizer).

use wasmtime::Store;
use wasmtime::component::{Instance, Lift, WasmList};
use wasmtime_wizer::{ComponentContext, ComponentInstanceState, Wizer};

use crate::call;
use crate::contract;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::host::CallState;
use crate::prepare::Job;
use crate::version::{self, Compiled};

/// Component that can be configured: wizer added exports through which its memory is read.
pub(crate) struct Instrumented<'a> {
    wizer: Wizer,
    context: ComponentContext<'a>,
    compiled: Compiled,
}

impl<'a> Instrumented<'a> {
    /// Instruments and compiles a component.
    pub(crate) fn new(engine: &Engine, component: &'a [u8]) -> Result<Self, LoadError> {
        let wizer = Wizer::new();
        let (context, instrumented) = wizer.instrument_component(component).map_err(failed)?;
        let compiled = Compiled::new(engine, &instrumented)?;
        Ok(Self {
            wizer,
            context,
            compiled,
        })
    }

    /// Returns the compiled component, not configured.
    pub(crate) fn compiled(&self) -> &Compiled {
        &self.compiled
    }

    /// Runs `configure` and returns the component with the memory that resulted.
    pub(crate) async fn configured(
        &self,
        engine: &Engine,
        job: &Job,
        settings: &str,
    ) -> Result<Vec<u8>, LoadError> {
        let Self {
            wizer,
            context,
            compiled,
        } = self;
        let _clock = engine.run_clock();
        let mut store = call::store(engine, job.limits(), job.view());
        let instance = compiled
            .pre
            .instantiate_async(&mut store)
            .await
            .map_err(failed)?;
        let configure = version::settings_function(&compiled.component, "configure")?;
        let configure = instance
            .get_typed_func::<(String,), (Result<(), Vec<String>>,)>(&mut store, configure)
            .map_err(component_mismatch)?;
        let (answer,) = configure
            .call_async(&mut store, (settings.to_owned(),))
            .await
            .map_err(failed)?;
        answer.map_err(|problems| LoadError::Settings { problems })?;
        let mut state = InstanceAccess { store, instance };
        wizer
            .snapshot_component(context, &mut state)
            .await
            .map_err(failed)
    }
}

fn failed(error: wasmtime::Error) -> LoadError {
    LoadError::Fault {
        step: "configuring".into(),
        detail: call::fault(&error).to_string(),
    }
}

fn component_mismatch(error: wasmtime::Error) -> LoadError {
    LoadError::Mismatch {
        version: contract::VERSION,
        detail: format!("{error:#}"),
    }
}

/// Access to the globals and the memory of an instrumented instance, through the exports that
/// the instrumentation added.
struct InstanceAccess {
    store: Store<CallState>,
    instance: Instance,
}

impl InstanceAccess {
    async fn call<R, T>(
        &mut self,
        instance: &str,
        function: &str,
        take: impl FnOnce(&mut Store<CallState>, R) -> T,
    ) -> T
    where
        R: Lift + Send + Sync + 'static,
    {
        let index = self
            .instance
            .get_export_index(&mut self.store, None, instance);
        let index = index.and_then(|index| {
            self.instance
                .get_export_index(&mut self.store, Some(&index), function)
        });
        let function = index.and_then(|index| {
            self.instance
                .get_typed_func::<(), (R,)>(&mut self.store, index)
                .ok()
        });
        // The instrumentation added these exports a moment ago.
        let function = function.unwrap_or_else(|| panic!("the instrumentation lost an export"));
        match function.call_async(&mut self.store, ()).await {
            Ok((answer,)) => take(&mut self.store, answer),
            Err(error) => panic!("the instrumentation trapped: {error:#}"),
        }
    }
}

impl ComponentInstanceState for InstanceAccess {
    async fn call_func_ret_list_u8(
        &mut self,
        instance: &str,
        function: &str,
        contents: impl FnOnce(&[u8]) + Send,
    ) {
        self.call(instance, function, |store, list: WasmList<u8>| {
            contents(list.as_le_slice(&store))
        })
        .await;
    }

    async fn call_func_ret_s32(&mut self, instance: &str, function: &str) -> i32 {
        self.call(instance, function, |_, value| value).await
    }

    async fn call_func_ret_s64(&mut self, instance: &str, function: &str) -> i64 {
        self.call(instance, function, |_, value| value).await
    }

    async fn call_func_ret_f32(&mut self, instance: &str, function: &str) -> u32 {
        self.call(instance, function, |_, value: f32| value.to_bits())
            .await
    }

    async fn call_func_ret_f64(&mut self, instance: &str, function: &str) -> u64 {
        self.call(instance, function, |_, value: f64| value.to_bits())
            .await
    }
}
