//! Codes of errors: stable words that programs can rely on, each with its kind.

use std::fmt;

use axum::http::StatusCode;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

/// Kind of an error: what a program needs to know of it, whatever the operation was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request presents no token that is in force.
    Unauthorized,
    /// The token of the request may not do this.
    Forbidden,
    /// Something that the request names does not exist.
    Unknown,
    /// The request contradicts what is there: the state has to change first.
    Conflict,
    /// The request itself cannot be executed: it has to be another one.
    Refused,
    /// The relay cannot execute it yet. The same request succeeds in a moment.
    Busy,
    /// Something that the operation needs is not there, such as a running relay or disk space.
    Unavailable,
    /// The relay or its store failed.
    Internal,
}

impl ErrorKind {
    /// All kinds, in order of declaration.
    pub const ALL: [Self; 8] = [
        Self::Unauthorized,
        Self::Forbidden,
        Self::Unknown,
        Self::Conflict,
        Self::Refused,
        Self::Busy,
        Self::Unavailable,
        Self::Internal,
    ];

    /// Returns the word for the kind in JSON and in the documentation.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Unknown => "unknown",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// Returns the status of an HTTP response with an error of this kind (RFC 9110 section 15).
    /// Both kinds that may end by themselves are 503; only one that is [busy](Self::Busy) will.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Refused => StatusCode::BAD_REQUEST,
            Self::Busy | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $word:literal, $kind:ident, $what_to_do:literal;)*) => {
        /// Stable code of an error. `docs/operations.md` lists all of them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, schemars::JsonSchema)]
        pub enum Code {
            $($(#[$doc])* #[schemars(rename = $word)] $code,)*
        }

        impl Code {
            /// All codes, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// Returns the code as text.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$code => $word,)*
                }
            }

            /// Returns the status of an HTTP response with this code (RFC 9110 section 15).
            pub fn status(self) -> StatusCode {
                match self {
                    Self::UnknownMethod => StatusCode::METHOD_NOT_ALLOWED,
                    Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                    Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    Self::ChangedMeanwhile => StatusCode::PRECONDITION_FAILED,
                    Self::KeyReused | Self::MessageRefused => StatusCode::UNPROCESSABLE_ENTITY,
                    Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
                    Self::TooManyRequests | Self::CodeSentLately => {
                        StatusCode::TOO_MANY_REQUESTS
                    }
                    _ => self.kind().status(),
                }
            }

            /// Returns the kind of errors with this code.
            pub fn kind(self) -> ErrorKind {
                match self {
                    $(Self::$code => ErrorKind::$kind,)*
                }
            }

            /// Returns advice for whoever gets an error with this code.
            pub fn what_to_do(self) -> &'static str {
                match self {
                    $(Self::$code => $what_to_do,)*
                }
            }
        }
    };
}

codes! {
    /// The request is not JSON, has no such form, or has a value that is not allowed.
    NotUnderstood = "request.not-understood", Refused,
        "correct the request";
    /// The request presents no token, or one that is not in force.
    TokenNeeded = "request.token-needed", Unauthorized,
        "present a token of `gatepost token add` in the field `Authorization: Bearer TOKEN`";
    /// The token may do less than the request asks for.
    ScopeTooSmall = "request.scope-too-small", Forbidden,
        "take a token of a greater scope";
    /// The relay refuses the message for good.
    MessageRefused = "message.refused", Refused,
        "change what the reply names, and send the message anew";
    /// The relay does not take the message now.
    MessageDeferred = "message.deferred", Busy,
        "send the same request again later";
    /// The token is bound to an account, and the request is one about the site.
    TokenBound = "request.token-bound", Forbidden,
        "take a token that is bound to no account";
    /// The API has nothing at this path.
    UnknownPath = "request.unknown-path", Unknown,
        "see the paths in `docs/api.md`";
    /// The path does not know this method.
    UnknownMethod = "request.unknown-method", Refused,
        "take one of the methods that the field `Allow` names";
    /// The body of the request is too large.
    TooLarge = "request.too-large", Refused,
        "hand it over in smaller parts";
    /// The body of the request is not JSON by its media type.
    NotJson = "request.not-json", Refused,
        "send the body as JSON, with the field `Content-Type: application/json`";
    /// The resource that the request wants to change is not as its asker saw it.
    ChangedMeanwhile = "request.changed-meanwhile", Conflict,
        "get it again, and decide anew";
    /// Another request was made under the key of this one.
    KeyReused = "request.key-reused", Refused,
        "give each request a key of its own in the field `Idempotency-Key`";
    /// The request is being executed, for an earlier one under its key.
    UnderWay = "request.under-way", Conflict,
        "send it again in a moment";
    /// An earlier request under the key was begun, and its end was not recorded.
    OutcomeUnknown = "request.outcome-unknown", Conflict,
        "look whether it was done, and if not, send it under another key";
    /// The token has as many requests under keys as it may.
    TooManyKeys = "request.too-many-keys", Conflict,
        "send requests that may be repeated without harm without a key";
    /// The body of the request did not come in time.
    TooSlow = "request.too-slow", Busy,
        "send the request again";
    /// The token has made too many requests in this minute.
    TooManyRequests = "request.too-many", Busy,
        "wait as long as the field `Retry-After` says";
    /// The relay answers as many requests as it may.
    Overloaded = "request.overloaded", Busy,
        "wait as long as the field `Retry-After` says";
    /// There is no operation of this name.
    UnknownOperation = "request.unknown-operation", Unknown,
        "restart the relay so that it is of the same version as the command";
    /// A command of another version asked for something that this relay does not know.
    OtherVersion = "request.other-version", Conflict,
        "restart the relay so that it is of the same version as the command";
    /// The relay is starting.
    RelayStarting = "relay.starting", Busy,
        "try again in a moment; it is ready when it says so on its standard output";
    /// The relay is stopping and activates nothing else.
    RelayStopping = "relay.stopping", Unavailable,
        "ask again when the relay has been started again";
    /// The operation needs a running relay, and none runs.
    RelayNotRunning = "relay.not-running", Unavailable,
        "start it with `gatepost serve`, or name its configuration with --config or its store with \
         --store";
    /// The disk is too full to change the store.
    StoreFull = "store.full", Unavailable,
        "make room on the file system of the store";
    /// The store has been closed.
    StoreClosed = "store.closed", Unavailable,
        "ask again when the relay has been started again";
    /// Something in the store is damaged.
    StoreDamaged = "store.damaged", Internal,
        "see what `gatepost doctor` says";
    /// The store failed.
    StoreFailed = "store.failed", Internal,
        "see what `gatepost doctor` says";
    /// The relay failed.
    Internal = "internal", Internal,
        "look for a panic in the relay's log, and report it";
    /// The queue has no such message.
    NotQueued = "queue.unknown-message", Unknown,
        "see with `gatepost trace ID` what became of it";
    /// No failed recipient of the message is kept.
    NotKept = "queue.not-kept", Unknown,
        "see what is kept with `gatepost queue list --failed`";
    /// The request selects no recipients.
    NothingSelected = "queue.nothing-selected", Refused,
        "name messages, an account, a recipient or a destination, or say that all are meant";
    /// The request selects all recipients and some of them.
    AllAndSome = "queue.all-and-some", Refused,
        "leave out either";
    /// The quarantine has no such message.
    NotQuarantined = "quarantine.unknown-message", Unknown,
        "see with `gatepost trace ID` what became of it";
    /// The address is not known as a machine's.
    UnknownMachine = "machine.unknown", Unknown,
        "see those that are known with `gatepost machine list`";
    /// Another backup is being made.
    BackupUnderWay = "backup.under-way", Conflict,
        "wait until it is complete";
    /// The backup cannot be made.
    NotBackedUp = "backup.not-made", Refused,
        "mend what the message names, and give a new folder that the relay may make";
    /// The backup is not known any more.
    UnknownBackup = "backup.unknown", Unknown,
        "see whether its folder is there: it has that name once it is complete";
    /// The address is not on the suppression list.
    NotSuppressed = "suppression.unknown", Unknown,
        "see those that are with `gatepost suppression list`";
    /// There is no webhook of this name.
    UnknownWebhook = "webhook.unknown", Unknown,
        "see the webhooks with `gatepost events webhooks`";
    /// The webhook does not wait to send events again.
    NothingToSkip = "webhook.nothing-to-skip", Conflict,
        "see with `gatepost events webhooks` whether its endpoint takes events";
    /// The suppression list has as many addresses as it may have, all put there by people.
    SuppressionsFull = "suppression.full", Conflict,
        "remove addresses from the list first";
    /// The addresses of one request, or their evidence, are too many or too long.
    SuppressionTooLong = "suppression.too-long", Refused,
        "hand them over in smaller parts, and shorten the reason";
    /// Nothing is known of the transaction.
    UnknownTransaction = "trace.unknown-transaction", Unknown,
        "check the id; what is older than the retention in [trace] is dropped";
    /// The relay has no policy of this name.
    UnknownPolicy = "policy.unknown", Unknown,
        "see those that it has with `gatepost policy list`";
    /// The policy has no previous version.
    NoEarlierVersion = "policy.no-earlier-version", Conflict,
        "activate the module that is wanted";
    /// The history of the policy has no such version, or the digest names several.
    UnknownVersion = "policy.unknown-version", Unknown,
        "see its versions with `gatepost policy history`";
    /// A canary of the module would decide nothing.
    NothingToDecide = "policy.nothing-to-decide", Refused,
        "try it as a shadow, or activate it";
    /// The version is active already.
    VersionActive = "policy.version-active", Conflict,
        "see it with `gatepost policy status`";
    /// The steps of the rollout do not grow, begin at 0 % or 100 %, or are to be made after no call.
    UnsoundSteps = "policy.unsound-steps", Refused,
        "give steps such as 1,5,25,100, and one call at least in each";
    /// No version of the policy is under trial.
    NoRollout = "policy.no-rollout", Conflict,
        "begin with `gatepost policy activate FILE --shadow` or `--canary`";
    /// The last rollout of the policy has ended without its candidate, and no version to go back to is named.
    NothingToDrop = "policy.nothing-to-drop", Conflict,
        "leave the active version, or name the version to go back to";
    /// The version under trial is a shadow or a canary with one share, which has no steps.
    NoSteps = "policy.no-steps", Conflict,
        "promote it, or roll it back";
    /// The file of the module cannot be read.
    UnreadableModule = "policy.unreadable-module", Refused,
        "give a regular file that the relay may read";
    /// The module is not WebAssembly that fits the contract.
    InvalidModule = "policy.invalid-module", Refused,
        "build it again with the SDK, in release mode";
    /// The module was built for another version of the contract.
    OtherContract = "policy.other-contract", Refused,
        "build it with the SDK of the relay's version";
    /// The module took more time, memory or code than loading may.
    ModuleGivenUp = "policy.module-given-up", Refused,
        "build it in release mode, and do not trust one that a compiler did not make";
    /// The policy's settings do not fit the module.
    InvalidSettings = "policy.invalid-settings", Refused,
        "correct the settings in the configuration and reload it, or give a module that takes them";
    /// The policy must not fail open, and is configured to.
    SkipFailsOpen = "policy.skip-fails-open", Refused,
        "set on-error to tempfail";
    /// The module failed while it was loaded, configured or tried.
    ModuleFailed = "policy.module-failed", Refused,
        "correct the module";
    /// A self-test of the policy had another verdict than was expected.
    SelfTestFailed = "policy.self-test-failed", Refused,
        "correct the module, or the self-test in the configuration";
    /// The directory has no such account.
    UnknownAccount = "directory.unknown-account", Unknown,
        "see those that there are with `gatepost account list`";
    /// The directory has no such connector.
    UnknownConnector = "directory.unknown-connector", Unknown,
        "see those that there are with `gatepost connector list`";
    /// The directory has no such support address.
    UnknownAddress = "directory.unknown-address", Unknown,
        "see those that there are with `gatepost address list`";
    /// The directory has no such credential.
    UnknownCredential = "directory.unknown-credential", Unknown,
        "see those that there are with `gatepost credential list`";
    /// The directory has no such token.
    UnknownToken = "directory.unknown-token", Unknown,
        "see those that there are with `gatepost token list`";
    /// Something else that the request is about is not in the directory.
    UnknownItem = "directory.unknown-item", Unknown,
        "list what there is";
    /// The domain belongs to an account of the directory.
    DomainTaken = "directory.domain-taken", Conflict,
        "take another, or have it removed there first";
    /// The domain would be in a sandbox and in production.
    DomainInOtherKind = "directory.domain-in-other-kind", Conflict,
        "take another, or have it removed there first";
    /// The account has an administrator with this address.
    AdministratorExists = "administrator.exists", Conflict,
        "leave the administrator as they are";
    /// The account has as many administrators as it may have.
    TooManyAdministrators = "administrator.too-many", Conflict,
        "remove one";
    /// The account has no administrator with this address.
    UnknownAdministrator = "administrator.unknown", Unknown,
        "see those that there are with `gatepost administrator list`";
    /// A code was sent to the address a moment ago.
    CodeSentLately = "administrator.code-sent-lately", Busy,
        "look for the code that was sent, or wait a minute";
    /// The code is not the one that was sent.
    WrongCode = "administrator.wrong-code", Refused,
        "give the code of the last letter that was sent to the address";
    /// There is no code for the address that is good.
    NoCode = "administrator.no-code", Conflict,
        "have a new one sent with `gatepost administrator verify`, without a code";
    /// Notices are not written in the language.
    UnknownLanguage = "administrator.unknown-language", Refused,
        "name a language of notices: en or pt";
    /// The account is being erased.
    BeingErased = "directory.being-erased", Conflict,
        "wait until it is erased, or run `gatepost account erase` again";
    /// Another account or correspondent is being erased.
    ErasureUnderWay = "account.erasure-under-way", Conflict,
        "wait until it is erased";
    /// No erasure of the account is known.
    UnknownErasure = "account.erasure-unknown", Unknown,
        "see with `gatepost account list` whether there is such an account";
    /// An attempt to deliver mail of the account did not end in time.
    ErasureHeldUp = "account.erasure-held-up", Busy,
        "erase the account again when the attempt has ended";
    /// No erasure of the correspondent is known.
    UnknownCorrespondentErasure = "correspondent.erasure-unknown", Unknown,
        "begin one with `gatepost correspondent erase`";
    /// An attempt to deliver mail to the correspondent did not end in time.
    CorrespondentHeldUp = "correspondent.erasure-held-up", Busy,
        "erase the correspondent again when the attempt has ended";
    /// The address is an account's own, or on a list that people keep.
    CorrespondentInUse = "correspondent.in-use", Conflict,
        "remove it there first, with `gatepost address`, `administrator`, `account test-user` or `partner`";
    /// The account is no sandbox.
    NotSandbox = "directory.not-sandbox", Conflict,
        "make it one with `gatepost account set-sandbox` first";
    /// The address is no test user's.
    UnknownTestUser = "directory.unknown-test-user", Unknown,
        "see those that there are with `gatepost account test-user list`";
    /// The sandbox has as many test users as it may have.
    TooManyTestUsers = "directory.too-many-test-users", Conflict,
        "remove one";
    /// The configuration has no Maildir of this name.
    UnknownMaildir = "directory.unknown-maildir", Refused,
        "name one of the configuration, or add it there and reload";
    /// The domain belongs to an account of the configuration.
    DomainReserved = "directory.domain-reserved", Conflict,
        "take another, or take it out of the domains of that account first";
    /// The account has connected the domain before.
    DomainConnected = "directory.domain-connected", Conflict,
        "change or remove that connector";
    /// The account has as many domains as it may have.
    TooManyDomains = "directory.too-many-domains", Conflict,
        "remove one, or raise domains-per-account in [directory]";
    /// The address belongs to an account already.
    AddressTaken = "directory.address-taken", Conflict,
        "take another, or remove it there first";
    /// The address would be in a sandbox and in production.
    AddressInOtherKind = "directory.address-in-other-kind", Conflict,
        "take another, or remove it there first";
    /// The address is in no domain of the account.
    ForeignAddress = "directory.foreign-address", Refused,
        "connect its domain first";
    /// The domain has as many addresses as it may have.
    TooManyAddresses = "directory.too-many-addresses", Conflict,
        "remove one, or raise addresses-per-domain in [directory]";
    /// As many credentials as may be are live for this use.
    TooManyCredentials = "directory.too-many-credentials", Conflict,
        "retire one, or raise live-sets in [directory]";
    /// As many tokens as may be are in force for this owner.
    TooManyTokens = "directory.too-many-tokens", Conflict,
        "remove one with `gatepost token remove`";
    /// The connector is not two-way, and the credential would be for relay.
    NotTwoWay = "directory.not-two-way", Refused,
        "make it two-way with `gatepost connector set-kind`";
    /// The connector is forwarded, and its way out through a server of the customer was vouched for.
    NoSmartHost = "directory.no-smart-host", Refused,
        "vouch for the domain alone, or change the kind with `gatepost connector set-kind`";
    /// The credential has logged in already, and a link would need a new secret for it.
    CredentialUsed = "directory.credential-used", Conflict,
        "issue another and hand that over, and retire this one when it is used no more";
    /// No page is served that could show the secret.
    NoHandoverPage = "handover.not-served", Unavailable,
        "add [handover] to the configuration and reload it";
    /// A link cannot live so short or so long.
    LinkLife = "handover.life", Refused,
        "let it expire after a minute to 30 days";
    /// There are no instructions of this kind for the connector.
    UnfitInstructions = "instructions.unfit", Refused,
        "take one that the message names";
    /// No server of a customer can log in here.
    NoLogInListener = "instructions.no-listener", Conflict,
        "add a listener with direction inbound and TLS, at which clients may log in";
    /// The operation needs the configuration of the site.
    NoConfiguration = "request.no-configuration", Unavailable,
        "name the configuration with --config in place of --store, or start the relay";
    /// A live credential has the alias.
    AliasTaken = "directory.alias-taken", Conflict,
        "retire that credential first";
    /// The native domain is too long to make an alias of.
    NoAlias = "directory.no-alias", Refused,
        "issue the credential without the alias";
    /// The connector is only claimed.
    NotVerified = "directory.not-verified", Conflict,
        "remove it, for there is nothing to disconnect";
    /// The account has as many brands as may be.
    TooManyBrands = "directory.too-many-brands", Conflict,
        "remove one first";
    /// The default address would be in a connected domain.
    DefaultNotNative = "directory.default-not-native", Refused,
        "name a support address in the native domain";
    /// The address is a default address.
    DefaultAddress = "directory.default-address", Conflict,
        "name another default address first";
    /// The domain of the connector is not the account's own.
    NotOwned = "directory.not-owned", Conflict,
        "confirm the domain with `gatepost connector vouch` first";
    /// The return path is not a name below the domain.
    ForeignReturnPath = "directory.foreign-return-path", Refused,
        "name one below the domain, such as bounces.customer.example";
    /// The DNS does not lead mail for the return path to this relay.
    ReturnPathNotSeen = "directory.return-path-not-seen", Conflict,
        "have the customer publish the alias, and repeat the command once it is there";
    /// The domain is disconnected.
    DomainDisconnected = "directory.disconnected", Conflict,
        "connect it again with `gatepost connector reconnect`";
    /// The address is in the native domain.
    NotConnected = "directory.not-connected", Refused,
        "name an address in a connected domain";
    /// The credential was used a short time ago.
    CredentialInUse = "directory.credential-in-use", Conflict,
        "wait until it is unused, or use force";
    /// The use of the credential has ended.
    CredentialEnded = "directory.credential-ended", Conflict,
        "issue a new one";
    /// The credential is being rotated.
    RotationUnderWay = "directory.rotation-under-way", Conflict,
        "switch to the new credential and retire the former one first";
    /// Nothing in the DNS proves that the domain is the account's.
    NotProved = "directory.not-proved", Conflict,
        "publish the record that the message names, and try again";
    /// The address is in no connected domain, or the domain is not vouched for.
    NothingToVerify = "verification.nothing-to-verify", Refused,
        "name an address of a domain that is connected and vouched for";
    /// No connection serves the address.
    NoConnection = "verification.no-connection", Conflict,
        "add a connection that serves the address with `gatepost connection add`";
    /// Several accounts have the address.
    SeveralAccounts = "verification.several-accounts", Refused,
        "name the account";
    /// The item still owns something that would be lost with it.
    NotEmpty = "directory.not-empty", Conflict,
        "remove what it owns first";
    /// The account has no such brand.
    UnknownBrand = "directory.unknown-brand", Unknown,
        "see its brands with `gatepost account show`";
    /// The domain is none of the relay's.
    UnknownDomain = "domain.unknown", Unknown,
        "connect it with `gatepost connector add`";
    /// Several accounts claim the domain.
    DomainClaimedBySeveral = "domain.claimed-by-several", Conflict,
        "name the account, or the connector by its id";
    /// The name servers do not answer about the domain.
    NoDnsAnswer = "domain.no-answer", Unavailable,
        "try again when the name servers answer";
    /// The account has not connected the domain.
    ForeignDomain = "dkim.foreign-domain", Refused,
        "connect the domain first";
    /// There is no such DKIM key.
    UnknownDkimKey = "dkim.unknown-key", Unknown,
        "see those that there are with `gatepost dkim show`";
    /// A key of the domain waits for its record.
    DkimKeyWaits = "dkim.key-waits", Conflict,
        "publish its record, or retire it first";
    /// Both selectors of the domain are in use.
    DkimSelectorsTaken = "dkim.selectors-taken", Conflict,
        "retire a key, and wait a week";
    /// No key of the domain signs.
    NothingToRotate = "dkim.nothing-to-rotate", Conflict,
        "make keys with `gatepost dkim generate`";
    /// There is no such connection.
    UnknownConnection = "connection.unknown", Unknown,
        "see those that there are with `gatepost connection list`";
    /// The account has a connection of this name already.
    ConnectionExists = "connection.exists", Conflict,
        "change it with `gatepost connection set`, or take another name";
    /// The connection is wrong, or lacks something.
    InvalidConnection = "connection.invalid", Refused,
        "correct what the message names";
    /// A server refuses the new password.
    CredentialRefused = "connection.credential-refused", Conflict,
        "see what its server says, and have the right password set";
    /// There is no such profile.
    UnknownProfile = "connection.unknown-profile", Refused,
        "take one that the message names";
    /// Nobody has authorized the connection.
    NotAuthorized = "connection.not-authorized", Unavailable,
        "mend what the message names, and authorize the connection anew";
    /// The authorization is not known any more.
    UnknownAuthorization = "connection.unknown-authorization", Unknown,
        "begin it again with `gatepost connection authorize`";
    /// As many authorizations as may be are under way.
    TooManyAuthorizations = "connection.too-many-authorizations", Unavailable,
        "wait until one has ended";
    /// The account has as many connections as it may have.
    TooManyConnections = "connection.too-many", Conflict,
        "remove one, or raise connections-per-account in [directory]";
    /// The connection would serve a sender that is not the account's.
    ForeignSender = "connection.foreign-sender", Refused,
        "name a domain that the account has connected, an address in one, or one of its brands";
    /// Another connection of the account serves the sender.
    ServedTwice = "connection.served-twice", Conflict,
        "take the sender out of the other connection first";
    /// There is no such endpoint.
    UnknownEndpoint = "endpoint.unknown", Unknown,
        "see those that there are with `gatepost endpoint list`";
    /// The account has an endpoint of this name already.
    EndpointExists = "endpoint.exists", Conflict,
        "change it with `gatepost endpoint set`, or take another name";
    /// The endpoint is wrong, or lacks something.
    InvalidEndpoint = "endpoint.invalid", Refused,
        "correct what the message names";
    /// The account has as many endpoints as it may have.
    TooManyEndpoints = "endpoint.too-many", Conflict,
        "remove one";
    /// Another endpoint of the account is for the same recipients.
    EndpointTwice = "endpoint.taken", Conflict,
        "change the other endpoint, or remove it first";
    /// Two secrets of the endpoint sign already.
    EndpointRotates = "endpoint.rotation-under-way", Conflict,
        "have the application take the new secret, and retire the old one with `gatepost endpoint retire-secret`";
    /// One secret of the endpoint signs, or none.
    EndpointHasOneSecret = "endpoint.one-secret", Conflict,
        "make a second one first with `gatepost endpoint rotate-secret`";
    /// The account would share with itself.
    SharesWithItself = "sharing.with-itself", Refused,
        "name the account that it shares with";
    /// The accounts share already.
    Shares = "sharing.shares-already", Conflict,
        "leave the agreement as it is";
    /// The accounts have no agreement.
    SharesNot = "sharing.unknown-agreement", Unknown,
        "see those that there are with `gatepost sharing list`";
    /// The entry is an address or a domain of the account itself.
    OwnAddress = "partner.own-address", Refused,
        "leave it out: nobody is a partner of themselves";
    /// The account has not added or imported the entry.
    UnknownPartner = "partner.unknown-entry", Unknown,
        "see what it has with `gatepost partner list`";
    /// The import is not known any more.
    UnknownImport = "partner.unknown-import", Unknown,
        "begin the import again";
    /// The account has no such list or feed.
    UnknownPartnerList = "partner.unknown-list", Unknown,
        "see what it has with `gatepost partner list`";
    /// The entry is a whole domain, and domains were not asked for.
    WholeDomain = "partner.whole-domain", Refused,
        "ask for whole domains, if that is meant";
    /// The URL is not an https URL of a host.
    FeedUrl = "feed.invalid-url", Refused,
        "give an https URL of a host, without user information";
    /// The interval is shorter than a minute.
    FeedInterval = "feed.interval-too-short", Refused,
        "give a minute or more";
    /// The feed cannot be fetched. Its former entries stay.
    FeedNotFetched = "feed.not-fetched", Unavailable,
        "mend what the message names; the feed is tried again by itself";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let found = Self::ALL.iter().find(|code| code.word() == word);
        found
            .copied()
            .ok_or_else(|| D::Error::custom(format!("unknown code `{word}`")))
    }
}
