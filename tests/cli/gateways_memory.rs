//! What streams through a gateway passes: the program's memory stays flat, whatever the length.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::support::{Application, Upstream, process::Installation};

/// How much is streamed each way, in MiB; `just stream-gigabyte` takes 1,024.
fn mebibytes() -> usize {
    std::env::var("GATEWAY_STREAM_MIB").ok().and_then(|text| text.parse().ok()).unwrap_or(128)
}

/// Most of what may come on top, in KiB: buffers of two connections, and what the allocator keeps.
const MOST: u64 = 16 * 1024;

/// The memory of a process now, in KiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_flat_while_much_streams_either_way() {
    const PIECE: usize = 64 * 1024;
    let pieces = mebibytes() * 16;
    let upstream = Upstream::scripted(move |mut stream, arrived| async move {
        if arrived.method == "GET" {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", pieces * PIECE);
            stream.write_all(head.as_bytes()).await.ok()?;
            let piece = vec![b'x'; PIECE];
            for _ in 0..pieces {
                stream.write_all(&piece).await.ok()?;
            }
        } else {
            // What is left of the body after its head was read.
            let mut block = vec![0; PIECE];
            while let Ok(Ok(1..)) = timeout(Duration::from_secs(1), stream.read(&mut block)).await {}
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone").await.ok()?;
        }
        Some(stream)
    })
    .await;
    let hub = Installation::new();
    hub.run(&["gateways", "create", "shop", "--kind", "http", "--url", &upstream.url()]).good();
    let (id, secret) = hub.key("Streams", &["Administrator"]);
    let process = hub.serve(&[]);
    let mut application = Application::with_key(&process.site, "Streams", &id, &secret);
    application.sign_in().await;
    application.get("/gateways/shop/warm").await;
    let before = resident(process.pid());
    let mut highest = before;
    let head = |line: &str, more: &str| {
        format!(
            "{line} /gateways/shop/x HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {}\r\nConnection: close\r\n{more}\r\n",
            application.token
        )
    };

    let mut caller = TcpStream::connect(process.site.address).await.expect("the hub listens");
    caller.write_all(head("GET", "").as_bytes()).await.expect("sent");
    let (mut block, mut got) = (vec![0; PIECE], 0_usize);
    let mut round = 0_u32;
    while let count @ 1.. = caller.read(&mut block).await.expect("an answer") {
        got += count;
        round += 1;
        if round.is_multiple_of(256) {
            highest = highest.max(resident(process.pid()));
        }
    }
    assert!(got > pieces * PIECE, "{got} bytes arrived");
    println!("downloaded {} MiB: {before} KiB before, {highest} KiB at most", mebibytes());

    let mut caller = TcpStream::connect(process.site.address).await.expect("the hub listens");
    let framing = format!("Content-Length: {}\r\nX-Unread: 1\r\n", pieces * PIECE);
    caller.write_all(head("POST", &framing).as_bytes()).await.expect("sent");
    for round in 0..pieces {
        caller.write_all(&block).await.expect("sent");
        if round.is_multiple_of(256) {
            highest = highest.max(resident(process.pid()));
        }
    }
    let mut answer = Vec::new();
    caller.read_to_end(&mut answer).await.expect("an answer");
    assert!(answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(b"done"), "{}", String::from_utf8_lossy(&answer));
    println!("uploaded {} MiB: {highest} KiB at most", mebibytes());
    assert!(highest - before < MOST, "{before} KiB before, {highest} KiB at most");
}
