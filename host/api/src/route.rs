//! Rows of the table of routes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use axum::routing::MethodFilter;
use gatepost_directory::ApiScope;
use gatepost_operations::{Asker, Code, Operation, OperationError, RequestHandler};
use serde_json::Value;

use crate::fields::RequestFields;
use crate::openapi::Describe;
use crate::problem::ApiProblem;

/// Method of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpMethod {
    /// Reads.
    Get,
    /// Creates, or does something.
    Post,
    /// Sets in the place of what was.
    Put,
    /// Changes a part.
    Patch,
    /// Removes.
    Delete,
}

impl HttpMethod {
    /// Returns the method as a request has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    pub(crate) fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

impl fmt::Display for HttpMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Reach of a route: what it is about, and so which tokens may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteReach {
    /// The site, or what only the site may do with an account: a token that is bound to an account is
    /// refused (403).
    Site,
    /// The account that the path names, and things of it.
    Account,
    /// Things of the account that the path names; the request itself does not name the account.
    ThingsOfAccount,
    /// All accounts, or the one that the request names: a bound token finds its own alone.
    Accounts,
}

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerForm {
    /// 200 with what the operation answers.
    Item,
    /// 200 with the one item of a list.
    OnlyItem,
    /// 204.
    Done,
    /// 201 with what the operation answers, and its path in `Location`.
    Created(&'static str),
    /// 201 with a number, as a member of this name, and its path in `Location`.
    CreatedNumber(&'static str, &'static str),
    /// 202 with what the operation answers, and the path of its progress in `Location`.
    Begun(&'static str),
    /// 200 with all items.
    Results,
    /// 200 with a page of a list that the relay has in memory, in the order of these members, which
    /// name an item.
    List(&'static [&'static str]),
    /// 200 with a page of a list that the store reads by pages. Each pair is a member of the next
    /// request, and the member of the last item that it comes from; without a name, it is the item.
    Page(&'static [(&'static str, &'static str)]),
    /// 200 with a page of events.
    Events,
    /// 200 with events as they happen (server-sent events).
    Stream,
}

impl AnswerForm {
    /// Returns true if the answer is a page, which a request asks for by `limit` and `cursor`.
    pub(crate) fn is_paged(self) -> bool {
        matches!(
            self,
            Self::List(_) | Self::Page(_) | Self::Events | Self::Stream
        )
    }
}

/// Future of an executed operation.
pub(crate) type Executing<'a> =
    Pin<Box<dyn Future<Output = Result<Value, ApiProblem>> + Send + 'a>>;

/// Function that executes an operation.
pub(crate) type Execute = for<'a> fn(&'a RequestHandler, RequestFields, &'a Asker) -> Executing<'a>;

/// Row of the table: a method at a path, and the operation behind it.
#[derive(Debug, Clone, Copy)]
pub struct ApiRoute {
    /// Method.
    pub method: HttpMethod,
    /// Path below [`BASE`](crate::BASE), with parameters in braces.
    pub path: &'static str,
    /// Name of the operation.
    pub operation: &'static str,
    /// Scope that a token needs.
    pub scope: ApiScope,
    /// Reach.
    pub reach: RouteReach,
    /// Form of the answer.
    pub form: AnswerForm,
    /// Sentence for the documentation.
    pub sentence: &'static str,
    pub(crate) execute: Execute,
    pub(crate) describe: Describe,
}

impl ApiRoute {
    /// Returns the names of the parameters of its path, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        let parts = self.path.split('/');
        parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

/// Executes an operation whose request is made of these fields.
pub(crate) fn execute<O: Operation>(
    handler: &RequestHandler,
    fields: RequestFields,
    asker: &Asker,
) -> Executing<'static>
where
    O::Answer: Send,
{
    let (handler, asker) = (handler.clone(), asker.clone());
    Box::pin(async move {
        let request: O = fields.into_request()?;
        let answer = handler.execute(request, &asker).await?;
        let answer = serde_json::to_value(answer);
        Ok(answer.map_err(|error| OperationError::new(Code::Internal, error))?)
    })
}
