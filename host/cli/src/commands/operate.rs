//! How a command reaches the store: through the relay that runs on it, or by opening it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::time::sleep;

use super::ConfigFile;
use gatepost_config::Config;
use gatepost_operations::{self, OpenError, Request, Response, Runtime};

/// How often, and how long after each other, a store is tried that is in use by somebody who does
/// not answer: two seconds in all.
const TRIES: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(100);

/// Which relay, and how its answer is printed.
#[derive(Debug, Clone, Args)]
pub(super) struct Target {
    #[command(flatten)]
    file: ConfigFile,
    /// The relay's store, in the place of a configuration that cannot be read or names another.
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    store: Option<PathBuf>,
    /// One JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
}

impl Target {
    /// Has a request carried out by the running relay or, when none runs, on its store.
    ///
    /// # Errors
    /// It could not be carried out.
    pub(super) async fn ask(&self, request: Request) -> miette::Result<Response> {
        self.session()?.ask(request).await
    }

    /// For several requests that belong together.
    ///
    /// # Errors
    /// The configuration cannot be read.
    pub(super) fn session(&self) -> miette::Result<Session<'_>> {
        Ok(Session {
            store: self.store()?,
            opened: None,
        })
    }

    /// The same of a running relay only.
    ///
    /// # Errors
    /// No relay runs, or it refused.
    pub(super) async fn ask_relay(&self, request: Request) -> miette::Result<Response> {
        let store = self.store()?;
        let asked = gatepost_operations::ask(store.path(), &request).await;
        match asked.map_err(super::report)? {
            None => Err(miette::miette!(
                help = "start it with `gatepost serve`, or name its configuration with --config or its store with --store",
                "no relay is running on the store {}",
                store.path().display()
            )),
            Some(response) => answered(response),
        }
    }

    fn store(&self) -> miette::Result<Store<'_>> {
        Ok(match &self.store {
            Some(store) => Store::Named(store),
            None => Store::Configured(Box::new(self.file.load()?)),
        })
    }
}

/// Requests one after the other, to the relay that runs or on the store that they opened.
pub(super) struct Session<'a> {
    store: Store<'a>,
    opened: Option<Runtime>,
}

impl Session<'_> {
    /// Has a request carried out.
    ///
    /// # Errors
    /// It could not be carried out.
    pub(super) async fn ask(&mut self, request: Request) -> miette::Result<Response> {
        let mut tries = 0;
        let runtime = loop {
            if let Some(runtime) = &mut self.opened {
                break runtime;
            }
            let asked = gatepost_operations::ask(self.store.path(), &request).await;
            if let Some(response) = asked.map_err(super::report)? {
                return answered(response);
            }
            let opened = match &self.store {
                Store::Named(store) => Runtime::open_store(store),
                Store::Configured(config) => Runtime::open(config),
            };
            tries += 1;
            match opened {
                Ok(runtime) => self.opened = Some(runtime),
                // A relay is starting and has no socket yet, or is ending and has none any more.
                Err(OpenError::Mute(_)) if tries < TRIES => sleep(BETWEEN).await,
                Err(error) => return Err(super::report(error)),
            }
        };
        let response = gatepost_operations::execute(runtime, request).await;
        runtime.trace.flush().map_err(super::report)?;
        answered(response)
    }
}

fn answered(response: Response) -> miette::Result<Response> {
    match response {
        Response::Failed(reason) => Err(miette::Report::msg(reason)),
        Response::Starting(step) => Err(miette::miette!(
            help = "try again in a moment; it is ready when it says so on its standard output",
            "the relay is starting: {step}"
        )),
        response => Ok(response),
    }
}

/// Where a store is known from.
enum Store<'a> {
    Named(&'a Path),
    Configured(Box<Config>),
}

impl Store<'_> {
    fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Configured(config) => &config.relay.store,
        }
    }
}

/// For a response that does not belong to its request.
pub(super) fn unexpected(response: &Response) -> miette::Report {
    tracing::debug!(?response, "unexpected");
    miette::miette!(
        help = "restart the relay so that it is of the same version as this command",
        "the relay answered something that was not asked for"
    )
}
