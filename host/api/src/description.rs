//! Page that describes the API for a developer, made of the table of routes. It needs nothing of the
//! network, and its policy lets it run nothing.

use std::fmt::Write as _;

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use gatepost_operations::Code;
use http::Response;
use http::header::{self, HeaderValue};
use ring::digest::{SHA256, digest};

use crate::BASE;
use crate::messages;
use crate::route::RouteReach;
use crate::table::ROUTES;

/// Style of the page, which its policy allows alone.
const STYLE: &str = "body{font:1em/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}\
    table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;padding:.2em .8em .2em 0;\
    border-bottom:1px solid #ccc}code{white-space:nowrap}";

/// Returns the page.
pub(crate) fn page() -> Response<Body> {
    let mut body = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>API of the relay</title>\
         <style>{STYLE}</style></head><body><h1>API of the relay</h1>\
         <p>Paths are below <code>{BASE}</code>. A token that is bound to an account is refused where \
         the last column says site.</p>\
         <table><tr><th>Request</th><th>Effect</th><th>Scope</th><th>About</th></tr>"
    );
    for route in ROUTES {
        let about = match route.reach {
            RouteReach::Site => "site",
            RouteReach::Account | RouteReach::ThingsOfAccount => "account",
            RouteReach::Accounts => "site or account",
        };
        // What is in the table has none of the characters that HTML reads as its own.
        let _ = write!(
            body,
            "<tr><td><code>{} {}</code></td><td>{}</td><td>{}</td><td>{about}</td></tr>",
            route.method, route.path, route.sentence, route.scope
        );
    }
    let _ = write!(
        body,
        "<tr><td><code>POST {}</code></td><td>Hands a message in, of parts, with files, or as it \
         is.</td><td>operate</td><td>account</td></tr>",
        messages::PATH
    );
    body.push_str(
        "</table><h2>Errors</h2><table><tr><th>Code</th><th>Status</th><th>What to do</th></tr>",
    );
    for code in Code::ALL {
        let status = code.status().as_u16();
        let what_to_do = code.what_to_do().replace('&', "&amp;").replace('<', "&lt;");
        let _ = write!(
            body,
            "<tr id=\"{code}\"><td><code>{code}</code></td><td>{status}</td><td>{what_to_do}</td></tr>"
        );
    }
    body.push_str("</table></body></html>\n");
    let mut response = Response::new(Body::from(body));
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
