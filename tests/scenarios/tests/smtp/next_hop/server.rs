//! A next hop that offers what it is told to offer, takes one transaction, and hands out what was
//! said to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use test_support::PATIENCE;

pub struct Server {
    pub address: SocketAddr,
    transactions: Receiver<Transaction>,
}

/// Transaction as it came: the commands before the message, and the message with its dots as sent.
pub struct Transaction {
    pub commands: Vec<String>,
    pub message: Vec<u8>,
}

impl Server {
    /// Offers these extensions; ends each message with these replies.
    pub fn start(extensions: &'static [&'static str], ends: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, transactions) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let sender = sender.clone();
                std::thread::spawn(move || {
                    let _ = serve(stream?, extensions, ends, |transaction| {
                        let _ = sender.send(transaction);
                    });
                    std::io::Result::Ok(())
                });
            }
        });
        Self {
            address,
            transactions,
        }
    }

    /// The next transaction that brought a message.
    pub fn take(&self) -> Transaction {
        self.transactions
            .recv_timeout(PATIENCE)
            .expect("no message came")
    }
}

fn serve(
    mut stream: TcpStream,
    extensions: &[&str],
    ends: &str,
    taken: impl Fn(Transaction),
) -> std::io::Result<()> {
    stream.write_all(b"220 hop.example\r\n")?;
    let mut input = BufReader::new(stream.try_clone()?);
    let mut commands = Vec::new();
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        let mut message = Vec::new();
        let reply = match line.split(' ').next().unwrap_or_default() {
            "EHLO" | "LHLO" => {
                let offer: String = extensions.iter().map(|e| format!("250-{e}\r\n")).collect();
                format!("250-hop.example\r\n{offer}250 HELP\r\n")
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                while !message.ends_with(b"\r\n.\r\n") {
                    input.read_until(b'\n', &mut message)?;
                }
                message.truncate(message.len() - 3);
                ends.to_owned()
            }
            "BDAT" => {
                let size = line.split(' ').nth(1).and_then(|size| size.parse().ok());
                message.resize(size.unwrap(), 0);
                input.read_exact(&mut message)?;
                ends.to_owned()
            }
            _ => "250 yes\r\n".to_owned(),
        };
        commands.push(line);
        if !message.is_empty() {
            let commands = std::mem::take(&mut commands);
            taken(Transaction { commands, message });
        }
        stream.write_all(reply.as_bytes())?;
    }
}
