//! Plans of the hook `route`: what a guest asks for becomes a [`Plan`] of the relay's own, call by
//! call.

use gatepost_message::{Address, domain_to_ascii};
use gatepost_model::{GoOn, NextHop, Plan, Routing, Step, Way};
use wasmtime::component::Resource;

use crate::contract::wit::plans;
use crate::convert;
use crate::host::{Abort, CallState, one_line, refuse};
use crate::records::Mapped;

/// Number of plans that one call may begin.
const MOST_PLANS: usize = 16;

/// Length limit of a name, in bytes.
const LONGEST_NAME: usize = 64;

/// Length limit of the reason for which a recipient is held or discarded, in bytes.
const LONGEST_REASON: usize = 4 << 10;

/// Handle of a plan: its number in [`CallState`].
pub struct PlanHandle;

/// Checks a name of something that the relay knows.
fn name(name: String) -> wasmtime::Result<String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(allowed) {
        let shown: String = name.chars().take(LONGEST_NAME).collect();
        return Err(refuse(format!(
            "name {shown:?} in its plan: 1 to {LONGEST_NAME} letters, digits, -, . and _"
        )));
    }
    Ok(name)
}

fn address(text: &str) -> wasmtime::Result<Address> {
    Address::parse(text).map_err(|error| {
        let shown: String = text.chars().take(LONGEST_NAME).collect();
        refuse(format!("address {shown:?} in its plan: {error}"))
    })
}

impl CallState {
    fn plan(&mut self, plan: &Resource<PlanHandle>) -> wasmtime::Result<&mut Plan> {
        let number = usize::try_from(plan.rep()).ok();
        let plan = number.and_then(|number| self.plans.get_mut(number));
        plan.ok_or_else(|| refuse("it has no such plan"))
    }

    fn add_step(&mut self, plan: &Resource<PlanHandle>, way: Way) -> wasmtime::Result<()> {
        let steps = &mut self.plan(plan)?.steps;
        if steps.len() == Plan::MOST_STEPS {
            let most = Plan::MOST_STEPS;
            return Err(refuse(format!("its plan has more than {most} steps")));
        }
        steps.push(Step::new(way));
        Ok(())
    }

    fn last_step(&mut self, plan: &Resource<PlanHandle>) -> wasmtime::Result<&mut Step> {
        let last = self.plan(plan)?.steps.last_mut();
        last.ok_or_else(|| refuse("its plan has no step yet"))
    }

    /// Adds a step to something that the relay knows by this name.
    fn add_named(
        &mut self,
        plan: &Resource<PlanHandle>,
        text: String,
        way: fn(String) -> Way,
    ) -> wasmtime::Result<()> {
        self.count_answer(text.len())?;
        let name = name(text)?;
        self.add_step(plan, way(name))
    }
}

impl plans::Host for CallState {}

impl plans::HostPlan for CallState {
    fn new(&mut self) -> wasmtime::Result<Resource<PlanHandle>> {
        self.count_answer(0)?;
        if self.plans.len() == MOST_PLANS {
            let text = format!("it begins more than {MOST_PLANS} plans");
            return Err(Abort::Limit(text).into());
        }
        let number = u32::try_from(self.plans.len())?;
        self.plans.push(Plan {
            steps: Vec::new(),
            send_as: None,
            expire_after: None,
            holds_for: None,
        });
        Ok(Resource::new_own(number))
    }

    fn connection(&mut self, plan: Resource<PlanHandle>, name: String) -> wasmtime::Result<()> {
        self.add_named(&plan, name, Way::Connection)
    }

    fn connection_of(&mut self, plan: Resource<PlanHandle>, text: String) -> wasmtime::Result<()> {
        self.count_answer(text.len())?;
        self.add_step(&plan, Way::ConnectionOf(address(&text)?))
    }

    fn mx(&mut self, plan: Resource<PlanHandle>) -> wasmtime::Result<()> {
        self.add_step(&plan, Way::Mx)
    }

    fn inside(&mut self, plan: Resource<PlanHandle>) -> wasmtime::Result<()> {
        self.add_step(&plan, Way::Inside)
    }

    fn lmtp(&mut self, plan: Resource<PlanHandle>, name: String) -> wasmtime::Result<()> {
        self.add_named(&plan, name, Way::Lmtp)
    }

    fn http(&mut self, plan: Resource<PlanHandle>, name: String) -> wasmtime::Result<()> {
        self.add_named(&plan, name, Way::Http)
    }

    fn maildir(&mut self, plan: Resource<PlanHandle>, name: String) -> wasmtime::Result<()> {
        self.add_named(&plan, name, Way::Maildir)
    }

    fn next_hop(
        &mut self,
        plan: Resource<PlanHandle>,
        host: String,
        port: u16,
        tls: plans::TlsMode,
        protocol: plans::Protocol,
    ) -> wasmtime::Result<()> {
        self.count_answer(host.len())?;
        if !self.view.grants.next_hop {
            return Err(refuse("it names a next hop without the `next-hop` grant"));
        }
        let plausible = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
        let ascii = domain_to_ascii(&host).unwrap_or_default();
        if ascii.is_empty() || ascii.len() > 253 || !ascii.bytes().all(plausible) || port == 0 {
            let shown: String = host.chars().take(253).collect();
            return Err(refuse(format!(
                "its next hop {shown:?} port {port} is not a host and a port"
            )));
        }
        let hop = NextHop {
            host: ascii,
            port,
            tls: tls.mapped(),
            protocol: protocol.mapped(),
        };
        self.add_step(&plan, Way::NextHop(hop))
    }

    fn go_on_after(
        &mut self,
        plan: Resource<PlanHandle>,
        failures: u32,
        seconds: u32,
    ) -> wasmtime::Result<()> {
        if failures == 0 {
            return Err(refuse("its plan goes on after no failure"));
        }
        self.last_step(&plan)?.go_on_after = Some(GoOn { failures, seconds });
        Ok(())
    }

    fn egress(&mut self, plan: Resource<PlanHandle>, pool: String) -> wasmtime::Result<()> {
        self.count_answer(pool.len())?;
        self.last_step(&plan)?.egress = Some(name(pool)?);
        Ok(())
    }

    fn send_as(&mut self, plan: Resource<PlanHandle>, text: String) -> wasmtime::Result<()> {
        self.count_answer(text.len())?;
        self.plan(&plan)?.send_as = Some(address(&text)?);
        Ok(())
    }

    fn expire_after(&mut self, plan: Resource<PlanHandle>, seconds: u32) -> wasmtime::Result<()> {
        if seconds == 0 {
            return Err(refuse("its plan expires at once"));
        }
        self.plan(&plan)?.expire_after = Some(seconds);
        Ok(())
    }

    fn holds_for(&mut self, plan: Resource<PlanHandle>, seconds: u32) -> wasmtime::Result<()> {
        self.plan(&plan)?.holds_for = Some(seconds);
        Ok(())
    }

    fn drop(&mut self, _: Resource<PlanHandle>) -> wasmtime::Result<()> {
        Ok(())
    }
}

/// Checks a guest's routing; `plans` are those of its call.
pub(crate) fn routing(
    routing: plans::Routing,
    mut plans: Vec<Plan>,
    may_discard: bool,
) -> Result<Routing, String> {
    let reason = |text: String| match text.len() {
        0..=LONGEST_REASON => Ok(one_line(&text)),
        _ => Err(format!("its reason is over {LONGEST_REASON} octets")),
    };
    Ok(match routing {
        plans::Routing::Pass => Routing::Pass,
        plans::Routing::Deliver(plan) => {
            let number = usize::try_from(plan.rep()).unwrap_or(usize::MAX);
            if number >= plans.len() {
                return Err("it has no such plan".to_owned());
            }
            let plan = plans.swap_remove(number);
            if plan.steps.is_empty() {
                return Err("its plan has no step".to_owned());
            }
            Routing::Deliver(plan)
        }
        plans::Routing::Hold(text) => Routing::Hold(reason(text)?),
        plans::Routing::Discard(_) if !may_discard => {
            return Err("it discards without the `discard` grant".to_owned());
        }
        plans::Routing::Discard(text) => Routing::Discard(reason(text)?),
        plans::Routing::Defer(given) => Routing::Defer(convert::reply(given, 4)?),
        plans::Routing::Fail(given) => Routing::Fail(convert::reply(given, 5)?),
    })
}
