//! Never answers.

hostile_guests::hostile!(EndlessLoop, |_message, _decision| {
    loop {
        std::hint::black_box(());
    }
});
