#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| servicenow_worker::fuzzing::expression(bytes));
