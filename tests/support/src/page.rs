//! Pages of the documentation that are run as tests: commands in blocks of `sh`, and what they print in
//! blocks of `text`, in which `…` stands for anything.

/// Returns the lines of a page that stand in blocks of this language: one after another.
pub fn blocks(page: &str, language: &str) -> String {
    let mut lines = page.lines();
    let mut found = String::new();
    while let Some(line) = lines.next() {
        if line.strip_prefix("```") == Some(language) {
            let block = lines.by_ref().take_while(|line| *line != "```");
            found.extend(block.map(|line| format!("{line}\n")));
        }
    }
    found
}

/// Returns true if a line is printed as the page has it: `…` stands for anything.
fn is_like(line: &str, shown: &str) -> bool {
    let mut parts = shown.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let mut ends = !shown.contains('…') && rest.is_empty();
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        ends = rest.is_empty() || part.is_empty();
    }
    ends
}

/// Asserts that the shown lines are printed, in this order.
///
/// # Panics
/// One of them is not.
pub fn assert_printed(printed: &str, shown: &str) {
    let mut lines = printed.lines();
    for shown in shown.lines() {
        let found = lines.any(|line| is_like(line, shown));
        assert!(found, "{shown:?} is not printed there:\n{printed}");
    }
}
