//! How a command reaches the store: through the relay that runs on it, or by opening it.

use clap::Args;

use super::ConfigFile;
use crate::control::{self, Request, Response, Runtime};

/// Which relay, and how its answer is printed.
#[derive(Debug, Clone, Args)]
pub(super) struct Target {
    #[command(flatten)]
    file: ConfigFile,
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
        let config = self.file.load()?;
        let asked = control::ask(&config.relay.store, &request).await;
        let response = match asked.map_err(super::report)? {
            Some(response) => response,
            None => {
                let runtime = Runtime::open(&config).map_err(super::report)?;
                let response = control::execute(&runtime, request).await;
                runtime.trace.flush().map_err(super::report)?;
                response
            }
        };
        match response {
            Response::Failed(reason) => Err(miette::Report::msg(reason)),
            response => Ok(response),
        }
    }

    /// The same of a running relay only.
    ///
    /// # Errors
    /// No relay runs, or it refused.
    pub(super) async fn ask_relay(&self, request: Request) -> miette::Result<Response> {
        let config = self.file.load()?;
        let asked = control::ask(&config.relay.store, &request).await;
        match asked.map_err(super::report)? {
            None => Err(miette::miette!(
                help = "start it with `gatepost serve`, or name its configuration with --config",
                "no relay is running on the store {}",
                config.relay.store.display()
            )),
            Some(Response::Failed(reason)) => Err(miette::Report::msg(reason)),
            Some(response) => Ok(response),
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
