//! Allocates without end.

hostile_guests::hostile!(MemoryBomb, |_message, _decision| {
    let mut hoard = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1u8; 1 << 20]));
    }
});
