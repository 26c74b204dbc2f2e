//! The server at the other end: `gatepost sink` takes every message and keeps it, for
//! demonstrations and tests. On request it refuses, or is slow.

mod keep;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use gatepost_message::{Address, ReversePath};
use gatepost_smtp::Reply;
use gatepost_smtp::dsn::Recipient;
use gatepost_smtp::server::{
    Answer, Ask, AuthOffer, Event, Limits, Mail, Session, Settings, StartTls,
};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use self::keep::{Draft, Keep};
use crate::commands::output;
use gatepost_config::{Tls, parse_duration};
use gatepost_intake::tls;

/// Take every message that comes over SMTP and keep it, for demonstrations and tests.
///
/// Prints `listening on ADDRESS`, then a line for each message.
#[derive(Debug, Clone, Args)]
pub struct SinkArgs {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2525")]
    listen: SocketAddr,
    /// Keep each message there, as NUMBER.eml; not kept at all when not given.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// Refuse recipients that contain this text with 550; may be given more than once.
    #[arg(long, value_name = "TEXT")]
    fail_rcpt: Vec<String>,
    /// Answer the first messages with 451.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    tempfail_first: u64,
    /// Wait before the answer to a message, such as "250ms".
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    delay: Option<Duration>,
    /// Offer STARTTLS with the certificate in this PEM file.
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// Its private key.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
}

/// The sink cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The directory cannot be made, or standard output is gone.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
}

/// What all connections share.
struct Sink {
    args: SinkArgs,
    keep: Keep,
    tls: Option<TlsAcceptor>,
    settings: Arc<Settings>,
    /// Messages answered so far.
    answered: AtomicU64,
}

/// A message that was taken.
#[derive(Serialize)]
struct Taken<'a> {
    number: u64,
    from: &'a ReversePath,
    to: Vec<&'a Address>,
    smtputf8: bool,
    /// The parameters of MAIL by which it asked for notifications (RFC 3461), and those of each
    /// RCPT.
    dsn: String,
    dsn_to: Vec<String>,
    size: u64,
    tls: Option<&'a str>,
    file: Option<PathBuf>,
}

/// Takes messages until it is interrupted.
///
/// # Errors
/// It cannot start.
pub async fn run(args: SinkArgs) -> Result<ExitCode, SinkError> {
    let tls = match (&args.certificate, &args.key) {
        (Some(certificate), Some(key)) => Some(tls::acceptor(&Tls {
            certificate: certificate.clone(),
            key: key.clone(),
        })?),
        _ => None,
    };
    let listener =
        gatepost_intake::listener::bind(args.listen).map_err(|source| SinkError::Listen {
            address: args.listen,
            source,
        })?;
    let sink = Arc::new(Sink {
        keep: Keep::new(args.output.clone())?,
        settings: Arc::new(settings(tls.is_some())),
        answered: AtomicU64::new(0),
        tls,
        args,
    });
    say(&format!("listening on {}", listener.local_addr()?))?;
    let take = async {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let sink = Arc::clone(&sink);
                    tokio::spawn(async move {
                        if let Err(error) = serve(&sink, stream).await {
                            tracing::warn!(%error, "a connection broke");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot take a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        () = take => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn settings(tls: bool) -> Settings {
    Settings {
        hostname: "sink.gatepost.invalid".to_owned(),
        limits: Limits {
            recipients: 10_000,
            message_size: 1 << 30,
            header_size: 16 << 20,
            errors: u32::MAX,
            idle_commands: u32::MAX,
            // It shows what came.
            repair_line_ends: false,
            repair_opening: false,
            ..Limits::default()
        },
        start_tls: if tls {
            StartTls::Offered
        } else {
            StartTls::None
        },
        auth: AuthOffer::None,
    }
}

/// Prints a line at once, so that a test can wait for it.
fn say(line: &str) -> io::Result<()> {
    output::print(line).map_err(io::Error::other)
}

/// A connection, in plaintext or under TLS.
trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// The transaction in hand.
#[derive(Default)]
struct Envelope {
    mail: Option<Mail>,
    to: Vec<Recipient>,
    draft: Option<Draft>,
}

async fn serve(sink: &Sink, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream: Box<dyn Connection> = Box::new(stream);
    let mut session = Session::new(Arc::clone(&sink.settings), None);
    let mut envelope = Envelope::default();
    let mut buffer = vec![0; 16 << 10];
    loop {
        match session.next_event() {
            Event::NeedInput => match stream.read(&mut buffer).await? {
                0 => return Ok(()),
                length => session.feed(&buffer[..length]),
            },
            Event::Send(octets) => stream.write_all(&octets).await?,
            Event::StartTls => {
                let Some(acceptor) = &sink.tls else {
                    return Ok(());
                };
                let secured = acceptor.accept(stream).await?;
                session.tls_started(tls::secured(secured.get_ref().1));
                stream = Box::new(secured);
            }
            Event::Ask(ask) => {
                let answer = answer(sink, &session, &mut envelope, ask).await?;
                session.answer(answer);
            }
            Event::DataStarted => envelope.draft = Some(sink.keep.begin()?),
            Event::Data(octets) => {
                if let Some(draft) = &mut envelope.draft {
                    draft.write(&octets)?;
                }
            }
            Event::Aborted(_) => envelope = Envelope::default(),
            Event::Close => return stream.shutdown().await,
        }
    }
}

async fn answer(
    sink: &Sink,
    session: &Session,
    envelope: &mut Envelope,
    ask: Ask,
) -> io::Result<Answer> {
    match ask {
        Ask::Connect | Ask::Verifier(_) | Ask::Authenticate(_) | Ask::Proxied(_) => {}
        Ask::Mail(mail) => envelope.mail = Some(mail),
        Ask::Recipient(recipient) => {
            let refused = |text: &String| recipient.address.as_str().contains(text.as_str());
            if sink.args.fail_rcpt.iter().any(refused) {
                let reply = Reply::new(550, "5.1.1", "the sink refuses this recipient as told");
                return Ok(Answer::Reply(reply));
            }
            envelope.to.push(recipient);
        }
        Ask::Message { size, .. } => {
            let Envelope { mail, to, draft } = std::mem::take(envelope);
            if let Some(delay) = sink.args.delay {
                tokio::time::sleep(delay).await;
            }
            if sink.answered.fetch_add(1, Ordering::Relaxed) < sink.args.tempfail_first {
                let reply = Reply::new(451, "4.3.0", "the sink takes no message yet, as told");
                return Ok(Answer::Reply(reply));
            }
            let (number, file) = sink.keep.finish(draft)?;
            sink.tell(&Taken {
                number,
                from: mail
                    .as_ref()
                    .map_or(&ReversePath::Null, |mail| &mail.reverse_path),
                to: to.iter().map(|to| &to.address).collect(),
                smtputf8: mail.as_ref().is_some_and(|mail| mail.smtputf8),
                dsn: mail
                    .as_ref()
                    .map_or_else(String::new, |mail| mail.dsn.to_string()),
                dsn_to: to.iter().map(|to| to.dsn.to_string()).collect(),
                size,
                tls: session.tls(),
                file,
            })?;
            let text = format!("taken as {number}");
            return Ok(Answer::Reply(Reply::new(250, "2.0.0", text)));
        }
    }
    Ok(Answer::Proceed)
}

impl Sink {
    fn tell(&self, taken: &Taken<'_>) -> io::Result<()> {
        if self.args.json {
            return output::print_json([taken]).map_err(io::Error::other);
        }
        let to: Vec<_> = taken.to.iter().map(|to| format!("<{to}>")).collect();
        let file = taken.file.as_ref();
        say(&format!(
            "{} <{}> to {}, {} octets{}",
            taken.number,
            taken.from,
            to.join(" "),
            taken.size,
            file.map_or_else(String::new, |file| format!(", {}", file.display())),
        ))
    }
}
