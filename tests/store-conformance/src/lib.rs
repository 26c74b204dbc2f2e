//! The facts that every implementation of the store's seams must show.
//!
//! An implementation is a [`StoreUnderTest`]: it opens a new store, closes and opens it again, and
//! crashes if it claims to survive that. Each fact is a function that opens stores of its own, uses
//! nothing but the seams, and panics if the fact does not hold. They are grouped by subject:
//! [`delivery`], [`destinations`], [`operator`], [`ledgers`], [`counters`], [`erasure`], [`bodies`],
//! [`crashes`], [`model`].
//!
//! A test file holds an implementation to all of them with one line,
//! `store_conformance::every_fact!(crate::Sqlite);`, and one that claims durability with a second,
//! `store_conformance::every_fact_of_crashes!(crate::Sqlite);`.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // a fact is a test

pub mod bodies;
pub mod counters;
pub mod crashes;
pub mod delivery;
pub mod destinations;
pub mod erasure;
pub mod ledgers;
pub mod model;
pub mod operator;
pub mod retention;
pub mod support;

use std::sync::Arc;

use gatepost_message::TransactionId;
use gatepost_spool::{
    BodyStore, Counters, Erasure, EventLog, KeyedAnswers, LearntIds, Queue, QueueAdmin,
    Suppressions,
};

/// An implementation of the seams, and what a test does to it.
pub trait StoreUnderTest: Sized {
    /// Opens a new store that remembers no more than so many octets of counters of a kind.
    fn open_with(remembered_bytes: usize) -> Self;

    /// Opens a new store.
    fn open() -> Self {
        Self::open_with(8 << 20)
    }

    /// Returns the queue.
    fn queue(&self) -> &dyn Queue;

    /// Returns the queue, for operators.
    fn admin(&self) -> &dyn QueueAdmin;

    /// Returns the counters.
    fn counters(&self) -> &dyn Counters;

    /// Returns the events.
    fn events(&self) -> &dyn EventLog;

    /// Returns the suppression lists.
    fn suppressions(&self) -> &dyn Suppressions;

    /// Returns the Message-IDs that were learnt.
    fn learnt(&self) -> &dyn LearntIds;

    /// Returns the answers under keys.
    fn answers(&self) -> &dyn KeyedAnswers;

    /// Returns the erasure of accounts.
    fn erasure(&self) -> &dyn Erasure;

    /// Returns the store of large bodies.
    fn bodies(&self) -> &Arc<dyn BodyStore>;

    /// Closes the store in order, and opens it again as another relay.
    fn reopen(&mut self);

    /// Ends the store as the end of the machine's power or of the process would, and opens it again
    /// as another relay. One that claims no durability reopens.
    fn crash(&mut self) {
        self.reopen();
    }

    /// Returns the transactions of all bodies in the body store, staged ones too.
    fn body_ids(&self) -> Vec<TransactionId>;

    /// Closes the store, and returns the transactions of the bodies that are left.
    fn close(self) -> Vec<TransactionId>;
}

/// Makes a test of each fact, but for those of crashes; each group is a module.
#[macro_export]
macro_rules! every_fact {
    ($store:ty) => {
        $crate::facts!(
            $store,
            delivery,
            [
                an_accepted_message_is_claimed_unchanged,
                a_message_is_deleted_with_its_last_recipient,
                a_deferred_recipient_waits_and_keeps_its_last_reply,
                returning_a_recipient_counts_no_attempt,
                reopening_keeps_messages_and_ends_leases,
                a_lease_that_ran_out_is_due_again_and_its_results_do_not_count,
                no_two_leases_are_the_same,
                a_failure_and_its_bounce_are_one_commit,
                claims_come_longest_due_first_and_whole,
                a_waiter_is_woken_when_mail_becomes_due,
                depth_counts_recipients_by_state,
                a_message_without_open_recipients_leaves_only_its_effects,
                mail_is_leased_to_attached_delivery_as_it_is_accepted,
                delivery_is_not_attached_to_a_store_that_was_reopened,
                intake_stops_below_the_watermark_while_deliveries_are_recorded,
                an_operation_runs_though_its_ticket_is_dropped,
            ]
        );
        $crate::facts!(
            $store,
            destinations,
            [
                a_route_is_kept_with_its_recipient,
                a_held_recipient_keeps_its_route,
                a_claim_has_the_recipients_of_one_destination,
                a_closed_destination_costs_one_probe,
                nothing_is_claimed_where_nothing_may_be_in_hand,
                room_that_a_result_makes_wakes_delivery,
                room_that_a_message_leaves_for_another_destination_wakes_delivery,
                accounts_take_turns_at_a_destination,
                destinations_take_turns,
                a_message_expires_at_a_closed_destination,
                attention_is_heeded_once_and_at_its_time,
                what_is_entered_counts_as_in_hand,
                nobody_enters_before_those_who_wait,
                a_kept_claim_has_its_turn_without_a_commit,
                a_kept_claim_goes_back_before_an_operator_looks,
                a_kept_claim_goes_back_when_its_destination_closes,
                a_kept_claim_goes_back_when_its_lease_may_not_suffice,
                a_kept_claim_is_wanted_at_the_time_of_its_attention,
                only_so_many_claims_are_kept,
                a_lease_that_runs_out_leaves_its_place,
                a_discarded_recipient_is_on_record,
                a_returned_recipient_may_keep_a_reply,
                destinations_are_listed_with_what_waits_there,
                commands_are_for_a_destination,
            ]
        );
        $crate::facts!(
            $store,
            operator,
            [
                held_mail_waits_for_its_release,
                cancelled_mail_is_deleted,
                recipients_in_progress_are_counted_and_left_alone,
                a_retry_is_due_at_once,
                lists_are_filtered_and_paged,
                quarantine_is_apart_from_the_queue,
                released_mail_has_its_whole_time_to_live,
                quarantine_ends_by_deletion_or_by_time,
            ]
        );
        $crate::facts!(
            $store,
            counters,
            [
                marks_are_seen_by_their_scope_until_they_end,
                counts_are_of_a_window_by_the_minute,
                expired_entries_are_dropped_from_the_store,
                expire_says_when_there_is_more,
                a_refused_message_has_no_effects,
                a_forgotten_count_begins_at_zero,
                machines_are_known_until_forgotten_or_expired,
                an_evicted_entry_that_is_known_again_stays,
                effects_need_no_message,
                look_ups_find_what_the_effects_add_up_to,
            ]
        );
        $crate::facts!(
            $store,
            ledgers,
            [
                events_come_with_what_they_tell,
                a_direct_delivery_has_its_events,
                what_is_not_stored_has_no_events,
                a_message_for_nobody_leaves_its_events,
                events_are_filtered_and_paged,
                a_reader_is_woken_by_the_next_event,
                old_events_are_dropped_and_numbers_go_on,
                cursors_are_kept_by_name,
                a_suppression_comes_with_a_result,
                counted_bounces_suppress_at_the_limit,
                bounces_are_counted_in_a_sliding_window,
                suppressions_are_listed_and_expire,
                message_ids_are_learnt,
                an_answer_comes_with_its_message,
                an_answer_comes_with_a_message_for_nobody,
                a_message_that_is_not_stored_has_no_answer,
                an_answer_is_of_one_account_program_and_key,
                answers_are_dropped_by_age_and_number,
                failed_mail_is_kept_and_sent_again,
                kept_mail_is_dropped,
                late_mail_is_told_of_once,
                commands_of_operators_are_told,
            ]
        );
        $crate::facts!(
            $store,
            erasure,
            [
                nothing_of_an_erased_account_is_left,
                numbers_of_events_go_on_after_an_erasure,
                an_attempt_under_way_keeps_its_message,
                the_body_of_an_erased_message_goes,
                an_erased_correspondent_is_in_no_row,
                a_kept_suppression_is_an_operators,
                a_recipient_under_way_is_not_erased_yet,
                mail_from_a_correspondent_and_notices_about_it_go,
            ]
        );
        $crate::facts!(
            $store,
            retention,
            [
                an_account_forgets_sooner_than_others,
                queued_mail_is_never_too_old,
            ]
        );
        $crate::facts!(
            $store,
            bodies,
            [
                a_small_message_is_not_in_the_body_store,
                a_large_message_is_in_the_body_store_until_it_is_delivered,
                policies_edit_the_head_of_a_large_message_and_its_body_stays,
                an_abandoned_staging_leaves_nothing_behind,
                the_body_of_a_refused_message_is_removed,
                a_body_staged_for_another_transaction_is_refused,
            ]
        );
        $crate::facts!($store, model, [the_store_does_what_the_model_does]);
    };
}

/// Makes a test of each fact of crashes.
#[macro_export]
macro_rules! every_fact_of_crashes {
    ($store:ty) => {
        $crate::facts!(
            $store,
            crashes,
            [
                accepted_mail_survives,
                results_of_attempts_survive_with_their_notices,
                routes_survive,
                commands_of_operators_survive,
                effects_survive_with_a_message_and_without,
                events_survive_with_their_numbers,
                answers_survive_with_their_message,
                a_body_that_was_not_accepted_is_removed,
            ]
        );
    };
}

/// Makes a test of each named fact.
#[doc(hidden)]
#[macro_export]
macro_rules! facts {
    ($store:ty, $group:ident, [$($fact:ident),* $(,)?]) => {
        mod $group {
            $(
                #[test]
                fn $fact() {
                    $crate::$group::$fact::<$store>();
                }
            )*
        }
    };
}

/// A fact that no macro names would never be checked.
#[cfg(test)]
#[test]
fn the_macros_name_every_fact() {
    let named = include_str!("lib.rs");
    let groups = [
        include_str!("bodies.rs"),
        include_str!("counters.rs"),
        include_str!("crashes.rs"),
        include_str!("delivery.rs"),
        include_str!("destinations.rs"),
        include_str!("ledgers.rs"),
        include_str!("model.rs"),
        include_str!("operator.rs"),
    ];
    let lines = groups.iter().flat_map(|group| group.lines());
    let facts = lines.filter_map(|line| line.strip_prefix("pub fn ")?.split_once('<'));
    let facts: Vec<_> = facts.map(|(name, _)| name).collect();
    assert!(facts.len() > 40, "{facts:?}");
    for fact in facts {
        assert!(
            named.contains(&format!("{fact},")) || named.contains(&format!("[{fact}]")),
            "{fact}"
        );
    }
}
