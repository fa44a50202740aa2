//! What becomes of requests, each from the server's bytes to the row.

use super::super::super::testing::{self, Memory, Play, Plays, Step, broken, tokens};
use super::*;
use crate::playbook::Timeout;

#[tokio::test]
async fn broken_streams_over_the_wire() {
    let cases = broken();
    let plays = Plays::each(cases.iter().map(|case| Play::Stream(case.script)));
    let said = over_tcp(spec("chat"), &plays, cases.len()).await;
    assert_eq!(said.rows.len(), cases.len());
    for (index, case) in cases.iter().enumerate() {
        let row = said.row(&format!("chat-{index}"));
        assert_eq!(row.fate, case.fate, "{}: {row:?}", case.name);
        assert!(
            row.detail.contains(case.says),
            "{}: {}",
            case.name,
            row.detail
        );
        assert_eq!(row.token_us.len(), row.tokens as usize, "{}", case.name);
        let whole = row.group() == Group::Whole;
        assert_eq!(row.first_error_us.is_none(), whole, "{}", case.name);
        assert!(row.last_token_us().is_none_or(|last| last <= row.end_us));
    }
    let stalled = said.row("chat-10");
    assert!(stalled.silence_max_us() >= Some(300_000));
    let torn = said.row("chat-1");
    assert_eq!(
        (torn.tokens, torn.termination),
        (18, Termination::EofInBody)
    );
    assert_eq!(torn.served_by, [("gpu-1".to_owned(), 0)]);
    assert_eq!(said.row("chat-2").termination, Termination::Reset);
}

#[tokio::test]
async fn responses_that_are_no_streams() {
    let shed = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 2\r\ncontent-length: 2\r\n\r\n{}";
    let error = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 9\r\n\r\nno luck\r\n";
    let short = "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\ndata: x";
    let open = "HTTP/1.1 200 OK\r\n\r\n: nothing\n\n";
    let plays = Plays::each([
        Play::Raw(shed),
        Play::Raw(error),
        Play::Raw("SSH-2.0-OpenSSH_9.9\r\n"),
        Play::Raw(""),
        Play::Reset,
        Play::Raw(short),
        Play::Raw(open),
        Play::Raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
    ]);
    let said = over_tcp(spec("chat"), &plays, 8).await;
    let got: Vec<_> = (0..8)
        .map(|index| said.row(&format!("chat-{index}")))
        .map(|row| (row.fate, row.termination, row.status))
        .collect();
    let want = [
        (Fate::Shed, Termination::Clean, Some(503)),
        (Fate::Unknown, Termination::Clean, Some(502)),
        (Fate::Unknown, Termination::Garbage, None),
        (Fate::Truncated, Termination::EofBeforeHeaders, None),
        (Fate::Reset, Termination::Reset, None),
        (Fate::Truncated, Termination::EofInBody, Some(200)),
        (Fate::Truncated, Termination::Clean, Some(200)),
        (Fate::Unknown, Termination::Garbage, Some(200)),
    ];
    assert_eq!(got, want);
    assert!(said.row("chat-1").detail.contains("no luck"));
}

#[tokio::test]
async fn nobody_listens() {
    let port = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
        socket.local_addr().expect("bound").port()
    };
    let said = run(Arc::new(HostNet::loopback()), config(spec("chat"), port, 2)).await;
    for row in &said.rows {
        assert_eq!(
            (row.fate, row.termination),
            (Fate::Refused, Termination::Refused)
        );
    }
    assert_eq!(said.rows.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_the_kernel_says_is_told_apart() {
    let plays = Plays::each([Play::Silent]);
    for (errno, fate) in [
        (113, Fate::Unreachable),
        (101, Fate::Unreachable),
        (110, Fate::TimedOut),
        (111, Fate::Refused),
        (104, Fate::Reset),
    ] {
        let said = in_memory(spec("chat"), &plays, Memory::ERRNO + errno, 1).await;
        assert_eq!(said.rows[0].fate, fate, "{errno}");
        assert_eq!(said.rows[0].group(), Group::Lost);
    }
    let torn = Plays::each([Play::Stream(|o, _| {
        let mut steps = tokens(o, 0..18);
        steps.push(Step::Fin);
        steps
    })]);
    let said = in_memory(spec("chat"), &torn, Memory::DYING, 1).await;
    let row = &said.rows[0];
    assert_eq!(
        (row.fate, row.termination),
        (Fate::TimedOut, Termination::TcpTimeout)
    );
    assert_eq!((row.tokens, row.group()), (18, Group::Torn));
}

#[tokio::test(start_paused = true)]
async fn clients_give_up() {
    let stalls = Plays::each([Play::Stream(|o, n| {
        let mut steps = tokens(o, 0..18);
        steps.push(Step::Pause(Duration::from_secs(15)));
        steps.extend(tokens(o, 18..30));
        steps.push(Step::Pause(Duration::from_secs(500)));
        testing::full_tail(steps, n)
    })]);
    let mut spec = spec("chat");
    let ended = |said: &Said| {
        let row = &said.rows[0];
        assert_eq!(row.fate, Fate::TimedOut, "{row:?}");
        assert_eq!(row.termination, Termination::ClientTimeout);
        (row.end_us / 1_000_000, row.tokens, row.detail.clone())
    };
    let (at, tokens, why) = ended(&in_memory(spec.clone(), &stalls, 80, 1).await);
    assert_eq!((at, tokens), (35, 30), "{why}");
    spec.client.idle_timeout = Span::from_secs(10).into();
    let (at, tokens, why) = ended(&in_memory(spec.clone(), &stalls, 80, 1).await);
    assert_eq!((at, tokens), (10, 18));
    assert!(why.contains("idle timeout"), "{why}");
    spec.client.total_timeout = Span::from_secs(5).into();
    let (at, _, why) = ended(&in_memory(spec.clone(), &stalls, 80, 1).await);
    assert_eq!(at, 5);
    assert!(why.contains("total timeout"), "{why}");
    let mut patient = spec.clone();
    patient.client.idle_timeout = Timeout::Never;
    patient.client.total_timeout = Span::from_secs(50).into();
    let (at, tokens, why) = ended(&in_memory(patient, &stalls, 80, 1).await);
    assert_eq!((at, tokens), (50, 30));
    assert!(why.contains("total timeout"), "{why}");
    spec.client.connect_timeout = Span::from_secs(2);
    let (at, _, why) = ended(&in_memory(spec, &stalls, Memory::DARK, 1).await);
    assert_eq!(at, 2);
    assert!(why.contains("connect timeout"), "{why}");
}

#[tokio::test]
async fn retries_end_with_the_first_token() {
    let busy = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n";
    let mut spec = spec("chat");
    spec.client.retries = 2;
    let torn: testing::Script = |o, _| {
        let mut steps = tokens(o, 0..1);
        steps.push(Step::Fin);
        steps
    };
    let good = || Play::Stream(testing::good);
    let plays = Plays::new(vec![
        vec![Play::Reset, Play::Raw(busy), good()],
        vec![Play::Stream(torn), good()],
        vec![Play::Raw(busy)],
        vec![good()],
    ]);
    let said = over_tcp(spec, &plays, 4).await;
    assert_eq!(said.rows.len(), 4);
    let of = |id| {
        let row = said.row(id);
        (row.fate, row.attempts, row.tokens)
    };
    assert_eq!(of("chat-0"), (Fate::Retried, 3, 40));
    let row = said.row("chat-0");
    assert!(
        row.first_error_us
            .is_some_and(|met| Some(met) < row.first_token_us())
    );
    assert_eq!(of("chat-1"), (Fate::Truncated, 1, 1));
    assert_eq!(of("chat-2"), (Fate::Shed, 3, 0));
    assert_eq!(of("chat-3"), (Fate::Completed, 1, 40));
}

#[tokio::test(start_paused = true)]
async fn answers_in_one_piece() {
    let plays = Plays::each([
        Play::Whole,
        Play::Raw("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{\""),
        Play::Raw("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{\"choi"),
    ]);
    let mut spec = spec("batch");
    spec.stream = false;
    let said = in_memory(spec, &plays, 80, 3).await;
    let row = said.row("batch-0");
    assert_eq!((row.fate, row.tokens), (Fate::Completed, 40));
    assert!(row.token_us.gaps().all(|gap| gap == 0));
    assert_eq!(said.row("batch-1").fate, Fate::Truncated);
    assert!(said.row("batch-1").detail.contains("unreadable"));
    assert_eq!(said.row("batch-2").termination, Termination::EofInBody);
}
