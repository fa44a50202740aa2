use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use super::{Census, Home, spawn, spawn_in};

struct Nobody;

impl Census for Nobody {
    fn polled(&self, _: &str, _: u64) {}
}

fn home() -> Home {
    Home::new("gpu-1/replica", Arc::new(Nobody))
}

/// Counts to itself every second, in a task that a task has started.
fn counting(home: &Home) -> Arc<AtomicU32> {
    let count = Arc::new(AtomicU32::new(0));
    let shared = Arc::clone(&count);
    home.spawn(async move {
        let mut set = JoinSet::new();
        spawn_in(&mut set, async move {
            let inner = spawn(async move {
                loop {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    shared.fetch_add(1, Ordering::Relaxed);
                }
            });
            let _ = inner.await;
        });
        while set.join_next().await.is_some() {}
    });
    count
}

#[tokio::test(start_paused = true)]
async fn tasks_of_tasks_live_in_the_same_home_and_die_with_it() {
    let home = home();
    let count = counting(&home);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(count.load(Ordering::Relaxed), 2);
    home.kill();
    home.emptied().await;
    assert_eq!(Arc::strong_count(&count), 1, "a task outlived its home");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(count.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn frozen_tasks_stand_still_and_go_on_where_they_were() {
    let home = home();
    let count = counting(&home);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    home.freeze();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(count.load(Ordering::Relaxed), 1);
    home.thaw();
    tokio::time::sleep(Duration::from_millis(100)).await;
    // The timer that ended meanwhile is heard once.
    assert_eq!(count.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_in_a_dead_home() {
    let home = home();
    home.kill();
    let count = counting(&home);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(count.load(Ordering::Relaxed), 0);
    assert!(home.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_home_is_left_by_tasks_that_end() {
    let home = home();
    let task = home.spawn(async { 7 });
    assert_eq!(task.await.ok(), Some(7));
    home.emptied().await;
    assert!(Home::current().is_none());
}
