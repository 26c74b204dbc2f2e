//! What machines do that makes a loop hard to see: other addresses, other words, another pace. One of
//! ours, that ignores what the relay says, and one elsewhere, with or without a gateway that takes
//! away what tells.

use std::rc::Rc;
use std::time::Duration;

use crate::chance::Chance;
use crate::desk::{AddressHabit, Desk, Habits, OBLIVIOUS, WELL_BEHAVED, Words};
use crate::site::Site;
use crate::world::World;
use crate::{HOUR, MINUTE, MOST};

const SECOND: Duration = Duration::from_secs(1);

/// An application that says that it is one, and heeds nothing.
const AUTOMATIC: Habits = Habits {
    says_so: true,
    ..OBLIVIOUS
};

async fn world(ours: Habits, theirs: Habits, pace: Duration, strips: bool) -> World {
    println!("{ours:?}\n{theirs:?}\n{pace:?}, strips: {strips}");
    let site = Rc::new(Site::new(&["a.example"], &[]).await);
    let mut world = World::new([
        Desk::new("a.example", Some(site), ours),
        Desk::new("b.example", None, theirs),
    ]);
    world.pace = pace;
    world.strips = strips;
    world.agent_writes(MINUTE, "b.example", &["support@a.example"]);
    world
}

/// That it has ended within a day, however many letters that took.
async fn ends_within_a_day(world: &mut World) {
    let ended = world.runs().await;
    assert!(ended, "it goes on for ever:\n{}", world.story());
    let lasted = world.lasted();
    assert!(lasted <= 25 * HOUR, "{lasted:?}:\n{}", world.story());
}

#[tokio::test]
async fn a_bounce_of_each_notification() {
    for ours in [AUTOMATIC, OBLIVIOUS] {
        for strips in [false, true] {
            let theirs = Habits {
                bounces: true,
                ..OBLIVIOUS
            };
            let site = Rc::new(Site::new(&["a.example"], &[]).await);
            let ours = Habits {
                to_requester: true,
                ..ours
            };
            let ours = Desk::new("a.example", Some(site), ours);
            let mut world = World::new([ours, Desk::new("b.example", None, theirs)]);
            world.strips = strips;
            world.notifies("a.example", "nobody@b.example");
            world.falls_silent().await;
        }
    }
}

#[tokio::test]
async fn a_new_address_each_time() {
    for address in [
        AddressHabit::Alias,
        AddressHabit::New,
        AddressHabit::Token,
        AddressHabit::NewReplyTo,
        AddressHabit::Hub,
    ] {
        for words in [Words::Same, Words::Names, Words::Tip, Words::Other] {
            for keeps_thread in [true, false] {
                for strips in [true, false] {
                    let theirs = Habits {
                        address,
                        words,
                        keeps_thread,
                        ..OBLIVIOUS
                    };
                    let mut world = world(AUTOMATIC, theirs, 5 * SECOND, strips).await;
                    world.falls_silent().await;
                }
            }
        }
    }
}

/// The application writes to one address, whoever answers: an alias, of whom nothing marks the mail.
#[tokio::test]
async fn an_alias_that_is_never_written_to() {
    for ours in [AUTOMATIC, OBLIVIOUS] {
        for strips in [false, true] {
            let ours = Habits {
                to_requester: true,
                ..ours
            };
            let theirs = Habits {
                address: AddressHabit::Alias,
                ..OBLIVIOUS
            };
            let site = Rc::new(Site::new(&["a.example"], &[]).await);
            let ours = Desk::new("a.example", Some(site), ours);
            let mut world = World::new([ours, Desk::new("b.example", None, theirs)]);
            world.strips = strips;
            world.notifies("a.example", "sales@b.example");
            world.falls_silent().await;
        }
    }
}

/// The other side says that it is a machine, and the application does not care; both have another
/// address each time.
#[tokio::test]
async fn both_sides_new_with_marks_that_are_ignored() {
    for (ours, theirs) in [(AUTOMATIC, WELL_BEHAVED), (OBLIVIOUS, WELL_BEHAVED)] {
        let theirs = Habits {
            heeds: false,
            ..theirs
        };
        for address in [
            AddressHabit::New,
            AddressHabit::NewReplyTo,
            AddressHabit::Hub,
        ] {
            let both = |habits: Habits| Habits {
                address,
                new_ticket_each_time: address == AddressHabit::New,
                ..habits
            };
            let mut world = world(both(ours), both(theirs), 5 * SECOND, false).await;
            world.falls_silent().await;
        }
    }
}

/// Neither thread nor subject nor words stay, and no address that is written to comes back.
fn nothing_stays(habits: Habits) -> Habits {
    Habits {
        words: Words::Other,
        keeps_thread: false,
        new_subject: true,
        ..habits
    }
}

const EVER_NEW: [AddressHabit; 7] = [
    AddressHabit::New,
    AddressHabit::Token,
    AddressHabit::NewReplyTo,
    AddressHabit::Hub,
    AddressHabit::NewDomain,
    AddressHabit::ReplyToNewDomain,
    AddressHabit::AllNewDomains,
];

/// Whether the application heeds the tags or not, and whether the other side passes for a person's
/// mail program or for nothing at all.
#[tokio::test]
async fn nothing_at_all_stays_the_same() {
    for ours in [AUTOMATIC, WELL_BEHAVED] {
        for address in EVER_NEW {
            for mail_program in [true, false] {
                for strips in [true, false] {
                    let theirs = Habits {
                        address,
                        mail_program,
                        ..nothing_stays(OBLIVIOUS)
                    };
                    let ours = nothing_stays(ours);
                    let mut world = world(ours, theirs, 5 * SECOND, strips).await;
                    world.falls_silent().await;
                }
            }
        }
    }
}

/// The same, as slowly as once an hour.
#[tokio::test]
async fn nothing_at_all_stays_the_same_and_it_takes_its_time() {
    for address in [
        AddressHabit::New,
        AddressHabit::NewReplyTo,
        AddressHabit::NewDomain,
        AddressHabit::ReplyToNewDomain,
    ] {
        for minutes in [1, 4, 15, 30] {
            let theirs = Habits {
                address,
                mail_program: true,
                ..nothing_stays(OBLIVIOUS)
            };
            let pace = minutes * MINUTE;
            let mut world = world(nothing_stays(AUTOMATIC), theirs, pace, false).await;
            ends_within_a_day(&mut world).await;
            let letters = world.longest_exchange();
            println!("{letters} letters in {:?}", world.lasted());
            if minutes <= 4 {
                assert!(letters <= 2 * MOST, "{letters}:\n{}", world.story());
            }
        }
    }
}

/// The application writes to one address whatever comes in, and each answer is another's.
#[tokio::test]
async fn what_goes_to_one_address_is_answered_from_ever_new_domains() {
    for pace in [5 * SECOND, 4 * MINUTE] {
        let ours = Habits {
            to_requester: true,
            ..nothing_stays(AUTOMATIC)
        };
        let theirs = Habits {
            address: AddressHabit::NewDomain,
            mail_program: true,
            ..nothing_stays(OBLIVIOUS)
        };
        let site = Rc::new(Site::new(&["a.example"], &[]).await);
        let ours = Desk::new("a.example", Some(site), ours);
        let mut world = World::new([ours, Desk::new("b.example", None, theirs)]);
        world.pace = pace;
        world.notifies("a.example", "hub@b.example");
        ends_within_a_day(&mut world).await;
        let letters = world.longest_exchange();
        println!("{letters} letters in {:?}", world.lasted());
        if pace < MINUTE {
            assert!(letters <= 2 * MOST, "{letters}:\n{}", world.story());
        }
    }
}

/// Four minutes, half an hour and an hour; other words, a tip of the day, other names.
#[tokio::test]
async fn slow_ones_end_within_a_day() {
    for ours in [AUTOMATIC, OBLIVIOUS] {
        for words in [Words::Same, Words::Names, Words::Tip, Words::Other] {
            for minutes in [4, 15, 30] {
                let of = |habits: Habits| Habits { words, ..habits };
                let mut world = world(of(ours), of(OBLIVIOUS), minutes * MINUTE, true).await;
                ends_within_a_day(&mut world).await;
            }
        }
    }
}

/// Two names are all that differs: the words tell within ten letters, whoever says what.
#[tokio::test]
async fn other_names_each_half_hour() {
    for ours in [AUTOMATIC, OBLIVIOUS] {
        let of = |habits: Habits| Habits {
            words: Words::Names,
            ..habits
        };
        let mut world = world(of(ours), of(OBLIVIOUS), 30 * MINUTE, true).await;
        world.falls_silent().await;
    }
}

/// So do those whose application says `automatic` and heeds the tags.
#[tokio::test]
async fn slow_ones_that_heed_the_tags_end_sooner() {
    for words in [Words::Names, Words::Tip, Words::Other] {
        for minutes in [4, 30] {
            let of = |habits: Habits| Habits { words, ..habits };
            let mut world = world(of(WELL_BEHAVED), of(OBLIVIOUS), minutes * MINUTE, true).await;
            ends_within_a_day(&mut world).await;
            let letters = world.longest_exchange();
            assert!(letters <= 2 * MOST, "{letters}:\n{}", world.story());
        }
    }
}

/// What nothing tells from people who are not slow: nobody says who writes or heeds a tag, and each
/// answer has another subject or a mail program's marks, or comes from another domain, or from
/// another address in other words that took as long as it takes to type.
fn can_be_told(ours: Habits, theirs: Habits, pace: Duration) -> bool {
    let same = ours.words == Words::Same && theirs.words == Words::Same;
    let known = !ours.new_subject
        && !theirs.new_subject
        && !theirs.mail_program
        && !theirs.address.is_ever_new_domain();
    let told = theirs.address == AddressHabit::Same || pace < 20 * SECOND || same;
    ours.says_so || ours.heeds || known && told
}

/// Of a hundred combinations by chance each ends: within ten letters where the application says that
/// it is one and makes haste, else within a day.
#[tokio::test]
async fn a_hundred_combinations() {
    let seed = std::env::var("GATEPOST_SEED");
    let seed = seed.map_or(20_261_128, |seed| seed.parse().unwrap());
    println!("seed {seed}; GATEPOST_SEED sets another");
    let mut chance = Chance::from(seed);
    let mut told = 0;
    for number in 0.. {
        if told == 100 {
            break;
        }
        println!("combination {number}");
        let addresses = [
            AddressHabit::Same,
            AddressHabit::Alias,
            AddressHabit::New,
            AddressHabit::Token,
            AddressHabit::NewReplyTo,
            AddressHabit::Hub,
            AddressHabit::NewDomain,
            AddressHabit::ReplyToNewDomain,
            AddressHabit::AllNewDomains,
        ];
        let words = [Words::Same, Words::Names, Words::Tip, Words::Other];
        let flag = |chance: &mut Chance| chance.below(2) == 0;
        let says_so = flag(&mut chance);
        let ours = Habits {
            says_so,
            heeds: flag(&mut chance),
            words: chance.of(&words),
            keeps_thread: flag(&mut chance),
            new_subject: flag(&mut chance),
            ..OBLIVIOUS
        };
        let theirs = Habits {
            says_so: flag(&mut chance),
            address: chance.of(&addresses),
            words: chance.of(&words),
            keeps_thread: flag(&mut chance),
            new_subject: flag(&mut chance),
            mail_program: flag(&mut chance),
            ..OBLIVIOUS
        };
        let strips = flag(&mut chance);
        let pace = chance.of(&[
            2 * SECOND,
            5 * SECOND,
            20 * SECOND,
            MINUTE,
            4 * MINUTE,
            15 * MINUTE,
            30 * MINUTE,
        ]);
        let jitter = flag(&mut chance);
        if !can_be_told(ours, theirs, pace) {
            continue;
        }
        told += 1;
        let mut world = world(ours, theirs, pace, strips).await;
        world.jitter = jitter.then(|| Chance::from(seed + number));
        ends_within_a_day(&mut world).await;
        if says_so && pace <= 4 * MINUTE {
            // What comes from newcomers alone is counted by the hour.
            let newcomers = theirs.mail_program || theirs.address.is_ever_new_domain();
            let most = match newcomers && pace > 20 * SECOND {
                true => 2 * MOST,
                false => MOST,
            };
            let letters = world.longest_exchange();
            assert!(letters <= most, "{letters} letters:\n{}", world.story());
        }
    }
}
