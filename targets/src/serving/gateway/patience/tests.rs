use super::*;

#[tokio::test(start_paused = true)]
async fn silence_ends_a_wait_in_time() {
    let start = Instant::now();
    let until = start + Duration::from_millis(300);
    assert_eq!(by(until, std::future::pending::<()>()).await, None);
    assert!(start.elapsed() <= Duration::from_millis(302));
}

#[tokio::test(start_paused = true)]
async fn a_delay_of_ones_own_is_not_held_against_others() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let until = Instant::now() + Duration::from_millis(300);
    let waiting = tokio::spawn(by(until, receiver));
    tokio::task::yield_now().await;
    // The clock jumps: nobody ran for a second, then the answer is there.
    tokio::time::advance(Duration::from_millis(1300)).await;
    let relay = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        sender.send(7)
    });
    assert_eq!(waiting.await.expect("task"), Some(Ok(7)));
    assert_eq!(relay.await.expect("task"), Ok(()));
}
