//! Connections: one that is kept for many requests, and one on the way to the database that can be cut in silence.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::support::{Answer, Connection, Request};

/// Asks one node, on one connection as long as that lasts.
pub struct Client {
    address: SocketAddr,
    connection: Option<Connection>,
}

/// Longer than a node may take for anything here.
const PATIENCE: Duration = Duration::from_secs(10);

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, connection: None }
    }

    /// The answer, or `None` if there is none.
    pub async fn ask(&mut self, request: &Request) -> Option<Answer> {
        let asked = tokio::time::timeout(PATIENCE, self.try_ask(request)).await;
        let answer = asked.ok().and_then(Result::ok);
        if answer.is_none() || self.connection.as_ref().is_some_and(|connection| connection.closed) {
            self.connection = None;
        }
        answer
    }

    async fn try_ask(&mut self, request: &Request) -> std::io::Result<Answer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.address).await?,
        };
        connection.send(&request.bytes(&self.address.to_string())).await?;
        let answer = connection.answer(false).await?;
        self.connection = Some(connection);
        Ok(answer)
    }

    pub async fn token(&mut self, id: &str, secret: &str) -> Option<Answer> {
        let fields = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
        self.ask(&Request::post("/oauth2/token").form(&fields)).await
    }

    pub async fn get(&mut self, target: &str, token: &str) -> Option<Answer> {
        self.ask(&Request::get(target).bearer(token)).await
    }
}

/// A way to the database that can go silent: what is sent is not delivered, and no connection is closed.
pub struct Way {
    pub port: u16,
    open: Arc<watch::Sender<bool>>,
}

impl Way {
    /// A way to this port.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let way =
            Self { port: listener.local_addr().expect("an address").port(), open: Arc::new(watch::Sender::new(true)) };
        let open = Arc::clone(&way.open);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let open = open.subscribe();
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                    let (near, far) = (near.into_split(), far.into_split());
                    tokio::join!(carry(near.0, far.1, open.clone()), carry(far.0, near.1, open));
                });
            }
        });
        way
    }

    /// Delivers, or not.
    pub fn set(&self, open: bool) {
        self.open.send_replace(open);
    }
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut open: watch::Receiver<bool>,
) {
    let mut block = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut block).await {
        if open.wait_for(|open| *open).await.is_err() || to.write_all(&block[..count]).await.is_err() {
            return;
        }
    }
}
