//! Mail that is signed with DKIM as it leaves: Gatepost without a key, with RSA, with Ed25519 and
//! with both, beside Postfix without a filter and with opendkim, which signs with RSA.
//!
//! Twenty sessions hand in mail, each over one connection, since Gatepost signs what users have
//! logged in for. Every sink keeps samples, and a sample without the signatures that it should have
//! ends the measurement.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use gatepost_dkim::{Algorithm, PrivateKey};
use serde_json::Value;
use tempfile::TempDir;
use test_support::{
    Client, DnsServer, Postfix, Process, Relay, RelayBuilder, Zone, debian, free_port,
};

use super::Effort;
use super::contender::POSTFIX;
use super::load::message;
use super::report::{Number, Report, progress};
use super::sink::Sink;
use super::usage::Tree;

const SESSIONS: u64 = 20;

/// Octets of a message.
const SIZE: usize = 10 << 10;

/// Time for a relay to finish work on what has already arrived, before its CPU time is read.
const SETTLING: Duration = Duration::from_millis(500);

const COLUMNS: [&str; 3] = ["accepted/s", "relayed/s", "CPU µs/message"];

/// A relay that signs, or does not.
struct Signing {
    name: String,
    relay: Running,
    sink: Sink,
    /// Number of signatures that each message has to have.
    signatures: usize,
}

enum Running {
    Gatepost { relay: Relay, _dns: DnsServer },
    Postfix(Postfix, Option<(Process, TempDir)>),
}

/// Measures all of them, in turns.
pub fn run(binary: &Path, effort: Effort, report: &mut Report) -> Result<()> {
    let mut all = vec![
        Signing::gatepost(binary, &[])?,
        Signing::gatepost(binary, &[Algorithm::Rsa])?,
        Signing::gatepost(binary, &[Algorithm::Ed25519])?,
        Signing::gatepost(binary, &Algorithm::ALL)?,
    ];
    all.extend(Signing::postfix(false)?);
    all.extend(Signing::postfix(true)?);
    let mut results: Vec<Vec<[f64; 3]>> = all.iter().map(|_| Vec::new()).collect();
    for run in 0..=effort.runs {
        for (signing, results) in all.iter().zip(&mut results) {
            let measured = signing.measure(effort.messages)?;
            progress(&format!(
                "signing, run {run}, {}: {measured:.0?}",
                signing.name
            ));
            // The first run is to warm up.
            if run > 0 {
                results.push(measured);
            }
        }
    }
    let rows: Vec<_> = all
        .iter()
        .zip(&results)
        .map(|(signing, runs)| {
            let of = |column: usize| Number::of(runs.iter().map(|run| run[column]), 0);
            (signing.name.clone(), vec![of(0), of(1), of(2)])
        })
        .collect();
    report.table("Signing, 20 sessions, 10 KiB", &COLUMNS, &rows);
    Ok(())
}

impl Signing {
    /// Starts Gatepost with an active key of each of these algorithms.
    fn gatepost(binary: &Path, algorithms: &[Algorithm]) -> Result<Self> {
        let (sink, dns) = (Sink::sampling()?, DnsServer::start(Zone::new()));
        let port = sink.address().port().to_string();
        let relay = RelayBuilder::new(include_str!("gatepost.toml")).replace("{port}", &port);
        let relay = relay
            .replace(
                "domains = [\"desk.example\"]",
                "domains = [\"desk.example\"]\nsending-domains = [\"sender.example\"]\n\
                 users = [{ name = \"user\", password = \"secret\" }]",
            )
            .with(&format!(
                "[[listener]]\nname = \"submission\"\naddress = \"127.0.0.1:0\"\n\
                 direction = \"submission\"\n\
                 chain = [\"loop-guard\", \"header-guard\", \"outbound-route\"]\n\
                 [dns]\nservers = [\"{}\"]\n",
                dns.address()
            ));
        let relay = relay.program(binary).start();
        for algorithm in algorithms {
            let words = [
                "dkim",
                "generate",
                "sender.example",
                "--algorithm",
                algorithm.word(),
            ];
            for key in relay.json(&words) {
                publish(&dns, &key)?;
            }
        }
        let keys = relay.json(&["dkim", "check"]);
        ensure!(
            keys.iter().all(|key| key["state"] == "active"),
            "a key is not active: {keys:?}"
        );
        let words: Vec<_> = algorithms.iter().map(|one| one.word()).collect();
        let name = match words.as_slice() {
            [] => "Gatepost, unsigned".to_owned(),
            words => format!("Gatepost, {}", words.join(" and ")),
        };
        Ok(Self {
            name,
            relay: Running::Gatepost { relay, _dns: dns },
            sink,
            signatures: algorithms.len(),
        })
    }

    /// Starts Postfix, with opendkim or without; `None` if it is not installed or cannot run here.
    fn postfix(signs: bool) -> Result<Option<Self>> {
        let sink = Sink::sampling()?;
        let filter = match signs {
            true => match opendkim()? {
                Some(filter) => Some(filter),
                None => return Ok(None),
            },
            false => None,
        };
        let milter = filter.as_ref().map(|(address, _)| {
            format!("smtpd_milters = inet:{address}\nmilter_default_action = tempfail\n")
        });
        let main = format!("{POSTFIX}{}", milter.unwrap_or_default());
        let postfix = Postfix::with(sink.address(), &main);
        Ok(postfix.map(|postfix| Self {
            name: match signs {
                true => "Postfix with opendkim, rsa".to_owned(),
                false => "Postfix, unsigned".to_owned(),
            },
            relay: Running::Postfix(postfix, filter.map(|(_, running)| running)),
            sink,
            signatures: usize::from(signs),
        }))
    }

    /// Opens a session in which mail can be handed in.
    fn session(&self) -> Client {
        match &self.relay {
            Running::Gatepost { relay, .. } => {
                relay.client("submission").authenticated("user", "secret")
            }
            Running::Postfix(postfix, _) => {
                let mut client = Client::greeted(postfix.address());
                client.ehlo();
                client
            }
        }
    }

    fn tree(&self) -> Tree {
        Tree::of(match &self.relay {
            Running::Gatepost { relay, .. } => vec![relay.id()],
            Running::Postfix(postfix, filter) => {
                let filter = filter.iter().map(|(process, _)| process.id());
                postfix.ids().into_iter().chain(filter).collect()
            }
        })
    }

    /// Sends it so many messages, and waits until all are at the sink; returns the figures of the
    /// columns.
    fn measure(&self, messages: u64) -> Result<[f64; 3]> {
        let each = (messages / SESSIONS).max(1);
        let messages = each * SESSIONS;
        let text = message("", SIZE);
        // The client adds the end of data.
        let text = text.strip_suffix(b".\r\n").unwrap_or(&text);
        let sessions: Vec<_> = (0..SESSIONS).map(|_| self.session()).collect();
        let (cpu, before) = (self.tree().cpu(), self.sink.count());
        let begun = Instant::now();
        let name = self.name.as_str();
        thread::scope(|scope| {
            let send = move |mut session: Client| {
                for _ in 0..each {
                    let to = ["help@elsewhere.example"];
                    let reply = session.deliver("ann@sender.example", &to, text)?;
                    ensure!(reply.code == 250, "{name}: {}", reply.text());
                }
                Ok(session)
            };
            let sessions = sessions
                .into_iter()
                .map(|session| scope.spawn(move || send(session)));
            let sessions: Vec<_> = sessions.collect();
            for session in sessions {
                match session.join() {
                    Ok(sent) => drop(sent?),
                    Err(_) => bail!("a session panicked"),
                }
            }
            Ok(())
        })?;
        let accepted = begun.elapsed();
        self.sink.wait_for(before + messages)?;
        let relayed = begun.elapsed();
        thread::sleep(SETTLING);
        let cpu = self.tree().cpu() - cpu;
        let count = self.sink.count() - before;
        ensure!(
            count == messages,
            "{}: {count} came, and not {messages}",
            self.name
        );
        self.check_samples()?;
        Ok([
            messages as f64 / accepted.as_secs_f64(),
            messages as f64 / relayed.as_secs_f64(),
            cpu.as_secs_f64() * 1e6 / messages as f64,
        ])
    }

    fn check_samples(&self) -> Result<()> {
        for header in self.sink.samples() {
            let lines = header.lines();
            let found = lines
                .filter(|line| line.starts_with("DKIM-Signature:"))
                .count();
            ensure!(
                found == self.signatures,
                "{}: {found} signatures, and not {}:\n{header}",
                self.name,
                self.signatures
            );
        }
        Ok(())
    }
}

/// Publishes the record of a key.
fn publish(dns: &DnsServer, key: &Value) -> Result<()> {
    let name = key["record"]["name"]
        .as_str()
        .context("a key has no name")?;
    let strings = key["record"]["strings"]
        .as_array()
        .context("a key has no record")?;
    let strings = strings
        .iter()
        .filter_map(|text| Some(text.as_str()?.as_bytes()));
    dns.zone().txt_strings(name, &strings.collect::<Vec<_>>());
    Ok(())
}

/// Address of a filter, and the filter with its files.
type Filter = (SocketAddr, (Process, TempDir));

/// Starts opendkim with a new key of RSA; `None` if it is not installed.
fn opendkim() -> Result<Option<Filter>> {
    let Some(program) = debian("opendkim", "opendkim") else {
        return Ok(None);
    };
    let folder = TempDir::new()?;
    let (key, settings) = (folder.path().join("key"), folder.path().join("conf"));
    fs::write(&key, pem(&PrivateKey::generate(Algorithm::Rsa)?))?;
    let address = free_port();
    fs::write(
        &settings,
        format!(
            "Mode s\nDomain sender.example\nSelector s\nKeyFile {}\n\
             Canonicalization relaxed/relaxed\nRequireSafeKeys no\nBackground no\nSyslog no\n\
             Socket inet:{}@127.0.0.1\n\
             OversignHeaders From,To,Cc,Subject,Date,Message-ID,Reply-To,MIME-Version\n",
            key.display(),
            address.port()
        ),
    )?;
    let mut command = Command::new(program);
    let process = Process::start("opendkim", command.arg("-x").arg(settings));
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        ensure!(
            begun.elapsed() < Duration::from_secs(10),
            "opendkim: {}",
            process.log()
        );
        thread::yield_now();
    }
    Ok(Some((address, (process, folder))))
}

/// Returns a key as OpenSSL reads it.
fn pem(key: &PrivateKey) -> String {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(key.as_pkcs8());
    let lines: Vec<_> = encoded
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        lines.join("\n")
    )
}
