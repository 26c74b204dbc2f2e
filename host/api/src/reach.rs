//! What a request may name: things of the account of its path, and of a bound token's account.

use gatepost_directory::ApiToken;
use gatepost_message::TransactionId;
use gatepost_operations::belonging::{self, OwnedThing};
use gatepost_operations::{Code, Runtime};

use crate::fields::{FieldError, RequestFields};
use crate::problem::ApiProblem;
use crate::route::{ApiRoute, RouteReach};

/// Parameters of paths that name a thing of the account in the path.
const THINGS: [(&str, OwnedThing); 6] = [
    ("connector", OwnedThing::Connector),
    ("credential", OwnedThing::Credential),
    ("domain", OwnedThing::Domain),
    ("list", OwnedThing::PartnerList),
    ("import", OwnedThing::Import),
    ("authorization", OwnedThing::Authorization),
];

/// Restricts a request to what its token may see, and puts the id of the account in the place of
/// another name of it.
///
/// # Errors
/// The request names something that is not of the account of its path or its token: 404, as for what
/// does not exist. Or it is one about the site, and the token is bound: 403.
pub(crate) async fn restrict(
    on: &Runtime,
    route: &ApiRoute,
    token: &ApiToken,
    fields: &mut RequestFields,
) -> Result<(), ApiProblem> {
    if route.reach == RouteReach::Site && token.account.is_some() {
        let text = "the token is bound to an account, and this is about the site";
        return Err(ApiProblem::new(Code::TokenBound, text));
    }
    if let Some(named) = fields.parameter("account").map(str::to_owned) {
        let account = belonging::named_account(&on.directory, token, &named)?;
        for (parameter, thing) in THINGS {
            if let Some(named) = fields.parameter(parameter) {
                belonging::check(on, &account, thing, named).await?;
            }
        }
        match route.reach {
            RouteReach::ThingsOfAccount => fields.remove_parameter("account"),
            _ => fields.set_parameter("account", account),
        }
    } else if route.reach == RouteReach::Accounts {
        restrict_to_own(on, route, token, fields).await?;
    }
    Ok(())
}

/// Restricts a request that names an account, a message, or neither.
async fn restrict_to_own(
    on: &Runtime,
    route: &ApiRoute,
    token: &ApiToken,
    fields: &mut RequestFields,
) -> Result<(), ApiProblem> {
    if let Some(named) = fields.parameter("message") {
        let id: TransactionId =
            (named.parse()).map_err(|error| FieldError::new(error).of("message"))?;
        if let Some(bound) = token.account {
            belonging::check_message(on, bound, id, route.operation).await?;
        }
        return Ok(());
    }
    let named = fields.text("account")?;
    let named = named.or_else(|| token.account.map(|bound| bound.to_string()));
    if let Some(named) = named {
        let account = belonging::named_account(&on.directory, token, &named)?;
        fields.set("account", account.into());
    }
    Ok(())
}
