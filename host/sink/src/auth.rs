//! AUTH of a session (RFC 4954).

use gatepost_sasl::{
    BearerMechanism, Binding, Claim, Exchange, Mechanism, SaslError, Step as SaslStep, Verifier,
};
use serde::Deserialize;

use crate::reply::WireReply;
use crate::rules::Moment;
use crate::script::{AuthScript, SinkUser};
use crate::session::{ProvedUser, SinkSession};
use crate::wire::{ClientLine, Step};

/// Error that a wrong token gets, unless the script has another (RFC 7628 section 3.2.2).
const TOKEN_ERROR: &str = r#"{"status":"invalid_token","schemes":"bearer"}"#;

/// Salt of the passwords' verifiers; the passwords of a script are no secrets of anybody.
const SALT: [u8; 16] = *b"salt of the sink";

/// Mechanism that a script can offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum SinkMechanism {
    Password(Mechanism),
    Bearer(BearerMechanism),
}

impl TryFrom<String> for SinkMechanism {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let password = || Mechanism::parse(&name, true).map(Self::Password);
        let bearer = || BearerMechanism::parse(&name).map(Self::Bearer);
        password()
            .or_else(bearer)
            .ok_or_else(|| format!("there is no mechanism `{name}`"))
    }
}

impl SinkMechanism {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Password(mechanism) => mechanism.name(),
            Self::Bearer(mechanism) => mechanism.name(),
        }
    }
}

impl AuthScript {
    /// Returns the mechanisms on offer, if there are any: those with channel binding need one.
    pub(crate) fn offered(&self, tls: bool, binding: bool) -> Vec<SinkMechanism> {
        let bound = SinkMechanism::Password(Mechanism::ScramSha256Plus);
        let is_offered = |mechanism: &&SinkMechanism| {
            (tls || self.in_clear) && (binding || **mechanism != bound)
        };
        self.mechanisms.iter().filter(is_offered).copied().collect()
    }

    fn refusal(&self) -> WireReply {
        let usual = || WireReply::of(535, "5.7.8 Authentication credentials invalid");
        self.refusal.clone().unwrap_or_else(usual)
    }
}

impl SinkUser {
    fn verifier(&self) -> Option<Verifier> {
        let password = self.password.as_ref()?;
        Some(Verifier::new(password.expose(), SALT, Verifier::ITERATIONS))
    }
}

/// End of an exchange.
enum Proved {
    /// The user is who it says.
    As(String),
    /// The exchange fails with this reply.
    Not(WireReply),
}

impl SinkSession<'_> {
    /// Handles AUTH; `line` is the whole command, with its line end.
    pub(crate) async fn auth(&mut self, arguments: &str, line: usize) -> Step<()> {
        let script = &self.sink.script.auth;
        if script.line.is_some_and(|most| line > most) {
            return self.say(&WireReply::of(500, "5.5.2 Line too long")).await;
        }
        let mut words = arguments.split_whitespace();
        let (name, initial) = (words.next().unwrap_or_default(), words.next());
        let binding = self.tls.as_ref().and_then(|tls| tls.binding);
        let offered = script.offered(self.tls.is_some(), binding.is_some());
        if offered.is_empty() {
            return self
                .say(&WireReply::of(502, "5.5.1 AUTH is not offered here"))
                .await;
        }
        if self.user.is_some() || self.transaction.is_some() {
            return self
                .say(&WireReply::of(503, "5.5.1 AUTH is out of place here"))
                .await;
        }
        let mechanism = offered
            .iter()
            .find(|of| of.name().eq_ignore_ascii_case(name));
        let Some(&mechanism) = mechanism else {
            return self
                .say(&WireReply::of(
                    504,
                    "5.5.4 Unrecognized authentication type",
                ))
                .await;
        };
        let action = self.action(Moment::Auth, &[mechanism.name()]);
        if action.reply.is_some() || action.then.is_some() {
            return self.perform(action, WireReply::of(250, "")).await.map(drop);
        }
        // A client that could bind its exchange is right to say so if binding is not offered.
        let bound = SinkMechanism::Password(Mechanism::ScramSha256Plus);
        let binding = binding.filter(|_| offered.contains(&bound));
        action.wait().await;
        let proved = match mechanism {
            SinkMechanism::Password(mechanism) => {
                self.password(mechanism, binding, initial).await?
            }
            SinkMechanism::Bearer(mechanism) => self.bearer(mechanism, initial).await?,
        };
        match proved {
            Proved::Not(reply) => self.say(&reply).await,
            Proved::As(name) => {
                let action = self.action(Moment::Login, &[&name]);
                let success = WireReply::of(235, "2.7.0 Authentication successful");
                if self.perform(action, success).await? {
                    self.sink.dialogue.event(self.number, "login", &name);
                    let mechanism = mechanism.name();
                    self.user = Some(ProvedUser { name, mechanism });
                }
                Ok(())
            }
        }
    }

    /// Runs an exchange of a mechanism that knows the password.
    async fn password(
        &mut self,
        mechanism: Mechanism,
        binding: Option<Binding>,
        initial: Option<&str>,
    ) -> Step<Proved> {
        let (challenge, exchange) = Exchange::begin(mechanism, binding);
        let mut step = match initial {
            None => Ok(SaslStep::Challenge(challenge.to_owned(), exchange)),
            Some(initial) => exchange.respond(initial.trim_start_matches('=').as_bytes()),
        };
        loop {
            step = match step {
                Err(error) => return Ok(Proved::Not(malformed(error, &self.sink.script.auth))),
                Ok(SaslStep::Claim(claim)) => return self.claimed(claim).await,
                Ok(SaslStep::Salt(salting)) => {
                    let verifier = self.verifier(salting.user());
                    let challenged = salting.with(verifier);
                    challenged.map(|(challenge, next)| SaslStep::Challenge(challenge, next))
                }
                Ok(SaslStep::Challenge(challenge, exchange)) => {
                    match self.challenge(&challenge).await? {
                        Ok(response) => exchange.respond(&response),
                        Err(reply) => return Ok(Proved::Not(reply)),
                    }
                }
            };
        }
    }

    /// Checks a claim, and proves to the client that the server knows the password, too.
    async fn claimed(&mut self, claim: Claim) -> Step<Proved> {
        if !claim.holds(&self.verifier(claim.user())) {
            return Ok(Proved::Not(self.sink.script.auth.refusal()));
        }
        if let Some(receipt) = claim.receipt() {
            match self.challenge(&receipt).await? {
                Ok(response) if response.is_empty() => {}
                Ok(_) => return Ok(Proved::Not(self.sink.script.auth.refusal())),
                Err(reply) => return Ok(Proved::Not(reply)),
            }
        }
        Ok(Proved::As(claim.user().to_owned()))
    }

    /// Runs an exchange of a mechanism that carries a token.
    async fn bearer(&mut self, mechanism: BearerMechanism, initial: Option<&str>) -> Step<Proved> {
        let script = &self.sink.script.auth;
        let response = match initial {
            Some(initial) => initial.as_bytes().to_vec(),
            None => match self.challenge("").await? {
                Ok(response) => response,
                Err(reply) => return Ok(Proved::Not(reply)),
            },
        };
        let claim = match mechanism.claim(&response) {
            Ok(claim) => claim,
            Err(error) => return Ok(Proved::Not(malformed(error, script))),
        };
        let is_user = |user: &&SinkUser| {
            let named = claim
                .user()
                .is_none_or(|name| name.eq_ignore_ascii_case(&user.name));
            named
                && user
                    .token
                    .as_ref()
                    .is_some_and(|token| claim.holds(token.expose()))
        };
        if let Some(user) = script.users.iter().find(is_user) {
            return Ok(Proved::As(user.name.clone()));
        }
        let (error, refused) = claim.refuse(script.error.as_deref().unwrap_or(TOKEN_ERROR));
        Ok(Proved::Not(match self.challenge(&error).await? {
            Err(reply) => reply,
            Ok(response) => match refused.acknowledge(&response) {
                Ok(()) => script.refusal(),
                Err(error) => malformed(error, script),
            },
        }))
    }

    /// Sends a challenge and reads the response; a response that is too long fails the exchange.
    async fn challenge(&mut self, challenge: &str) -> Step<Result<Vec<u8>, WireReply>> {
        self.say(&WireReply::of(334, &format!("{challenge}\n")))
            .await?;
        let line = self.wire.line().await?;
        Ok(match line {
            ClientLine::Whole(line) => {
                let text = String::from_utf8_lossy(&line);
                self.sink.dialogue.response(self.number, &text);
                Ok(line)
            }
            ClientLine::TooLong => {
                self.sink.dialogue.response(self.number, "too long");
                Err(WireReply::of(500, "5.5.6 Authentication line is too long"))
            }
        })
    }

    /// Returns the verifier of a user; that of an unknown one confirms nothing.
    fn verifier(&self, name: &str) -> Verifier {
        let users = &self.sink.script.auth.users;
        let user = users
            .iter()
            .find(|user| user.name.eq_ignore_ascii_case(name));
        let known = user.and_then(SinkUser::verifier);
        known.unwrap_or_else(|| Verifier::new("\0", SALT, Verifier::ITERATIONS))
    }
}

/// Returns the reply to a message of an exchange that breaks its rules.
fn malformed(error: SaslError, script: &AuthScript) -> WireReply {
    match error {
        SaslError::Base64 | SaslError::Form => WireReply::of(501, &format!("5.5.2 {error}")),
        SaslError::Cancelled => WireReply::of(501, "5.7.0 Authentication cancelled"),
        _ => script.refusal(),
    }
}
