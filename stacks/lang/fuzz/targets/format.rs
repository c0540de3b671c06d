#![no_main]

#[path = "../../../../cli/src/format/mod.rs"]
mod format;
#[allow(dead_code)] // each target uses a part of it
#[path = "../harness.rs"]
mod harness;

// What parses can be formatted, what was formatted parses, and a second time changes nothing.
libfuzzer_sys::fuzz_target!(|text: &str| {
    let Some(body) = harness::parse(text) else {
        return;
    };
    let Ok(once) = format::format(text, &body) else {
        return;
    };
    let body = harness::parse(&once).expect("a formatted file parses");
    assert_eq!(format::format(&once, &body).as_ref(), Ok(&once));
});
