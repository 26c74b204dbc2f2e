//! The contract (`wit/`) on the host's side: generated types, the linker, and the checks of a
//! component's imports and exports.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasSelf, Linker};

use crate::error::LoadError;
use crate::host::CallState;

/// Version of `gatepost:policy` that this relay speaks.
pub const VERSION: &str = "0.2.0";

/// Name of the contract's package, with the separator behind it.
const PACKAGE: &str = "gatepost:policy/";

/// Interfaces that a policy may import. All are look-ups in memory, or the decision.
const MAY_IMPORT: [&str; 13] = [
    "types",
    "message-access",
    "decisions",
    "plans",
    "attempts",
    "queued",
    "counters",
    "clock",
    "log",
    AUTHENTICATION,
    "directory",
    "settings-of-account",
    "identity",
];

/// Interface with the facts that are gathered only for policies that import it.
pub(crate) const AUTHENTICATION: &str = "authentication";

/// Types generated from `wit/`.
pub(crate) mod wit {
    #![allow(missing_docs)]

    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "host",
        // For `crate::observation`: while nobody observes, a call is one comparison dearer.
        imports: { default: trappable | tracing | verbose_tracing },
        with: {
            "gatepost:policy/message-access.message": crate::host::MessageHandle,
            "gatepost:policy/decisions.decision": crate::host::DecisionHandle,
            "gatepost:policy/plans.plan": crate::plans::PlanHandle,
            "gatepost:policy/attempts.result-of-attempt": crate::queue::ResultHandle,
        },
    });

    pub use gatepost::policy::{
        attempts, authentication, clock, counters, decisions, directory, identity, log,
        message_access, plans, queued, settings_of_account, types,
    };
}

/// Makes the linker with the interfaces that a policy may import, and nothing else.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<CallState>> {
    let mut linker = Linker::new(engine);
    wit::Host_::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// Returns the full name of an interface of the contract.
pub(crate) fn interface(name: &str) -> String {
    format!("{PACKAGE}{name}@{VERSION}")
}

/// Refuses an import that a policy may not have, and a module of another contract version.
///
/// Core modules and components use the same names: wit-bindgen names a core import after its
/// interface.
pub(crate) fn check_imports<'a>(
    names: impl Iterator<Item = (&'a str, Option<&'a str>)>,
) -> Result<(), LoadError> {
    let mut forbidden = Vec::new();
    for (module, item) in names {
        // A guest's own exported resources, and the root's intrinsics, are not the host's.
        if module.starts_with("[export]") || module == "$root" {
            continue;
        }
        if let Some(version) = other_version(module) {
            return Err(LoadError::ContractVersion {
                found: version.into(),
                expected: VERSION,
            });
        }
        if MAY_IMPORT
            .iter()
            .any(|allowed| module == interface(allowed))
        {
            continue;
        }
        let name = match item {
            Some(item) => format!("{module}.{item}"),
            None => module.to_owned(),
        };
        if !forbidden.contains(&name) {
            forbidden.push(name);
        }
    }
    if forbidden.is_empty() {
        return Ok(());
    }
    let allowed = MAY_IMPORT.map(interface).join(", ");
    Err(LoadError::ForbiddenImport {
        names: forbidden,
        allowed,
    })
}

/// Refuses exports of another contract version.
pub(crate) fn check_exports<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), LoadError> {
    for name in names {
        if let Some(version) = other_version(name) {
            return Err(LoadError::ContractVersion {
                found: version.into(),
                expected: VERSION,
            });
        }
    }
    Ok(())
}

/// Returns the version in the name of an interface of the contract if it is not this relay's. A
/// core export has the function's name behind a `#`.
fn other_version(name: &str) -> Option<&str> {
    let name = name.strip_prefix("cabi_post_").unwrap_or(name);
    let interface = name.split('#').next().unwrap_or(name);
    let (_, version) = interface.strip_prefix(PACKAGE)?.split_once('@')?;
    (version != VERSION).then_some(version)
}

/// Returns the interfaces of the contract that a component imports, without package and version.
pub(crate) fn imports(component: &Component) -> Vec<String> {
    component
        .component_type()
        .imports(component.engine())
        .filter_map(|(name, item)| match item.ty {
            ComponentItem::ComponentInstance(_) => Some(short(name)),
            _ => None,
        })
        .collect()
}

fn short(name: &str) -> String {
    name.strip_prefix(PACKAGE)
        .and_then(|rest| rest.split('@').next())
        .unwrap_or(name)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_contract_version_is_recognised_in_a_name() {
        assert_eq!(other_version("gatepost:policy/log@0.2.0"), None);
        assert_eq!(
            other_version("gatepost:policy/log@0.1.0#write"),
            Some("0.1.0")
        );
        assert_eq!(other_version("wasi:cli/stdout@0.2.0"), None);
    }
}
