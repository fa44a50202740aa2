#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ridethrough_fuzz::redfish_server(bytes));
