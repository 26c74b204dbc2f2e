//! Limits on the structure of a module, checked by counting before it is validated or compiled.
//!
//! Validators and compilers of WebAssembly take time and memory in proportion to these counts, and
//! a few bytes of a file can declare a large count. The limits are far above what compilers make
//! of a policy. They are the first line of defence; the second are the limits of the loading
//! process ([`crate::LoadingLimits`]).

use std::ops::Range;

use wasmparser::{BinaryReaderError, ElementItems, FunctionBody, Operator, Parser, Payload};

use crate::error::LoadError;

/// Prefix of the custom sections from which a core module's component type is read.
const COMPONENT_TYPE: &str = "component-type";

/// Thing that is counted, over the whole file with all modules nested in it.
#[derive(Debug, Clone, Copy)]
enum Thing {
    Nesting,
    Modules,
    Types,
    Imports,
    Exports,
    Functions,
    FunctionOctets,
    Locals,
    BlockNesting,
    BranchTargets,
    Tables,
    Memories,
    Globals,
    Tags,
    ElementSegments,
    Elements,
    DataSegments,
    CustomSections,
    ComponentTypeOctets,
    ComponentItems,
}

/// Name and limit of each thing, in the order of [`Thing`].
const BOUNDS: [(&str, u64); 20] = [
    ("levels of modules and components in each other", 16),
    ("modules and components in it", 256),
    ("types", 20_000),
    ("imports", 10_000),
    ("exports", 10_000),
    ("functions", 100_000),
    ("octets in one function", 1 << 20),
    ("local variables", 1_000_000),
    ("levels of blocks in each other", 10_000),
    ("targets in branch tables", 1_000_000),
    ("tables", 256),
    ("memories", 256),
    ("global variables", 10_000),
    ("tags of exceptions", 0),
    ("element segments", 1_000),
    ("elements in segments", 100_000),
    ("data segments", 10_000),
    ("custom sections", 1_000),
    ("octets of component types in custom sections", 1 << 20),
    ("instances, aliases and canonical functions", 20_000),
];

/// Returns the limits on a module: the name of each thing, and how many it may have.
pub fn bounds() -> impl Iterator<Item = (&'static str, u64)> {
    BOUNDS.into_iter()
}

/// Counts the things in a module and refuses too many. The module need not be valid.
pub(crate) fn check(module: &[u8]) -> Result<(), LoadError> {
    let mut tally = Tally::default();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(invalid)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                depth += 1;
                tally.check_one(Thing::Nesting, depth)?;
                tally.add(Thing::Modules, 1)?;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::TypeSection(section) => tally.add(Thing::Types, section.count())?,
            Payload::CoreTypeSection(section) => tally.add(Thing::Types, section.count())?,
            Payload::ComponentTypeSection(section) => tally.add(Thing::Types, section.count())?,
            Payload::ImportSection(section) => tally.add(Thing::Imports, section.count())?,
            Payload::ComponentImportSection(section) => {
                tally.add(Thing::Imports, section.count())?;
            }
            Payload::ExportSection(section) => tally.add(Thing::Exports, section.count())?,
            Payload::ComponentExportSection(section) => {
                tally.add(Thing::Exports, section.count())?;
            }
            Payload::FunctionSection(section) => tally.add(Thing::Functions, section.count())?,
            Payload::TableSection(section) => tally.add(Thing::Tables, section.count())?,
            Payload::MemorySection(section) => tally.add(Thing::Memories, section.count())?,
            Payload::GlobalSection(section) => tally.add(Thing::Globals, section.count())?,
            Payload::TagSection(section) => tally.add(Thing::Tags, section.count())?,
            Payload::DataSection(section) => tally.add(Thing::DataSegments, section.count())?,
            Payload::ElementSection(section) => {
                tally.add(Thing::ElementSegments, section.count())?;
                for element in section {
                    let items = match element.map_err(invalid)?.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    };
                    tally.add(Thing::Elements, items)?;
                }
            }
            Payload::CodeSectionEntry(body) => tally.function(&body)?,
            Payload::CustomSection(section) => {
                tally.add(Thing::CustomSections, 1)?;
                if section.name().starts_with(COMPONENT_TYPE) {
                    tally.add(Thing::ComponentTypeOctets, len(section.range()))?;
                }
            }
            Payload::InstanceSection(section) => {
                tally.add(Thing::ComponentItems, section.count())?;
            }
            Payload::ComponentInstanceSection(section) => {
                tally.add(Thing::ComponentItems, section.count())?;
            }
            Payload::ComponentAliasSection(section) => {
                tally.add(Thing::ComponentItems, section.count())?;
            }
            Payload::ComponentCanonicalSection(section) => {
                tally.add(Thing::ComponentItems, section.count())?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn invalid(error: BinaryReaderError) -> LoadError {
    LoadError::Invalid(error.to_string())
}

fn len(range: Range<usize>) -> u32 {
    u32::try_from(range.len()).unwrap_or(u32::MAX)
}

#[derive(Default)]
struct Tally([u64; BOUNDS.len()]);

impl Tally {
    fn add(&mut self, thing: Thing, count: u32) -> Result<(), LoadError> {
        let found = self.0[thing as usize].saturating_add(u64::from(count));
        self.0[thing as usize] = found;
        check_bound(thing, found)
    }

    /// Checks one value of a thing that is not summed up: each value has to be within the limit.
    fn check_one(&mut self, thing: Thing, found: u32) -> Result<(), LoadError> {
        check_bound(thing, u64::from(found))
    }

    fn function(&mut self, body: &FunctionBody<'_>) -> Result<(), LoadError> {
        self.check_one(Thing::FunctionOctets, len(body.range()))?;
        for local in body.get_locals_reader().map_err(invalid)? {
            let (count, _) = local.map_err(invalid)?;
            self.add(Thing::Locals, count)?;
        }
        let mut depth: u32 = 0;
        for operator in body.get_operators_reader().map_err(invalid)? {
            match operator.map_err(invalid)? {
                Operator::Block { .. }
                | Operator::Loop { .. }
                | Operator::If { .. }
                | Operator::Try { .. }
                | Operator::TryTable { .. } => {
                    depth += 1;
                    self.check_one(Thing::BlockNesting, depth)?;
                }
                Operator::End => depth = depth.saturating_sub(1),
                Operator::BrTable { targets } => self.add(Thing::BranchTargets, targets.len())?,
                _ => {}
            }
        }
        Ok(())
    }
}

fn check_bound(thing: Thing, found: u64) -> Result<(), LoadError> {
    let (what, limit) = BOUNDS[thing as usize];
    if found <= limit {
        return Ok(());
    }
    Err(LoadError::TooMany {
        what: what.to_owned(),
        limit,
    })
}
