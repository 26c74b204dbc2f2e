//! Lines to copy of instructions, each with the sentence above them.

/// Returns the lines of every block below a sentence that begins so, together.
pub fn below(instructions: &str, sentence: &str) -> String {
    let mut lines = instructions.lines();
    let (mut above, mut found) = ("", String::new());
    while let Some(line) = lines.next() {
        if line == "```" {
            let block = lines.by_ref().take_while(|line| *line != "```");
            let block: String = block.map(|line| format!("{line}\n")).collect();
            if above.starts_with(sentence) {
                found += &block;
            }
        } else if !line.is_empty() {
            above = line;
        }
    }
    assert!(!found.is_empty(), "{sentence:?} is not in\n{instructions}");
    found
}
