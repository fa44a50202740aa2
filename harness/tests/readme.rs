//! README and guide do not lie: their console blocks are run, and must print what
//! stands there.

use std::path::Path;

#[test]
fn the_readme_says_what_the_program_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // Its commands are typed at the root of the repository.
    std::env::set_current_dir(&root).expect("the root");
    // Runs of the guide begin anew.
    for run in ["target/first", "target/first-control"] {
        let _ = std::fs::remove_dir_all(run);
    }
    trycmd::TestCases::new()
        .env("NO_COLOR", "1")
        .case("README.md")
        .case("docs/*.md");
}
