use test_support::Exim;

use crate::good_ones_come;

#[test]
fn the_good_ones_get_it_and_the_sender_hears_of_the_bad_one() {
    good_ones_come(Exim::start);
}
