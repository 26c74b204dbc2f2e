//! The settings of outbound-route.

use gatepost_sdk::NextHop;

/// Which domain's mail goes where.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// One route for each sender domain; all other mail takes the relay's default route.
    pub routes: Vec<Route>,
}

/// Where mail of one sender domain goes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Route {
    /// The domain of the reverse-path, exactly.
    #[schemars(length(min = 1, max = 253))]
    pub domain: String,
    /// The server that takes it.
    pub next_hop: NextHop,
}

impl Settings {
    /// What is wrong with them that the schema cannot say.
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
