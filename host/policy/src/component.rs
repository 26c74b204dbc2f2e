//! The step from a file's bytes to a component whose imports are allowed.
//!
//! Core modules built for `wasm32-unknown-unknown` are made components here, from the description
//! of their world that wit-bindgen left in them. Components are taken as they are. Both are checked
//! against the [limits](mod@crate::bounds), their imports are checked, and they are validated,
//! before anything is compiled.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::bounds;
use crate::contract;
use crate::error::LoadError;

/// Kind of a policy's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModuleKind {
    /// Core module, made a component at load.
    CoreModule,
    /// Component.
    Component,
}

/// Refuses a file that is too large or does not begin as WebAssembly.
pub(crate) fn check_file(module: &[u8], limit: usize) -> Result<(), LoadError> {
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
    Ok(())
}

/// Checks a module and makes it a component.
pub(crate) fn component(module: &[u8]) -> Result<(Cow<'_, [u8]>, ModuleKind), LoadError> {
    bounds::check(module)?;
    let kind = check(module)?;
    Validator::new_with_features(features())
        .validate_all(module)
        .map_err(invalid)?;
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

/// Returns the features of WebAssembly that the validator accepts: those that wasmtime runs as it
/// is built here, and some that it refuses itself later. Those that need its garbage collector are
/// left out: its own errors about these are hard to understand.
fn features() -> WasmFeatures {
    WasmFeatures::default()
        .difference(WasmFeatures::GC)
        .difference(WasmFeatures::FUNCTION_REFERENCES)
        .difference(WasmFeatures::EXCEPTIONS)
        .difference(WasmFeatures::LEGACY_EXCEPTIONS)
}

fn invalid(error: wasmparser::BinaryReaderError) -> LoadError {
    LoadError::Invalid(error.to_string())
}

/// Reads the imports and exports of the outermost module or component.
fn check(module: &[u8]) -> Result<ModuleKind, LoadError> {
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
