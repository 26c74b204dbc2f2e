//! `gatepost sink`: an SMTP server that accepts and stores every message, for demonstrations and
//! tests. On request it refuses, or is slow; with a script it is the server of `gatepost-sink`.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use gatepost_certificates::{TrustError, private_roots};
use gatepost_sink::{KeptMessage, MessageStore, PartialMessage, Script, ScriptError};
use gatepost_smtp::Reply;
use gatepost_smtp::dsn::Recipient;
use gatepost_smtp::server::{
    Answer, Ask, AuthOffer, Event, Limits, Mail, Session, Settings, StartTls,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::commands::output;
use gatepost_config::RelayTls;
use gatepost_intake::tls;
use gatepost_message::parse_duration;

/// Accept every message over SMTP and store it, for demonstrations and tests.
///
/// Prints `listening on ADDRESS`, then a line for each message.
#[derive(Debug, Clone, Args)]
pub struct SinkArgs {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2525")]
    listen: SocketAddr,
    /// Store each message in this directory, as NUMBER.eml; not stored at all when not given.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
    /// Refuse recipients that contain this text with 550; may be given more than once.
    #[arg(long, value_name = "TEXT")]
    fail_rcpt: Vec<String>,
    /// Answer this many messages with 451 first.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    tempfail_first: u64,
    /// Wait before the reply to a message, such as "250ms".
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    delay: Option<Duration>,
    /// Follow the script in this TOML file (docs/sink.md).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fail_rcpt", "tempfail_first", "delay"])]
    script: Option<PathBuf>,
    /// Write the dialogues to this file, a JSON object a line, without secrets.
    #[arg(long, value_name = "FILE", requires = "script")]
    dialogue: Option<PathBuf>,
    /// Offer STARTTLS with the certificate in this PEM file; a script says how it is used.
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// Private key of the certificate.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// Take only clients with a certificate from the authorities in this PEM file.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    client_ca: Option<PathBuf>,
}

/// Error of starting the sink.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The address is taken or does not belong to this machine.
    #[error(
        "cannot listen on {address}: {cause}; {advice}",
        advice = gatepost_intake::listener::bind_advice(cause)
    )]
    Listen {
        /// Address that was given.
        address: SocketAddr,
        /// Error of the system. It stands in the message, and is not the source, too.
        cause: io::Error,
    },
    /// A file or a directory that was named cannot be used.
    #[error("cannot use {}: {cause}; name another {what}", path.display())]
    Path {
        /// Kind: a directory, or a file.
        what: &'static str,
        /// Path that was given.
        path: PathBuf,
        /// Error of the system.
        cause: io::Error,
    },
    /// Standard output is closed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The authorities of clients cannot be used.
    #[error(transparent)]
    ClientCa(#[from] TrustError),
    /// The script cannot be read or followed.
    #[error(transparent)]
    Script(#[from] ScriptError),
}

/// State shared by all connections.
struct Sink {
    args: SinkArgs,
    keep: MessageStore,
    tls: Option<TlsAcceptor>,
    settings: Arc<Settings>,
    /// Number of messages answered so far.
    answered: AtomicU64,
}

/// Accepts messages until it is interrupted.
///
/// # Errors
/// It cannot start.
pub async fn run(args: SinkArgs) -> Result<ExitCode, SinkError> {
    let tls = acceptor(&args)?;
    let listener =
        gatepost_intake::listener::bind(args.listen).map_err(|cause| SinkError::Listen {
            address: args.listen,
            cause,
        })?;
    let address = listener.local_addr()?;
    let keep =
        MessageStore::new(args.output.clone()).map_err(of_path("directory", &args.output))?;
    let ready = || print_line(&format!("listening on {address}"));
    match &args.script {
        Some(file) => {
            let json = args.json;
            let on_message = Box::new(move |message: &KeptMessage| print_message(message, json));
            let script = Script::read(file)?;
            let sink =
                gatepost_sink::Sink::new(script, tls, keep, args.dialogue.clone(), on_message)
                    .map_err(|error| match error {
                        ScriptError::Dialogue(cause) => of_path("file", &args.dialogue)(cause),
                        other => SinkError::Script(other),
                    })?;
            ready()?;
            until_interrupted(Arc::new(sink).serve(listener)).await
        }
        None => {
            let sink = Arc::new(Sink {
                keep,
                settings: Arc::new(settings(tls.is_some())),
                answered: AtomicU64::new(0),
                tls,
                args,
            });
            ready()?;
            until_interrupted(take(sink, listener)).await
        }
    }
}

/// Returns what makes the error about a path that was given.
fn of_path(what: &'static str, path: &Option<PathBuf>) -> impl FnOnce(io::Error) -> SinkError {
    let path = path.clone().unwrap_or_default();
    move |cause| SinkError::Path { what, path, cause }
}

/// Makes the acceptor of TLS, if there is a certificate.
fn acceptor(args: &SinkArgs) -> Result<Option<TlsAcceptor>, SinkError> {
    let (Some(certificate), Some(key)) = (args.certificate.clone(), args.key.clone()) else {
        return Ok(None);
    };
    let own = RelayTls {
        certificate,
        key,
        further: Vec::new(),
    };
    let acceptor = match &args.client_ca {
        Some(file) => {
            let pem = gatepost_files::read(file, gatepost_files::SETTINGS);
            let pem = pem.map_err(io::Error::from);
            let pem = pem.map_err(of_path("file", &args.client_ca))?;
            tls::acceptor_for_clients_of(&own, private_roots(&pem)?)?
        }
        None => tls::acceptor(&own)?,
    };
    Ok(Some(acceptor))
}

async fn until_interrupted(serve: impl Future<Output = ()>) -> Result<ExitCode, SinkError> {
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        () = serve => {}
    }
    Ok(ExitCode::SUCCESS)
}

async fn take(sink: Arc<Sink>, listener: TcpListener) {
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
            // The sink shows messages as they came.
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

/// Prints a line and flushes it, so that a test can wait for it.
fn print_line(line: &str) -> io::Result<()> {
    output::print(line).map_err(io::Error::other)
}

/// Connection in plaintext or under TLS.
trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Transaction in progress.
#[derive(Default)]
struct TakenEnvelope {
    mail: Option<Mail>,
    to: Vec<Recipient>,
    draft: Option<PartialMessage>,
}

async fn serve(sink: &Sink, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream: Box<dyn Connection> = Box::new(stream);
    let mut session = Session::new(Arc::clone(&sink.settings), None);
    let mut envelope = TakenEnvelope::default();
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
            Event::Aborted(_) => envelope = TakenEnvelope::default(),
            Event::Close => return stream.shutdown().await,
        }
    }
}

async fn answer(
    sink: &Sink,
    session: &Session,
    envelope: &mut TakenEnvelope,
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
        Ask::Message {
            size, eight_bit, ..
        } => {
            let TakenEnvelope { mail, to, draft } = std::mem::take(envelope);
            if let Some(delay) = sink.args.delay {
                tokio::time::sleep(delay).await;
            }
            if sink.answered.fetch_add(1, Ordering::Relaxed) < sink.args.tempfail_first {
                let reply = Reply::new(451, "4.3.0", "the sink takes no message yet, as told");
                return Ok(Answer::Reply(reply));
            }
            let (number, file) = sink.keep.finish(draft)?;
            let mail = mail.as_ref();
            let message = KeptMessage {
                number,
                from: mail.map_or_else(String::new, |mail| mail.reverse_path.to_string()),
                to: to.iter().map(|to| to.address.to_string()).collect(),
                smtputf8: mail.is_some_and(|mail| mail.smtputf8),
                dsn: mail.map_or_else(String::new, |mail| mail.dsn.to_string()),
                dsn_to: to.iter().map(|to| to.dsn.to_string()).collect(),
                size,
                eight_bit,
                helo: session.helo().map(str::to_owned),
                tls: session.tls().map(str::to_owned),
                file,
                ..KeptMessage::default()
            };
            print_message(&message, sink.args.json)?;
            let text = format!("taken as {number}");
            return Ok(Answer::Reply(Reply::new(250, "2.0.0", text)));
        }
    }
    Ok(Answer::Proceed)
}

fn print_message(message: &KeptMessage, json: bool) -> io::Result<()> {
    if json {
        return output::print_json([message]).map_err(io::Error::other);
    }
    let to: Vec<_> = message.to.iter().map(|to| format!("<{to}>")).collect();
    let file = message.file.as_ref();
    print_line(&format!(
        "{} <{}> to {}, {} octets{}",
        message.number,
        message.from,
        to.join(" "),
        message.size,
        file.map_or_else(String::new, |file| format!(", {}", file.display())),
    ))
}
