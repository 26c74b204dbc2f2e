//! Access to the store: through the relay that runs on it, or by opening it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::time::sleep;

use super::{ConfigFile, pasted};
use gatepost_config::{Config, DEFAULT_PATH};
use gatepost_operations::audit::perform;
use gatepost_operations::{self, Asker, Code, OpenError, Operation, OperationError, Runtime};

/// Number of attempts to open a store that is in use without an answer on its socket, and the delay
/// between them: two seconds in all.
const MAX_TRIES: u32 = 20;
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Arguments that choose the relay and the form of the output.
#[derive(Debug, Clone, Args)]
pub(super) struct Target {
    #[command(flatten)]
    file: ConfigFile,
    /// Directory of the relay's store, in place of a configuration that cannot be read or names
    /// another store.
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    store: Option<PathBuf>,
    /// Print one JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
}

/// Arguments of a command that executes one operation.
#[derive(Debug, Clone, Args)]
pub(super) struct Ask<R: Args> {
    #[command(flatten)]
    pub(super) target: Target,
    #[command(flatten)]
    pub(super) request: R,
}

impl<R: Args + Operation> Ask<R> {
    /// Executes the operation by the running relay or, if none runs, on its store.
    ///
    /// # Errors
    /// The operation could not be executed.
    pub(super) async fn answer(self) -> miette::Result<R::Answer> {
        self.target.call(self.request).await
    }
}

impl Target {
    /// Executes an operation by the running relay or, if none runs, on its store.
    ///
    /// # Errors
    /// The operation could not be executed.
    pub(super) async fn call<O: Operation>(&self, request: O) -> miette::Result<O::Answer> {
        self.session()?.call(request).await
    }

    /// Begins a series of requests.
    ///
    /// # Errors
    /// The configuration cannot be read.
    pub(super) fn session(&self) -> miette::Result<Session<'_>> {
        Ok(Session {
            store: self.store()?,
            opened: None,
            options: self.options(),
        })
    }

    /// Returns the options by which other commands name the same relay; empty where none was given.
    pub(super) fn options(&self) -> String {
        match &self.store {
            Some(store) => format!("--store {}", pasted::word(store)),
            None if self.file.config == Path::new(DEFAULT_PATH) => String::new(),
            None => format!("--config {}", pasted::word(&self.file.config)),
        }
    }

    /// Returns a text whose commands name the same relay.
    pub(super) fn pasted(&self, text: &str) -> String {
        pasted::with_options(text, &self.options())
    }

    /// Executes an operation by a running relay only.
    ///
    /// # Errors
    /// No relay runs, or the operation could not be executed.
    pub(super) async fn call_relay<O: Operation>(&self, request: O) -> miette::Result<O::Answer> {
        self.call_relay_advised(request, |_| None).await
    }

    /// Executes an operation by a running relay only. Errors of the codes that `advice` knows get it as
    /// help.
    ///
    /// # Errors
    /// No relay runs, or the operation could not be executed.
    pub(super) async fn call_relay_advised<O: Operation>(
        &self,
        request: O,
        advice: impl FnOnce(Code) -> Option<&'static str>,
    ) -> miette::Result<O::Answer> {
        let store = self.store()?;
        let called = gatepost_operations::call(store.path(), &request).await;
        match called.map_err(super::report)? {
            Some(answer) => answer.map_err(|error| match advice(error.code) {
                Some(help) => miette::miette!(help = help, "{error}"),
                None => report_with(error, &self.options()),
            }),
            None => Err(miette::miette!(
                help = Code::RelayNotRunning.what_to_do(),
                "no relay is running on the store {}",
                store.path().display()
            )),
        }
    }

    fn store(&self) -> miette::Result<StoreSource<'_>> {
        Ok(match &self.store {
            Some(store) => StoreSource::Named(store),
            None => StoreSource::Configured(Box::new(self.file.load()?)),
        })
    }
}

/// Series of requests to one running relay, or on the store that it opened.
pub(super) struct Session<'a> {
    store: StoreSource<'a>,
    opened: Option<Runtime>,
    /// Options by which other commands name the same relay.
    options: String,
}

impl Session<'_> {
    /// Returns true if no relay was there for the last request, so that it was executed on the store.
    pub(super) fn is_without_relay(&self) -> bool {
        self.opened.is_some()
    }

    /// Returns the directory of the store.
    pub(super) fn store(&self) -> &Path {
        self.store.path()
    }

    /// Returns a text whose commands name the same relay.
    pub(super) fn pasted(&self, text: &str) -> String {
        pasted::with_options(text, &self.options)
    }

    /// Makes the report of an error of an operation.
    pub(super) fn report(&self, error: OperationError) -> miette::Report {
        report_with(error, &self.options)
    }

    /// Executes an operation.
    ///
    /// # Errors
    /// The operation could not be executed.
    pub(super) async fn call<O: Operation>(&mut self, request: O) -> miette::Result<O::Answer> {
        let answer = self.try_call(request).await?;
        answer.map_err(|error| self.report(error))
    }

    /// Executes an operation, and returns its error apart from those of asking for it.
    ///
    /// # Errors
    /// The relay could not be asked, or the store not opened.
    pub(super) async fn try_call<O: Operation>(
        &mut self,
        request: O,
    ) -> miette::Result<Result<O::Answer, OperationError>> {
        let mut tries = 0;
        let runtime = loop {
            if let Some(runtime) = &mut self.opened {
                break runtime;
            }
            let called = gatepost_operations::call(self.store.path(), &request).await;
            if let Some(answer) = called.map_err(super::report)? {
                return Ok(answer);
            }
            let opened = match &self.store {
                StoreSource::Named(store) => Runtime::open_store(store),
                StoreSource::Configured(config) => Runtime::open(config),
            };
            tries += 1;
            match opened {
                Ok(runtime) => self.opened = Some(runtime),
                // A relay is starting and has no socket yet, or is stopping and has none any more.
                Err(OpenError::Mute(_)) if tries < MAX_TRIES => sleep(RETRY_DELAY).await,
                Err(error) => return Err(super::report(error)),
            }
        };
        let answer = perform(request, runtime, &Asker::of_this_process()).await;
        runtime.trace.flush().map_err(super::report)?;
        Ok(answer)
    }
}

/// Makes the report of an error. Sentences of most errors say what to do; others get it as help.
pub(super) fn report(error: OperationError) -> miette::Report {
    report_with(error, "")
}

/// Makes the report of an error, whose commands get these options.
fn report_with(mut error: OperationError, options: &str) -> miette::Report {
    error.message = pasted::with_options(&error.message, options);
    match error.code {
        Code::RelayStarting | Code::RelayNotRunning => {
            let help = pasted::with_options(error.code.what_to_do(), options);
            miette::miette!(help = help, "{error}")
        }
        _ => super::report(error),
    }
}

/// Source of the store's path.
enum StoreSource<'a> {
    Named(&'a Path),
    Configured(Box<Config>),
}

impl StoreSource<'_> {
    fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Configured(config) => &config.relay.store,
        }
    }
}
