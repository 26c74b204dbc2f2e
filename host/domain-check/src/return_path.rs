//! Domain of the reverse-path of mail by MX: reports come back to it, and SPF is about it.

use gatepost_dns::Dns;

use crate::exchanges::lead_here;
use crate::report::{Finding, Standing, Topic};
use crate::sender_policy::{self, Results, Wanted};
use crate::subject::{ReturnPath, Site};
use crate::zone_line;

/// Compares the MX and the SPF record of a return path. One alias sets both right, if the domain
/// may be an alias of the site's.
pub(crate) async fn compare(
    dns: &impl Dns,
    site: &Site,
    path: &ReturnPath,
    results: &Results,
) -> Vec<Finding> {
    let name = path.domain.as_ascii();
    let (mx, spf) = tokio::join!(
        lead_here(dns, site, Topic::ReturnPath, name),
        sender_policy::compare(
            dns,
            site,
            Topic::ReturnPath,
            name,
            &Wanted::IncludeAlone,
            results
        )
    );
    let aliased = |finding: Finding| match &path.alias {
        Some(alias) if finding.standing != Standing::Right => {
            finding.paste([zone_line::cname(name, alias.as_ascii())])
        }
        _ => finding,
    };
    vec![aliased(mx), aliased(spf)]
}
