//! Destination of the relays' mail: Postfix's smtp-sink, which counts messages, or a plain counting
//! server of our own where Postfix is not installed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::mem;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

/// Time without an arrival after which the missing messages count as lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// Interval at which the count is read: the most by which an arrival may be seen too late.
const POLL: Duration = Duration::from_millis(5);

/// Number of messages of which our own sink keeps one header section.
const SAMPLED: u64 = 50;

/// A server that accepts and counts mail.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    taken: Arc<Received>,
    child: Option<Child>,
}

/// Messages so far.
#[derive(Debug, Default)]
struct Received {
    count: AtomicU64,
    /// Header sections of some messages.
    samples: Mutex<Vec<String>>,
    /// Names of all messages, if they are kept.
    names: Option<Mutex<Vec<String>>>,
}

/// Field with the name of a message.
const NAME: &str = "X-Load: ";

impl Received {
    fn samples(&self) -> MutexGuard<'_, Vec<String>> {
        self.samples.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Sink {
    /// Starts smtp-sink where it is installed.
    ///
    /// # Errors
    /// Neither it nor our own can listen.
    pub fn start() -> Result<Self> {
        static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
        match FOUND.get_or_init(|| test_support::debian("postfix", "smtp-sink")) {
            Some(program) => Self::smtp_sink(Command::new(program)),
            None => Self::sampling(),
        }
    }

    /// Starts our own sink, which keeps samples.
    ///
    /// # Errors
    /// It cannot listen.
    pub fn sampling() -> Result<Self> {
        Self::own(Received::default())
    }

    /// Starts our own sink, which keeps the name of every message, of its field X-Load.
    ///
    /// # Errors
    /// It cannot listen.
    pub fn naming() -> Result<Self> {
        Self::own(Received {
            names: Some(Mutex::default()),
            ..Received::default()
        })
    }

    fn own(taken: Received) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let taken = Arc::new(taken);
        let shared = taken.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let taken = shared.clone();
                // A peer that hangs up is no fault of the sink.
                thread::spawn(move || serve(stream, &taken));
            }
        });
        Ok(Self {
            address,
            taken,
            child: None,
        })
    }

    fn smtp_sink(mut command: Command) -> Result<Self> {
        // It does not print the port that it got, so it is given one that was free just now.
        let address = test_support::free_port();
        // As root it insists on changing to another user.
        if test_support::is_root() {
            command.args(["-u", "nobody"]);
        }
        let mut child = command
            .args(["-c", &address.to_string(), "1000"])
            .stdout(Stdio::piped())
            .spawn()
            .context("smtp-sink does not start")?;
        let taken = Arc::<Received>::default();
        if let Some(output) = child.stdout.take() {
            let taken = taken.clone();
            thread::spawn(move || follow(output, &taken.count));
        }
        let sink = Self {
            address,
            taken,
            child: Some(child),
        };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            ensure!(begun.elapsed() < PATIENCE, "smtp-sink does not listen");
            thread::sleep(POLL);
        }
        Ok(sink)
    }

    /// Returns the address at which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the number of messages so far.
    pub fn count(&self) -> u64 {
        self.taken.count.load(Ordering::Acquire)
    }

    /// Returns the header sections kept since the last call; smtp-sink keeps none.
    pub fn samples(&self) -> Vec<String> {
        mem::take(&mut self.taken.samples())
    }

    /// Returns the names of the messages that came since the last call; none if none are kept.
    pub fn names(&self) -> Vec<String> {
        let names = self.taken.names.as_ref();
        names.map_or_else(Vec::new, |names| {
            mem::take(&mut names.lock().unwrap_or_else(|e| e.into_inner()))
        })
    }

    /// Waits until this many messages have come.
    ///
    /// # Errors
    /// There are more, or no more come.
    pub fn wait_for(&self, wanted: u64) -> Result<()> {
        let (mut last, mut seen) = (Instant::now(), self.count());
        while seen < wanted {
            ensure!(
                last.elapsed() < PATIENCE,
                "{seen} messages came to the sink, and not {wanted}"
            );
            thread::sleep(POLL);
            let now = self.count();
            if now > seen {
                (last, seen) = (Instant::now(), now);
            }
        }
        ensure!(
            seen == wanted,
            "{seen} messages came to the sink, and not {wanted}"
        );
        Ok(())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Reads the running counters, `sess=1 quit=1 mesg=1`, each ended by a carriage return. It reads at
/// intervals and not at each, so as not to load the machine.
fn follow(mut output: ChildStdout, count: &AtomicU64) {
    let mut buffer = vec![0; 64 * 1024];
    let mut text = String::new();
    while let Ok(length @ 1..) = output.read(&mut buffer) {
        text.push_str(&String::from_utf8_lossy(&buffer[..length]));
        if let Some((whole, rest)) = text.rsplit_once('\r') {
            let last = whole
                .rsplit_once("mesg=")
                .and_then(|(_, number)| number.parse().ok());
            if let Some(number) = last {
                count.store(number, Ordering::Release);
            }
            text = rest.to_owned();
        }
        thread::sleep(POLL);
    }
}

/// Accepts everything.
fn serve(stream: TcpStream, taken: &Received) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut output = stream.try_clone()?;
    let mut input = BufReader::new(stream);
    output.write_all(b"220 sink\r\n")?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        match line.get(..4) {
            Some(b"DATA") => {
                output.write_all(b"354 go on\r\n")?;
                let sampled = taken.count.load(Ordering::Acquire).is_multiple_of(SAMPLED);
                let kept = sampled || taken.names.is_some();
                let (mut header, mut in_header) = (Vec::new(), kept);
                while line != b".\r\n" {
                    line.clear();
                    ensure!(input.read_until(b'\n', &mut line)? > 0, "hung up");
                    in_header &= line != b"\r\n";
                    if in_header {
                        header.extend_from_slice(&line);
                    }
                }
                let header = String::from_utf8_lossy(&header);
                if let Some(names) = &taken.names {
                    let mut lines = header.lines();
                    let name = lines.find_map(|line| line.strip_prefix(NAME));
                    let mut names = names.lock().unwrap_or_else(|e| e.into_inner());
                    names.push(name.unwrap_or_default().to_owned());
                }
                if sampled {
                    taken.samples().push(header.into_owned());
                }
                taken.count.fetch_add(1, Ordering::AcqRel);
                output.write_all(b"250 taken\r\n")?;
            }
            Some(b"QUIT") => return Ok(output.write_all(b"221 bye\r\n")?),
            _ => output.write_all(b"250 yes\r\n")?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::load::{Content, Load};

    #[test]
    fn our_own_sink_counts_what_our_own_generator_sends() -> Result<()> {
        let sink = Sink::sampling()?;
        let load = Load {
            sessions: 5,
            messages: 50,
            content: Content::Octets(2000),
        };
        assert_eq!(load.timed(sink.address())?.len(), 50);
        sink.wait_for(50)?;
        assert!(sink.wait_for(49).is_err());
        let samples = sink.samples();
        let whole = |header: &String| header.contains("\r\nSubject: performance\r\n");
        assert!(
            !samples.is_empty() && samples.iter().all(whole),
            "{samples:?}"
        );
        Ok(())
    }
}
