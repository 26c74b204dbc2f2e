//! Changes that are made only if a resource is still as the application saw it (RFC 9110 section 13).
//!
//! The answer to a GET of a resource has an `ETag`, a digest of what it shows. A change with `If-Match`
//! is made if the resource still has that tag. Between comparison and change nothing else can be
//! changed: the change expects the revision of the directory at which the tag was compared, and the
//! comparison is made again if it has another by then.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use gatepost_operations::{Asker, Code, Runtime, expecting};
use http::HeaderMap;
use http::header::IF_MATCH;
use ring::digest::{SHA256, digest};
use serde_json::Value;

use crate::answer;
use crate::fields::{FieldError, RequestFields};
use crate::problem::ApiProblem;
use crate::route::{ApiRoute, Executing, HttpMethod};
use crate::table::{CONDITIONAL, ROUTES, TAGGED};

/// Number of comparisons before the relay gives up: others change the directory all the time.
const COMPARISONS: usize = 20;

/// Bytes of a digest that a tag has.
const TAG_LENGTH: usize = 18;

/// Returns the strong entity tag of what a GET answers, if its resource has one.
pub(crate) fn tag_of(route: &ApiRoute, shown: &Value) -> Option<String> {
    let members = tagged_members(route)?;
    let seen = match members {
        [] => shown.to_string(),
        members => {
            let seen: Vec<_> = members.iter().map(|name| &shown[*name]).collect();
            serde_json::to_string(&seen).unwrap_or_default()
        }
    };
    let digest = digest(&SHA256, seen.as_bytes());
    Some(format!(
        "\"{}\"",
        URL_SAFE_NO_PAD.encode(&digest.as_ref()[..TAG_LENGTH])
    ))
}

/// Returns true if a GET of the route has an entity tag.
pub(crate) fn is_tagged(route: &ApiRoute) -> bool {
    tagged_members(route).is_some()
}

/// Returns the members that make the entity tag of what a route shows; without any, all do.
fn tagged_members(route: &ApiRoute) -> Option<&'static [&'static str]> {
    if route.method != HttpMethod::Get || !route.path.starts_with("/accounts/{account}") {
        return None;
    }
    let tagged = TAGGED.iter().find(|(name, _)| *name == route.operation);
    tagged.map(|(_, members)| *members)
}

/// Condition of a request.
#[derive(Debug)]
pub(crate) struct Condition {
    /// Field `If-Match`.
    wanted: String,
    /// Route that shows the resource.
    shown_by: &'static ApiRoute,
}

impl Condition {
    /// Reads the condition of a request; `None` if it has none.
    ///
    /// # Errors
    /// It has one, and is none of those that are made under conditions.
    pub(crate) fn read(route: &ApiRoute, headers: &HeaderMap) -> Result<Option<Self>, FieldError> {
        let given: Result<Vec<_>, _> = (headers.get_all(IF_MATCH).iter())
            .map(|value| value.to_str())
            .collect();
        let given = given.map_err(|_| FieldError::new("it is no text").of("If-Match"))?;
        if given.is_empty() {
            return Ok(None);
        }
        let resource = CONDITIONAL
            .iter()
            .find(|(name, _)| *name == route.operation);
        let shown_by = resource.and_then(|(_, resource)| {
            let of_accounts = |of: &&ApiRoute| of.path.starts_with("/accounts/{account}");
            let mut routes = ROUTES.iter().filter(of_accounts);
            routes.find(|of| of.operation == *resource && of.method == HttpMethod::Get)
        });
        let shown_by = shown_by.ok_or_else(|| {
            let text = "this request is made without a condition only";
            FieldError::new(text).of("If-Match")
        })?;
        Ok(Some(Self {
            wanted: given.join(", "),
            shown_by,
        }))
    }

    /// Executes a request if the resource still has a tag that is wanted.
    ///
    /// # Errors
    /// It has another (412), or those of the request.
    pub(crate) async fn execute<'a>(
        &self,
        on: &Runtime,
        handler: &gatepost_operations::RequestHandler,
        fields: &RequestFields,
        asker: &Asker,
        execute: impl Fn() -> Executing<'a>,
    ) -> Result<Value, ApiProblem> {
        for _ in 0..COMPARISONS {
            let revision = on.directory.revision();
            let shown = (self.shown_by.execute)(handler, fields.only_path(), asker).await?;
            let shown = answer::shown(self.shown_by, shown)?;
            let tag = tag_of(self.shown_by, &shown);
            if !tag.is_some_and(|tag| self.wants(&tag)) {
                let text = "what the request wants to change has another tag than `If-Match` names";
                return Err(ApiProblem::new(Code::ChangedMeanwhile, text));
            }
            match expecting(revision, execute()).await {
                Err(problem) if problem.code() == Code::ChangedMeanwhile => {}
                executed => return executed,
            }
        }
        let text = "others change the directory faster than this change can be made";
        Err(ApiProblem::new(Code::Overloaded, text))
    }

    /// Returns true if the field names this strong tag, or any. Weak ones match nothing (RFC 9110
    /// section 13.1.1).
    fn wants(&self, tag: &str) -> bool {
        let mut wanted = self.wanted.split(',').map(str::trim);
        wanted.any(|wanted| wanted == "*" || wanted == tag)
    }
}
