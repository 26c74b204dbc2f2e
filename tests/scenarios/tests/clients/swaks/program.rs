//! swaks, the postmaster's test client.

use std::path::PathBuf;
use std::process::Command;

use test_support::{Relay, debian, debian_library};

use crate::awkward;

/// The program.
pub struct Swaks(PathBuf);

/// Result of a run.
pub struct Run {
    /// Exit code; 0 if the message was accepted.
    pub code: Option<i32>,
    /// The whole dialogue.
    pub dialogue: String,
}

impl Swaks {
    /// The program, if it is installed.
    pub fn installed() -> Option<Self> {
        debian("swaks", "swaks").map(Self)
    }

    /// The same with what it needs for TLS.
    pub fn with_tls() -> Option<Self> {
        Self::installed().filter(|_| debian_library("libnet-ssleay-perl"))
    }

    /// Sends a message to a listener.
    pub fn send(&self, relay: &Relay, listener: &str, message: &[u8], arguments: &[&str]) -> Run {
        let server = relay.address(listener);
        let file = relay.directory().join("message.eml");
        // swaks puts a CRLF of its own at the end.
        std::fs::write(&file, message.strip_suffix(b"\r\n").unwrap()).unwrap();
        let mut swaks = Command::new(&self.0);
        swaks
            .args(["--server", &server.ip().to_string()])
            .args(["--port", &server.port().to_string()])
            .args(["--ehlo", "client.example", "--timeout", "60"])
            .args(["--data", &format!("@{}", file.display())])
            .args(arguments);
        let output = swaks.output().unwrap();
        Run {
            code: output.status.code(),
            dialogue: [output.stdout, output.stderr]
                .map(|text| String::from_utf8_lossy(&text).into_owned())
                .concat(),
        }
    }
}

impl Swaks {
    /// Submits [`awkward`] as the user to a recipient elsewhere, with this password and these
    /// further arguments.
    pub fn submit(&self, relay: &Relay, password: &str, arguments: &[&str]) -> Run {
        let envelope = [
            ["--from", "user@desk.example"],
            ["--to", "x@elsewhere.example"],
            ["--auth-user", "user"],
            ["--auth-password", password],
        ];
        let arguments = [envelope.as_flattened(), arguments].concat();
        self.send(relay, "submission", &awkward(), &arguments)
    }
}

impl Run {
    /// Fails unless the message was accepted.
    pub fn accepted(&self) {
        assert_eq!(self.code, Some(0), "{}", self.dialogue);
    }
}
