//! How long the report of a long run takes to write, and how large it is.
#![forbid(unsafe_code)]

use divan::{Bencher, black_box};

use ridethrough::outcome::judge_record;

#[path = "../tests/support/synthetic.rs"]
mod synthetic;

use synthetic::synthetic;

/// Requests and seconds of a long run.
const LONG: (u64, u64) = (10_000, 600);
/// Bytes that its page may have.
const LARGEST: usize = 5_000_000;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = synthetic(folder.path(), LONG.0, LONG.1);
    let record = folder.path().join("record.jsonl");
    let outcome = judge_record(&record, &plan, folder.path().into()).expect("a record");
    let page = outcome.page(&plan, "ridethrough run long.yaml");
    println!(
        "{} requests in {} s: a page of {} bytes",
        LONG.0,
        LONG.1,
        page.len()
    );
    assert!(page.len() < LARGEST, "larger than {LARGEST} bytes");
    divan::main();
}

/// From the record on the disk to the page on the disk.
#[divan::bench(args = [1_000, LONG.0], sample_count = 9)]
fn record_to_page(bencher: Bencher<'_, '_>, requests: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = synthetic(folder.path(), requests, LONG.1);
    let record = folder.path().join("record.jsonl");
    let page = folder.path().join("report.html");
    bencher.bench_local(|| {
        let outcome = judge_record(black_box(&record), &plan, folder.path().into());
        let text = outcome
            .expect("a record")
            .page(&plan, "ridethrough run long.yaml");
        std::fs::write(&page, text).expect("a page");
    });
}

/// The page alone, of a run that is judged already.
#[divan::bench(args = [1_000, LONG.0], sample_count = 9)]
fn page_alone(bencher: Bencher<'_, '_>, requests: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = synthetic(folder.path(), requests, LONG.1);
    let record = folder.path().join("record.jsonl");
    let outcome = judge_record(&record, &plan, folder.path().into()).expect("a record");
    bencher.bench_local(|| black_box(outcome.page(&plan, "ridethrough run long.yaml")));
}
