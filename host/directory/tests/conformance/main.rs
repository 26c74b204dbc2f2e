//! Facts that every store of a directory has to pass, and those that a durable one has to.
//!
//! A new store comes in with a [`Subject`] and a line of `facts!`.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod durable;
mod every;
mod rows;
mod subjects;

use gatepost_directory::{DirectoryRow, DirectoryStore};

use subjects::{Memory, Sqlite};

/// Store that is tested.
pub trait Subject {
    /// Opens the store. It holds what was written before.
    fn open(&self) -> Box<dyn DirectoryStore>;
}

/// Store that holds what it has written after a crash.
pub trait Durable: Subject {
    /// Returns the present moment: a number that grows with each write.
    fn moment(&self) -> u64;

    /// Opens a copy of the store as a crash at a moment up to the present one leaves it.
    fn crashed_at(&self, moment: u64) -> Box<dyn DirectoryStore>;
}

/// Returns all that a store holds: rows in the order of their keys, and each list's entries.
pub fn contents(store: &dyn DirectoryStore) -> (Vec<DirectoryRow>, Vec<(u32, Vec<String>)>) {
    let mut rows = store.rows().unwrap().rows;
    rows.sort_by_key(DirectoryRow::key);
    let lists = rows.iter().filter_map(|row| match row {
        DirectoryRow::List(list) => Some(list.id),
        _ => None,
    });
    let entries = lists.map(|list| {
        let entries = store.entries(list, "", usize::MAX).unwrap();
        (list, entries.iter().map(ToString::to_string).collect())
    });
    let entries = entries.collect();
    (rows, entries)
}

macro_rules! facts {
    ($store:ident: $subject:expr, $facts:ident: $($fact:ident)*) => {
        mod $store {
            $(
                #[test]
                fn $fact() {
                    super::$facts::$fact(&$subject);
                }
            )*
        }
    };
    ($store:ident: $subject:expr) => {
        facts!($store: $subject, every:
            a_new_store_is_empty
            every_kind_of_row_is_loaded_as_it_was_put
            a_row_that_is_put_again_is_replaced
            a_removed_row_is_gone_and_removing_nothing_is_no_error
            rows_come_after_those_that_they_refer_to
            an_address_may_be_claimed_by_two_accounts
            an_address_is_erased_from_the_audit_log
            the_audit_log_is_read_from_its_end_by_account_and_page
            a_request_is_kept_under_its_key_until_it_is_forgotten
            changes_are_made_in_their_order
            entries_come_in_pages_in_the_order_of_their_texts
            an_entry_that_is_added_twice_is_there_once
            removed_entries_are_gone_and_others_stay
            a_list_goes_with_its_entries_and_keeps_them_when_it_is_changed
            the_greatest_id_of_a_list_is_remembered
            a_write_that_fails_leaves_nothing_of_it
            all_that_was_written_is_there_after_each_reopening
        );
    };
}

facts!(sqlite: crate::Sqlite::new());
facts!(memory: crate::Memory::new());
facts!(durable_sqlite: crate::Sqlite::new(), durable:
    a_crash_at_any_moment_leaves_whole_writes_only
    a_directory_opens_after_a_crash_at_any_moment
);
