//! The table of routes: each method and path, the operation behind it, the scope that its token needs,
//! its reach, the form of its answer, and what it does.

use gatepost_directory::ApiScope;
use gatepost_operations::Operation;
use gatepost_operations::accounts::{
    AddAccount, ChangeAccount, ListAccounts, RemoveAccount, SetDefaultAddress, SetPolicy,
    SetRetention, ShowAccount,
};
use gatepost_operations::addresses::{
    AddAddress, ListAddresses, RemoveAddress, SetAddressBrand, ShowAddress,
};
use gatepost_operations::administrators::{
    AddAdministrator, ListAdministrators, RemoveAdministrator, SetAdministratorLanguage,
    VerifyAdministrator,
};
use gatepost_operations::audit::ListAudit;
use gatepost_operations::authorizations::{AuthorizeConnection, AwaitAuthorization};
use gatepost_operations::connections::{
    AddConnection, ListConnections, RemoveConnection, SetConnection, ShowConnection, TestConnection,
};
use gatepost_operations::connectors::{
    AddConnector, CountHeaders, ForgetForwarders, ListConnectors, ProveConnector, RemoveConnector,
    SetConnectorKind, SetForwarders, ShowConnector, VouchConnector,
};
use gatepost_operations::credentials::{
    CancelCredential, IssueInbound, IssueSubmission, ListCredentials, RemoveCredential,
    RetireCredential, RotateCredential, ShowCredential,
};
use gatepost_operations::diagnosis::DiagnoseMessage;
use gatepost_operations::disconnections::{DisconnectConnector, ReconnectConnector};
use gatepost_operations::dkim::{CheckDkim, GenerateDkim, RetireDkim, RotateDkim, ShowDkim};
use gatepost_operations::domains::CheckDomain;
use gatepost_operations::endpoints::{
    AddEndpoint, ListEndpoints, RemoveEndpoint, RetireEndpointSecret, RotateEndpointSecret,
    SetEndpoint, ShowEndpoint,
};
use gatepost_operations::erasures::{
    AwaitCorrespondentErasure, AwaitErasure, EraseAccount, EraseCorrespondent,
};
use gatepost_operations::events::ReadEvents;
use gatepost_operations::feeds::{FetchFeed, ListFeeds, RemoveFeed, SetFeed};
use gatepost_operations::handovers::HandOver;
use gatepost_operations::holds::{HoldAccount, ReleaseAccount};
use gatepost_operations::imports::{
    AbandonImport, AddToImport, BeginImport, FinishImport, RemoveImport,
};
use gatepost_operations::instructions::MakeInstructions;
use gatepost_operations::machines::{ForgetMachine, ListMachines};
use gatepost_operations::partners::{
    AddPartner, ListEntries, ListPartners, LookUpPartner, RemovePartner,
};
use gatepost_operations::policies::{ActivateConfigured, ActivateModule, ListPolicies, RollBack};
use gatepost_operations::policy_history::ShowHistory;
use gatepost_operations::progress::ShowProgress;
use gatepost_operations::quarantine::{
    DeleteQuarantined, ListQuarantine, ReleaseQuarantined, ShowQuarantined,
};
use gatepost_operations::queue::{
    CancelRecipients, HoldRecipients, ListDestinations, ListQueue, ReleaseRecipients,
    ResendMessage, RetryRecipients, ShowQueued,
};
use gatepost_operations::recipients::LookUpRecipient;
use gatepost_operations::restrictions::{ResumeAccount, SetCaps, ShowVolume, SuspendAccount};
use gatepost_operations::return_paths::SetReturnPath;
use gatepost_operations::rollouts::{
    ContinueRollout, HoldRollout, PromoteCandidate, RollOut, ShowPolicy,
};
use gatepost_operations::sandboxes::{
    AddTestUser, ListTestUsers, RemoveTestUser, SetProduction, SetSandbox,
};
use gatepost_operations::sharing::{AddAgreement, ListAgreements, RemoveAgreement};
use gatepost_operations::submission::CheckSubmission;
use gatepost_operations::suppression::{
    AddSuppression, ImportSuppressions, ListSuppressions, RemoveSuppression,
};
use gatepost_operations::switching::SetCredential;
use gatepost_operations::tokens::{AddToken, ListTokens, RemoveToken};
use gatepost_operations::trace::{FindMessages, ShowTrace};
use gatepost_operations::verification::{AwaitVerification, VerifyAddress};
use gatepost_operations::webhooks::{ListWebhooks, SkipEvents};

use crate::openapi::describe;
use crate::route::{AnswerForm, ApiRoute, HttpMethod, RouteReach, execute};

macro_rules! routes {
    ($($method:ident $path:literal $request:ty, $scope:ident, $reach:ident, $form:expr,
        $sentence:literal;)*) => {
        /// All routes.
        pub const ROUTES: &[ApiRoute] = &[$(ApiRoute {
            method: HttpMethod::$method,
            path: $path,
            operation: <$request as Operation>::NAME,
            scope: ApiScope::$scope,
            reach: RouteReach::$reach,
            form: $form,
            sentence: $sentence,
            execute: execute::<$request>,
            describe: describe::<$request>,
        },)*];
    };
}

routes! {
    // Accounts.
    Get "/accounts" ListAccounts, Read, Site, AnswerForm::List(&["id"]),
        "Lists all accounts.";
    Post "/accounts" AddAccount, Administer, Site, AnswerForm::Created("/accounts/{id}"),
        "Adds an account.";
    Get "/accounts/{account}" ShowAccount, Read, Account, AnswerForm::Item,
        "Shows an account.";
    Patch "/accounts/{account}" ChangeAccount, Administer, Account, AnswerForm::Item,
        "Changes the product, the time zone and the brands of an account; what is left out stays.";
    Delete "/accounts/{account}" RemoveAccount, Administer, Site, AnswerForm::Done,
        "Removes an account that owns nothing any more.";
    Post "/accounts/{account}/erasure" EraseAccount, Administer, Site, AnswerForm::Begun("/accounts/{account}/erasure"),
        "Begins to erase an account with all that the relay holds of it.";
    Get "/accounts/{account}/erasure" AwaitErasure, Administer, Site, AnswerForm::Item,
        "Waits for an erasure, one second at most, and returns its progress.";
    Put "/accounts/{account}/policies/{policy}" SetPolicy, Administer, Account, AnswerForm::Item,
        "Sets the settings of an account for a policy; without settings, the policy's own apply again.";
    Put "/accounts/{account}/default-address" SetDefaultAddress, Administer, Account, AnswerForm::Item,
        "Sets the default address of an account or of one of its brands; without an address there is none any more.";
    Put "/accounts/{account}/retention" SetRetention, Administer, Account, AnswerForm::Item,
        "Sets the time for which what is known of an account's mail is kept; without a time, the site's apply again.";
    Post "/accounts/{account}/sandbox" SetSandbox, Administer, Site, AnswerForm::Item,
        "Makes an account a sandbox, or sets its Maildir.";
    Post "/accounts/{account}/production" SetProduction, Administer, Site, AnswerForm::Item,
        "Makes an account one of production.";
    Get "/accounts/{account}/test-users" ListTestUsers, Read, Account, AnswerForm::List(&["address"]),
        "Lists the test users of a sandbox.";
    Post "/accounts/{account}/test-users" AddTestUser, Administer, Account, AnswerForm::Results,
        "Adds a test user to a sandbox, and lists all.";
    Delete "/accounts/{account}/test-users/{address}" RemoveTestUser, Administer, Account, AnswerForm::Done,
        "Removes a test user from a sandbox.";
    Post "/accounts/{account}/suspend" SuspendAccount, Administer, Site, AnswerForm::Item,
        "Suspends an account: it submits nothing, and its queued mail is held.";
    Post "/accounts/{account}/resume" ResumeAccount, Administer, Site, AnswerForm::Item,
        "Ends the suspension of an account, and releases its mail.";
    Post "/accounts/{account}/hold" HoldAccount, Operate, Site, AnswerForm::Item,
        "Holds the outgoing mail of an account: it is taken, and waits in the queue.";
    Post "/accounts/{account}/release" ReleaseAccount, Operate, Site, AnswerForm::Item,
        "Ends the hold of an account, and releases its mail.";
    Get "/accounts/{account}/volume" ShowVolume, Read, Account, AnswerForm::Item,
        "Shows the caps of an account, and what counts towards them.";
    Patch "/accounts/{account}/volume" SetCaps, Administer, Site, AnswerForm::Item,
        "Sets caps of an account, or of a domain or a credential of it; what is left out stays.";
    // Administrators.
    Get "/accounts/{account}/administrators" ListAdministrators, Read, Account, AnswerForm::List(&["address"]),
        "Lists the administrators of an account.";
    Post "/accounts/{account}/administrators" AddAdministrator, Administer, Account, AnswerForm::Created("/accounts/{account}/administrators/{address}"),
        "Adds an administrator, and sends a code to the address.";
    Post "/accounts/{account}/administrators/{address}/verify" VerifyAdministrator, Administer, Account, AnswerForm::Item,
        "Proves an administrator's address by the code that was sent there; without a code, sends another.";
    Put "/accounts/{account}/administrators/{address}/language" SetAdministratorLanguage, Administer, Account, AnswerForm::Item,
        "Sets the language of an administrator.";
    Delete "/accounts/{account}/administrators/{address}" RemoveAdministrator, Administer, Account, AnswerForm::Done,
        "Removes an administrator.";
    // Connectors: domains that accounts have connected.
    Get "/connectors" ListConnectors, Read, Site, AnswerForm::List(&["id"]),
        "Lists the connectors of all accounts.";
    Get "/accounts/{account}/connectors" ListConnectors, Read, Account, AnswerForm::List(&["id"]),
        "Lists the connectors of an account.";
    Post "/accounts/{account}/connectors" AddConnector, Administer, Account, AnswerForm::Created("/accounts/{account}/connectors/{id}"),
        "Connects a domain, as a claim.";
    Get "/accounts/{account}/connectors/{connector}" ShowConnector, Read, Account, AnswerForm::Item,
        "Shows a connector.";
    Delete "/accounts/{account}/connectors/{connector}" RemoveConnector, Administer, Account, AnswerForm::Done,
        "Removes a connector that owns nothing any more.";
    Get "/accounts/{account}/connectors/{connector}/progress" ShowProgress, Read, Account, AnswerForm::Item,
        "Shows what a connector still lacks.";
    Get "/accounts/{account}/connectors/{connector}/instructions" MakeInstructions, Read, Account, AnswerForm::Item,
        "Makes instructions for the administrator of a customer's mail server.";
    Post "/accounts/{account}/connectors/{connector}/prove" ProveConnector, Administer, Account, AnswerForm::Item,
        "Looks in the DNS for the proof that the domain is the account's.";
    Post "/accounts/{account}/connectors/{connector}/vouch" VouchConnector, Administer, Site, AnswerForm::Item,
        "Marks the domain as the account's on the word of the operator.";
    Put "/accounts/{account}/connectors/{connector}/kind" SetConnectorKind, Administer, Account, AnswerForm::Item,
        "Sets the direction of the domain's mail that passes through the relay.";
    Put "/accounts/{account}/connectors/{connector}/forwarders" SetForwarders, Administer, Account, AnswerForm::Item,
        "Sets the known forwarders of the domain's mail, in place of the former ones.";
    Post "/accounts/{account}/connectors/{connector}/forwarders/forget" ForgetForwarders, Administer, Account, AnswerForm::Item,
        "Forgets forwarders that were learnt from probes.";
    Put "/accounts/{account}/connectors/{connector}/return-path" SetReturnPath, Administer, Account, AnswerForm::Item,
        "Sets the domain of the reverse-paths of the domain's mail by MX; without one, takes it back.";
    Post "/accounts/{account}/connectors/{connector}/disconnect" DisconnectConnector, Administer, ThingsOfAccount, AnswerForm::Results,
        "Disconnects a domain; its queued mail is held or sent another way.";
    Post "/accounts/{account}/connectors/{connector}/reconnect" ReconnectConnector, Administer, ThingsOfAccount, AnswerForm::Results,
        "Connects a domain again, and releases what was held for it.";
    Post "/accounts/{account}/connectors/{connector}/addresses/{address}/disconnect" DisconnectConnector, Administer, ThingsOfAccount, AnswerForm::Results,
        "Disconnects one support address of a connected domain.";
    Post "/accounts/{account}/connectors/{connector}/addresses/{address}/reconnect" ReconnectConnector, Administer, ThingsOfAccount, AnswerForm::Results,
        "Connects one support address of a connected domain again.";
    Post "/accounts/{account}/disconnect" DisconnectConnector, Administer, Account, AnswerForm::Results,
        "Disconnects all domains of an account.";
    Post "/accounts/{account}/reconnect" ReconnectConnector, Administer, Account, AnswerForm::Results,
        "Connects all domains of an account again.";
    // Domains and their DNS.
    Get "/accounts/{account}/domains/{domain}/check" CheckDomain, Read, Account, AnswerForm::Item,
        "Compares a domain of an account with the DNS.";
    Get "/accounts/{account}/domains/{domain}/headers" CountHeaders, Read, Account, AnswerForm::Results,
        "Counts what became of header fields in messages from a domain.";
    Get "/dkim-keys" ShowDkim, Read, Site, AnswerForm::List(&["domain", "selector"]),
        "Lists the DKIM keys of the site with their records.";
    Get "/accounts/{account}/dkim-keys" ShowDkim, Read, Account, AnswerForm::List(&["domain", "selector"]),
        "Lists the DKIM keys of an account with their records.";
    Post "/accounts/{account}/dkim-keys" GenerateDkim, Administer, Account, AnswerForm::Results,
        "Makes keys of a domain, which wait for their records.";
    Post "/accounts/{account}/dkim-keys/check" CheckDkim, Administer, Account, AnswerForm::Results,
        "Looks in the DNS for the records of keys.";
    Post "/accounts/{account}/dkim-keys/rotate" RotateDkim, Administer, Account, AnswerForm::Results,
        "Makes the keys that come after those that sign.";
    Delete "/accounts/{account}/dkim-keys/{domain}/{selector}" RetireDkim, Administer, Account, AnswerForm::Item,
        "Retires a key.";
    // Support addresses.
    Get "/addresses/{address}" ShowAddress, Read, Site, AnswerForm::Results,
        "Shows all accounts that have a support address.";
    Get "/accounts/{account}/addresses" ListAddresses, Read, Account, AnswerForm::List(&["address"]),
        "Lists the support addresses of an account.";
    Post "/accounts/{account}/addresses" AddAddress, Administer, Account, AnswerForm::Created("/accounts/{account}/addresses/{address}"),
        "Adds a support address.";
    Get "/accounts/{account}/addresses/{address}" ShowAddress, Read, Account, AnswerForm::OnlyItem,
        "Shows a support address of an account.";
    Put "/accounts/{account}/addresses/{address}/brand" SetAddressBrand, Administer, Account, AnswerForm::Item,
        "Sets the brand of a support address; without one, it has none.";
    Delete "/accounts/{account}/addresses/{address}" RemoveAddress, Administer, Account, AnswerForm::Done,
        "Removes a support address.";
    Post "/accounts/{account}/addresses/{address}/verification" VerifyAddress, Administer, Account, AnswerForm::Begun("/accounts/{account}/addresses/{address}/verification"),
        "Sends probes of a support address.";
    Get "/accounts/{account}/addresses/{address}/verification" AwaitVerification, Read, Account, AnswerForm::Item,
        "Waits up to ten seconds for probes to end, and returns what is known of the address.";
    // Credentials.
    Get "/accounts/{account}/credentials" ListCredentials, Read, Account, AnswerForm::List(&["user-name"]),
        "Lists the credentials of an account.";
    Post "/accounts/{account}/credentials" IssueSubmission, Administer, Account, AnswerForm::Created("/accounts/{account}/credentials/{user-name}"),
        "Issues a credential for submission. Its secret is shown this once.";
    Post "/accounts/{account}/connectors/{connector}/credentials" IssueInbound, Administer, Account, AnswerForm::Created("/accounts/{account}/credentials/{user-name}"),
        "Issues a credential for relay from a domain. Its secret is shown this once.";
    Get "/accounts/{account}/credentials/{credential}" ShowCredential, Read, Account, AnswerForm::Item,
        "Shows a credential, and what was accepted with it.";
    Post "/accounts/{account}/credentials/{credential}/hand-over" HandOver, Administer, Account, AnswerForm::Item,
        "Makes a link that shows the secret of a credential once.";
    Post "/accounts/{account}/credentials/{credential}/rotate" RotateCredential, Administer, Account, AnswerForm::Created("/accounts/{account}/credentials/{user-name}"),
        "Issues a second credential, which is to take the place of a live one.";
    Post "/accounts/{account}/credentials/{credential}/retire" RetireCredential, Administer, Account, AnswerForm::Item,
        "Retires a credential that is not used any more.";
    Post "/accounts/{account}/credentials/{credential}/cancel" CancelCredential, Administer, Account, AnswerForm::Item,
        "Cancels a credential: it is refused for good.";
    Delete "/accounts/{account}/credentials/{credential}" RemoveCredential, Administer, Account, AnswerForm::Done,
        "Takes a credential out of the list, live or ended.";
    // Tokens of this API.
    Get "/tokens" ListTokens, Administer, Accounts, AnswerForm::List(&["id"]),
        "Lists the tokens of an account or of all, with their last use.";
    Post "/tokens" AddToken, Administer, Accounts, AnswerForm::Created("/tokens/{id}"),
        "Issues a token. It is shown this once.";
    Delete "/tokens/{token}" RemoveToken, Administer, Accounts, AnswerForm::Item,
        "Removes a token: it is refused from now on.";
    // Connections: ways out by other mail services.
    Get "/connections" ListConnections, Read, Site, AnswerForm::List(&["account", "name"]),
        "Lists the connections of the site and of all accounts.";
    Get "/connections/{connection}" ShowConnection, Read, Site, AnswerForm::Item,
        "Shows a connection of the site, without its secrets.";
    Post "/connections/{connection}/test" TestConnection, Operate, Site, AnswerForm::Item,
        "Opens a session by a connection of the site, and ends it.";
    Get "/accounts/{account}/connections" ListConnections, Read, Account, AnswerForm::List(&["name"]),
        "Lists the connections of an account.";
    Post "/accounts/{account}/connections" AddConnection, Administer, Account, AnswerForm::Created("/accounts/{account}/connections/{name}"),
        "Adds a connection of an account.";
    Get "/accounts/{account}/connections/{connection}" ShowConnection, Read, Account, AnswerForm::Item,
        "Shows a connection, without its secrets, and what left by it.";
    Patch "/accounts/{account}/connections/{connection}" SetConnection, Administer, Account, AnswerForm::Item,
        "Changes a connection of an account; what is left out stays.";
    Delete "/accounts/{account}/connections/{connection}" RemoveConnection, Administer, Account, AnswerForm::Done,
        "Removes a connection of an account.";
    Post "/accounts/{account}/connections/{connection}/test" TestConnection, Operate, Account, AnswerForm::Item,
        "Opens a session by a connection, and ends it.";
    Post "/accounts/{account}/connections/{connection}/authorization" AuthorizeConnection, Administer, Account, AnswerForm::Begun("/accounts/{account}/authorizations/{id}"),
        "Begins the authorization of a connection: the page and the code are for the person who consents.";
    Get "/accounts/{account}/authorizations/{authorization}" AwaitAuthorization, Read, Account, AnswerForm::Item,
        "Waits for an authorization, ten seconds at most.";
    Post "/accounts/{account}/connection-passwords" SetCredential, Administer, Account, AnswerForm::Results,
        "Changes the password of several connections, if each of their servers takes the new one.";
    // Endpoints: URLs that get the inbound mail of an account.
    Get "/accounts/{account}/endpoints" ListEndpoints, Read, Account, AnswerForm::List(&["name"]),
        "Lists the endpoints that get inbound mail of an account.";
    Post "/accounts/{account}/endpoints" AddEndpoint, Administer, Account, AnswerForm::Created("/accounts/{account}/endpoints/{name}"),
        "Adds an endpoint of an account. A secret that is made is shown this once.";
    Get "/accounts/{account}/endpoints/{endpoint}" ShowEndpoint, Read, Account, AnswerForm::Item,
        "Shows an endpoint, without its secrets, and why its mail waits.";
    Patch "/accounts/{account}/endpoints/{endpoint}" SetEndpoint, Administer, Account, AnswerForm::Item,
        "Changes an endpoint of an account; what is left out stays.";
    Delete "/accounts/{account}/endpoints/{endpoint}" RemoveEndpoint, Administer, Account, AnswerForm::Done,
        "Removes an endpoint of an account.";
    Post "/accounts/{account}/endpoints/{endpoint}/secret" RotateEndpointSecret, Administer, Account, AnswerForm::Item,
        "Gives an endpoint a second secret. One that is made is shown this once.";
    Delete "/accounts/{account}/endpoints/{endpoint}/secret" RetireEndpointSecret, Administer, Account, AnswerForm::Item,
        "Retires the older of the two secrets of an endpoint.";
    // Sharing and partners.
    Get "/agreements" ListAgreements, Read, Site, AnswerForm::List(&["one", "other"]),
        "Lists the agreements of all accounts.";
    Get "/accounts/{account}/agreements" ListAgreements, Read, Account, AnswerForm::List(&["one", "other"]),
        "Lists the agreements of an account.";
    Post "/accounts/{account}/agreements" AddAgreement, Administer, Site, AnswerForm::Created("/accounts/{account}/agreements/{partner}"),
        "Makes an agreement of two accounts.";
    Delete "/accounts/{account}/agreements/{partner}" RemoveAgreement, Administer, Site, AnswerForm::Done,
        "Ends an agreement.";
    Get "/accounts/{account}/partners" ListPartners, Read, Account, AnswerForm::Item,
        "Lists the addresses that an account shares by agreements, and its lists of partners.";
    Post "/accounts/{account}/partners" AddPartner, Operate, Account, AnswerForm::Item,
        "Adds a partner address, or a whole domain.";
    Get "/accounts/{account}/partners/{address}" LookUpPartner, Read, Account, AnswerForm::Item,
        "Looks up, in memory, whether an address is a partner of an account.";
    Post "/accounts/{account}/partners/remove" RemovePartner, Operate, Account, AnswerForm::Item,
        "Removes an entry that was added or imported.";
    Get "/accounts/{account}/partner-lists/{list}/entries" ListEntries, Read, Account, AnswerForm::Page(&[("after", "")]),
        "Lists entries of a list of partners, in the order of their texts.";
    Post "/accounts/{account}/partner-imports" BeginImport, Operate, Account, AnswerForm::CreatedNumber("import", "/accounts/{account}/partner-imports/{import}"),
        "Begins an import of partners, in place of one that has begun.";
    Post "/accounts/{account}/partner-imports/{import}/entries" AddToImport, Operate, Account, AnswerForm::Done,
        "Adds entries to an import.";
    Post "/accounts/{account}/partner-imports/{import}/finish" FinishImport, Operate, Account, AnswerForm::Item,
        "Moves the entries of an import into its list.";
    Delete "/accounts/{account}/partner-imports/{import}" AbandonImport, Operate, Account, AnswerForm::Done,
        "Drops an import that is not finished.";
    Delete "/accounts/{account}/imported-lists/{name}" RemoveImport, Operate, Account, AnswerForm::Item,
        "Removes the list of an import with all its entries.";
    Get "/accounts/{account}/feeds" ListFeeds, Read, Account, AnswerForm::List(&["id"]),
        "Lists the feeds of an account.";
    Put "/accounts/{account}/feeds" SetFeed, Administer, Account, AnswerForm::Item,
        "Adds a feed of partners, which is fetched at an interval, or changes its settings.";
    Delete "/accounts/{account}/feeds" RemoveFeed, Administer, Account, AnswerForm::Item,
        "Removes a feed with its entries.";
    Post "/accounts/{account}/feeds/fetch" FetchFeed, Operate, Account, AnswerForm::Item,
        "Fetches a feed now.";
    // What is known of a recipient.
    Get "/accounts/{account}/recipients/{address}" LookUpRecipient, Read, Account, AnswerForm::Item,
        "Looks up all that is known of an address before an account writes to it.";
    Post "/accounts/{account}/recipients/{correspondent}/erasure" EraseCorrespondent, Administer, Account, AnswerForm::Begun("/accounts/{account}/recipients/{correspondent}/erasure"),
        "Begins to erase the address of a correspondent from an account.";
    Get "/accounts/{account}/recipients/{correspondent}/erasure" AwaitCorrespondentErasure, Administer, Account, AnswerForm::Item,
        "Waits for the erasure of a correspondent, one second at most, and returns its progress.";
    Post "/recipients/{correspondent}/erasure" EraseCorrespondent, Administer, Site, AnswerForm::Begun("/recipients/{correspondent}/erasure"),
        "Begins to erase the address of a correspondent from all accounts.";
    Get "/recipients/{correspondent}/erasure" AwaitCorrespondentErasure, Administer, Site, AnswerForm::Item,
        "Waits for the erasure of a correspondent from all accounts, one second at most, and returns its progress.";
    // Machines and suppressed addresses.
    Get "/machines" ListMachines, Read, Accounts, AnswerForm::List(&["account", "address"]),
        "Lists the known machines, of an account or of all.";
    Delete "/accounts/{account}/machines/{address}" ForgetMachine, Operate, Account, AnswerForm::Done,
        "Forgets that an address is a machine's: automatic mail is sent to it again.";
    Get "/suppressions" ListSuppressions, Read, Accounts, AnswerForm::Page(&[("after", "address"), ("after_account", "account")]),
        "Lists addresses to which accounts send nothing any more.";
    Post "/accounts/{account}/suppressions" AddSuppression, Operate, Account, AnswerForm::Done,
        "Puts an address on the suppression list of an account.";
    Post "/accounts/{account}/suppressions/import" ImportSuppressions, Operate, Account, AnswerForm::Item,
        "Puts addresses on the suppression list, in place of what is recorded of them.";
    Delete "/accounts/{account}/suppressions/{address}" RemoveSuppression, Operate, Account, AnswerForm::Done,
        "Takes an address off the suppression list: mail to it goes again at once.";
    Post "/accounts/{account}/submission-check" CheckSubmission, Read, Account, AnswerForm::Item,
        "Returns the replies by which caps and the suppression list would refuse a submission.";
    // Queue, quarantine and trace.
    Get "/queue" ListQueue, Read, Accounts, AnswerForm::Page(&[("after", "id")]),
        "Lists messages of the queue, in order of arrival.";
    Post "/queue/retry" RetryRecipients, Operate, Accounts, AnswerForm::Item,
        "Makes queued recipients due now.";
    Post "/queue/cancel" CancelRecipients, Operate, Accounts, AnswerForm::Item,
        "Ends delivery to recipients without an attempt and without a bounce.";
    Post "/queue/hold" HoldRecipients, Operate, Accounts, AnswerForm::Item,
        "Stops attempts to queued recipients until they are released.";
    Post "/queue/release" ReleaseRecipients, Operate, Accounts, AnswerForm::Item,
        "Releases held recipients: they are due now.";
    Get "/queue/{message}" ShowQueued, Read, Accounts, AnswerForm::Item,
        "Shows one message of the queue, and why its recipients wait.";
    Post "/queue/{message}/resend" ResendMessage, Operate, Accounts, AnswerForm::Item,
        "Sends a message again to recipients that have failed.";
    Get "/destinations" ListDestinations, Read, Site, AnswerForm::Results,
        "Lists the destinations of the queue, those with most recipients first.";
    Get "/quarantine" ListQuarantine, Read, Accounts, AnswerForm::Page(&[("after", "id")]),
        "Lists messages in quarantine, in order of arrival.";
    Get "/quarantine/{message}" ShowQuarantined, Read, Accounts, AnswerForm::Item,
        "Shows one message in quarantine.";
    Post "/quarantine/{message}/release" ReleaseQuarantined, Operate, Accounts, AnswerForm::Done,
        "Releases a message into the queue.";
    Delete "/quarantine/{message}" DeleteQuarantined, Operate, Accounts, AnswerForm::Done,
        "Drops a message of the quarantine without telling anybody.";
    Get "/messages" FindMessages, Read, Accounts, AnswerForm::Item,
        "Finds messages by sender, recipient, Message-ID, words of the subject, metadata and time, newest first.";
    Get "/messages/{message}/trace" ShowTrace, Read, Accounts, AnswerForm::Results,
        "Shows what happened to a message, in order.";
    Get "/messages/{message}/diagnosis" DiagnoseMessage, Read, Accounts, AnswerForm::Item,
        "Exports all that is known of a message but its body: for whoever is asked for help.";
    // Events, policies and the audit log.
    Get "/events" ReadEvents, Read, Accounts, AnswerForm::Events,
        "Reads events; with wait, waits up to 25 seconds for the first.";
    Get "/events/stream" ReadEvents, Read, Accounts, AnswerForm::Stream,
        "Sends events as they happen, as server-sent events.";
    Get "/webhooks" ListWebhooks, Read, Site, AnswerForm::List(&["name"]),
        "Lists the webhooks: how far each is behind, and what its endpoint said last.";
    Post "/webhooks/{webhook}/skip" SkipEvents, Operate, Site, AnswerForm::Item,
        "Has a webhook leave out the events that its endpoint does not take, and go on.";
    Get "/policies" ListPolicies, Read, Site, AnswerForm::List(&["policy"]),
        "Lists the policies, by name.";
    Post "/policies/{policy}/activate" ActivateModule, Administer, Site, AnswerForm::Item,
        "Puts a module, in base64, in the place of the active version, until the configuration names another.";
    Post "/policies/{policy}/activate-configured" ActivateConfigured, Administer, Site, AnswerForm::Item,
        "Activates the module that the configuration names.";
    Post "/policies/{policy}/rollback" RollBack, Administer, Site, AnswerForm::Item,
        "Ends the rollout of a policy, or activates an earlier version again.";
    Get "/policies/{policy}/history" ShowHistory, Read, Site, AnswerForm::Results,
        "Lists the last versions of a policy, newest first.";
    Get "/policies/{policy}" ShowPolicy, Read, Site, AnswerForm::Item,
        "Shows a policy with its rollout.";
    Post "/policies/{policy}/roll-out" RollOut, Administer, Site, AnswerForm::Item,
        "Tries a module, in base64, beside the active version.";
    Post "/policies/{policy}/hold" HoldRollout, Administer, Site, AnswerForm::Item,
        "Holds a rollout where it is.";
    Post "/policies/{policy}/go-on" ContinueRollout, Administer, Site, AnswerForm::Item,
        "Lets a rollout go on.";
    Post "/policies/{policy}/promote" PromoteCandidate, Administer, Site, AnswerForm::Item,
        "Activates the version under trial.";
    Get "/audit" ListAudit, Read, Accounts, AnswerForm::Page(&[("before", "seq")]),
        "Lists entries of the audit log, newest first.";
}

/// Operations without a route, each with the reason.
pub const UNROUTED: &[(&str, &str)] = &[
    (
        "reload",
        "the configuration is the site's: whoever can write it can ask for this",
    ),
    ("backup", "it writes to a folder of the relay's machine"),
    ("backup-wait", "its backup is begun on the relay's machine"),
    (
        "directory-rekey",
        "the key ring is a file of the relay's machine, and is to be copied then",
    ),
];

/// Operations that show a resource of an account which has an entity tag, and the members that make
/// it; without any, all do. What mail changes all the time makes none.
pub(crate) const TAGGED: &[(&str, &[&str])] = &[
    ("account-show", &[]),
    ("connector-show", &[]),
    ("address-show", &[]),
    (
        "connection-show",
        &["account", "created", "changed", "settings"],
    ),
    (
        "endpoint-show",
        &["account", "created", "changed", "for", "settings"],
    ),
];

/// Operations that `If-Match` may restrict, each with that which shows the resource.
pub(crate) const CONDITIONAL: &[(&str, &str)] = &[
    ("account-remove", "account-show"),
    ("account-change", "account-show"),
    ("account-set", "account-show"),
    ("account-set-default-address", "account-show"),
    ("account-set-retention", "account-show"),
    ("account-set-sandbox", "account-show"),
    ("account-set-production", "account-show"),
    ("connector-remove", "connector-show"),
    ("connector-vouch", "connector-show"),
    ("connector-set-kind", "connector-show"),
    ("connector-forwarders", "connector-show"),
    ("connector-forget-forwarders", "connector-show"),
    ("connector-set-return-path", "connector-show"),
    ("address-set-brand", "address-show"),
    ("address-remove", "address-show"),
    ("connection-set", "connection-show"),
    ("connection-remove", "connection-show"),
    ("endpoint-set", "endpoint-show"),
    ("endpoint-rotate-secret", "endpoint-show"),
    ("endpoint-retire-secret", "endpoint-show"),
    ("endpoint-remove", "endpoint-show"),
];
