//! The engine on which all policies run: a pool of instances, and the clock that interrupts them.
//!
//! Instances come from a pool so that a fresh store for every call stays cheap. An exhausted pool
//! is overload, and the client is told 451. While a call runs, the epoch advances every
//! millisecond: the guest then gives way to the other sessions on its thread, or ends if it is past
//! its deadline.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy};

use crate::cache::Cache;
use crate::child::Loading;
use crate::contract;
use crate::error::EngineError;
use crate::host::CallState;

/// Time for which a guest may keep its thread before it gives way to others.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// Largest memory limit of a policy, in bytes.
pub(crate) const LARGEST_MEMORY: usize = 256 << 20;

/// Address space reserved for one linear memory, in bytes: all that an address of 32 bits reaches. So the
/// processor finds an access outside of the memory, and compiled code need not compare each address.
pub(crate) const ADDRESS_SPACE: u64 = 4 << 30;

/// Settings of the engine.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// Number of calls that may run at once.
    pub instances: u32,
    /// Directory for compiled code; with `None`, every start compiles anew. It must belong to the
    /// relay alone.
    pub cache: Option<PathBuf>,
    /// Process in which modules are read and compiled.
    pub loading: Loading,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            instances: 256,
            cache: None,
            loading: Loading::default(),
        }
    }
}

/// Engine that runs all policies of a relay.
pub struct Engine {
    pub(crate) wasm: wasmtime::Engine,
    pub(crate) linker: wasmtime::component::Linker<CallState>,
    pub(crate) cache: Option<Cache>,
    pub(crate) loading: Loading,
    clock: Arc<Clock>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// Sets the engine up and starts its clock.
    ///
    /// # Errors
    /// When the machine cannot run it, or the cache directory cannot be made private.
    pub fn new(settings: EngineSettings) -> Result<Arc<Self>, EngineError> {
        let count = settings.instances;
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(count)
            .total_core_instances(count * 4)
            .max_core_instances_per_component(4)
            .total_memories(count)
            .max_memories_per_component(1)
            .total_tables(count * 4)
            .max_tables_per_component(4)
            .total_stacks(count)
            .max_memory_size(LARGEST_MEMORY)
            .max_component_instance_size(1 << 20)
            .max_core_instance_size(1 << 20)
            .linear_memory_keep_resident(128 << 10)
            .table_keep_resident(16 << 10)
            .pagemap_scan(Enabled::Auto);
        let mut config = Config::new();
        config
            .strategy(Strategy::Cranelift)
            .wasm_component_model(true)
            .epoch_interruption(true)
            .max_wasm_stack(512 << 10)
            .async_stack_size(1 << 20)
            .memory_reservation(ADDRESS_SPACE)
            .memory_guard_size(64 << 10)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let wasm = wasmtime::Engine::new(&config).map_err(|e| EngineError(format!("{e:#}")))?;
        let linker = contract::linker(&wasm).map_err(|e| EngineError(format!("{e:#}")))?;
        let cache = settings
            .cache
            .map(|path| Cache::open(path, &wasm))
            .transpose()?;
        let clock = Clock::start(wasm.weak());
        Ok(Arc::new(Self {
            wasm,
            linker,
            cache,
            loading: settings.loading,
            clock,
        }))
    }

    /// Advances the epoch until the guard is dropped.
    pub(crate) fn run_clock(&self) -> ClockGuard<'_> {
        self.clock.enter();
        ClockGuard(&self.clock)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.clock.stopped.store(true, Ordering::SeqCst);
        self.clock.wake();
    }
}

/// Clock that advances the epoch only while a call runs, so that an idle relay does not wake up.
struct Clock {
    calls: AtomicUsize,
    stopped: AtomicBool,
    asleep: Mutex<bool>,
    woken: Condvar,
}

/// Guard of one running call, for which the clock ticks.
pub(crate) struct ClockGuard<'a>(&'a Clock);

impl Clock {
    fn start(engine: wasmtime::EngineWeak) -> Arc<Self> {
        let clock = Arc::new(Self {
            calls: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            asleep: Mutex::new(false),
            woken: Condvar::new(),
        });
        let ticking = clock.clone();
        std::thread::Builder::new()
            .name("policy-clock".into())
            .spawn(move || ticking.tick(&engine))
            .unwrap_or_else(|error| panic!("no thread for the policy clock: {error}"));
        clock
    }

    fn tick(&self, engine: &wasmtime::EngineWeak) {
        // Some idle ticks pass before the clock sleeps, so that steady traffic costs no wake-ups.
        let mut idle = 0;
        while !self.stopped.load(Ordering::SeqCst) {
            std::thread::sleep(TICK);
            let Some(engine) = engine.upgrade() else {
                return;
            };
            engine.increment_epoch();
            if self.calls.load(Ordering::SeqCst) > 0 {
                idle = 0;
                continue;
            }
            idle += 1;
            if idle > 100 {
                idle = 0;
                self.sleep();
            }
        }
    }

    fn sleep(&self) {
        let mut asleep = self.asleep.lock().unwrap_or_else(|e| e.into_inner());
        *asleep = true;
        while *asleep
            && self.calls.load(Ordering::SeqCst) == 0
            && !self.stopped.load(Ordering::SeqCst)
        {
            asleep = self.woken.wait(asleep).unwrap_or_else(|e| e.into_inner());
        }
        *asleep = false;
    }

    fn enter(&self) {
        if self.calls.fetch_add(1, Ordering::SeqCst) == 0 {
            self.wake();
        }
    }

    fn wake(&self) {
        let mut asleep = self.asleep.lock().unwrap_or_else(|e| e.into_inner());
        if std::mem::take(&mut *asleep) {
            self.woken.notify_one();
        }
    }
}

impl Drop for ClockGuard<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::SeqCst);
    }
}
