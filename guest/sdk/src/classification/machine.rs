//! The fields of what sends by itself: help desks, whose mail a person may have written, programs
//! that send notices, and services that send in bulk. Names are in lower case.

use super::rule::Rule;

/// What a field of that name says of where the message comes from.
pub(super) fn rule(name: &str) -> Option<Rule> {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    if begins(HELP_DESKS) {
        Some(Rule::HelpDesk)
    } else if begins(NOTICES) {
        Some(Rule::NoticeField)
    } else if begins(BULK_SERVICES) {
        Some(Rule::BulkService)
    } else if begins(CAMPAIGNS) {
        Some(Rule::Campaign)
    } else {
        None
    }
}

/// A help desk by its mail program.
pub(super) fn mailer(value: &str) -> Option<Rule> {
    const NAMES: &[&str] = &[
        "zendesk",
        "otrs",
        "znuny",
        "zammad",
        "freshdesk",
        "freshservice",
        "help scout",
        "helpscout",
        "kayako",
        "osticket",
        "request tracker",
        "servicenow",
        "freescout",
        "deskpro",
        "uvdesk",
        "spiceworks",
        "servicedesk",
        "glpi",
        "gorgias",
        "liveagent",
        "hesk",
        "jitbit",
        "vivantio",
        "teamsupport",
        "supportpal",
        "helpspot",
        "intercom",
        "front mail",
        "groove",
        "desk.com",
        "happyfox",
        "faveo",
        "gatepost",
        "trackerapp",
        "cerb",
        "web help desk",
        "topdesk",
        "matrix42",
    ];
    let lower = value.to_ascii_lowercase();
    NAMES
        .iter()
        .any(|name| lower.contains(name))
        .then_some(Rule::HelpDesk)
}

/// A program in which people write mail.
pub(super) fn is_for_people(value: &str) -> bool {
    const NAMES: &[&str] = &[
        "outlook",
        "thunderbird",
        "apple mail",
        "iphone mail",
        "ipad mail",
        "mozilla",
        "mutt",
        "k-9 mail",
        "evolution",
        "kmail",
        "the bat",
        "eudora",
        "claws mail",
        "roundcube",
        "horde",
        "squirrelmail",
        "foxmail",
        "pine",
        "gnus",
        "mailspring",
        "em client",
        "postbox",
        "airmail",
        "zimbra",
        "sylpheed",
        "opera mail",
        "lotus notes",
        "yahoomail",
        "open-xchange",
        "sogo",
        "mailmate",
        "geary",
        "betterbird",
        "microsoft-macoutlook",
    ];
    let lower = value.to_ascii_lowercase();
    NAMES.iter().any(|name| lower.contains(name))
}

/// A number for feedback (Google). Providers of mailboxes set one on every message, so theirs
/// says nothing; its last part names who sends.
pub(super) fn feedback(value: &str) -> Option<Rule> {
    let sender = value
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let mailboxes = [
        "fastmail",
        "zohomail",
        "zoho",
        "proton",
        "protonmail",
        "mailfence",
        "runbox",
        "migadu",
    ];
    (!sender.is_empty() && !mailboxes.iter().any(|name| sender == *name))
        .then_some(Rule::FeedbackId)
}

const HELP_DESKS: &[&str] = &[
    "x-zendesk-",
    "x-otrs-",
    "x-znuny-",
    "x-zammad-",
    "rt-ticket",
    "rt-originator",
    "x-rt-",
    "managed-by",
    "x-freshdesk-",
    "x-freshservice-",
    "x-fd-",
    "x-helpscout",
    "x-help-scout",
    "x-kayako",
    "x-osticket",
    "x-servicenow-",
    "x-freescout-",
    "x-deskpro",
    "x-gorgias-",
    "x-intercom-",
    "x-front-",
    "x-liveagent",
    "x-spiceworks",
    "x-glpi-",
    "x-helpspot",
    "x-happyfox",
    "x-teamsupport",
    "x-topdesk",
    "x-jitbit",
    "x-cerberus",
    "x-cerb-",
    "x-desk-",
    "x-chatwoot",
    "x-hubspot-ticket",
];

const NOTICES: &[&str] = &[
    "x-jira-",
    "x-confluence-",
    "x-atlassian-",
    "x-github-",
    "x-gitlab-",
    "x-gitea-",
    "x-forgejo-",
    "x-bitbucket-",
    "x-bugzilla-",
    "x-redmine-",
    "x-mantis",
    "x-trac-",
    "x-phabricator-",
    "x-gerrit-",
    "x-launchpad-",
    "x-jenkins-",
    "x-buildbot-",
    "x-travis-",
    "x-git-refname",
    "x-git-newrev",
    "x-cron-env",
    "x-nagios",
    "x-icinga",
    "x-zabbix",
    "x-sentry-",
    "x-pagerduty",
    "x-grafana",
    "x-discourse-",
    "x-facebook-notify",
    "x-linkedin-",
    "x-list-administrivia",
    "x-pivotal-",
    "x-asana-",
    "x-trello-",
    "x-basecamp",
    "x-youtrack",
    "x-savannah-",
    "x-debian-pr-",
    "x-gnats-",
    "x-roundup-",
    "x-php-bug",
];

const BULK_SERVICES: &[&str] = &[
    "x-ses-outgoing",
    "x-sg-eid",
    "x-sg-id",
    "x-mailgun-sid",
    "x-mailgun-tag",
    "x-mailgun-variables",
    "x-mailgun-sending-ip",
    "x-pm-message-id",
    "x-pm-tag",
    "x-mandrill-user",
    "x-mailin-",
    "x-sib-id",
    "x-mj-",
    "x-msys-api",
    "x-msfbl",
    "x-csa-complaints",
    "x-sparkpost",
    "x-smtpapi",
    "x-tm-id",
    "x-elasticemail",
    "x-sendpulse",
    "x-unisender",
    "x-cmail",
    "x-postmark",
    "x-sfmc",
    "x-job",
];

const CAMPAIGNS: &[&str] = &[
    "x-campaign",
    "x-category",
    "x-mc-user",
    "x-mailchimp",
    "x-mailer-campaign",
    "x-cmpgn",
    "x-newsletter",
    "x-bulkmail",
    "x-mailing-id",
    "x-mailingid",
    "x-emarsys",
    "x-rpcampaign",
    "x-marketo",
    "x-hs-campaign",
    "x-elq",
    "x-mailkit",
    "x-sendgrid-campaign",
    "x-klaviyo",
    "x-listid",
];
