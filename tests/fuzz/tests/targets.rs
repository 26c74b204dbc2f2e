//! Each target holds for a fixed number of inputs, the same in each run.

use gatepost_fuzz::{TARGETS, Target};

/// Number of the first input.
const FIRST: u64 = 5321;

fn holds(name: &str) {
    let target = Target::named(name).unwrap_or_else(|| panic!("no target {name}"));
    println!("seed {FIRST}, {} inputs: {}", target.suite, target.rule);
    target.run(FIRST, |done| done < target.suite);
}

/// One test for each target, so that they run side by side.
macro_rules! each {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            holds($name);
        })*

        #[test]
        fn no_target_is_left_out() {
            let tested = [$($name),*];
            for target in TARGETS {
                assert!(tested.contains(&target.name), "{}", target.name);
            }
        }
    };
}

each! {
    sessions_do_not_depend_on_segments: "session",
    chunks_do_not_depend_on_segments: "bdat",
    proxy_headers_are_whole_or_not: "proxy",
    no_server_fails_a_message_before_mail_or_hears_a_secret_unproved: "next-hop",
    no_sasl_exchange_proves_an_unknown_password: "sasl",
    edits_change_what_they_name: "header",
    address_fields_are_read_within_bounds: "addresses",
    every_message_gets_one_class: "reports",
    every_configuration_is_taken_or_told: "settings",
    every_module_is_inspected_or_refused: "modules",
}
