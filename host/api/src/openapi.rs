//! Description of the API in OpenAPI 3.1, made of the table of routes and of the types of requests and
//! answers. It is made once, and served to whoever asks: it says nothing of the site.
//!
//! OpenAPI 3.1 has the schemas of JSON Schema (draft 2020-12). Those of requests stand where they are
//! used, since a member may come from the path, the query or the body; those of answers stand once,
//! under the name of their type.

mod answers;
mod requests;
mod schemas;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::body::Body;
use gatepost_operations::Code;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

pub(crate) use self::requests::{key, parameter};
pub(crate) use self::schemas::{Describe, Schemas, describe};
use crate::BASE;
use crate::messages;
use crate::route::{ApiRoute, RouteReach};
use crate::table::ROUTES;

/// Path of the description below [`BASE`].
pub(crate) const PATH: &str = "/openapi.json";

/// Name of the scheme by which a request presents its token.
const SCHEME: &str = "token";

static DOCUMENT: LazyLock<Value> = LazyLock::new(made);

/// Returns the description.
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// Returns the description as a response.
pub(crate) fn response() -> Response<Body> {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());
    let mut response = Response::new(Body::from(TEXT.as_str()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn made() -> Value {
    let mut schemas = Schemas::default();
    let mut paths = Map::new();
    let mut ids = BTreeSet::new();
    for route in ROUTES {
        let described = described(route, &mut schemas, &mut ids);
        insert(&mut paths, route.path, route.method.word(), described);
    }
    let mut handing_in = messages::description::described(&mut schemas);
    handing_in["responses"] = answers::of_messages(&mut schemas);
    insert(&mut paths, messages::PATH, "POST", handing_in);
    let groups: BTreeSet<_> = paths.keys().map(|path| group(path)).collect();
    let groups: Vec<_> = groups.iter().map(|name| json!({ "name": name })).collect();
    let problem = answers::problem(&mut schemas);
    let mut components = schemas.into_components();
    components.insert("Problem".to_owned(), problem);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "API of the relay",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Operates a relay: accounts, connectors, mail out and in, queue, events. Each \
                request presents a token; the roles of its security are the scope that the token needs.",
        },
        "servers": [{ "url": BASE }],
        "security": [{ SCHEME: [] }],
        "tags": groups,
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": answers::of_problems(),
            "securitySchemes": {
                SCHEME: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Token of `gatepost token add` (RFC 6750).",
                },
            },
        },
    })
}

fn insert(paths: &mut Map<String, Value>, path: &str, method: &str, described: Value) {
    let item = paths.entry(path).or_insert_with(|| json!({}));
    item[method.to_lowercase()] = described;
}

/// Describes a route.
fn described(route: &ApiRoute, schemas: &mut Schemas, ids: &mut BTreeSet<String>) -> Value {
    let of = (route.describe)(schemas);
    let asked = requests::RequestParts::of(route, &of.request);
    let about = match route.reach {
        RouteReach::Site => "It is about the site: a token that is bound to an account is refused.",
        RouteReach::Account | RouteReach::ThingsOfAccount => "It is about the account of the path.",
        RouteReach::Accounts => "A token that is bound to an account finds what is the account's.",
    };
    let scope = route.scope;
    let mut described = operation(
        &id(route, ids),
        route.path,
        route.sentence,
        &format!("It takes a token that may {scope}. {about}"),
        &scope.to_string(),
    );
    described["parameters"] = asked.parameters.into();
    if let Some(body) = asked.body {
        described["requestBody"] = body;
    }
    described["responses"] = answers::of(route, of.answer);
    described
}

/// Describes what an operation is, without its request and its answers.
pub(crate) fn operation(
    id: &str,
    path: &str,
    summary: &str,
    description: &str,
    scope: &str,
) -> Value {
    json!({
        "operationId": id,
        "tags": [group(path)],
        "summary": summary,
        "description": description,
        "security": [{ SCHEME: [scope] }],
    })
}

/// Returns the id of a route: the name of its operation, and for a second path of the operation the
/// words of the path.
fn id(route: &ApiRoute, taken: &mut BTreeSet<String>) -> String {
    let mut id = route.operation.to_owned();
    if taken.contains(&id) {
        let words = route.path.split('/').filter(|word| !word.is_empty());
        let words: Vec<_> = words.map(|word| word.trim_matches(['{', '}'])).collect();
        id = format!("{}-{}", route.method.word().to_lowercase(), words.join("-"));
    }
    taken.insert(id.clone());
    id
}

/// Returns the group of a path: the things that it is about.
fn group(path: &str) -> &str {
    let mut words = path.split('/').skip(1);
    let first = words.next().unwrap_or_default();
    match (first, words.nth(1)) {
        ("accounts", Some(things)) if things.ends_with('s') => things,
        _ => first,
    }
}

/// Returns the statuses of all problems, in order.
fn problem_statuses() -> BTreeSet<u16> {
    let problems = Code::ALL.iter().map(|code| code.status());
    problems.map(|status: StatusCode| status.as_u16()).collect()
}
