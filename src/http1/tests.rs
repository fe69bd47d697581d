//! Whatever arrives is read as the same messages, however it is cut into pieces: who can choose where packets end must not be
//! able to choose what they mean.

use bytes::BytesMut;
use http::HeaderMap;
use proptest::prelude::*;

use super::{Step, of_request, request_head};

const LIMIT: usize = 300;

/// What a server that reads these bytes sees: requests, their bodies, and at last perhaps a fault.
fn seen(wire: &[u8], at_a_time: usize) -> Vec<String> {
    let (mut inbound, mut seen, mut events) = (BytesMut::new(), 0, Vec::new());
    let mut body = None;
    for piece in wire.chunks(at_a_time) {
        inbound.extend_from_slice(piece);
        loop {
            let Some((decoder, text)) = &mut body else {
                let head = match request_head(&mut inbound, &mut seen, LIMIT, &mut HeaderMap::new()) {
                    Ok(None) => break,
                    Ok(Some(head)) => head,
                    Err(_) => return refused(events),
                };
                events.push(format!("{} {} {:?}", head.method, head.uri, head.headers));
                match of_request(head.version, &head.headers) {
                    Ok(decoder) => body = Some((decoder, Vec::new())),
                    Err(_) => return refused(events),
                }
                continue;
            };
            match super::Decoder::step(decoder, &mut inbound) {
                Ok(Step::Piece(piece)) => text.extend_from_slice(&piece),
                Ok(Step::More) => break,
                Ok(Step::End) => {
                    events.push(format!("body {:?}", String::from_utf8_lossy(text)));
                    body = None;
                }
                // What came of the body before is not acted on: it is told to be broken.
                Err(_) => return refused(events),
            }
        }
    }
    events
}

fn refused(mut events: Vec<String>) -> Vec<String> {
    events.push("refused".to_owned());
    events
}

/// What requests are made of, and what they are broken with.
fn token() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "POST /a?b HTTP/1.1\r\n",
        "Host: hub\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "X-A: b\r\n",
        "\r\n",
        "\r\n\r\n",
        "\n",
        "\r",
        "hello",
        "5\r\nhello\r\n",
        "3\r\nabc\r\n",
        "0\r\n",
        "0\r\n\r\n",
        "5;x=y\r\n",
        " ",
        ":",
        "\t",
        "\0",
        "GET",
        "HTTP/1.0\r\n",
        "zz\r\n",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn sec_24_where_packets_end_says_nothing(tokens in prop::collection::vec(token(), 0..24), at_a_time in 1_usize..40) {
        let wire = tokens.concat();
        let whole = seen(wire.as_bytes(), wire.len().max(1));
        prop_assert_eq!(&seen(wire.as_bytes(), 1), &whole, "{:?}", wire);
        prop_assert_eq!(&seen(wire.as_bytes(), at_a_time), &whole, "{:?}", wire);
    }
}

#[test]
fn requests_follow_each_other() {
    let wire = "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloPOST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
                5\r\nhello\r\n0\r\n\r\nGET /c HTTP/1.1\r\n\r\n";
    let all = seen(wire.as_bytes(), 7);
    let kinds: Vec<&str> = all.iter().map(|event| event.split(" {").next().unwrap_or_default()).collect();
    assert_eq!(kinds, ["POST /a", "body \"hello\"", "POST /b", "body \"hello\"", "GET /c", "body \"\""]);
}
