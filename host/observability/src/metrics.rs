//! The list of all metrics: names, descriptions, buckets.
//!
//! Each crate counts where the work is done; this is the one list of all names.

use std::time::Duration;

use gatepost_directory::View;
use gatepost_message::Millis;
use gatepost_policy::BreakerState;
use gatepost_spool::{QueueDepth, RememberedTotals, Status};
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::PolicyState;

/// Error that keeps the recorder of this process from being installed.
#[derive(Debug, thiserror::Error)]
#[error("cannot record metrics: {0}")]
pub struct MetricsError(#[from] BuildError);

/// Handle to the recorded metrics.
#[derive(Debug, Clone)]
pub struct Metrics(PrometheusHandle);

/// Buckets from a call that only looks something up to one at the default deadline and beyond.
const CALL_MICROS: [f64; 14] = [
    5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5,
];

/// Buckets from an fsync of a fast disk to a slow next hop.
const SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0,
];

/// Interval at which measured values are sorted into buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// Buckets for the operations in one commit.
const BATCH: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

impl Metrics {
    /// Records the metrics of this process from now on. Once in a process, within a runtime.
    ///
    /// # Errors
    /// They are recorded already.
    pub fn start() -> Result<Self, MetricsError> {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_micros".to_owned()), &CALL_MICROS)?
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
            .set_buckets_for_metric(Matcher::Suffix("_operations".to_owned()), &BATCH)?
            .install_recorder()?;
        describe();
        initialise_counters();
        // Values of a histogram wait until they are sorted into buckets. Without this they would
        // pile up where nobody reads the metrics.
        let upkeep = handle.clone();
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(UPKEEP);
            loop {
                ticks.tick().await;
                upkeep.run_upkeep();
            }
        });
        Ok(Self(handle))
    }

    /// Renders all metrics in the text format of Prometheus, the queue as given.
    pub fn render(
        &self,
        depth: Option<&QueueDepth>,
        remembered: &RememberedTotals,
        policies: &[PolicyState],
        directory: &View,
        trace_dropped: u64,
    ) -> String {
        if let Some(depth) = depth {
            set_queue_gauges(depth);
        }
        for (kind, of) in [
            ("marks", remembered.marks),
            ("counts", remembered.counts),
            ("machines", remembered.machines),
        ] {
            gauge!("gatepost_remembered_entries", "kind" => kind).set(of.entries as f64);
            gauge!("gatepost_remembered_octets", "kind" => kind).set(of.octets as f64);
        }
        // Read here rather than counted: a swap installs a version with another breaker.
        for policy in policies {
            let open = policy.breaker != BreakerState::Closed;
            gauge!("gatepost_policy_breaker_open", "policy" => policy.name.clone())
                .set(f64::from(u8::from(open)));
            gauge!("gatepost_policy_breaker_accounts", "policy" => policy.name.clone())
                .set(policy.breaker.accounts() as f64);
            gauge!("gatepost_policy_module_refused", "policy" => policy.name.clone())
                .set(f64::from(u8::from(policy.module_refused)));
        }
        gauge!("gatepost_partner_entries").set(directory.partner_entries() as f64);
        gauge!("gatepost_partner_octets").set(directory.partner_bytes() as f64);
        metrics::counter!("gatepost_trace_dropped_total").absolute(trace_dropped);
        self.0.render()
    }
}

/// Sets the gauges of the queue. States that recipients have left must be shown as 0.
fn set_queue_gauges(depth: &QueueDepth) {
    for status in Status::ALL {
        let recipients = depth.recipients.get(&status).copied().unwrap_or(0);
        gauge!("gatepost_queue_recipients", "state" => status.word()).set(recipients as f64);
    }
    let age = depth
        .oldest
        .map_or(0.0, |oldest| Millis::now().since(oldest).as_secs_f64());
    gauge!("gatepost_queue_oldest_seconds").set(age);
    gauge!("gatepost_queue_messages").set(depth.messages as f64);
    gauge!("gatepost_quarantine_messages").set(depth.quarantined as f64);
}

/// Shows counters as 0 before their first step, so that an alarm on growth sees it. Those with
/// labels begin with their first value.
fn initialise_counters() {
    metrics::counter!("gatepost_authentication_failures_total").absolute(0);
    metrics::counter!("gatepost_authentication_limited_total").absolute(0);
    metrics::counter!("gatepost_suspended_refusals_total").absolute(0);
    metrics::counter!(
        "gatepost_cap_refusals_total", "of" => "account", "what" => "messages", "within" => "hour"
    )
    .absolute(0);
    metrics::counter!("gatepost_reports_total", "kind" => "failure", "forged" => "false")
        .absolute(0);
    for answer in ["done", "refused", "failed"] {
        metrics::counter!("gatepost_api_requests_total", "answer" => answer).absolute(0);
    }
    for result in ["signed", "failed"] {
        metrics::counter!("gatepost_signatures_total", "result" => result).absolute(0);
    }
    for result in ["issued", "failed"] {
        metrics::counter!("gatepost_acme_orders_total", "result" => result).absolute(0);
    }
    gauge!("gatepost_acme_certificate_expires_timestamp_seconds").set(0.0);
    metrics::counter!("gatepost_spool_full_total").absolute(0);
    metrics::counter!("gatepost_suppressed_recipients_total").absolute(0);
    for kind in ["inbound", "outbound", "circuit"] {
        metrics::counter!("gatepost_probes_total", "kind" => kind, "result" => "passed")
            .absolute(0);
    }
    for kind in ["line-ends", "nul", "opening"] {
        metrics::counter!("gatepost_messages_repaired_total", "kind" => kind).absolute(0);
    }
    for to in ["7bit", "short-lines"] {
        metrics::counter!("gatepost_conversions_total", "to" => to).absolute(0);
    }
    for kind in ["marks", "counts", "machines"] {
        metrics::counter!("gatepost_remembered_evicted_total", "kind" => kind).absolute(0);
    }
    metrics::counter!("gatepost_delivery_bounces_total").absolute(0);
}

fn describe() {
    for (name, help) in [
        (
            "gatepost_acme_orders_total",
            "Orders of certificates by ACME, by result",
        ),
        (
            "gatepost_connections_total",
            "Connections taken, by listener",
        ),
        (
            "gatepost_connections_refused_total",
            "Connections over a limit, answered 421, by listener",
        ),
        (
            "gatepost_api_requests_total",
            "Requests at the API, by answer",
        ),
        (
            "gatepost_handover_requests_total",
            "Requests at the page of handovers, by answer",
        ),
        (
            "gatepost_replies_total",
            "SMTP replies given to clients, by code",
        ),
        (
            "gatepost_transactions_total",
            "SMTP transactions, by listener and verdict, aborted ones too",
        ),
        (
            "gatepost_reports_total",
            "Reports on mail that was sent, by kind and by whether they are forged",
        ),
        (
            "gatepost_message_octets_total",
            "Octets of messages that came to their end, by listener",
        ),
        ("gatepost_authentication_failures_total", "Log-ins refused"),
        (
            "gatepost_authentication_limited_total",
            "Log-ins not looked at, after too many failures",
        ),
        (
            "gatepost_cap_refusals_total",
            "Refusals by a cap on submissions, by what it is of, what it counts and its window",
        ),
        (
            "gatepost_suspended_refusals_total",
            "Log-ins and messages refused because their account is suspended",
        ),
        (
            "gatepost_authentication_results_total",
            "Messages whose origin was looked into, by method and result",
        ),
        (
            "gatepost_policy_calls_total",
            "Calls of a policy for clients and messages, by policy and hook",
        ),
        (
            "gatepost_policy_verdicts_total",
            "Verdicts of a policy, by policy, hook and verdict; a fault counts as what on-error made of it",
        ),
        (
            "gatepost_policy_errors_total",
            "Faults of a policy, by policy, hook and kind",
        ),
        (
            "gatepost_policy_message_faults_total",
            "Faults of a policy that were the message's, by policy and hook",
        ),
        (
            "gatepost_rollout_calls_total",
            "Calls that the active version of a policy and the one under trial have answered, by policy",
        ),
        (
            "gatepost_rollout_differences_total",
            "Differences between the two answers, by policy and kind",
        ),
        (
            "gatepost_rollout_skipped_total",
            "Calls that a shadow was not asked for want of time, by policy",
        ),
        (
            "gatepost_remembered_evicted_total",
            "What was forgotten early because an account's memory was full, by kind",
        ),
        (
            "gatepost_spool_full_total",
            "Transactions refused because the disk is nearly full",
        ),
        (
            "gatepost_probes_total",
            "Probes that have ended, by kind and result",
        ),
        (
            "gatepost_suppressed_recipients_total",
            "Recipients refused because they are on a suppression list",
        ),
        (
            "gatepost_messages_repaired_total",
            "Messages that were repaired as they arrived, by kind",
        ),
        (
            "gatepost_conversions_total",
            "Messages that were written anew for a next hop, by what it needs",
        ),
        (
            "gatepost_delivery_results_total",
            "Attempts at a recipient that ended, by result",
        ),
        (
            "gatepost_delivery_bounces_total",
            "Bounces put into the queue: notices of failure",
        ),
        (
            "gatepost_delivery_notifications_total",
            "Notices to senders put into the queue, by action",
        ),
        (
            "gatepost_delivery_connections_total",
            "Connections to next hops that an attempt was made on, by whether new or used again",
        ),
        (
            "gatepost_webhook_requests_total",
            "Requests of webhooks, by webhook and result",
        ),
        (
            "gatepost_webhook_events_total",
            "Events that webhooks have taken, by webhook",
        ),
        (
            "gatepost_webhook_missed_total",
            "Numbers of events that were dropped before a webhook was told of them, by webhook",
        ),
        (
            "gatepost_webhook_stuck",
            "1 while a webhook has not taken the same events for long, by webhook",
        ),
        (
            "gatepost_application_alarms_total",
            "Tries after which somebody has to mend something at the application, by destination",
        ),
        (
            "gatepost_mta_sts_total",
            "Look-ups of domains for their servers, by what MTA-STS says of them",
        ),
        (
            "gatepost_signatures_total",
            "Messages signed with DKIM as they left, by result",
        ),
        (
            "gatepost_partner_feed_fetches_total",
            "Feeds of partner addresses fetched, by result",
        ),
        (
            "gatepost_trace_dropped_total",
            "Events missing from the trace because its disk was too slow",
        ),
    ] {
        describe_counter!(name, help);
    }
    for (name, help) in [
        (
            "gatepost_acme_certificate_expires_timestamp_seconds",
            "End of the certificate by ACME, in seconds since 1970; 0 while there is none",
        ),
        ("gatepost_connections", "Connections open now"),
        (
            "gatepost_connection_state",
            "1 for the state of a way out: working, paused or broken; 0 for the others",
        ),
        (
            "gatepost_connection_secret_expires",
            "Time at which the secret or the authorization of a way out ends, if that is near or past, \
             in seconds since 1970; else 0",
        ),
        ("gatepost_dkim_keys", "DKIM keys, by state"),
        (
            "gatepost_partner_entries",
            "Entries in all lists of partner addresses",
        ),
        (
            "gatepost_partner_octets",
            "Octets of memory that these entries take",
        ),
        (
            "gatepost_remembered_entries",
            "What policies remember, by kind: marks, counts, machines",
        ),
        (
            "gatepost_remembered_octets",
            "Octets of memory that it is taken to need, by kind",
        ),
        ("gatepost_queue_messages", "Messages in the queue"),
        ("gatepost_quarantine_messages", "Messages in quarantine"),
        (
            "gatepost_queue_recipients",
            "Recipients in the store, by state",
        ),
        (
            "gatepost_queue_oldest_seconds",
            "Age of the oldest message in the queue; 0 when it is empty",
        ),
        (
            "gatepost_store_damaged",
            "1 where this start found the file of the store damaged, by file",
        ),
        (
            "gatepost_policy_breaker_open",
            "1 while a policy keeps failing and is not called for some or all accounts, by policy",
        ),
        (
            "gatepost_policy_breaker_accounts",
            "Accounts for whose mail alone a policy is not called, by policy",
        ),
        (
            "gatepost_rollout_share",
            "Share of the mail for which the version under trial decides, by policy; 0 without a canary",
        ),
        (
            "gatepost_policy_module_refused",
            "1 while the module in the watched folder cannot be used and an earlier one is, by policy",
        ),
    ] {
        describe_gauge!(name, help);
    }
    describe_histogram!(
        "gatepost_policy_call_micros",
        Unit::Microseconds,
        "Duration of a call of a policy, by policy and hook"
    );
    describe_histogram!(
        "gatepost_authentication_seconds",
        Unit::Seconds,
        "Duration of looking into the origin of a message, by listener"
    );
    describe_histogram!(
        "gatepost_spool_commit_seconds",
        Unit::Seconds,
        "Duration of a commit of the queue, fsync included"
    );
    describe_histogram!(
        "gatepost_spool_batch_operations",
        Unit::Count,
        "Operations that shared a commit of the queue"
    );
    describe_histogram!(
        "gatepost_delivery_attempt_seconds",
        Unit::Seconds,
        "Duration of an attempt at a recipient"
    );
}
