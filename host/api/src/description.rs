//! Page that describes the API for a developer, made of its [description in OpenAPI](crate::openapi). It
//! needs nothing of the network, and its policy lets it run nothing: what is long is folded by HTML
//! alone.

mod schema;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use gatepost_operations::Code;
use http::Response;
use http::header::{self, HeaderValue};
use ring::digest::{SHA256, digest};
use serde_json::Value;

use self::schema::{members, prose, type_of};
use crate::BASE;
use crate::openapi;

/// Style of the page, which its policy allows alone.
const STYLE: &str = "body{font:1em/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}\
    table{border-collapse:collapse;margin:.5em 0}td,th{text-align:left;vertical-align:top;\
    padding:.2em .8em .2em 0;border-bottom:1px solid #ccc}summary{cursor:pointer;padding:.2em 0}\
    details>div{margin-left:1.2em}code{overflow-wrap:anywhere}summary code{font-weight:bold}";

/// Returns the page.
pub(crate) fn page() -> Response<Body> {
    static PAGE: LazyLock<String> = LazyLock::new(|| made(openapi::document()));
    let mut response = Response::new(Body::from(PAGE.as_str()));
    let fields = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    fields.insert(header::CONTENT_TYPE, html);
    let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        fields.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let nobody = HeaderValue::from_static("no-referrer");
    fields.insert(header::REFERRER_POLICY, nobody);
    response
}

fn made(document: &Value) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>API of the relay</title>\
         <style>{STYLE}</style></head><body><h1>API of the relay</h1>\
         <p>Paths are below <code>{BASE}</code>. The same for programs: \
         <a href=\"{BASE}{}\">OpenAPI</a>. Open a request for its members and answers.</p><p>",
        openapi::PATH
    );
    let groups = groups(document);
    for name in groups.keys() {
        let _ = write!(page, "<a href=\"#group-{name}\">{name}</a> · ");
    }
    page.push_str("<a href=\"#types\">types</a> · <a href=\"#errors\">errors</a></p>");
    for (name, requests) in &groups {
        let _ = write!(page, "<h2 id=\"group-{name}\">{name}</h2>");
        for (method, path, of) in requests {
            push_request(&mut page, method, path, of);
        }
    }
    page.push_str("<h2 id=\"types\">Types</h2>");
    let types = document["components"]["schemas"].as_object();
    for (name, schema) in types.into_iter().flatten() {
        let _ = write!(
            page,
            "<details id=\"type-{name}\"><summary><code>{name}</code></summary><div>{}{}</div></details>",
            described(schema),
            members(schema)
        );
    }
    push_errors(&mut page);
    page.push_str("</body></html>\n");
    page
}

/// Requests by the group that they are of, in order of their paths: method, path and description.
fn groups(document: &Value) -> BTreeMap<&str, Vec<(&str, &str, &Value)>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, of) in item.as_object().into_iter().flatten() {
            let group = of["tags"][0].as_str().unwrap_or_default();
            let request = (method.as_str(), path.as_str(), of);
            groups.entry(group).or_default().push(request);
        }
    }
    groups
}

fn push_request(page: &mut String, method: &str, path: &str, of: &Value) {
    let text = |name: &str| prose(of[name].as_str().unwrap_or_default());
    let _ = write!(
        page,
        "<details id=\"{}\"><summary><code>{} {path}</code> {}</summary><div><p>{}</p>",
        text("operationId"),
        method.to_uppercase(),
        text("summary"),
        text("description")
    );
    let parameters = of["parameters"].as_array();
    let parameters = parameters.map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        page.push_str("<table><tr><th>Parameter</th><th>In</th><th>Type</th><th>About</th></tr>");
        for one in parameters {
            let text = |name: &str| one[name].as_str().unwrap_or_default();
            let _ = write!(
                page,
                "<tr><td><code>{}</code>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                text("name"),
                if one["required"] == true {
                    ""
                } else {
                    ", optional"
                },
                text("in"),
                type_of(&one["schema"]),
                described(one)
            );
        }
        page.push_str("</table>");
    }
    for (kind, content) in of["requestBody"]["content"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let _ = write!(
            page,
            "<p>Body, <code>{kind}</code>:</p>{}",
            members(&content["schema"])
        );
    }
    page.push_str("<table><tr><th>Answer</th><th>Body</th><th>About</th></tr>");
    for (status, answer) in of["responses"].as_object().into_iter().flatten() {
        // Problems are all alike, and their codes are at the end of the page.
        if answer.get("$ref").is_some() {
            continue;
        }
        let bodies = answer["content"].as_object().into_iter().flatten();
        let bodies: Vec<_> = bodies.map(|(_, body)| type_of(&body["schema"])).collect();
        let _ = write!(
            page,
            "<tr><td>{status}</td><td>{}</td><td>{}</td></tr>",
            bodies.join(", "),
            described(answer)
        );
    }
    page.push_str("</table></div></details>");
}

fn described(of: &Value) -> String {
    prose(of["description"].as_str().unwrap_or_default())
}

fn push_errors(page: &mut String) {
    page.push_str(
        "<h2 id=\"errors\">Errors</h2>\
         <table><tr><th>Code</th><th>Status</th><th>What to do</th></tr>",
    );
    for code in Code::ALL {
        let _ = write!(
            page,
            "<tr id=\"{code}\"><td><code>{code}</code></td><td>{}</td><td>{}</td></tr>",
            code.status().as_u16(),
            prose(code.what_to_do())
        );
    }
    page.push_str("</table>");
}
