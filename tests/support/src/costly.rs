//! Modules that are small and cost a lot: each takes time or memory out of all proportion to read,
//! check or compile.
//!
//! They are written byte by byte, since no compiler makes such modules.

/// A costly module.
#[derive(Debug, Clone)]
pub struct Costly {
    /// Short description of its excess.
    pub what: &'static str,
    /// Module.
    pub module: Vec<u8>,
    /// Words of the sentence in which it is refused.
    pub says: &'static str,
}

/// Section ids of core modules.
const TYPES: u8 = 1;
const IMPORTS: u8 = 2;
const FUNCTIONS: u8 = 3;
const TABLES: u8 = 4;
const MEMORIES: u8 = 5;
const GLOBALS: u8 = 6;
const EXPORTS: u8 = 7;
const ELEMENTS: u8 = 9;
const CODE: u8 = 10;
const DATA: u8 = 11;
const TAGS: u8 = 13;

/// Section ids of components, and of both.
const CORE_MODULE: u8 = 1;
const COMPONENT: u8 = 4;
const COMPONENT_TYPES: u8 = 7;
const CUSTOM: u8 = 0;

/// A function type without parameters and results.
const PLAIN: &[u8] = &[0x60, 0, 0];
const END: u8 = 0x0b;

/// Returns one module of each known kind, with the sentence that refuses it.
pub fn costly_modules() -> Vec<Costly> {
    let many = |what, id, count, item: &[u8], says| Costly {
        what,
        module: core(&[items(id, count, item)]),
        says,
    };
    let one = |what, module, says| Costly { what, module, says };
    let limit = "that a policy may have";
    vec![
        one(
            "component types nested 950 levels deep",
            nested_types(950),
            "the module exports no gatepost:policy/settings",
        ),
        one(
            "component types nested 300,000 levels deep",
            nested_types(300_000),
            "nested so deeply that the stack ran out",
        ),
        one(
            "6,553 functions of 50,000 locals",
            functions(6_553, 50_000),
            "1000000 local variables",
        ),
        one(
            "30,000 components in one",
            component(&[section(COMPONENT, &component(&[])).repeat(30_000)]),
            "256 modules and components",
        ),
        one(
            "components nested 4,000 levels deep",
            (0..4_000).fold(component(&[]), |inner, _| {
                component(&[section(COMPONENT, &inner)])
            }),
            "16 levels of modules and components",
        ),
        one(
            "two mebioctets of component types in a custom section",
            core(&[custom("component-type:x", &[0; 2 << 20])]),
            "octets of component types",
        ),
        one(
            "component types nested 300,000 levels deep in a custom section",
            core(&[custom("component-type:x", &nested_types(300_000))]),
            "the stack ran out",
        ),
        one(
            "100,000 custom sections",
            core(&[custom("x", &[]).repeat(100_000)]),
            "1000 custom sections",
        ),
        many("a million types", TYPES, 1_000_000, PLAIN, "20000 types"),
        many(
            "types of a garbage collector",
            TYPES,
            1,
            &[0x5f, 0],
            "not valid",
        ),
        many(
            "a million memories",
            MEMORIES,
            1_000_000,
            &[0, 0],
            "256 memories",
        ),
        many(
            "a million tables",
            TABLES,
            1_000_000,
            &[0x70, 0, 0],
            "256 tables",
        ),
        many(
            "a million globals",
            GLOBALS,
            1_000_000,
            &[0x7f, 0, 0x41, 0, END],
            "10000 global variables",
        ),
        many("a million exports", EXPORTS, 1_000_000, b"\x01x\0\0", limit),
        many("a million data segments", DATA, 1_000_000, &[1, 0], limit),
        many(
            "a million element segments",
            ELEMENTS,
            1_000_000,
            &[1, 0, 0],
            limit,
        ),
        one(
            "a segment of a million elements",
            core(&[section(
                ELEMENTS,
                &[&[1, 1, 0][..], &leb(1_000_000), &[0; 1_000_000]].concat(),
            )]),
            limit,
        ),
        many(
            "a tag of exceptions",
            TAGS,
            1,
            &[0, 0],
            "tags of exceptions",
        ),
        many(
            "a hundred imports with names of 90,000 octets",
            IMPORTS,
            100,
            &[&leb(90_000)[..], &[b'n'; 90_000], b"\x01x\0\0"].concat(),
            "which a policy may not",
        ),
        many(
            "a name of two mebioctets",
            IMPORTS,
            1,
            &[&leb(2 << 20)[..], &[b'n'; 2 << 20], b"\x01x\0\0"].concat(),
            "not valid",
        ),
        one(
            "blocks nested 100,000 levels deep",
            function(&[[2, 0x40].repeat(100_000), vec![END; 100_000]].concat()),
            "10000 levels of blocks",
        ),
        one(
            "a branch table of more than a million targets",
            function(&[&[0x41, 0, 0x0e][..], &leb(1_040_000), &[0; 1_040_001]].concat()),
            "1000000 targets in branch tables",
        ),
        one(
            "functions of more than a mebioctet",
            function(&[1; (1 << 20) + 1]),
            "octets in one function",
        ),
    ]
}

/// Returns a module that is within every limit on counts and makes the compiler use gibibytes: in
/// each of many nested loops, every one of many variables is a different value.
pub fn module_that_fills_memory() -> Vec<u8> {
    let (locals, loops) = (40_000_u32, 2_500);
    let mut body = [3, 0x40].repeat(loops);
    // The innermost loop adds each variable's former value to it.
    for local in 0..locals {
        let local = leb(local);
        body.extend([&[0x20], &local[..], &[0x42, 1, 0x7c, 0x21], &local].concat());
    }
    for _ in 0..loops {
        // Each loop may repeat: br_if 0 on a global's value.
        body.extend([0x23, 0, 0x0d, 0, END]);
    }
    let code = [&leb(1)[..], &leb(locals), &[0x7e], &body, &[END]].concat();
    let module = core(&[
        items(TYPES, 1, PLAIN),
        items(FUNCTIONS, 1, &[0]),
        items(GLOBALS, 1, &[0x7f, 1, 0x41, 0, END]),
        items(CODE, 1, &sized(&code)),
    ]);
    component(&[section(CORE_MODULE, &module)])
}

/// Returns nested component types, each a byte or two longer.
fn nested_types(levels: usize) -> Vec<u8> {
    let types = [&[1][..], &[0x41, 1, 1].repeat(levels), &[0x41, 0]].concat();
    component(&[section(COMPONENT_TYPES, &types)])
}

fn functions(count: usize, locals: u32) -> Vec<u8> {
    let body = [&[1][..], &leb(locals), &[0x7e, END]].concat();
    core(&[
        items(TYPES, 1, PLAIN),
        items(FUNCTIONS, count, &[0]),
        items(CODE, count, &sized(&body)),
    ])
}

/// Returns a module of one function without locals.
fn function(body: &[u8]) -> Vec<u8> {
    let code = [&[0][..], body, &[END]].concat();
    core(&[
        items(TYPES, 1, PLAIN),
        items(FUNCTIONS, 1, &[0]),
        items(CODE, 1, &sized(&code)),
    ])
}

/// Returns a core module of these sections.
pub fn core(sections: &[Vec<u8>]) -> Vec<u8> {
    [&b"\0asm\x01\0\0\0"[..], &sections.concat()].concat()
}

/// Returns a component of these sections.
pub fn component(sections: &[Vec<u8>]) -> Vec<u8> {
    [&b"\0asm\x0d\0\x01\0"[..], &sections.concat()].concat()
}

/// Returns a section of so many equal items.
pub fn items(id: u8, count: usize, item: &[u8]) -> Vec<u8> {
    let number = u32::try_from(count).unwrap_or(u32::MAX);
    section(id, &[&leb(number)[..], &item.repeat(count)].concat())
}

/// Returns a section.
pub fn section(id: u8, contents: &[u8]) -> Vec<u8> {
    [&[id][..], &sized(contents)].concat()
}

fn custom(name: &str, contents: &[u8]) -> Vec<u8> {
    section(CUSTOM, &[&sized(name.as_bytes())[..], contents].concat())
}

fn sized(contents: &[u8]) -> Vec<u8> {
    let length = u32::try_from(contents.len()).unwrap_or(u32::MAX);
    [&leb(length)[..], contents].concat()
}

/// Encodes a number as WebAssembly does (LEB128).
pub fn leb(mut number: u32) -> Vec<u8> {
    let mut octets = Vec::new();
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            octets.push(low);
            return octets;
        }
        octets.push(low | 0x80);
    }
}
