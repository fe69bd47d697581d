//! Prometheus' query API, of a store itself or through the hub.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// A loaded machine gets this long.
pub const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Clone, Debug)]
pub struct Api {
    pub address: SocketAddr,
    /// Stands before every path.
    pub prefix: &'static str,
    /// Whole lines of the request's head.
    pub headers: String,
}

impl Api {
    pub const fn of(address: SocketAddr) -> Self {
        Self { address, prefix: "", headers: String::new() }
    }

    /// The answer to a form.
    pub fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let (status, body) = self.send("POST", path, &form);
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{status} {error}: {body}"))
    }

    /// The answer to a query string.
    pub fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let (status, body) = self.send("GET", &format!("{path}?{query}"), "");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{status} {error}: {body}"))
    }

    pub fn send(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        self.try_send(method, path, body).expect("an answer")
    }

    /// HTTP/1.0, so that the answer ends with the connection.
    pub fn try_send(&self, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let framing = if method == "POST" {
            format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", body.len())
        } else {
            String::new()
        };
        let Self { address, prefix, headers } = self;
        let head = format!("{method} {prefix}{path} HTTP/1.0\r\nHost: {address}\r\n{headers}{framing}\r\n");
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }
}
