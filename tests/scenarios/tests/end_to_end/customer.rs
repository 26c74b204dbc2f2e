//! The customer's server: Postfix, which takes the mail of the customer's domain, gets it to the help
//! desk, and sends what the relay hands it.

use std::net::SocketAddr;

use test_support::{Certificate, Postfix, Postsrsd, debian_library, free_port};

use crate::places::{
    CUSTOMER, DOMAIN, NATIVE, OTHER_DESK, OTHER_NATIVE, RELAY, RELAY_NAME, SALES, SMART_HOST,
    SUPPORT, at,
};
use crate::site::{Site, read};

/// Passwords of its users: `desk` sends as all addresses, the others as theirs.
pub const PASSWORD: &str = "hush-of-the-desk";
pub const HELP_PASSWORD: &str = "hush-of-help";
pub const SALES_PASSWORD: &str = "hush-of-sales";

/// Its answers to what it is to send to some.
const COMES_LATER: &str = "later.example 450 4.2.0 come again later\n";
const NEVER_COMES: &str = "never.example 450 4.2.0 come again later\n";

/// Its rule where it gives each message another Message-ID.
const REPLACES: &str =
    "/^message-id:[[:space:]]*<([^@>]*)@/ REPLACE Message-ID: <its.$1@mail.customer.example>\n";

/// The server.
pub struct Customer {
    pub postfix: Postfix,
    /// Address at which the relay submits.
    pub submission: SocketAddr,
    /// Address at which the relay submits to a service that gives each message another Message-ID.
    pub replacing: SocketAddr,
    /// Certificate of its submission service, as PEM.
    pub certificate: String,
    _srs: Option<Postsrsd>,
}

/// Settings that the two ways into the relay have in common.
struct Lines {
    main: String,
    services: String,
    files: Vec<(&'static str, String)>,
}

impl Customer {
    /// Starts one that forwards each of these addresses to its forwarding target, in the name of its
    /// own domain (SRS). If something is missing for it, reports that in one line and returns `None`.
    pub fn forwarding(site: &Site, addresses: &[&str]) -> Option<Self> {
        let srs = Postsrsd::start(DOMAIN)?;
        let forwards = addresses
            .iter()
            .map(|of| format!("{of} {}\n", site.target(of)));
        let lines = Lines {
            main: format!(
                "virtual_alias_domains = {DOMAIN}\n\
                 virtual_alias_maps = texthash:{{home}}/forwards\n\
                 transport_maps = {}\n{}",
                others(site),
                srs.main()
            ),
            services: String::new(),
            files: vec![("forwards", forwards.collect())],
        };
        Self::start(site, lines, Some(srs))
    }

    /// Starts one that relays in as the instructions say, with this secret. If something is missing
    /// for it, reports that in one line and returns `None`.
    pub fn relaying(site: &Site, secret: &str) -> Option<Self> {
        if !debian_library("libsasl2-modules") {
            return None;
        }
        let text = instructions(site, DOMAIN).replace("THE-SECRET", secret);
        let file = |name: &str| below(&text, &format!("Write `{{home}}/{name}`"));
        let map = "texthash:{home}/gatepost_transport";
        let main = below(&text, "Add to `{home}/main.cf`");
        assert!(main.contains(map), "{main}");
        let main = main.replace(map, &format!("{map}, {}", others(site)));
        let lines = Lines {
            main: format!("relay_domains = {DOMAIN}\n{main}"),
            services: below(&text, "Add to `{home}/master.cf`"),
            files: vec![
                ("gatepost_transport", file("gatepost_transport")),
                ("gatepost_passwd", file("gatepost_passwd")),
                ("gatepost_egress", file("gatepost_egress")),
            ],
        };
        Self::start(site, lines, None)
    }

    fn start(site: &Site, lines: Lines, srs: Option<Postsrsd>) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let made = Certificate::make_for(folder.path(), &[SMART_HOST]);
        let certificate = read(&made.certificate);
        let port = || at(CUSTOMER, free_port().port());
        let (submission, replacing) = (port(), port());
        let main = format!(
            "myhostname = mail.{DOMAIN}\n\
             mynetworks = {CUSTOMER}/32\n\
             smtp_bind_address = {CUSTOMER}\n\
             smtpd_tls_chain_files = {{home}}/smart-host.key, {{home}}/smart-host.pem\n\
             smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n\
             smtpd_sasl_authenticated_header = yes\n\
             smtpd_sender_login_maps = inline:{{ {{ {SUPPORT} = {desk}, {help} }}, {{ {SALES} = {desk}, {sales} }} }}\n\
             relayhost = [{world}]:{port}\n\
             queue_run_delay = 1s\nminimal_backoff_time = 1s\nmaximal_backoff_time = 1s\n{}",
            lines.main,
            desk = Postfix::user("desk"),
            help = Postfix::user("help"),
            sales = Postfix::user("sales"),
            world = site.world.address().ip(),
            port = site.world.port(),
        );
        let services = format!(
            "{mx} inet n - n - - smtpd\n{}{}\
             replacing unix n - n - 0 cleanup\n\
             \x20 -o {{ header_checks = regexp:{{home}}/replacing }}\n{}",
            users_only(submission, ""),
            users_only(replacing, "  -o cleanup_service_name=replacing\n"),
            lines.services,
            mx = at(CUSTOMER, site.world.port()),
        );
        let mut files = lines.files;
        files.extend([
            ("later", format!("{COMES_LATER}{NEVER_COMES}")),
            ("replacing", REPLACES.to_owned()),
            ("smart-host.pem", certificate.clone()),
            ("smart-host.key", read(&made.key)),
            (
                "ca.pem",
                read(&site.relay.directory().join("certificate.pem")),
            ),
            ("hosts", format!("{RELAY} {RELAY_NAME}\n")),
        ]);
        let users = [
            ("desk", PASSWORD),
            ("help", HELP_PASSWORD),
            ("sales", SALES_PASSWORD),
        ];
        let postfix = Postfix::smart_host(&main, &services, &files, &users)?;
        Some(Self {
            postfix,
            submission,
            replacing,
            certificate,
            _srs: srs,
        })
    }

    /// Returns the options of the guided set-up for it as the smart host.
    pub fn options(&self, site: &Site) -> Vec<String> {
        let given = [
            ("--smart-host", SMART_HOST.to_owned()),
            ("--smart-host-port", self.submission.port().to_string()),
            ("--smart-host-user", "desk".to_owned()),
            (
                "--smart-host-password-file",
                site.file("password", PASSWORD),
            ),
            (
                "--smart-host-ca",
                site.file("smart-host.pem", &self.certificate),
            ),
        ];
        let given = given.into_iter();
        given
            .flat_map(|(option, value)| [option.to_owned(), value])
            .collect()
    }

    /// Sends from now on what the relay hands it for [`LATER`](crate::places::LATER).
    pub fn sends_what_came_later(&self) {
        self.postfix.rewrite("later", NEVER_COMES);
    }

    /// Puts this secret in the place of the one by which it logs in at the relay, as another user.
    pub fn logs_in_as(&self, site: &Site, user: &str, secret: &str) {
        let relay = format!("[{RELAY_NAME}]:{}", site.inbound.port());
        let line = format!("{relay} {user}:{secret}\n");
        self.postfix.rewrite("gatepost_passwd", &line);
    }
}

/// Instructions for Postfix with the files in its home.
pub fn instructions(site: &Site, domain: &str) -> String {
    let connector = site.connector(domain);
    let command = ["connector", "instructions", &connector, "--for", "postfix"];
    let made = site.relay.json(&command);
    let text = made[0]["text"].as_str().unwrap();
    let text = text.replace("/etc/ssl/certs/ca-certificates.crt", "{home}/ca.pem");
    text.replace("/etc/postfix/", "{home}/")
}

/// Transports to the native domains of help desks, as MX would find them.
fn others(site: &Site) -> String {
    let (relay, port) = (site.inbound, site.world.port());
    format!(
        "inline:{{ {{ {NATIVE} = smtp:[{}]:{} }}, {{ {OTHER_NATIVE} = smtp:[{OTHER_DESK}]:{port} }} }}",
        relay.ip(),
        relay.port()
    )
}

/// A service at which only users may send, and only as the addresses that are theirs.
fn users_only(address: SocketAddr, further: &str) -> String {
    format!(
        "{address} inet n - n - - smtpd\n\
         \x20 -o smtpd_tls_security_level=encrypt\n\
         \x20 -o smtpd_sasl_auth_enable=yes\n\
         \x20 -o smtpd_client_restrictions=permit_sasl_authenticated,reject\n\
         \x20 -o smtpd_sender_restrictions=reject_sender_login_mismatch\n\
         \x20 -o smtpd_relay_restrictions=permit_sasl_authenticated,reject\n\
         \x20 -o {{ smtpd_recipient_restrictions = check_recipient_access texthash:{{home}}/later }}\n\
         {further}"
    )
}

/// Returns the lines of every block below a sentence that begins so, together.
fn below(instructions: &str, sentence: &str) -> String {
    let mut lines = instructions.lines();
    let (mut above, mut found) = ("", String::new());
    while let Some(line) = lines.next() {
        if line == "```" {
            let block = lines.by_ref().take_while(|line| *line != "```");
            let block: String = block.map(|line| format!("{line}\n")).collect();
            if above.starts_with(sentence) {
                found += &block;
            }
        } else if !line.is_empty() {
            above = line;
        }
    }
    assert!(!found.is_empty(), "{sentence:?} is not in\n{instructions}");
    found
}
