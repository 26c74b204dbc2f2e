//! Postfix as a neighbour of the relay, on either side.

use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::home::Home;
use crate::mail_server::MailServer;
use crate::packages::root;
use crate::verifiers::{self, Verifiers};
use crate::wait::until;
use crate::{Process, debian, namespace};

/// A running Postfix for one test: it accepts mail on a loopback port and from
/// [`Postfix::sendmail`], and sends all of it to one next hop. It uses TLS if the server offers it,
/// and offers it itself.
#[derive(Debug)]
pub struct Postfix {
    /// Folder of Postfix's commands.
    commands: PathBuf,
    /// Its main program.
    master: PathBuf,
    /// True if it has another resolver than the system.
    has_resolver: bool,
    /// Other programs that work for it; dropped before their home.
    helpers: Vec<Process>,
    server: MailServer,
}

/// Name servers that it asks.
enum Names {
    /// Those of the system.
    System,
    /// The one at port 53 of this address.
    At(IpAddr),
    /// Name server of its verifiers.
    Verifiers(Verifiers),
}

impl Names {
    /// Returns a name server of its own. If it cannot have one here, reports that in one line and
    /// returns `None`.
    fn of(resolver: IpAddr) -> Option<Self> {
        namespace::possible("Postfix with a name server of its own").then_some(Self::At(resolver))
    }
}

/// Realm of the users of Cyrus SASL.
const REALM: &str = "postfix.example";

/// Users of Cyrus SASL.
struct Accounts<'a> {
    /// saslpasswd2.
    tool: PathBuf,
    /// Each with a password.
    users: &'a [(&'a str, &'a str)],
}

impl<'a> Accounts<'a> {
    /// Finds what they need. If it is not installed, reports that in one line and returns `None`.
    fn of(users: &'a [(&'a str, &'a str)]) -> Option<Self> {
        let tool = debian("sasl2-bin", "saslpasswd2")?;
        Some(Self { tool, users })
    }

    /// Adds the users to a database in this home; returns the lines for `main.cf`.
    fn main(&self, home: &Home) -> String {
        let database = home.path().join("sasldb2");
        for (user, password) in self.users {
            set_password(&self.tool, home.path(), user, password);
        }
        // smtpd reads it as Postfix's own user.
        let readable = fs::set_permissions(&database, fs::Permissions::from_mode(0o644));
        readable.unwrap_or_else(|error| panic!("{}: {error}", database.display()));
        let settings = format!(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {}\n\
             mech_list: PLAIN LOGIN SCRAM-SHA-256\n",
            database.display()
        );
        // Debian's Postfix looks in this folder beside its settings, whatever these say.
        let folder = home.path().join("sasl");
        fs::create_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        home.write("sasl/smtpd.conf", &settings);
        format!(
            "smtpd_sasl_local_domain = {REALM}\ncyrus_sasl_config_path = {}\n",
            folder.display()
        )
    }
}

/// Adds a user to the database of Cyrus SASL in this home, or gives the user another password.
fn set_password(tool: &Path, home: &Path, user: &str, password: &str) {
    let file = home.join("password");
    let given = fs::write(&file, password).and_then(|()| fs::File::open(&file));
    let given = given.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut set = Command::new(tool);
    set.arg("-f").arg(home.join("sasldb2"));
    run(set.args(["-p", "-c", "-u", REALM, user]).stdin(given));
}

/// Lines for `main.cf` by which nobody but users may send.
const USERS_ONLY: &str = "smtpd_sasl_auth_enable = yes
smtpd_tls_auth_only = yes
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
";

/// Main settings: no look-ups, no mailboxes, no pauses. Further ones come below.
const MAIN: &str = "
compatibility_level = 3.6
maillog_file = /dev/stdout
myhostname = postfix.example
mydestination =
alias_maps =
local_recipient_maps =
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_tls_security_level = may
smtp_tls_security_level = may
in_flow_delay = 0
";

/// Postfix's own services, without those that only mailboxes need.
const SERVICES: &str = "
127.0.0.1:0 inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
showq unix n - n - - showq
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsproxy unix - - n - 0 tlsproxy
postlog unix-dgram n - n - 1 postlogd
";

/// Returns the services without the queue manager.
fn without_queue_manager() -> String {
    let services = SERVICES.split_inclusive('\n');
    services.filter(|line| !line.starts_with("qmgr ")).collect()
}

/// Returns a next hop as Postfix has it.
fn relayhost(next_hop: SocketAddr) -> String {
    format!("[{}]:{}", next_hop.ip(), next_hop.port())
}

impl Postfix {
    /// Starts one that sends everything to this next hop. If Postfix is not installed or cannot run
    /// here, reports that in one line and returns `None`.
    pub fn start(next_hop: SocketAddr) -> Option<Self> {
        Self::with(next_hop, "")
    }

    /// Starts one with further lines for its `main.cf`.
    pub fn with(next_hop: SocketAddr, main: &str) -> Option<Self> {
        Self::made(Some(next_hop), main, None, None)
    }

    /// Starts one that keeps what it accepts until it is [released](Self::release), and then sends
    /// it as these lines for its `main.cf` say. With a resolver it asks the name server at port 53
    /// of that address; if it cannot have one of its own here, reports that in one line and returns
    /// `None`.
    pub fn holding(main: &str, resolver: Option<IpAddr>) -> Option<Self> {
        let names = match resolver {
            Some(resolver) => Names::of(resolver)?,
            None => Names::System,
        };
        Self::started(None, main, names, None, (&without_queue_manager(), &[]))
    }

    /// Starts one that sends as these lines for its `main.cf` and its `master.cf` say, which find the
    /// files in its home, `{home}`. It knows hosts by the file `hosts` among them, and by nothing
    /// else. If Postfix cannot run so here, reports that in one line and returns `None`.
    pub fn set_up(main: &str, services: &str, files: &[(&str, String)]) -> Option<Self> {
        Self::server_of_a_domain(main, services, files, None)
    }

    /// Starts one that sends as these lines say, like [`Postfix::set_up`], and has these users of
    /// Cyrus SASL, each with a password. Which of its services they may use, the lines for its
    /// `master.cf` say. If Postfix or Cyrus SASL is missing, reports that in one line and returns
    /// `None`.
    pub fn smart_host(
        main: &str,
        services: &str,
        files: &[(&str, String)],
        users: &[(&str, &str)],
    ) -> Option<Self> {
        Self::server_of_a_domain(main, services, files, Some(&Accounts::of(users)?))
    }

    fn server_of_a_domain(
        main: &str,
        services: &str,
        files: &[(&str, String)],
        accounts: Option<&Accounts<'_>>,
    ) -> Option<Self> {
        let names = Names::of(IpAddr::from(Ipv4Addr::LOCALHOST))?;
        let main = format!("smtp_host_lookup = native\n{main}");
        let services = format!("{SERVICES}{services}");
        Self::started(None, &main, names, accounts, (&services, files))
    }

    /// Starts one that takes mail only from this user, who logs in under TLS by the mechanisms of
    /// Cyrus SASL. If that is not installed, reports that in one line and returns `None`.
    pub fn with_user(next_hop: SocketAddr, user: &str, password: &str) -> Option<Self> {
        let users = [(user, password)];
        let accounts = Accounts::of(&users)?;
        Self::made(Some(next_hop), USERS_ONLY, None, Some(&accounts))
    }

    /// Starts one with policyd-spf, opendkim and opendmarc, which ask this name server, at port 53,
    /// and write their results into Authentication-Results of `postfix.example`; whatever the
    /// results, the message is accepted. If one of them is not installed, reports that in one line
    /// and returns `None`.
    pub fn verifying(next_hop: SocketAddr, main: &str, resolver: IpAddr) -> Option<Self> {
        Self::made(Some(next_hop), main, Some(Verifiers::find(resolver)?), None)
    }

    fn made(
        next_hop: Option<SocketAddr>,
        main: &str,
        verifiers: Option<Verifiers>,
        accounts: Option<&Accounts<'_>>,
    ) -> Option<Self> {
        let names = match verifiers {
            Some(verifiers) => Names::Verifiers(verifiers),
            None => Names::System,
        };
        Self::started(next_hop, main, names, accounts, (SERVICES, &[]))
    }

    fn started(
        next_hop: Option<SocketAddr>,
        main: &str,
        names: Names,
        accounts: Option<&Accounts<'_>>,
        (services, files): (&str, &[(&str, String)]),
    ) -> Option<Self> {
        let commands = debian("postfix", "postfix")?.with_file_name("");
        if !root("Postfix") {
            return None;
        }
        let home = Home::make();
        let path = home.path();
        let in_home = |text: &str| text.replace("{home}", &path.display().to_string());
        let (services, main) = (in_home(services), in_home(main));
        for (name, text) in files {
            home.write(name, &in_home(text));
        }
        let accounts = accounts.map(|accounts| accounts.main(&home));
        let accounts = accounts.unwrap_or_default();
        let [verifying, policy] = match &names {
            Names::Verifiers(verifiers) => [verifiers.main(path), verifiers.service(path)],
            _ => Default::default(),
        };
        home.write("master.cf", &format!("{services}{policy}"));
        let (queue, data) = (path.join("queue"), path.join("data"));
        fs::create_dir(&queue).unwrap_or_else(|e| panic!("{}: {e}", queue.display()));
        let main = format!(
            "{MAIN}queue_directory = {queue}\ndata_directory = {data}\n\
             relayhost = {relayhost}\nsmtpd_tls_chain_files = {key}, {certificate}\n\
             {verifying}{accounts}{main}\n",
            queue = queue.display(),
            data = data.display(),
            relayhost = next_hop.map_or_else(String::new, relayhost),
            key = home.certificate.key.display(),
            certificate = home.certificate.certificate.display(),
        );
        home.write("main.cf", &last_of_each(&main));
        let mut postfix = Command::new(commands.join("postfix"));
        run(postfix
            .arg("-c")
            .arg(path)
            .args(["post-install", "create-missing"]));
        let mut postconf = Command::new(commands.join("postconf"));
        let programs = run(postconf.args(["-h", "daemon_directory"]));
        let master = Path::new(programs.trim()).join("master");
        let helpers = match &names {
            Names::Verifiers(verifiers) => verifiers.start(&home),
            Names::At(resolver) => {
                home.write("resolv.conf", &format!("nameserver {resolver}\n"));
                Vec::new()
            }
            Names::System => Vec::new(),
        };
        let has_resolver = !matches!(names, Names::System);
        let process = start(&master, path, has_resolver);
        let address = listening(process.id());
        Some(Self {
            commands,
            master,
            has_resolver,
            helpers,
            server: MailServer::new(process, address, home),
        })
    }

    /// Returns the ids of its master process, the ancestor of all its others, and of the programs
    /// that work for it.
    pub fn ids(&self) -> Vec<u32> {
        let helpers = self.helpers.iter().map(Process::id);
        std::iter::once(self.id()).chain(helpers).collect()
    }

    /// Starts it again without its queue manager: what it accepts waits. Its address is another.
    pub fn hold(&mut self) {
        self.restart(&without_queue_manager());
    }

    /// Starts it again with its queue manager, and so with all that waits. Its address is another.
    pub fn release(&mut self) {
        self.restart(SERVICES);
    }

    /// Starts it again with other services. A reload would do, but the second one leaves it deaf.
    fn restart(&mut self, services: &str) {
        self.replace("master.cf", services);
        let (master, has_resolver) = (self.master.clone(), self.has_resolver);
        self.server.restart(|home| {
            let process = start(&master, home, has_resolver);
            let address = listening(process.id());
            (process, address)
        });
    }

    fn replace(&self, name: &str, text: &str) {
        let file = self.home().join(name);
        let written = fs::write(&file, text);
        written.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// Replaces a file in its home, and has its new processes read it.
    pub fn rewrite(&self, name: &str, text: &str) {
        self.replace(name, text);
        self.server.signalled("HUP", "reload -- version");
    }

    /// Returns the name by which it knows a user of Cyrus SASL.
    pub fn user(user: &str) -> String {
        format!("{user}@{REALM}")
    }

    /// Adds a user of Cyrus SASL, or gives the user another password.
    pub fn set_password(&self, user: &str, password: &str) {
        let Some(tool) = debian("sasl2-bin", "saslpasswd2") else {
            panic!("it has no users");
        };
        set_password(&tool, self.home(), user, password);
    }

    /// Submits a message as a local program does.
    pub fn sendmail(&self, from: &str, to: &[&str], message: &[u8]) {
        let mut command = Command::new(self.commands.join("sendmail"));
        command.arg("-C").arg(self.home());
        // A line with only a dot does not end the message.
        command.args(["-i", "-f", from]).args(to);
        let mut sendmail = command
            .stdin(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("sendmail: {error}"));
        if let Some(mut input) = sendmail.stdin.take() {
            let written = input.write_all(message);
            written.unwrap_or_else(|error| panic!("sendmail: {error}"));
        }
        let status = sendmail.wait();
        assert!(
            status.as_ref().is_ok_and(|status| status.success()),
            "sendmail: {status:?}"
        );
    }

    /// Retries deferred mail at once. A deferral is logged while the message is still active, where
    /// no new attempt reaches it: this waits until it is not.
    pub fn flush(&self) {
        let queued = || self.postqueue("-j");
        let put_off = |queued: &str| {
            let mut messages = queued.lines();
            messages.all(|message| message.contains("\"queue_name\": \"deferred\""))
        };
        until(queued, || put_off(&queued()).then_some(()));
        self.postqueue("-f");
    }

    /// Has it look through its whole queue now.
    pub fn looks_through_its_queue(&self) {
        self.postqueue("-f");
    }

    /// Waits until it has no work left for any message that it accepted. One that was on its way when
    /// the settings were read anew stays listed without a recipient until the queue is next looked
    /// through.
    pub fn drained(&self) {
        let queued = || format!("queued: {}\n{}", self.postqueue("-j"), self.log());
        until(queued, || {
            let listed = self.postqueue("-j");
            let mut messages = listed.lines();
            messages
                .all(|message| message.contains("\"recipients\": []"))
                .then_some(())
        });
    }

    fn postqueue(&self, what: &str) -> String {
        let mut postqueue = Command::new(self.commands.join("postqueue"));
        run(postqueue.arg("-c").arg(self.home()).arg(what))
    }
}

impl Deref for Postfix {
    type Target = MailServer;

    fn deref(&self) -> &MailServer {
        &self.server
    }
}

/// Returns the settings without those that a later line sets again. Postfix warns of them, and postlogd
/// writes its own warnings where it reads: with a few of them at its start it waits for itself.
fn last_of_each(settings: &str) -> String {
    let lines: Vec<&str> = settings.lines().filter(|line| !line.is_empty()).collect();
    let name = |line: &str| line.split('=').next().map(|name| name.trim().to_owned());
    let is_set_later = |at: usize| {
        let mut later = lines[at + 1..].iter();
        later.any(|line| name(line) == name(lines[at]))
    };
    let kept = (0..lines.len()).filter(|at| !is_set_later(*at));
    kept.map(|at| format!("{}\n", lines[at])).collect()
}

/// Starts the master process, with another resolver configuration if wanted, and waits until it
/// listens.
fn start(master: &Path, directory: &Path, other_resolver: bool) -> Process {
    // The log goes to standard output, where a process's log is expected.
    let run = format!(
        "exec {} -c {} -s >&2",
        master.display(),
        directory.display()
    );
    let mut shell = if other_resolver {
        verifiers::command(directory, &run)
    } else {
        let mut shell = Command::new("sh");
        shell.args(["-c", &run]);
        shell
    };
    let mut process = Process::start("postfix", &mut shell);
    // On a busy machine it may end at its start without a word: what it says goes by its log daemon, which
    // does not run yet.
    if !process.logs("daemon started") && process.log().is_empty() {
        eprintln!("Postfix ended without a word, and is started again");
        process = Process::start("postfix", &mut shell);
    }
    process.logged("daemon started");
    process
}

/// Returns the address at which a process listens, which Postfix does not report: the one TCP
/// socket of the process that is in state LISTEN (proc(5), /proc/net/tcp).
fn listening(process: u32) -> SocketAddr {
    let folder = PathBuf::from(format!("/proc/{process}"));
    let files = fs::read_dir(folder.join("fd")).into_iter().flatten();
    let sockets: HashSet<String> = files
        .filter_map(|file| fs::read_link(file.ok()?.path()).ok())
        .filter_map(|link| {
            let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect();
    let table = fs::read_to_string(folder.join("net/tcp")).unwrap_or_default();
    let port = table.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let (_, port) = local.split_once(':')?;
        let ours = *state == "0A" && sockets.contains(*inode);
        ours.then(|| u16::from_str_radix(port, 16).ok())?
    });
    let port = port.unwrap_or_else(|| panic!("process {process} does not listen:\n{table}"));
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Runs a program, which must succeed; returns its output.
fn run(command: &mut Command) -> String {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let [printed, errors] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{command:?}: {printed}{errors}");
    printed
}
