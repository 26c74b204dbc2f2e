//! Reads the clock of the system, which no policy may.
#![allow(unsafe_code)]

#[cfg(target_arch = "wasm32")]
#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn clock_time_get(id: u32, precision: u64, time: *mut u64) -> u32;
}

#[cfg(not(target_arch = "wasm32"))]
unsafe fn clock_time_get(_: u32, _: u64, _: *mut u64) -> u32 {
    0
}

hostile_guests::hostile!(ForbiddenImport, |_message, decision| {
    let mut time = 0;
    // SAFETY: there is one such function on either target, and it writes only to `time`.
    unsafe { clock_time_get(0, 0, &mut time) };
    decision.reason(time.to_string());
    Verdict::Pass
});
