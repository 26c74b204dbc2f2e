//! The commands of docs/quickstart.md, as they stand there, with ports that are free.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use test_support::{DnsServer, Zone, binary, debian, free_port, page, workspace};

#[test]
fn the_commands_lead_to_a_connected_domain() {
    let tools = [debian("curl", "curl"), debian("openssl", "openssl")];
    if tools.contains(&None) {
        return;
    }
    let page = fs::read_to_string(workspace().join("docs/quickstart.md")).unwrap();
    let mut script = page::blocks(&page, "sh");
    let mut shown = page::blocks(&page, "text");
    for port in ["2525", "2587", "2500", "2600"] {
        assert!(script.contains(port));
        let free = free_port().port().to_string();
        script = script.replace(port, &free);
        shown = shown.replace(port, &free);
    }
    // Machines that run tests have no name server and little room.
    let dns = DnsServer::start(Zone::new());
    let store = "store = \"store\"\n";
    assert!(script.contains(store));
    let here = format!("[dns]\nservers = [\"{}\"]\n", dns.address());
    script = script
        .replace(store, &format!("{store}min-free = \"1MiB\"\n"))
        .replace("[destinations]\n", &format!("{here}[destinations]\n"));

    let home = tempfile::tempdir().unwrap();
    let gatepost = binary();
    let folders = [gatepost.parent().unwrap().display().to_string()];
    let path = format!("{}:{}", folders.join(":"), std::env::var("PATH").unwrap());
    // What runs in the background ends with the shell.
    let script = format!("trap 'kill $(jobs -p)' EXIT\n{script}");
    let ran = Command::new("timeout")
        .args(["120", "bash", "-c", &script])
        .current_dir(home.path())
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (printed, errors) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    let log = fs::read_to_string(home.path().join("desk/relay.log")).unwrap_or_default();
    assert_eq!(ran.status.code(), Some(0), "{printed}\n{errors}\n{log}");
    assert_eq!(errors, "", "{printed}");
    assert!(printed.contains("\nnothing is missing\n"), "{printed}");
    // The page shows what is printed, in this order.
    page::assert_printed(&printed, &shown);
    let sent = fs::read_dir(home.path().join("desk/customer")).unwrap();
    let sent = sent.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let sent: Vec<_> = sent.collect();
    let is_answer = |text: &String| text.contains("Re: Where is my order?");
    assert!(sent.iter().any(is_answer), "{sent:?}");
    // Some of the files hold secrets.
    for file in fs::read_dir(home.path().join("desk")).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{}", file.path().display());
    }
    let instructions = fs::read_to_string(home.path().join("desk/customer.md")).unwrap();
    assert!(instructions.contains("| User | `in-"), "{instructions}");
}
