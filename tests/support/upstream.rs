//! A service behind a gateway, in this process, on raw sockets: it records what arrives, byte for byte, and answers as it is
//! told, well or badly.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A request as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Arrived {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The head, byte for byte.
    pub head: String,
}

impl Arrived {
    /// The first header of that name (given in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// How many headers of that name there are.
    pub fn count(&self, name: &str) -> usize {
        self.headers.iter().filter(|(key, _)| key == name).count()
    }
}

/// What is done with a connection after a request has arrived; gives it back to read the next one.
type Script = dyn Fn(TcpStream, Arrived) -> Pin<Box<dyn Future<Output = Option<TcpStream>> + Send>> + Send + Sync;

/// A service that runs until it is dropped.
pub struct Upstream {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Arrived>>>,
    connections: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Upstream {
    /// Answers every request with these bytes.
    pub async fn answering(raw: impl Into<Vec<u8>>) -> Self {
        let raw: Arc<Vec<u8>> = Arc::new(raw.into());
        Self::scripted(move |mut stream, _| {
            let raw = Arc::clone(&raw);
            async move {
                stream.write_all(&raw).await.ok()?;
                Some(stream)
            }
        })
        .await
    }

    /// Answers 200 with `text`.
    pub async fn saying(text: &str) -> Self {
        Self::answering(ok(text)).await
    }

    /// Answers with the body that it got.
    pub async fn echo() -> Self {
        Self::scripted(|mut stream, arrived| async move {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", arrived.body.len());
            stream.write_all(head.as_bytes()).await.ok()?;
            if arrived.method != "HEAD" {
                stream.write_all(&arrived.body).await.ok()?;
            }
            Some(stream)
        })
        .await
    }

    /// Does what the script says after each request.
    pub async fn scripted<F, R>(script: F) -> Self
    where
        F: Fn(TcpStream, Arrived) -> R + Send + Sync + 'static,
        R: Future<Output = Option<TcpStream>> + Send + 'static,
    {
        Self::on(([127, 0, 0, 1], 0).into(), script).await
    }

    /// The same, at this address.
    pub async fn on<F, R>(address: SocketAddr, script: F) -> Self
    where
        F: Fn(TcpStream, Arrived) -> R + Send + Sync + 'static,
        R: Future<Output = Option<TcpStream>> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let script: Arc<Script> = Arc::new(move |stream, arrived| Box::pin(script(stream, arrived)));
        let seen: Arc<Mutex<Vec<Arrived>>> = Arc::default();
        let (connections, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let task = tokio::spawn({
            let (seen, connections, open) = (Arc::clone(&seen), Arc::clone(&connections), Arc::clone(&open));
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    connections.fetch_add(1, Ordering::Relaxed);
                    open.fetch_add(1, Ordering::Relaxed);
                    let (script, seen, open) = (Arc::clone(&script), Arc::clone(&seen), Arc::clone(&open));
                    tokio::spawn(async move {
                        converse(stream, &script, &seen).await;
                        open.fetch_sub(1, Ordering::Relaxed);
                    });
                }
            }
        });
        Self { address, seen, connections, open, task }
    }

    /// Its address for a gateway.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What arrived so far.
    pub fn seen(&self) -> Vec<Arrived> {
        self.seen.lock().unwrap().clone()
    }

    /// The last request that arrived.
    #[track_caller]
    pub fn last(&self) -> Arrived {
        self.seen().pop().expect("a request arrived")
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// How many of them are open.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

/// A plain answer with a text.
pub fn ok(text: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{text}", text.len())
}

async fn converse(mut stream: TcpStream, script: &Arc<Script>, seen: &Arc<Mutex<Vec<Arrived>>>) {
    let _ = stream.set_nodelay(true);
    let mut unread = Vec::new();
    while let Ok(arrived) = read(&mut stream, &mut unread).await {
        seen.lock().unwrap().push(arrived.clone());
        match script(stream, arrived).await {
            Some(back) => stream = back,
            None => return,
        }
    }
}

async fn read(stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<Arrived> {
    let end = loop {
        if let Some(at) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        fill(stream, unread).await?;
    };
    let head = String::from_utf8_lossy(&unread[..end]).into_owned();
    unread.drain(..end + 4);
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (first.next().unwrap_or_default().to_owned(), first.next().unwrap_or_default().to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut arrived = Arrived { method, target, headers, body: Vec::new(), head };
    // Sent by a test that reads the body itself.
    if arrived.header("x-unread").is_some() {
        return Ok(arrived);
    }
    if let Some(length) = arrived.header("content-length") {
        let length: usize = length.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        while unread.len() < length {
            fill(stream, unread).await?;
        }
        arrived.body = unread.drain(..length).collect();
    } else if arrived.header("transfer-encoding").is_some() {
        arrived.body = read_chunks(stream, unread).await?;
    }
    Ok(arrived)
}

async fn read_chunks(stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = unread.windows(2).position(|window| window == b"\r\n") {
                break at;
            }
            fill(stream, unread).await?;
        };
        let line = String::from_utf8_lossy(&unread[..end]).into_owned();
        unread.drain(..end + 2);
        let size = usize::from_str_radix(line.trim(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
        while unread.len() < size + 2 {
            fill(stream, unread).await?;
        }
        body.extend(unread.drain(..size));
        unread.drain(..2);
        if size == 0 {
            return Ok(body);
        }
    }
}

async fn fill(stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<()> {
    let mut block = [0; 16 * 1024];
    match stream.read(&mut block).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        count => {
            unread.extend_from_slice(&block[..count]);
            Ok(())
        }
    }
}
