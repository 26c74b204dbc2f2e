//! Execution of requests.

use std::sync::Arc;

use super::directory;
use super::partners::{self, PartnerResponse};
use super::protocol::{Request, Response};
use super::runtime::Runtime;
use gatepost_feeds as feeds;

/// Executes a request.
pub async fn execute(runtime: &Runtime, request: Request) -> Response {
    match try_execute(runtime, request).await {
        Ok(response) => response,
        Err(reason) => Response::Failed(reason),
    }
}

async fn try_execute(runtime: &Runtime, request: Request) -> Result<Response, String> {
    let Runtime { trace, .. } = runtime;
    Ok(match request {
        Request::Directory(request) => {
            let directory = Arc::clone(&runtime.directory);
            let executed =
                tokio::task::spawn_blocking(move || directory::execute(&directory, *request));
            let executed = executed.await.map_err(|error| error.to_string())?;
            Response::Directory(executed.map_err(|error| error.to_string())?)
        }
        Request::Partners(request) => {
            let directory = Arc::clone(&runtime.directory);
            let executed =
                tokio::task::spawn_blocking(move || partners::execute(&directory, *request));
            let executed = executed.await.map_err(|error| error.to_string())?;
            Response::Partners(executed.map_err(|error| error.to_string())?)
        }
        Request::FeedFetch { account, url } => {
            let directory = &runtime.directory;
            let feed = partners::find_feed(&directory.view(), &account, url);
            let feed = feed.map_err(|error| error.to_string())?;
            let client = runtime.feeds.load_full();
            let change = feeds::refresh(directory, &client, &feed).await?;
            Response::Partners(PartnerResponse::Fetched(change))
        }
        Request::HeadersOf { domain } => {
            let trace = Arc::clone(trace);
            let read = move || trace.headers_of(domain.as_ascii());
            let counted = tokio::task::spawn_blocking(read).await;
            let counted = counted.map_err(|error| error.to_string())?;
            Response::Headers(counted.map_err(|error| error.to_string())?)
        }
    })
}
