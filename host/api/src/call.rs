//! The way of a request: token, rate, scope, room, fields, reach, operation, answer.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use axum::extract::Request;
use gatepost_directory::{ApiToken, Directory};
use gatepost_operations::{Asker, Code, OperationError, RequestHandler};
use http::Response;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::answer::{AnsweredRequest, AskedPage};
use crate::bearer;
use crate::body;
use crate::condition::Condition;
use crate::fields::RequestFields;
use crate::messages;
use crate::problem::ApiProblem;
use crate::rate::TokenRate;
use crate::reach;
use crate::repetition::{RequestKey, UnderWay};
use crate::route::{AnswerForm, ApiRoute, HttpMethod};
use crate::stream::{self, EventStream, MOST_STREAMS};

/// Most requests that are executed at a time.
const MOST_REQUESTS: usize = 128;

/// State that all requests share.
pub(crate) struct ApiState {
    pub(crate) directory: Arc<Directory>,
    pub(crate) handler: RequestHandler,
    /// KiB for the messages that are read and handed in.
    pub(crate) memory: Arc<Semaphore>,
    rate: TokenRate,
    requests_a_minute: AtomicU32,
    room: Arc<Semaphore>,
    under_way: UnderWay,
    streams: Arc<Semaphore>,
}

impl ApiState {
    pub(crate) fn new(
        directory: Arc<Directory>,
        handler: RequestHandler,
        requests_a_minute: NonZeroU32,
    ) -> Self {
        Self {
            directory,
            handler,
            memory: Arc::new(Semaphore::new(messages::MEMORY)),
            rate: TokenRate::default(),
            requests_a_minute: AtomicU32::new(requests_a_minute.get()),
            room: Arc::new(Semaphore::new(MOST_REQUESTS)),
            under_way: UnderWay::default(),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
        }
    }

    /// Sets the number of requests that a token may make in a minute.
    pub(crate) fn set_rate(&self, requests_a_minute: NonZeroU32) {
        self.requests_a_minute
            .store(requests_a_minute.get(), Ordering::Relaxed);
    }

    /// Answers a request for a route with these parameters in its path.
    pub(crate) async fn answer(
        self: Arc<Self>,
        route: &'static ApiRoute,
        parameters: Vec<(String, String)>,
        request: Request,
    ) -> Response<Body> {
        let token = match bearer::presented(&self.directory, request.headers()).await {
            Ok(token) => token,
            Err(problem) => return problem.response(),
        };
        let limit = self.requests_a_minute.load(Ordering::Relaxed);
        let limit = NonZeroU32::new(limit).unwrap_or(NonZeroU32::MIN);
        let rate = match self.rate.count(&token.id, limit) {
            Ok(rate) => rate,
            Err(problem) => return problem.response(),
        };
        let mut response = if route.form == AnswerForm::Stream {
            let streamed = self.stream(route, parameters, request, token).await;
            streamed.map_or_else(ApiProblem::response, EventStream::response)
        } else {
            let answered = self.execute(route, parameters, request, token).await;
            answered.map_or_else(ApiProblem::response, AnsweredRequest::response)
        };
        rate.add_to(response.headers_mut());
        response
    }

    /// Makes the stream of events that a request asks for.
    async fn stream(
        &self,
        route: &'static ApiRoute,
        parameters: Vec<(String, String)>,
        request: Request,
        token: ApiToken,
    ) -> Result<EventStream, ApiProblem> {
        bearer::require(&token, route.scope)?;
        let place = Arc::clone(&self.streams).try_acquire_owned();
        let place = place.map_err(|_| stream::too_many())?;
        let query = request.uri().query().unwrap_or_default();
        let mut fields = RequestFields::new(parameters, query)?;
        AskedPage::take(route, &mut fields)?;
        let on = self.handler.running_relay()?;
        reach::restrict(&on, route, &token, &mut fields).await?;
        let newest = *on.events.last().borrow();
        let after = stream::beginning(request.headers(), &fields, newest)?;
        // What is wrong with the request is said before the stream begins.
        let mut first = fields.clone();
        first.set("limit", 0.into());
        (route.execute)(&self.handler, first, &Asker::of_token(&token)).await?;
        let client = request.extensions().get().cloned();
        let client = client
            .ok_or_else(|| ApiProblem::new(Code::Internal, "the request came on no connection"))?;
        Ok(EventStream {
            route,
            handler: self.handler.clone(),
            directory: Arc::clone(&self.directory),
            token,
            fields,
            after,
            client,
            _place: place,
        })
    }

    /// Executes the operation of a request of a token.
    async fn execute(
        self: Arc<Self>,
        route: &'static ApiRoute,
        parameters: Vec<(String, String)>,
        request: Request,
        token: ApiToken,
    ) -> Result<AnsweredRequest, ApiProblem> {
        bearer::require(&token, route.scope)?;
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            let text = format!("the relay answers {MOST_REQUESTS} requests at a time");
            ApiProblem::new(Code::Overloaded, text)
        })?;
        let (parts, body) = request.into_parts();
        let query = parts.uri.query().unwrap_or_default();
        let mut fields = RequestFields::new(parameters, query)?;
        let members = body::members(&parts.headers, body).await?;
        let asked = format!(
            "{} {} {}",
            route.method,
            parts.uri,
            Value::from(members.clone())
        );
        let key = RequestKey::read(route, &parts.headers, &token.id, &asked)?;
        fields.add_members(members)?;
        let condition = Condition::read(route, &parts.headers)?;
        let page = AskedPage::take(route, &mut fields)?;
        let on = self.handler.running_relay()?;
        reach::restrict(&on, route, &token, &mut fields).await?;
        let asker = Asker::of_token(&token);
        let state = Arc::clone(&self);
        let executed = async move {
            let handler = &state.handler;
            let execute = || (route.execute)(handler, fields.clone(), &asker);
            let answer = match condition {
                None => execute().await?,
                Some(of) => of.execute(&on, handler, &fields, &asker, execute).await?,
            };
            Ok(AnsweredRequest::of(route, &fields, page.as_ref(), answer)?)
        };
        match route.method {
            HttpMethod::Get => executed.await,
            // What changes something is brought to its end even if the client goes away, so that it is
            // in the audit log.
            _ => {
                let done = tokio::spawn(async move {
                    let _room = room;
                    match key {
                        None => executed.await,
                        Some(key) => {
                            key.execute(&self.directory, &self.under_way, executed)
                                .await
                        }
                    }
                });
                done.await.map_err(OperationError::from)?
            }
        }
    }
}
