use serde_json::json;
use tokio::time::{Instant, advance};

use crate::clock::Clock;
use crate::telemetry::{
    Answer, Board, CommandError, DeviceCommand, Distorted, Distortion, Identity, Protocol, Reading,
    UpsReading,
};
use crate::units::Span;

fn board() -> Board {
    let devices = vec![
        Identity::new("ups-a", "ups", ""),
        Identity::new("ups-b", "ups", ""),
    ];
    Board::new(Clock::start(), devices).0
}

fn publish(board: &Board, charge: f64) {
    let reading = Reading::Ups(UpsReading {
        charge,
        ..UpsReading::default()
    });
    board.publish([
        ("ups-a".to_string(), reading.clone()),
        ("ups-b".to_string(), reading),
    ]);
}

fn charge(board: &Board, protocol: Protocol, device: &str) -> Option<f64> {
    match board.peek(protocol, device)? {
        Answer::Reading(reading) => match &*reading {
            Reading::Ups(ups) => Some(ups.charge),
            _ => None,
        },
        _ => None,
    }
}

fn only(how: Distortion, protocol: Protocol) -> Distorted {
    Distorted {
        how,
        protocols: vec![protocol],
        devices: vec!["ups-a".into()],
    }
}

const NUT: Protocol = Protocol::Nut;
const SNMP: Protocol = Protocol::Snmp;

#[tokio::test(start_paused = true)]
async fn frozen_reaches_one_device_on_one_protocol() {
    let board = board();
    publish(&board, 1.0);
    board.distort(1, only(Distortion::Frozen, NUT));
    publish(&board, 0.5);
    assert_eq!(charge(&board, NUT, "ups-a"), Some(1.0));
    assert_eq!(charge(&board, SNMP, "ups-a"), Some(0.5));
    assert_eq!(charge(&board, NUT, "ups-b"), Some(0.5));
    board.restore(1);
    assert_eq!(charge(&board, NUT, "ups-a"), Some(0.5));
}

#[tokio::test(start_paused = true)]
async fn a_delay_shows_what_was_true() {
    let board = board();
    publish(&board, 1.0);
    let by = Span::from_secs(5);
    board.distort(1, only(Distortion::Delayed { by }, NUT));
    advance(Span::from_secs(2).duration()).await;
    publish(&board, 0.5);
    advance(Span::from_millis(4_999).duration()).await;
    assert_eq!(charge(&board, NUT, "ups-a"), Some(1.0));
    advance(Span::from_millis(1).duration()).await;
    assert_eq!(charge(&board, NUT, "ups-a"), Some(0.5));
}

#[tokio::test(start_paused = true)]
async fn lies_and_wrong_scales_change_one_variable() {
    let board = board();
    publish(&board, 0.4);
    let lie = Distortion::Lie {
        variable: "charge".into(),
        value: json!(0.99),
    };
    board.distort(1, only(lie, NUT));
    assert_eq!(charge(&board, NUT, "ups-a"), Some(0.99));
    let scale = Distortion::Scale {
        variable: "charge".into(),
        factor: 10.0,
    };
    board.distort(1, only(scale, NUT));
    assert_eq!(charge(&board, NUT, "ups-a"), Some(4.0));
    let nonsense = Distortion::Lie {
        variable: "charge".into(),
        value: json!("much"),
    };
    board.distort(1, only(nonsense, NUT));
    assert_eq!(charge(&board, NUT, "ups-a"), Some(0.4));
}

#[tokio::test(start_paused = true)]
async fn stale_lost_and_flapping() {
    let board = board();
    publish(&board, 1.0);
    board.distort(1, only(Distortion::Stale, NUT));
    assert_eq!(board.peek(NUT, "ups-a"), Some(Answer::Stale));
    board.distort(1, only(Distortion::Lost, NUT));
    assert_eq!(board.peek(NUT, "ups-a"), Some(Answer::Silence));
    let period = Span::from_secs(2);
    board.distort(1, only(Distortion::Flapping { period }, NUT));
    assert_eq!(board.peek(NUT, "ups-a"), Some(Answer::Stale));
    advance(Span::from_secs(1).duration()).await;
    assert_eq!(charge(&board, NUT, "ups-a"), Some(1.0));
    advance(Span::from_secs(1).duration()).await;
    assert_eq!(board.peek(NUT, "ups-a"), Some(Answer::Stale));
}

#[tokio::test(start_paused = true)]
async fn two_readings_change_places() {
    let board = board();
    publish(&board, 1.0);
    board.distort(1, only(Distortion::OutOfOrder, NUT));
    let mut seen = Vec::new();
    for truth in [0.9, 0.8, 0.7, 0.6, 0.5] {
        advance(Span::from_millis(100).duration()).await;
        publish(&board, truth);
        seen.extend(charge(&board, NUT, "ups-a"));
    }
    assert_eq!(seen, [1.0, 0.8, 0.9, 0.6, 0.7]);
}

#[tokio::test(start_paused = true)]
async fn slow_answers_take_their_time() {
    let board = board();
    publish(&board, 1.0);
    let by = Span::from_millis(700);
    board.distort(1, only(Distortion::Slow { by }, SNMP));
    let asked = Instant::now();
    board.ask(SNMP, "ups-a").await;
    assert_eq!(asked.elapsed(), by.duration());
    board.ask(NUT, "ups-a").await;
    assert_eq!(asked.elapsed(), by.duration());
}

#[tokio::test(start_paused = true)]
async fn readers_hear_of_a_change_and_orders_of_their_end() {
    let (board, mut orders) = Board::new(Clock::start(), vec![Identity::new("g", "generator", "")]);
    let waits = tokio::spawn({
        let board = board.clone();
        async move { board.changed(0).await }
    });
    tokio::task::yield_now().await;
    board.publish([("g".to_string(), Reading::Generator(Default::default()))]);
    assert_eq!(waits.await.unwrap(), 1);
    let told = tokio::spawn({
        let board = board.clone();
        async move { board.command("g", DeviceCommand::Start).await }
    });
    let order = orders.recv().await.unwrap();
    assert_eq!(order.command, DeviceCommand::Start);
    order.done.send(Ok(())).unwrap();
    assert_eq!(told.await.unwrap(), Ok(()));
    let unknown = board.command("x", DeviceCommand::Start).await;
    assert_eq!(unknown, Err(CommandError::Unknown("x".into())));
    drop(orders);
    let gone = board.command("g", DeviceCommand::Stop).await;
    assert_eq!(gone, Err(CommandError::Gone));
}
