mod fates;
mod foreign;

use ridethrough_targets::clock::Clock;
use ridethrough_targets::net::{HostNet, Net};
use ridethrough_targets::service::{PanelPeer, panel_pair};
use ridethrough_targets::units::{Rate, Span};

use super::super::dialect::Dialect;
use super::super::fate::Fate;
use super::super::row::{LedgerRow, Termination};
use super::super::testing::{self, Memory, Play, Plays, Step, broken, listen, tokens};
use super::*;
use crate::playbook::{Arrivals, ClientSpec, LoadSpec, Range};

fn spec(name: &str) -> LoadSpec {
    LoadSpec {
        name: name.into(),
        arrivals: Arrivals::Constant { rate: Rate(100.0) },
        prompt_tokens: Range { min: 8, max: 8 },
        output_tokens: Range { min: 40, max: 40 },
        class: "interactive".into(),
        stream: true,
        model: None,
        oracle: None,
        client: ClientSpec {
            connect_timeout: Span::from_secs(20),
            idle_timeout: Span::from_secs(20).into(),
            total_timeout: Span::from_secs(60).into(),
            retries: 0,
            keepalive: None,
        },
    }
}

/// `count` requests, 10 ms apart.
fn config(spec: LoadSpec, port: u16, count: usize) -> LoadConfig {
    LoadConfig {
        loads: vec![spec],
        target_host: "gateway".into(),
        target_port: port,
        start_us: 0,
        duration: Span::from_micros(count as u64 * 10_000),
        drain: Span::from_secs(60),
        seed: Some(1),
        model: "reference".into(),
        dialect: Some(Dialect::OPENAI),
        learn_from: 8,
        rehearsed: Default::default(),
    }
}

fn env(net: Arc<dyn Net>) -> (Env, PanelPeer) {
    let (panel, peer) = panel_pair();
    let env = Env {
        service: "load".into(),
        node: "client".into(),
        boot: 0,
        disk: None,
        net,
        clock: Clock::start(),
        seed: 7,
        panel,
    };
    (env, peer)
}

/// Everything that a load said.
#[derive(Default)]
struct Said {
    rows: Vec<LedgerRow>,
    last: Vec<LedgerWord>,
    ready: usize,
    progress: usize,
}

impl Said {
    fn row(&self, id: &str) -> &LedgerRow {
        let found = self.rows.iter().find(|row| row.id == id);
        found.unwrap_or_else(|| panic!("no row {id}"))
    }

    fn hear(&mut self, word: FromService) {
        match word {
            FromService::Ready { .. } => self.ready += 1,
            FromService::Progress(_) => self.progress += 1,
            FromService::Ledger(value) => match LedgerWord::try_from(value).expect("a ledger word")
            {
                LedgerWord::Row(row) => self.rows.push(row),
                last => self.last.push(last),
            },
            other => panic!("unexpected {other:?}"),
        }
    }
}

async fn run(net: Arc<dyn Net>, config: LoadConfig) -> Said {
    let (env, mut peer) = env(net);
    run_load(env, config).await.expect("the load runs");
    let mut said = Said::default();
    while let Ok(word) = peer.inbox.try_recv() {
        said.hear(word);
    }
    said
}

async fn over_tcp(spec: LoadSpec, plays: &Arc<Plays>, count: usize) -> Said {
    let port = listen(plays).await;
    run(Arc::new(HostNet::loopback()), config(spec, port, count)).await
}

async fn in_memory(spec: LoadSpec, plays: &Arc<Plays>, port: u16, count: usize) -> Said {
    run(
        Arc::new(Memory(Arc::clone(plays))),
        config(spec, port, count),
    )
    .await
}

#[tokio::test]
async fn the_request_says_what_it_should() {
    let plays = Plays::each([Play::Stream(testing::good)]);
    let said = over_tcp(spec("chat"), &plays, 1).await;
    let row = said.row("chat-0");
    assert_eq!(
        (row.fate, row.tokens, row.status),
        (Fate::Completed, 40, Some(200))
    );
    assert!(row.done && row.finish.as_deref() == Some("length"));
    assert!(row.scheduled_us <= row.sent_us && Some(row.sent_us) <= row.connected_us);
    assert!(row.connected_us <= row.headers_us && row.headers_us <= row.first_token_us());
    let heads = plays.heads.lock().expect("the server did not panic");
    assert!(heads[0].starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
    for line in ["x-request-id: chat-0", "x-ridethrough-class: interactive"] {
        assert!(heads[0].contains(line), "{line}");
    }
    assert_eq!((said.ready, said.last.len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_late_server_delays_nobody_and_all_get_rows() {
    let plays = Plays::each([Play::Silent]);
    let mut config = config(spec("chat"), 80, 50);
    config.drain = Span::from_secs(3);
    config.start_us = 1_000_000;
    let said = run(Arc::new(Memory(Arc::clone(&plays))), config).await;
    assert_eq!(said.rows.len(), 50);
    for row in &said.rows {
        assert_eq!(
            (row.fate, row.termination),
            (Fate::Hung, Termination::RunEnded)
        );
        assert_eq!(row.first_error_us, None);
        // Timers count whole milliseconds.
        assert!(row.sent_us - row.scheduled_us <= 1_000);
        assert_eq!(row.end_us / 10_000, 450);
    }
    let [
        LedgerWord::LoadDone {
            planned,
            sent,
            lag_p99_us,
            ..
        },
    ] = said.last[..]
    else {
        panic!("one last word, not {:?}", said.last);
    };
    assert_eq!((planned, sent), (50, 50));
    assert!(lag_p99_us <= 1_001, "{lag_p99_us}");
    assert!((8..=10).contains(&said.progress), "{}", said.progress);
}

/// Of requests 10 ms apart those before the end are sent and counted; the one that is
/// due in the very moment of it is not.
#[tokio::test(start_paused = true)]
async fn closed_at_a_time_it_sends_what_is_due_before() {
    let plays = Plays::each([Play::Silent]);
    let (env, mut peer) = env(Arc::new(Memory(plays)));
    let mut config = config(spec("chat"), 80, 100);
    config.drain = Span::from_secs(3);
    let running = tokio::spawn(run_load(env, config));
    tokio::time::sleep(Duration::from_millis(205)).await;
    let close = ToService::Close { at_us: 400_000 };
    peer.outbox.send(close).expect("it listens");
    running.await.expect("no panic").expect("the load runs");
    let mut said = Said::default();
    while let Ok(word) = peer.inbox.try_recv() {
        said.hear(word);
    }
    let [LedgerWord::LoadDone { planned, sent, .. }] = said.last[..] else {
        panic!("one last word, not {:?}", said.last);
    };
    assert_eq!((planned, sent, said.rows.len()), (40, 40, 40));
}

#[tokio::test(start_paused = true)]
async fn stop_ends_it_at_once_with_every_row() {
    let plays = Plays::each([Play::Silent]);
    let (env, mut peer) = env(Arc::new(Memory(plays)));
    let running = tokio::spawn(run_load(env, config(spec("chat"), 80, 500)));
    tokio::time::sleep(Duration::from_millis(1_005)).await;
    peer.outbox.send(ToService::Stop).expect("it listens");
    running.await.expect("no panic").expect("the load runs");
    let mut said = Said::default();
    while let Ok(word) = peer.inbox.try_recv() {
        said.hear(word);
    }
    let [LedgerWord::LoadDone { planned, sent, .. }] = said.last[..] else {
        panic!("one last word, not {:?}", said.last);
    };
    assert_eq!(planned, 500);
    assert!((99..=102).contains(&sent), "{sent}");
    assert_eq!(said.rows.len(), sent as usize);
    assert!(said.rows.iter().all(|row| row.fate == Fate::Hung));
}

#[tokio::test(start_paused = true)]
async fn the_dialect_is_learned_and_then_held() {
    let silent_end: testing::Script = |o, n| {
        let mut steps = tokens(o, 0..n);
        steps.extend([Step::Body(testing::finish("stop")), Step::End]);
        steps
    };
    let no_finish: testing::Script = |o, n| {
        let mut steps = tokens(o, 0..n);
        steps.push(Step::End);
        steps
    };
    let mut list = vec![Play::Stream(silent_end); 8];
    list.push(Play::Stream(no_finish));
    let plays = Plays::each(list);
    let mut config = config(spec("chat"), 80, 9);
    config.dialect = None;
    let said = run(Arc::new(Memory(plays)), config).await;
    let whole = said.rows.iter().filter(|row| row.fate == Fate::Completed);
    assert_eq!(whole.count(), 8);
    assert_eq!(said.row("chat-8").fate, Fate::Truncated);
    let [LedgerWord::LoadDone { dialect, mixed, .. }] = said.last[..] else {
        panic!("one last word, not {:?}", said.last);
    };
    let learned = Dialect {
        done: Some(false),
        finish: Some(true),
        usage: Some(false),
        counts: Some(false),
    };
    assert_eq!((dialect, mixed), (Some(learned), false));
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_ledger() {
    let ledger = || async {
        let plays = Plays::each(broken().into_iter().map(|case| Play::Stream(case.script)));
        let mut config = config(spec("chat"), 80, 40);
        let mut batch = spec("batch");
        batch.arrivals = Arrivals::Poisson { rate: Rate(60.0) };
        config.loads.push(batch);
        run(Arc::new(Memory(plays)), config).await.rows
    };
    let first = ledger().await;
    assert!(first.len() > 50);
    assert_eq!(first, ledger().await);
}

#[tokio::test]
async fn what_cannot_run_is_a_bad_configuration() {
    let refused = |loads: Vec<LoadSpec>| async {
        let mut config = config(spec("chat"), 1, 1);
        config.loads = loads;
        let (env, _peer) = env(Arc::new(HostNet::loopback()));
        match run_load(env, config).await {
            Err(ServiceError::Config(why)) => why,
            other => panic!("not refused: {other:?}"),
        }
    };
    let mut silent = spec("chat");
    silent.arrivals = Arrivals::Poisson { rate: Rate(0.0) };
    assert!(refused(vec![silent]).await.contains("sends nothing"));
    let twice = refused(vec![spec("chat"), spec("chat")]).await;
    assert!(twice.contains("two loads named \"chat\""), "{twice}");
    let broken = refused(vec![spec("chat\n")]).await;
    assert!(broken.contains("HTTP header"), "{broken}");
}

#[test]
fn words_survive_the_wire() {
    let done = LedgerWord::LoadDone {
        load: "chat".into(),
        planned: 3,
        sent: 2,
        lag_p99_us: 900,
        dialect: Some(Dialect::OPENAI),
        mixed: false,
    };
    let value = done.to_value();
    assert_eq!(value["load_done"]["lag_p99_us"], 900);
    assert_eq!(LedgerWord::try_from(value).expect("a word"), done);
    let config = config(spec("chat"), 8000, 3);
    let text = serde_json::to_string(&config).expect("JSON");
    assert_eq!(
        serde_json::from_str::<LoadConfig>(&text).expect("the same"),
        config
    );
}
