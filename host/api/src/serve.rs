//! The server of the API, with its bounds.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, RawPathParamsRejection};
use axum::extract::{Path, RawPathParams, Request};
use axum::routing::{MethodFilter, MethodRouter};
use gatepost_certificates::ServerTls;
use gatepost_directory::Directory;
use gatepost_http_server::{HttpClientFacts, HttpServer, HttpService, HttpSocket, ServerBounds};
use gatepost_operations::{Code, RequestHandler};
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use hyper::body::Incoming;
use tower_service::Service as _;

use crate::BASE;
use crate::call::ApiState;
use crate::description;
use crate::messages;
use crate::openapi;
use crate::problem::ApiProblem;
use crate::route::ApiRoute;
use crate::table::ROUTES;

/// Bounds of the server. A connection carries many requests, some of which wait.
pub(crate) const BOUNDS: ServerBounds = ServerBounds {
    connections: 256,
    life: Duration::from_secs(3600),
    header: Duration::from_secs(60),
    header_size: 32 << 10,
    keep_alive: true,
};

/// Server of the API. Clones share their state.
#[derive(Clone)]
pub struct ApiServer(HttpServer<ApiService>);

impl ApiServer {
    /// Makes the server, which speaks this TLS over TCP, if any. A token may make so many
    /// requests in a minute.
    pub fn new(
        directory: Arc<Directory>,
        handler: RequestHandler,
        requests_a_minute: NonZeroU32,
        tls: Option<ServerTls>,
    ) -> Self {
        let state = Arc::new(ApiState::new(directory, handler, requests_a_minute));
        let router = router(&state);
        let service = ApiService { state, router };
        Self(HttpServer::new(service, "api", BOUNDS, tls))
    }

    /// Takes other settings: the next connections speak this TLS, or none, and the
    /// next requests are counted against this limit.
    pub fn activate(&self, requests_a_minute: NonZeroU32, tls: Option<ServerTls>) {
        self.0.set_tls(tls);
        self.0.service().state.set_rate(requests_a_minute);
    }

    /// Answers requests until `stop` is ready, and finishes those that are under way.
    pub async fn serve(self, socket: impl Into<HttpSocket>, stop: impl Future<Output = ()> + Send) {
        self.0.serve(socket, stop).await;
    }
}

/// The API as a service.
#[derive(Clone)]
struct ApiService {
    state: Arc<ApiState>,
    router: Router,
}

impl HttpService for ApiService {
    type Admission = ();
    type Body = Body;

    fn admit(&self, _: Option<IpAddr>) -> Option<()> {
        Some(())
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        client: HttpClientFacts<()>,
    ) -> Response<Body> {
        let is_https = client.is_https;
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(client);
        let answered = self.router.clone().call(request).await;
        let mut response = match answered {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let kept = HeaderValue::from_static("no-store");
        let fields = response.headers_mut();
        fields.entry(header::CACHE_CONTROL).or_insert(kept);
        let sniffing = HeaderValue::from_static("nosniff");
        fields.insert(header::X_CONTENT_TYPE_OPTIONS, sniffing);
        if is_https {
            let year = HeaderValue::from_static("max-age=31536000");
            fields.insert(header::STRICT_TRANSPORT_SECURITY, year);
        }
        count(response.status());
        response
    }
}

fn count(status: StatusCode) {
    let answer = match status.as_u16() {
        ..400 => "done",
        400..500 => "refused",
        _ => "failed",
    };
    metrics::counter!("gatepost_api_requests_total", "answer" => answer).increment(1);
}

/// Makes the router of the table. What it has not is refused by a problem, too.
fn router(state: &Arc<ApiState>) -> Router {
    let mut paths: BTreeMap<&str, Vec<&'static ApiRoute>> = BTreeMap::new();
    for route in ROUTES {
        paths.entry(route.path).or_default().push(route);
    }
    let mut router = Router::new();
    for (path, routes) in paths {
        router = router.route(&format!("{BASE}{path}"), methods(state, &routes));
    }
    let docs = axum::routing::get(async || description::page());
    let docs = docs.fallback(async || wrong_method("GET, HEAD"));
    let document = axum::routing::get(async || openapi::response());
    let document = document.fallback(async || wrong_method("GET, HEAD"));
    router
        .route(&format!("{BASE}{}", messages::PATH), handing_in(state))
        .route(&format!("{BASE}/docs"), docs)
        .route(&format!("{BASE}{}", openapi::PATH), document)
        .fallback(async |request: Request| {
            let path = request.uri().path();
            let text = format!("there is nothing at {}", path.escape_debug());
            ApiProblem::new(Code::UnknownPath, text).response()
        })
}

/// Makes the route by which programs hand in messages.
fn handing_in(state: &Arc<ApiState>) -> MethodRouter {
    let state = Arc::clone(state);
    let answer =
        async move |account: Result<Path<String>, PathRejection>, request: Request| match account {
            Ok(Path(account)) => messages::answer(state, account, request).await,
            Err(_) => not_utf8(),
        };
    let methods = MethodRouter::<(), Infallible>::new().on(MethodFilter::POST, answer);
    methods.fallback(async || wrong_method("POST"))
}

fn not_utf8() -> Response<Body> {
    let text = "the path is not UTF-8 when it is decoded";
    ApiProblem::new(Code::NotUnderstood, text).response()
}

fn methods(state: &Arc<ApiState>, routes: &[&'static ApiRoute]) -> MethodRouter {
    let mut methods = MethodRouter::<(), Infallible>::new();
    let mut allowed = Vec::new();
    for route in routes.iter().copied() {
        let state = Arc::clone(state);
        allowed.push(route.method.word());
        let answer = async move |parameters: Result<RawPathParams, RawPathParamsRejection>,
                                 request: Request| {
            match parameters {
                Ok(parameters) => {
                    let parameters = parameters.iter();
                    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
                    let parameters = parameters.map(owned).collect();
                    Arc::clone(&state).answer(route, parameters, request).await
                }
                Err(_) => not_utf8(),
            }
        };
        methods = methods.on(route.method.filter(), answer);
    }
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    let allowed = allowed.join(", ");
    methods.fallback(async move || wrong_method(&allowed))
}

fn wrong_method(allowed: &str) -> Response<Body> {
    let text = format!("this path knows {allowed}");
    ApiProblem::new(Code::UnknownMethod, text)
        .with(header::ALLOW, allowed)
        .response()
}
