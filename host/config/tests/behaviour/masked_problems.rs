//! A problem is shown at its line, and no secret on that line or beside it.

use std::path::Path;

use gatepost_config::Config;

const GOOD: &str = "[relay]\nhostname = \"mx.desk.example\"\nstore = \"store\"\n\
    [[listener]]\nname = \"mx\"\naddress = \"127.0.0.1:25\"\ndirection = \"inbound\"\n\
    tls = \"none\"\n";

/// Returns what is shown of the problems of this text, and their messages.
fn shown(more: &str) -> String {
    let text = format!("{GOOD}{more}");
    let error = Config::parse(
        &text,
        Path::new("gatepost.toml"),
        Path::new("/etc/gatepost"),
    )
    .expect_err(more);
    let mut report = String::new();
    miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::none())
        .render_report(&mut report, &error)
        .unwrap();
    for problem in error.problems() {
        report += &problem.to_string();
    }
    report
}

#[test]
fn no_secret_is_shown_on_the_line_of_a_problem_or_beside_it() {
    for (more, words) in [
        // On the line before, on the line itself, and in an error of TOML.
        (
            "[connection.desk]\npassword = \"hush-1\"\nport = 0\n",
            "port = 0",
        ),
        (
            "[[account]]\nid = \"a\"\ndomains = [\"a.example\"]\n\
             users = [{ name = \"a\", password = \"hush-1\" }, { name = \"a\", password = \"hush-2\" }]\n",
            "users",
        ),
        (
            "[connection.desk]\npassword = \"hush-1\nport = 25\n",
            "password",
        ),
        ("[connection.desk]\npassword \"hush-1\"\n", "gatepost.toml"),
        ("[connection.desk]\npassword = [\"hush-1\"]\n", "password"),
        (
            "[connection.desk]\nhost = \"h\"\nclient-secret = [\"hush-1\"]\n",
            "client-secret",
        ),
        (
            "[endpoint.desk]\npreset = \"zammad\"\napi-key = \"hush-1\"\nurl = 7\n",
            "url",
        ),
        (
            "[events.webhook.desk]\nurl = \"http://127.0.0.1/?token=hush-1\"\nkinds = [\"no\"]\n",
            "kinds",
        ),
    ] {
        let shown = shown(more);
        assert!(shown.contains(words), "{words:?} is not in\n{shown}");
        assert!(!shown.contains("hush"), "{shown}");
    }
    // A value of another type stands in the message of TOML itself.
    let shown = shown("[[account]]\nid = \"a\"\nusers = [{ name = \"a\", password = 471108 }]\n");
    assert!(!shown.contains("471108"), "{shown}");
    assert!(shown.contains("expected"), "{shown}");
}
