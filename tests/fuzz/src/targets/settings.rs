//! The configuration.

use std::path::Path;

use gatepost_config::Config;

use crate::Target;

/// Texts of gatepost.toml.
pub const TARGET: Target = Target {
    name: "settings",
    rule: "a configuration is taken, or each problem is told with a line of the text",
    seeds: || {
        vec![
            include_bytes!("../../../../docs/example.toml").to_vec(),
            b"[relay]\nhostname = \"mx.desk.example\"\n[[listener]]\nname = \"mx\"\naddress = \"127.0.0.1:25\"\ndirection = \"inbound\"\ntls = \"none\"\n".to_vec(),
        ]
    },
    words: &[
        b"\n",
        b"\"",
        b"'",
        b"[",
        b"]",
        b"[[",
        b"]]",
        b"=",
        b"{",
        b"}",
        b"#",
        b"0",
        b"-1",
        b"99999999999999999999",
        b"\"1s\"",
        b"\"25MiB\"",
        b"[[account]]\n",
        b"[[policy]]\n",
        b"true",
        b"\xc3\xa9",
        b"\\u0000",
        b"\xff",
    ],
    suite: 400,
    check,
};

fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let Err(error) = Config::parse(&text, Path::new("gatepost.toml"), Path::new("/")) else {
        return;
    };
    let lines = text.lines().count().max(1) + 1;
    assert!(!error.problems().is_empty(), "{error}");
    for problem in error.problems() {
        assert!(!problem.to_string().is_empty());
        assert!(
            problem
                .line()
                .is_none_or(|line| (1..=lines).contains(&line))
        );
    }
}
