//! The loader of playbooks: whatever is written is understood, or its mistakes
//! are told.
#![no_main]

use std::path::Path;

use ridethrough::playbook::load_text;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(errors) = load_text(Path::new("fuzz.yaml"), text) {
        assert!(errors.count() > 0);
        assert!(!errors.render(false).is_empty());
    }
});
