//! Commands that a sentence suggests, as they can be pasted: with the options that name the relay.

use std::path::Path;

/// Commands that take a configuration, and no store.
const NEED_CONFIG: [&str; 2] = ["gatepost serve", "gatepost egress"];

/// Adds options, such as `--config desk.toml`, to each command of `gatepost` between backticks.
pub(super) fn with_options(text: &str, options: &str) -> String {
    if options.is_empty() {
        return text.to_owned();
    }
    let mut pasted = String::with_capacity(text.len() + options.len());
    for (number, part) in text.split('`').enumerate() {
        if number > 0 {
            pasted.push('`');
        }
        pasted.push_str(part);
        // Backticks come in pairs: what stands between two has an odd number.
        let needs_config = NEED_CONFIG.iter().any(|command| part.starts_with(command));
        let fits = !(needs_config && options.starts_with("--store"));
        if number % 2 == 1 && part.starts_with("gatepost ") && fits {
            pasted.push(' ');
            pasted.push_str(options);
        }
    }
    pasted
}

/// Returns a path as one word of a shell.
pub(super) fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@,".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_alone_get_the_options() {
        let text = "have `a` set: `gatepost connector list` shows it, `gatepost audit` too";
        assert_eq!(
            with_options(text, "--store /s"),
            "have `a` set: `gatepost connector list --store /s` shows it, `gatepost audit --store /s` too"
        );
        assert_eq!(with_options(text, ""), text);
        let serve = "start it: `gatepost serve`";
        assert_eq!(with_options(serve, "--store /s"), serve);
    }

    #[test]
    fn a_path_is_one_word_of_a_shell() {
        assert_eq!(word(Path::new("a/b.toml")), "a/b.toml");
        assert_eq!(word(Path::new("my desk/b.toml")), "'my desk/b.toml'");
        assert_eq!(word(Path::new("it's")), r"'it'\''s'");
    }
}
