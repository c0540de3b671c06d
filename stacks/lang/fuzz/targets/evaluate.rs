#![no_main]

#[allow(dead_code)] // each target uses a part of it
#[path = "../harness.rs"]
mod harness;

libfuzzer_sys::fuzz_target!(|text: &str| {
    harness::evaluate(text);
});
