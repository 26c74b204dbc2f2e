//! Settings of outbound-route.

use gatepost_sdk::NextHop;

/// Next hops by sender domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// One route for each sender domain; all other mail takes the relay's default route.
    pub routes: Vec<Route>,
}

/// Route of one sender domain.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Route {
    /// Domain of the reverse-path, without subdomains; case does not matter.
    #[schemars(length(min = 1, max = 253))]
    pub domain: String,
    /// Server that the mail is handed to.
    pub next_hop: NextHop,
}

impl Settings {
    /// Returns the problems that the schema cannot express.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (index, route) in self.routes.iter().enumerate() {
            let same = |earlier: &&Route| earlier.domain.eq_ignore_ascii_case(&route.domain);
            if self.routes[..index].iter().any(|earlier| same(&earlier)) {
                problems.push(format!(
                    "/routes/{index}/domain: {} has a route already",
                    route.domain
                ));
            }
            if route.next_hop.port == 0 {
                problems.push(format!("/routes/{index}/next-hop/port: 0 is not a port"));
            }
        }
        problems
    }
}
