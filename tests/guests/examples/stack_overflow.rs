//! Calls itself without end.

#[allow(unconditional_recursion)]
fn deeper(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    deeper(depth + 1) + frame[7]
}

hostile_guests::hostile!(StackOverflow, |_message, _decision| {
    match deeper(std::hint::black_box(0)) {
        0 => Verdict::Accept,
        _ => Verdict::Pass,
    }
});
