//! All operations: the name of each, its request, its answer and the function that executes it.

use std::future::Future;

use gatepost_directory::{
    Account, Agreement, ApiToken, AuditRecord, Connector, Credential, ImportId, Issued, ListChange,
    PartnerEntry, PartnerList, Restriction,
};
use gatepost_domain_check::Report;
use gatepost_model::Suppression;
use gatepost_policy_set::Swap;
use gatepost_policy_set::rollouts::RolloutState;
use gatepost_spool::{Changed, DestinationSummary, KnownMachine, Summary};
use gatepost_trace::{Counted, Event, FoundMessages};
use gatepost_webhooks::{BatchedEvents, WebhookState};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::accounts::{
    self, AddAccount, ChangeAccount, ListAccounts, RemoveAccount, SetDefaultAddress, SetPolicy,
    SetRetention, ShowAccount,
};
use crate::addresses::{
    self, AddAddress, ListAddresses, RemoveAddress, SetAddressBrand, ShowAddress, ShownAddress,
};
use crate::administrators::{
    self, AddAdministrator, ListAdministrators, RemoveAdministrator, SetAdministratorLanguage,
    ShownAdministrator, VerifyAdministrator,
};
use crate::asker::Asker;
use crate::audit::{self, ListAudit};
use crate::authorizations::{self, AuthorizationProgress, AuthorizeConnection, AwaitAuthorization};
use crate::backups::{self, AwaitBackup, BackupState, BeginBackup};
use crate::connections::{
    self, AddConnection, ConnectionDetails, ConnectionSummary, ConnectionTest, ListConnections,
    RemoveConnection, SetConnection, ShowConnection, TestConnection,
};
use crate::connectors::{
    self, AddConnector, ConnectorDetails, CountHeaders, ForgetForwarders, ListConnectors,
    ProveConnector, RemoveConnector, SetConnectorKind, SetForwarders, ShowConnector,
    VouchConnector,
};
use crate::credentials::{
    self, CancelCredential, CredentialDetails, IssueInbound, IssueSubmission, ListCredentials,
    Rekey, Rekeyed, RemoveCredential, RetireCredential, RotateCredential, ShowCredential,
};
use crate::diagnosis::{self, DiagnoseMessage, MessageDiagnosis};
use crate::disconnections::{self, DisconnectConnector, ReconnectConnector, SwitchedSender};
use crate::dkim::{
    self, CheckDkim, DkimKeyDetails, GenerateDkim, RetireDkim, RotateDkim, ShowDkim,
};
use crate::domains::{self, CheckDomain};
use crate::endpoints::{
    self, AddEndpoint, EndpointDetails, EndpointSummary, IssuedEndpoint, ListEndpoints,
    RemoveEndpoint, RetireEndpointSecret, RotateEndpointSecret, SetEndpoint, ShowEndpoint,
};
use crate::erasures::{
    self, AwaitCorrespondentErasure, AwaitErasure, CorrespondentErasure, EraseAccount,
    EraseCorrespondent, ErasureState,
};
use crate::error::OperationError;
use crate::events::{self, EventsAnswer, ReadEvents};
use crate::feeds::{self, FetchFeed, ListFeeds, RemoveFeed, SetFeed};
use crate::handovers::{self, HandOver, HandoverLink};
use crate::holds::{self, AccountHold, HoldAccount, ReleaseAccount};
use crate::imports::{self, AbandonImport, AddToImport, BeginImport, FinishImport, RemoveImport};
use crate::instructions::{self, Instructions, MakeInstructions};
use crate::machines::{self, ForgetMachine, ListMachines};
use crate::message::MessageDetails;
use crate::partners::{
    self, AddPartner, Added, ListEntries, ListPartners, LookUpPartner, LookedUp, PartnerLists,
    RemovePartner, Removed,
};
use crate::policies::{
    self, ActivateConfigured, ActivateModule, ListPolicies, PolicyStatus, RollBack,
};
use crate::policy_history::{self, FormerVersion, ShowHistory};
use crate::progress::{self, Progress, ShowProgress};
use crate::quarantine::{
    self, DeleteQuarantined, ListQuarantine, ReleaseQuarantined, ShowQuarantined,
};
use crate::queue::{
    self, CancelRecipients, HoldRecipients, ListDestinations, ListQueue, ReleaseRecipients,
    ResendMessage, RetryRecipients, ShowQueued,
};
use crate::recipients::{self, LookUpRecipient, RecipientFacts};
use crate::reload::{self, Reload, Reloaded};
use crate::restrictions::{
    self, AccountVolume, ResumeAccount, ResumedAccount, SetCaps, ShowVolume, SuspendAccount,
};
use crate::return_paths::{self, SetReturnPath};
use crate::rollouts::{
    self, ContinueRollout, HoldRollout, PolicyDetails, PromoteCandidate, RollOut, ShowPolicy,
};
use crate::runtime::Runtime;
use crate::sandboxes::{
    self, AddTestUser, ListTestUsers, RemoveTestUser, SetProduction, SetSandbox, TestUser,
};
use crate::sharing::{self, AddAgreement, ListAgreements, RemoveAgreement};
use crate::stage::RequestHandler;
use crate::submission::{self, CheckSubmission, SubmissionRefusals};
use crate::suppression::{
    self, AddSuppression, ImportSuppressions, Imported, ListSuppressions, RemoveSuppression,
};
use crate::switching::{self, SetCredential};
use crate::tokens::{self, AddToken, IssuedToken, ListTokens, RemoveToken};
use crate::trace::{self, FindMessages, ShowTrace};
use crate::verification::{self, AddressVerification, AwaitVerification, VerifyAddress};
use crate::webhooks::{self, ListWebhooks, SkipEvents};
use crate::wire::{Received, Reply};

/// A request, which has an answer of its own.
pub trait Operation: Serialize + DeserializeOwned + JsonSchema + Send + 'static {
    /// Answer to the request.
    type Answer: Serialize + DeserializeOwned + JsonSchema + Send;

    /// Name of the operation on the control socket.
    const NAME: &'static str;

    /// True if it changes the configuration or the policies of a running relay, not only its
    /// store. A relay that stops refuses it.
    const ACTIVATES: bool = false;

    /// True if it changes nothing. Every other operation is in the audit log.
    const READS: bool = false;

    /// Executes the operation, which somebody asks for.
    fn execute(
        self,
        on: &Runtime,
        asker: &Asker,
    ) -> impl Future<Output = Result<Self::Answer, OperationError>> + Send;
}

macro_rules! operations {
    ($($name:literal $(($property:ident))?: $request:ty => $answer:ty,
        |$on:ident, $asked:ident $(, $asker:ident)?| $call:expr;)*) => {
        $(impl Operation for $request {
            type Answer = $answer;
            const NAME: &'static str = $name;
            $(const $property: bool = true;)?

            async fn execute(self, $on: &Runtime, asker: &Asker) -> Result<$answer, OperationError> {
                let $asked = self;
                // Most operations ask nobody.
                let _ = asker;
                $(let $asker = asker;)?
                $call
            }
        })*

        /// Names of all operations.
        pub const NAMES: &[&str] = &[$($name),*];

        /// Names of all operations, each with [`Operation::READS`].
        pub const READING: &[(&str, bool)] = &[$(($name, <$request as Operation>::READS)),*];

        /// Executes a request that came over the control socket, and returns the reply as JSON.
        pub(crate) async fn answer(
            handler: &RequestHandler,
            received: Received,
            asker: &Asker,
        ) -> serde_json::Result<Vec<u8>> {
            match received.operation.as_str() {
                $($name => serde_json::to_vec(&handler.answer::<$request>(received, asker).await),)*
                _ => serde_json::to_vec(&Reply::<()>::Error(received.unknown_operation())),
            }
        }
    };
}

operations! {
    "queue-list" (READS): ListQueue => Vec<Summary>,
        |on, asked| queue::list(&*on.queue, asked).await;
    "queue-destinations" (READS): ListDestinations => Vec<DestinationSummary>,
        |on, asked| queue::destinations(&*on.queue, asked).await;
    "queue-show" (READS): ShowQueued => MessageDetails,
        |on, asked| queue::show(&*on.queue, on.closing_reply.as_ref(), asked).await;
    "queue-retry": RetryRecipients => Changed,
        |on, asked| queue::retry(&*on.queue, &on.trace, on.reopen.as_ref(), asked).await;
    "queue-cancel": CancelRecipients => Changed,
        |on, asked| queue::cancel(&*on.queue, &on.trace, asked).await;
    "queue-hold": HoldRecipients => Changed,
        |on, asked| queue::hold(&*on.queue, &on.trace, asked).await;
    "queue-release": ReleaseRecipients => Changed,
        |on, asked| queue::release(&*on.queue, &on.trace, on.reopen.as_ref(), asked).await;
    "queue-resend": ResendMessage => Changed,
        |on, asked| queue::resend(&*on.queue, &on.trace, asked).await;
    "events" (READS): ReadEvents => EventsAnswer,
        |on, asked| events::read(on, asked).await;
    "quarantine-list" (READS): ListQuarantine => Vec<Summary>,
        |on, asked| quarantine::list(&*on.queue, asked).await;
    "quarantine-show" (READS): ShowQuarantined => MessageDetails,
        |on, asked| quarantine::show(&*on.queue, asked).await;
    "quarantine-release": ReleaseQuarantined => (),
        |on, asked| quarantine::release(&*on.queue, &on.trace, asked).await;
    "quarantine-delete": DeleteQuarantined => (),
        |on, asked| quarantine::delete(&*on.queue, &on.trace, asked).await;
    "trace" (READS): ShowTrace => Vec<Event>,
        |on, asked| trace::show(&on.trace, asked).await;
    "diagnosis" (READS): DiagnoseMessage => MessageDiagnosis,
        |on, asked| diagnosis::diagnose(on, asked).await;
    "trace-find" (READS): FindMessages => FoundMessages,
        |on, asked| trace::find(&on.trace, &on.directory, asked).await;
    "events-webhooks" (READS): ListWebhooks => Vec<WebhookState>,
        |on, asked| webhooks::list(on, asked);
    "events-skip": SkipEvents => BatchedEvents,
        |on, asked| webhooks::skip(on, asked).await;
    "machine-list" (READS): ListMachines => Vec<KnownMachine>,
        |on, asked| Ok(machines::list(&*on.counters, &on.directory, asked));
    "machine-forget": ForgetMachine => (),
        |on, asked| machines::forget(&*on.counters, &on.directory, asked).await;
    "suppression-list" (READS): ListSuppressions => Vec<Suppression>,
        |on, asked| suppression::list(&*on.suppressions, &on.directory, asked).await;
    "suppression-add": AddSuppression => (),
        |on, asked| suppression::add(on, asked).await;
    "suppression-remove": RemoveSuppression => (),
        |on, asked| suppression::remove(&*on.suppressions, &on.directory, asked).await;
    "suppression-import": ImportSuppressions => Imported,
        |on, asked| suppression::import(on, asked).await;
    "submission-check" (READS): CheckSubmission => SubmissionRefusals,
        |on, asked| submission::check(on, asked).await;
    "policy-list" (READS): ListPolicies => Vec<PolicyStatus>,
        |on, asked| Ok(policies::list(on.running_policies()?, asked));
    "policy-history" (READS): ShowHistory => Vec<FormerVersion>,
        |on, asked| policy_history::history(on.running_policies()?, &asked);
    "policy-activate" (ACTIVATES): ActivateModule => Swap,
        |on, asked, asker| policies::activate(on.running_policies()?, asked, asker).await;
    "policy-activate-configured" (ACTIVATES): ActivateConfigured => Swap,
        |on, asked, asker| policies::activate_configured(on.running_policies()?, asked, asker).await;
    "policy-rollback" (ACTIVATES): RollBack => Swap,
        |on, asked, asker| policies::roll_back(on.running_policies()?, asked, asker).await;
    "policy-status" (READS): ShowPolicy => PolicyDetails,
        |on, asked| rollouts::show(on.running_policies()?, &asked);
    "policy-roll-out" (ACTIVATES): RollOut => RolloutState,
        |on, asked, asker| rollouts::roll_out(on.running_policies()?, asked, asker).await;
    "policy-hold" (ACTIVATES): HoldRollout => RolloutState,
        |on, asked| rollouts::hold(on.running_policies()?, asked).await;
    "policy-go-on" (ACTIVATES): ContinueRollout => RolloutState,
        |on, asked| rollouts::go_on(on.running_policies()?, asked).await;
    "policy-promote" (ACTIVATES): PromoteCandidate => Swap,
        |on, asked, asker| rollouts::promote(on.running_policies()?, asked, asker).await;
    "reload" (ACTIVATES): Reload => Reloaded,
        |on, asked| reload::reload(on.reload.as_ref(), asked).await;
    "backup": BeginBackup => BackupState,
        |on, asked| backups::begin(on, asked);
    "backup-wait" (READS): AwaitBackup => BackupState,
        |on, asked| backups::wait(on, asked).await;
    "dkim-generate": GenerateDkim => Vec<DkimKeyDetails>,
        |on, asked| dkim::generate(&on.directory, &on.dkim.load_full(), asked).await;
    "dkim-show" (READS): ShowDkim => Vec<DkimKeyDetails>,
        |on, asked| dkim::show(&on.directory, &on.dkim.load_full(), asked);
    "dkim-check": CheckDkim => Vec<DkimKeyDetails>,
        |on, asked| dkim::check(on, asked).await;
    "dkim-rotate": RotateDkim => Vec<DkimKeyDetails>,
        |on, asked| dkim::rotate(&on.directory, &on.dkim.load_full(), asked).await;
    "dkim-retire": RetireDkim => DkimKeyDetails,
        |on, asked| dkim::retire(&on.directory, &on.dkim.load_full(), asked).await;
    "account-add": AddAccount => Account,
        |on, asked| {
            sandboxes::check_maildir(on, asked.maildir.as_ref())?;
            accounts::add(&on.directory, asked).await
        };
    "account-list" (READS): ListAccounts => Vec<Account>,
        |on, asked| Ok(accounts::list(&on.directory, asked));
    "account-show" (READS): ShowAccount => Account,
        |on, asked| accounts::show(&on.directory, asked);
    "account-change": ChangeAccount => Account,
        |on, asked| accounts::change_profile(&on.directory, asked).await;
    "account-set": SetPolicy => Account,
        |on, asked| accounts::set(&on.directory, asked).await;
    "account-set-default-address": SetDefaultAddress => Account,
        |on, asked| accounts::set_default_address(&on.directory, asked).await;
    "account-set-retention": SetRetention => Account,
        |on, asked| accounts::set_retention(&on.directory, asked).await;
    "account-set-sandbox": SetSandbox => Account,
        |on, asked| sandboxes::set_sandbox(on, asked).await;
    "account-set-production": SetProduction => Account,
        |on, asked| sandboxes::set_production(on, asked).await;
    "account-test-user-add": AddTestUser => Vec<TestUser>,
        |on, asked| sandboxes::add_test_user(on, asked).await;
    "account-test-user-list" (READS): ListTestUsers => Vec<TestUser>,
        |on, asked| sandboxes::list_test_users(on, asked);
    "account-test-user-remove": RemoveTestUser => (),
        |on, asked| sandboxes::remove_test_user(on, asked).await;
    "account-suspend": SuspendAccount => Restriction,
        |on, asked| restrictions::suspend(on, asked).await;
    "account-resume": ResumeAccount => ResumedAccount,
        |on, asked| restrictions::resume(on, asked).await;
    "account-hold": HoldAccount => AccountHold,
        |on, asked| holds::hold(on, asked).await;
    "account-release": ReleaseAccount => AccountHold,
        |on, asked| holds::release(on, asked).await;
    "account-caps": SetCaps => AccountVolume,
        |on, asked| restrictions::set_caps(on, asked).await;
    "account-volume" (READS): ShowVolume => AccountVolume,
        |on, asked| restrictions::show(on, asked);
    "account-remove": RemoveAccount => (),
        |on, asked| {
            sandboxes::check_removable(on, &asked.account).await?;
            accounts::remove(&on.directory, asked).await
        };
    "account-erase": EraseAccount => ErasureState,
        |on, asked| erasures::begin(on, asked).await;
    "account-erase-wait" (READS): AwaitErasure => ErasureState,
        |on, asked| erasures::wait(on, asked).await;
    "correspondent-erase": EraseCorrespondent => CorrespondentErasure,
        |on, asked| erasures::begin_correspondent(on, asked).await;
    "correspondent-erase-wait" (READS): AwaitCorrespondentErasure => CorrespondentErasure,
        |on, asked| erasures::wait_correspondent(on, asked).await;
    "administrator-add": AddAdministrator => ShownAdministrator,
        |on, asked| administrators::add(on, asked).await;
    "administrator-list" (READS): ListAdministrators => Vec<ShownAdministrator>,
        |on, asked| administrators::list(on, asked);
    "administrator-verify": VerifyAdministrator => ShownAdministrator,
        |on, asked| administrators::verify(on, asked).await;
    "administrator-set-language": SetAdministratorLanguage => ShownAdministrator,
        |on, asked| administrators::set_language(on, asked).await;
    "administrator-remove": RemoveAdministrator => (),
        |on, asked| administrators::remove(on, asked).await;
    "connector-add": AddConnector => Connector,
        |on, asked| connectors::add(&on.directory, asked).await;
    "connector-list" (READS): ListConnectors => Vec<Connector>,
        |on, asked| connectors::list(&on.directory, asked);
    "connector-show" (READS): ShowConnector => ConnectorDetails,
        |on, asked| connectors::show(&on.directory, asked);
    "connector-prove": ProveConnector => Connector,
        |on, asked| connectors::prove(&on.directory, &on.dkim.load_full().resolver, asked).await;
    "connector-vouch": VouchConnector => Connector,
        |on, asked| connectors::vouch(&on.directory, asked).await;
    "connector-verify": VerifyAddress => AddressVerification,
        |on, asked| verification::verify(on, asked).await;
    "connector-verification" (READS): AwaitVerification => AddressVerification,
        |on, asked| verification::wait(on, asked).await;
    "connector-set-kind": SetConnectorKind => Connector,
        |on, asked| connectors::set_kind(&on.directory, asked).await;
    "connector-disconnect": DisconnectConnector => Vec<SwitchedSender>,
        |on, asked| disconnections::disconnect(on, asked).await;
    "connector-reconnect": ReconnectConnector => Vec<SwitchedSender>,
        |on, asked| disconnections::reconnect(on, asked).await;
    "connector-forwarders": SetForwarders => Connector,
        |on, asked| connectors::set_forwarders(&on.directory, asked).await;
    "connector-forget-forwarders": ForgetForwarders => Connector,
        |on, asked| connectors::forget_forwarders(&on.directory, asked).await;
    "connector-set-return-path": SetReturnPath => Connector,
        |on, asked| return_paths::set(on, asked).await;
    "connector-headers" (READS): CountHeaders => Vec<Counted>,
        |on, asked| connectors::headers(&on.trace, &on.directory, asked).await;
    "connector-progress" (READS): ShowProgress => Progress,
        |on, asked| progress::show(on, asked).await;
    "connector-instructions" (READS): MakeInstructions => Instructions,
        |on, asked| instructions::make(on, asked).await;
    "connector-remove": RemoveConnector => (),
        |on, asked| connectors::remove(&on.directory, asked).await;
    "domain-check" (READS): CheckDomain => Report,
        |on, asked| domains::check(on, asked).await;
    "address-add": AddAddress => ShownAddress,
        |on, asked| addresses::add(&on.directory, asked).await;
    "address-list" (READS): ListAddresses => Vec<ShownAddress>,
        |on, asked| addresses::list(&on.directory, asked).await;
    "address-show" (READS): ShowAddress => Vec<ShownAddress>,
        |on, asked| addresses::show(&on.directory, asked).await;
    "address-set-brand": SetAddressBrand => ShownAddress,
        |on, asked| addresses::set_brand(&on.directory, asked).await;
    "address-remove": RemoveAddress => (),
        |on, asked| addresses::remove(&on.directory, asked).await;
    "credential-add-inbound": IssueInbound => Issued,
        |on, asked| credentials::issue_inbound(&on.directory, asked).await;
    "credential-add-submission": IssueSubmission => Issued,
        |on, asked| credentials::issue_submission(&on.directory, asked).await;
    "credential-list" (READS): ListCredentials => Vec<Credential>,
        |on, asked| credentials::list(&on.directory, asked).await;
    "credential-show" (READS): ShowCredential => CredentialDetails,
        |on, asked| credentials::show(on, asked).await;
    "credential-hand-over": HandOver => HandoverLink,
        |on, asked| handovers::hand_over(on, asked).await;
    "credential-rotate": RotateCredential => Issued,
        |on, asked| credentials::rotate(on, asked).await;
    "credential-retire": RetireCredential => Credential,
        |on, asked| credentials::retire(on, asked).await;
    "credential-cancel": CancelCredential => Credential,
        |on, asked| credentials::cancel(on, asked).await;
    "credential-remove": RemoveCredential => (),
        |on, asked| credentials::remove(&on.directory, asked).await;
    "token-add": AddToken => IssuedToken,
        |on, asked| tokens::add(on, asked).await;
    "token-list" (READS): ListTokens => Vec<ApiToken>,
        |on, asked| tokens::list(on, asked);
    "token-remove": RemoveToken => ApiToken,
        |on, asked| tokens::remove(on, asked).await;
    "connection-add": AddConnection => ConnectionDetails,
        |on, asked| connections::add(on, asked).await;
    "connection-set": SetConnection => ConnectionDetails,
        |on, asked| connections::set(on, asked).await;
    "connection-set-credential": SetCredential => Vec<ConnectionDetails>,
        |on, asked| switching::set_credential(on, asked).await;
    "connection-list" (READS): ListConnections => Vec<ConnectionSummary>,
        |on, asked| connections::list(on, asked);
    "connection-show" (READS): ShowConnection => ConnectionDetails,
        |on, asked| connections::show(on, asked);
    "connection-test": TestConnection => ConnectionTest,
        |on, asked| connections::test(on, asked).await;
    "connection-authorize": AuthorizeConnection => AuthorizationProgress,
        |on, asked| authorizations::begin(on, asked).await;
    "connection-authorization" (READS): AwaitAuthorization => AuthorizationProgress,
        |on, asked| authorizations::wait(on, asked).await;
    "connection-remove": RemoveConnection => (),
        |on, asked| connections::remove(on, asked).await;
    "endpoint-add": AddEndpoint => IssuedEndpoint,
        |on, asked| endpoints::add(on, asked).await;
    "endpoint-set": SetEndpoint => IssuedEndpoint,
        |on, asked| endpoints::set(on, asked).await;
    "endpoint-list" (READS): ListEndpoints => Vec<EndpointSummary>,
        |on, asked| endpoints::list(on, asked);
    "endpoint-show" (READS): ShowEndpoint => EndpointDetails,
        |on, asked| endpoints::show(on, asked);
    "endpoint-rotate-secret": RotateEndpointSecret => IssuedEndpoint,
        |on, asked| endpoints::rotate_secret(on, asked).await;
    "endpoint-retire-secret": RetireEndpointSecret => EndpointDetails,
        |on, asked| endpoints::retire_secret(on, asked).await;
    "endpoint-remove": RemoveEndpoint => (),
        |on, asked| endpoints::remove(on, asked).await;
    "audit" (READS): ListAudit => Vec<AuditRecord>,
        |on, asked| audit::list(&on.directory, asked).await;
    "directory-rekey": Rekey => Rekeyed,
        |on, asked| credentials::rekey(&on.directory, asked).await;
    "sharing-add": AddAgreement => Agreement,
        |on, asked| sharing::add(&on.directory, asked).await;
    "sharing-list" (READS): ListAgreements => Vec<Agreement>,
        |on, asked| sharing::list(&on.directory, asked);
    "sharing-remove": RemoveAgreement => (),
        |on, asked| sharing::remove(&on.directory, asked).await;
    "partner-add": AddPartner => Added,
        |on, asked| partners::add(&on.directory, asked).await;
    "partner-remove": RemovePartner => Removed,
        |on, asked| partners::remove(&on.directory, asked).await;
    "partner-list" (READS): ListPartners => PartnerLists,
        |on, asked| partners::list(&on.directory, asked);
    "partner-entries" (READS): ListEntries => Vec<PartnerEntry>,
        |on, asked| partners::entries(&on.directory, asked).await;
    "partner-lookup" (READS): LookUpPartner => LookedUp,
        |on, asked| partners::look_up(&on.directory, asked);
    "recipient-lookup" (READS): LookUpRecipient => RecipientFacts,
        |on, asked| recipients::look_up(on, asked).await;
    // What is being imported changes nothing before it is finished.
    "partner-import-begin" (READS): BeginImport => ImportId,
        |on, asked| imports::begin(&on.directory, asked).await;
    "partner-import-add" (READS): AddToImport => (),
        |on, asked| imports::add(&on.directory, asked).await;
    "partner-import-finish": FinishImport => ListChange,
        |on, asked| imports::finish(&on.directory, asked).await;
    "partner-import-abandon" (READS): AbandonImport => (),
        |on, asked| imports::abandon(&on.directory, asked).await;
    "partner-import-remove": RemoveImport => Removed,
        |on, asked| imports::remove(&on.directory, asked).await;
    "partner-feed-add": SetFeed => PartnerList,
        |on, asked| feeds::set(&on.directory, asked).await;
    "partner-feed-list" (READS): ListFeeds => Vec<PartnerList>,
        |on, asked| feeds::list(&on.directory, asked);
    "partner-feed-fetch": FetchFeed => ListChange,
        |on, asked| feeds::fetch(&on.directory, &on.feeds.load_full(), asked).await;
    "partner-feed-remove": RemoveFeed => Removed,
        |on, asked| feeds::remove(&on.directory, asked).await;
}
