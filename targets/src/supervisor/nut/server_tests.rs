use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::tests::{ups, users};
use super::*;
use crate::net::{Conn, HostNet, Net, SocketOptions};

async fn served(limits: Limits) -> (SharedBank, u16) {
    let (bank, orders) = SharedBank::new(vec![ups("ups1")], users(), 7);
    let net = HostNet::loopback();
    let listener = net.listen(0, SocketOptions::default()).await.unwrap();
    let port = listener.local_addr().port();
    let server = serve(listener, bank.clone(), limits);
    tokio::spawn(async move {
        let _orders = orders;
        server.await;
    });
    (bank, port)
}

async fn raw(port: u16) -> Conn {
    let net = HostNet::loopback();
    net.connect("ups", port, SocketOptions::default())
        .await
        .unwrap()
}

/// Bytes of any kind, lines of any kind, and lines that are almost NUT.
fn junk() -> impl Strategy<Value = Vec<u8>> {
    let almost = r#"(GET|LIST|SET|LOGIN|LOGOUT|STARTTLS|USERNAME|INSTCMD|FSD|HELP|VER)( (VAR|UPS|CMD|ups1|ups.status|"|\\)){0,4}\n"#;
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..2_000),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| [&bytes[..], b"\n"].concat()),
        prop::collection::vec(almost, 0..8).prop_map(|lines| lines.concat().into_bytes()),
    ]
}

/// Every rude client leaves its connection open, and a good one is served.
async fn stall(junk: Vec<Vec<u8>>) {
    let (_bank, port) = served(Limits::default()).await;
    let mut rude = Vec::new();
    for junk in junk {
        let mut conn = raw(port).await;
        // The server may hang up on nonsense at any point.
        let _ = conn.io.write_all(&junk).await;
        rude.push(conn);
    }
    let net = HostNet::loopback();
    let wait = Duration::from_secs(10);
    let mut good = NutClient::connect(&net, "ups", port, wait).await.unwrap();
    for _ in 0..50 {
        assert_eq!(good.get_var("ups1", "ups.status").await.unwrap(), "OL");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn garbage_stalls_nobody(junk in prop::collection::vec(junk(), 20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(stall(junk));
    }
}

#[tokio::test]
async fn an_endless_line_ends_the_connection() {
    let (_bank, port) = served(Limits::default()).await;
    let mut conn = raw(port).await;
    conn.io.write_all(&[b'x'; 1025]).await.unwrap();
    let mut reply = String::new();
    conn.io.read_to_string(&mut reply).await.unwrap();
    assert_eq!(reply, "ERR INVALID-ARGUMENT\n");
}

#[tokio::test]
async fn connections_are_bounded_and_logins_end_with_them() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let (bank, port) = served(limits).await;
    let net = HostNet::loopback();
    let wait = Duration::from_secs(10);
    let mut first = NutClient::connect(&net, "ups", port, wait).await.unwrap();
    first.credentials("pri", "pw").await.unwrap();
    first.login("ups1").await.unwrap();
    assert_eq!(first.num_logins("ups1").await.unwrap(), 1);
    let mut second = NutClient::connect(&net, "ups", port, wait).await.unwrap();
    assert!(second.get_var("ups1", "ups.status").await.is_err());
    drop(first);
    let gone = async {
        while bank.lock().logins("ups1") > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(wait, gone).await.unwrap();
}

#[tokio::test]
async fn a_silent_client_is_dropped_and_an_active_one_is_not() {
    let limits = Limits {
        idle: Duration::from_secs(2),
        ..Limits::default()
    };
    let (_bank, port) = served(limits).await;
    let mut silent = raw(port).await;
    let net = HostNet::loopback();
    let wait = Duration::from_secs(10);
    let mut active = NutClient::connect(&net, "ups", port, wait).await.unwrap();
    let mut byte = [0];
    let end = silent.io.read(&mut byte);
    tokio::pin!(end);
    let dropped = async {
        loop {
            tokio::select! {
                biased;
                end = &mut end => return end,
                () = tokio::time::sleep(Duration::from_millis(20)) => {
                    active.get_var("ups1", "ups.status").await.unwrap();
                }
            }
        }
    };
    assert_eq!(
        tokio::time::timeout(wait, dropped).await.unwrap().unwrap(),
        0
    );
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_dropped() {
    let limits = Limits {
        write: Duration::from_millis(200),
        ..Limits::default()
    };
    let (_bank, port) = served(limits).await;
    let mut deaf = raw(port).await;
    let ask = async { while deaf.io.write_all(b"LIST VAR ups1\n").await.is_ok() {} };
    let wait = Duration::from_secs(20);
    tokio::time::timeout(wait, ask).await.unwrap();
}

#[tokio::test]
async fn the_client_speaks_all_of_it() {
    let (bank, port) = served(Limits::default()).await;
    let net = HostNet::loopback();
    let mut client = NutClient::connect(&net, "ups", port, Duration::from_secs(10))
        .await
        .unwrap();
    let listed = client.list_ups().await.unwrap();
    assert_eq!(
        listed,
        [("ups1".to_string(), "Rack \"A\" \\ left".to_string())]
    );
    assert_eq!(client.list_var("ups1").await.unwrap().len(), 4);
    assert_eq!(
        client.list_cmd("ups1").await.unwrap(),
        ["beeper.mute", "load.off"]
    );
    assert_eq!(
        client.list_enum("ups1", "input.sensitivity").await.unwrap(),
        ["high", "low"]
    );
    let ranges = client
        .list_range("ups1", "battery.charge.low")
        .await
        .unwrap();
    assert_eq!(ranges, [Range { min: 0, max: 100 }]);
    let kind = client.get_type("ups1", "input.sensitivity").await.unwrap();
    assert_eq!(
        (kind.writable, kind.choices, kind.text),
        (true, true, Some(8))
    );
    let refused = client
        .set_var("ups1", "battery.charge.low", "5")
        .await
        .unwrap_err();
    assert!(matches!(&refused, ClientError::Refused(code) if code == "USERNAME-REQUIRED"));
    client.credentials("pri", "pw").await.unwrap();
    client.login("ups1").await.unwrap();
    client.primary("ups1").await.unwrap();
    client.fsd("ups1").await.unwrap();
    assert_eq!(
        client.get_var("ups1", "ups.status").await.unwrap(),
        "FSD OL"
    );
    assert!(bank.lock().device("ups1").unwrap().fsd);
    client.logout().await;
}

#[tokio::test]
async fn a_server_of_nonsense_is_an_error_in_time() {
    let net = HostNet::loopback();
    let answers: [&[u8]; 6] = [
        b"",
        b"\n",
        b"BEGIN LIST VAR ups1\nVAR ups1\n",
        b"BEGIN LIST VAR ups1\nVAR ups1 a \"1\"\n",
        b"VAR ups1 \"open\n",
        b"\xff\xfe\x00\n\n\n",
    ];
    for answer in answers {
        let mut listener = net.listen(0, SocketOptions::default()).await.unwrap();
        let port = listener.local_addr().port();
        let server = tokio::spawn(async move {
            let mut conn = listener.accept().await.unwrap();
            conn.io.write_all(answer).await.unwrap();
            conn
        });
        // The whole of it that the slowest of these answers takes.
        let wait = Duration::from_millis(500);
        let mut client = NutClient::connect(&net, "ups", port, wait).await.unwrap();
        let asked = client.list_var("ups1").await;
        assert!(asked.is_err(), "{answer:?}: {asked:?}");
        drop(server.await.unwrap());
    }
}
