//! A small HTTP/1.1 client that sends exactly the bytes it is told to, which ready-made clients refuse to do.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Longer than any answer of the hub may take, short enough that a hanging test says so.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of that name (given in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All headers of that name.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}), status {}: {}", self.status, self.text()))
    }

    /// One string member of a JSON answer, empty when it is not there.
    #[track_caller]
    pub fn member(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_default().to_owned()
    }

    /// The last part of a problem's `type`.
    #[track_caller]
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        self.member("type").rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// Asserts the status and hands the answer on.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "headers {:?}, body {}", self.headers, self.text());
        self
    }

    /// Everything of the answer as text, for searches.
    pub fn everything(&self) -> String {
        let mut all = format!("{}\n", self.status);
        for (name, value) in &self.headers {
            all.push_str(&format!("{name}: {value}\n"));
        }
        all + self.text().as_str()
    }

    /// What stays the same between two equal answers: all but the date and the id of the request.
    pub fn comparable(&self) -> (u16, Vec<(String, String)>, Vec<u8>) {
        let changing = ["date", "x-request-id"];
        let headers = self.headers.iter().filter(|(name, _)| !changing.contains(&name.as_str())).cloned().collect();
        (self.status, headers, self.body.clone())
    }
}

/// A request as it will be written to the wire.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub fn post(target: &str) -> Self {
        Self::new("POST", target)
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// Basic as most clients send it: these credentials hold no character that form encoding would change.
    #[must_use]
    pub fn basic(self, name: &str, secret: &str) -> Self {
        let pair = STANDARD.encode(format!("{name}:{secret}"));
        self.header("Authorization", &format!("Basic {pair}"))
    }

    #[must_use]
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        self.body = body.finish().into_bytes();
        self.header("Content-Type", "application/x-www-form-urlencoded")
    }

    #[must_use]
    pub fn json(self, value: &Value) -> Self {
        self.body("application/json", value.to_string().as_bytes())
    }

    #[must_use]
    pub fn body(mut self, kind: &str, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.header("Content-Type", kind)
    }

    /// The request's bytes. `Host` and `Content-Length` are added unless they were given.
    pub fn bytes(&self, host: &str) -> Vec<u8> {
        let has = |wanted: &str| self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let mut raw = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if !has("host") {
            raw.push_str(&format!("Host: {host}\r\n"));
        }
        for (name, value) in &self.headers {
            raw.push_str(&format!("{name}: {value}\r\n"));
        }
        let bodiless = matches!(self.method.as_str(), "GET" | "HEAD");
        let framed = has("content-length") || has("transfer-encoding") || bodiless && self.body.is_empty();
        if !framed {
            raw.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        raw.push_str("\r\n");
        let mut raw = raw.into_bytes();
        raw.extend_from_slice(&self.body);
        raw
    }
}

/// One TCP connection on which requests are sent and answers read.
pub struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
    /// The server said that it closes, or did.
    pub closed: bool,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, unread: Vec::new(), closed: false })
    }

    pub async fn send(&mut self, raw: &[u8]) -> io::Result<()> {
        self.stream.write_all(raw).await
    }

    /// Says that nothing more comes, so that a server that waits for more gives up.
    pub async fn end_of_input(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Reads one answer. `bodiless`: the request was HEAD.
    pub async fn answer(&mut self, bodiless: bool) -> io::Result<Answer> {
        match timeout(PATIENCE, self.read_answer(bodiless)).await {
            Ok(answer) => answer,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no complete answer in time")),
        }
    }

    /// Reads an interim answer (1xx): its head.
    pub async fn interim(&mut self) -> io::Result<String> {
        let head = timeout(PATIENCE, self.take_until(b"\r\n\r\n")).await;
        head.map_err(|_| io::ErrorKind::TimedOut)?.map(|head| String::from_utf8_lossy(&head).into_owned())
    }

    async fn read_answer(&mut self, bodiless: bool) -> io::Result<Answer> {
        loop {
            let head = self.take_until(b"\r\n\r\n").await?;
            let (status, headers) = parse_head(&head)?;
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            let find = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
            let closes = find("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
            let body = if bodiless || status == 204 || status == 304 {
                Vec::new()
            } else if find("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
                self.take_chunks().await?
            } else if let Some(length) = find("content-length") {
                self.take(length.parse().map_err(bad)?).await?
            } else {
                self.take_rest().await?
            };
            self.closed |= closes;
            return Ok(Answer { status, headers, body });
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        let mut block = [0; 16 * 1024];
        let count = self.stream.read(&mut block).await?;
        if count == 0 {
            self.closed = true;
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
        self.unread.extend_from_slice(&block[..count]);
        Ok(())
    }

    async fn take_until(&mut self, mark: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            if let Some(at) = self.unread.windows(mark.len()).position(|window| window == mark) {
                let rest = self.unread.split_off(at + mark.len());
                let mut taken = std::mem::replace(&mut self.unread, rest);
                taken.truncate(at);
                return Ok(taken);
            }
            self.fill().await?;
        }
    }

    async fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.unread.len() < count {
            self.fill().await?;
        }
        let rest = self.unread.split_off(count);
        Ok(std::mem::replace(&mut self.unread, rest))
    }

    async fn take_chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.take_until(b"\r\n").await?;
            let size = usize::from_str_radix(String::from_utf8_lossy(&line).trim(), 16).map_err(bad)?;
            body.extend(self.take(size).await?);
            self.take_until(b"\r\n").await?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    async fn take_rest(&mut self) -> io::Result<Vec<u8>> {
        while self.fill().await.is_ok() {}
        Ok(std::mem::take(&mut self.unread))
    }
}

fn parse_head(head: &[u8]) -> io::Result<(u16, Vec<(String, String)>)> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = first.split(' ').nth(1).unwrap_or_default().parse().map_err(bad)?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Ok((status, headers))
}

fn bad(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// A running hub as seen from outside. Remembers every answer, for the search for leaked secrets.
#[derive(Clone)]
pub struct Site {
    pub address: SocketAddr,
    /// The public URL, which is also the issuer.
    pub issuer: String,
    seen: Arc<Mutex<Vec<(String, Answer)>>>,
}

impl Site {
    pub fn new(address: SocketAddr, issuer: &str) -> Self {
        Self { address, issuer: issuer.to_owned(), seen: Arc::default() }
    }

    /// Sends one request on a connection of its own.
    pub async fn ask(&self, request: Request) -> Answer {
        self.try_ask(request.clone())
            .await
            .unwrap_or_else(|error| panic!("{} {}: {error}", request.method, request.target))
    }

    pub async fn try_ask(&self, request: Request) -> io::Result<Answer> {
        let request = request.header("Connection", "close");
        let mut connection = Connection::open(self.address).await?;
        connection.send(&request.bytes(&self.host())).await?;
        let answer = connection.answer(request.method == "HEAD").await?;
        let line = format!("{} {}", request.method, request.target);
        self.seen.lock().unwrap().push((line, answer.clone()));
        Ok(answer)
    }

    /// Sends bytes as they are and reads what comes: an answer, or `None` when the server just closes.
    pub async fn raw(&self, bytes: &[u8]) -> Option<Answer> {
        let mut connection = Connection::open(self.address).await.expect("the hub listens");
        connection.send(bytes).await.ok()?;
        connection.answer(false).await.ok()
    }

    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Every answer so far, with its request line.
    pub fn seen(&self) -> Vec<(String, Answer)> {
        self.seen.lock().unwrap().clone()
    }

    /// `GET` without any credentials.
    pub async fn get(&self, target: &str) -> Answer {
        self.ask(Request::get(target)).await
    }
}
