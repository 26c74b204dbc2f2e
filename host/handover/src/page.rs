//! Pages and their header fields.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use gatepost_directory::Scope;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Response};
use http_body_util::{BodyExt as _, Full};
use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

use crate::answer::Answer;
use crate::attachment::PageBody;

/// Style of all pages. The policy of the pages allows this one alone.
const STYLE: &str = "body{font:1.1em/1.5 sans-serif;max-width:36em;margin:3em auto;padding:0 1em}\
    code{font-size:1.1em;word-break:break-all}dt{margin-top:1em}button{font:inherit;padding:.5em 1em}";

/// Returns the response with this answer.
pub(crate) fn response(answer: &Answer, is_https: bool) -> Response<PageBody> {
    let body = Zeroizing::new(match answer {
        Answer::Button => page(
            "A secret for your mail server",
            "<p>Behind this button is the secret with which your mail server logs in. It is shown \
             <strong>once</strong>: have the configuration of the server at hand. Then this link \
             shows nothing any more.</p>\
             <form method=\"post\"><button>Show the secret</button></form>",
        ),
        Answer::Secret(issued) => {
            let use_of = match &issued.credential.scope {
                Scope::Inbound { domain, .. } => format!("relay from {domain}"),
                Scope::Submission => "submission".to_owned(),
            };
            let values = Zeroizing::new(format!(
                "<dl><dt>User name</dt><dd><code>{}</code></dd>\
                 <dt>Secret</dt><dd><code>{}</code></dd><dt>For</dt><dd>{}</dd></dl>\
                 <p>Enter both in your mail server now. This page is not shown again, and nobody \
                 can tell you the secret: if it is lost, ask for another link.</p>",
                escaped(issued.credential.user_name.as_str()),
                escaped(issued.secret.reveal()),
                escaped(&use_of),
            ));
            page("The secret", &values)
        }
        Answer::Gone => page(
            "This link shows nothing any more",
            "<p>It has been used, has expired, or was not copied as a whole.</p>\
             <p>If it was you who used it, all is well. If you have not seen the secret, ask \
             whoever sent you the link for another one, and say that this one was used: somebody \
             else may have the secret.</p>",
        ),
        Answer::NotFound => page("Nothing is here", "<p>Copy the link as a whole.</p>"),
        Answer::MethodNotAllowed => page("Not so", "<p>Open the link in a browser.</p>"),
        Answer::TooMany => page(
            "Too many requests",
            "<p>Open the link again in a minute. It has not been used up.</p>",
        ),
        Answer::Failed => page(
            "That failed",
            "<p>Open the link again in a minute. If it then shows nothing any more, ask for \
             another one.</p>",
        ),
    });
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
    let mut response = Response::new(body.map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = answer.status();
    fields(response.headers_mut(), answer, is_https);
    response
}

fn fields(fields: &mut HeaderMap, answer: &Answer, is_https: bool) {
    let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        fields.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONNECTION, "close"),
    ] {
        fields.insert(name, HeaderValue::from_static(value));
    }
    fields.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    if is_https {
        let year = HeaderValue::from_static("max-age=31536000");
        fields.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    match answer {
        Answer::TooMany => {
            fields.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        }
        Answer::MethodNotAllowed => {
            fields.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        }
        _ => {}
    }
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>\n"
    )
}

/// Returns a text without what HTML reads as its own.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
