//! From the octets of a file to a component whose imports are allowed.
//!
//! Core modules built for `wasm32-unknown-unknown` are made components here, from the description
//! of their world that wit-bindgen left in them; components are taken as they are. Either way the
//! imports are checked before anything is compiled.

use std::borrow::Cow;

use wasmparser::{Encoding, Parser, Payload};

use crate::contract;
use crate::error::LoadError;

/// What kind of file a policy came as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleKind {
    /// A core module, made a component at load.
    CoreModule,
    /// A component.
    Component,
}

/// Checks a module and makes it a component.
pub(crate) fn component(
    module: &[u8],
    limit: usize,
) -> Result<(Cow<'_, [u8]>, ModuleKind), LoadError> {
    if module.len() > limit {
        return Err(LoadError::TooLarge {
            size: module.len(),
            limit,
        });
    }
    if !module.starts_with(b"\0asm") {
        let found = module
            .iter()
            .take(8)
            .copied()
            .flat_map(std::ascii::escape_default);
        let found = found.map(char::from).collect::<String>();
        return Err(LoadError::NotWasm {
            found: format!("`{found}`"),
        });
    }
    let kind = check(module)?;
    let bytes = match kind {
        ModuleKind::Component => Cow::Borrowed(module),
        ModuleKind::CoreModule => {
            let encoder = wit_component::ComponentEncoder::default()
                .validate(true)
                .module(module);
            let component = encoder.and_then(|mut encoder| encoder.encode());
            Cow::Owned(component.map_err(|error| LoadError::Mismatch {
                version: contract::VERSION,
                detail: format!("{error:#}"),
            })?)
        }
    };
    Ok((bytes, kind))
}

/// Reads the imports and exports of the outermost module or component.
fn check(module: &[u8]) -> Result<ModuleKind, LoadError> {
    let invalid = |error: wasmparser::BinaryReaderError| LoadError::Invalid(error.to_string());
    let mut kind = ModuleKind::CoreModule;
    let mut depth = 0;
    let mut imports = Vec::new();
    let mut exports = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(invalid)? {
            Payload::Version { encoding, .. } if depth == 0 => {
                kind = match encoding {
                    Encoding::Module => ModuleKind::CoreModule,
                    Encoding::Component => ModuleKind::Component,
                };
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) if depth > 0 => depth -= 1,
            Payload::ImportSection(section) if depth == 0 => {
                for import in section.into_imports() {
                    let import = import.map_err(invalid)?;
                    imports.push((import.module, Some(import.name)));
                }
            }
            Payload::ExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(invalid)?.name);
                }
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push((import.map_err(invalid)?.name.name, None));
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(invalid)?.name.name);
                }
            }
            _ => {}
        }
    }
    contract::check_imports(imports.into_iter())?;
    contract::check_exports(exports.into_iter())?;
    Ok(kind)
}
