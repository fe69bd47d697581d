//! HTTP/1.1 on the wire (RFC 9112), for both sides of the hub: reading heads and bodies strictly, and writing them.
//!
//! Written for a gateway: what two implementations could read differently is a fault and never a guess, and nothing is
//! allocated or copied that need not be. HTTP/2 is hyper's.

mod decoder;
mod framing;
mod head;
mod late;
#[cfg(test)]
mod tests;
mod wire;
mod write;

pub use decoder::{Decoder, Step};
pub use framing::{connection_says, of_request, of_response};
pub use head::{HeadFault, MOST_HEADERS, request_head, response_head};
pub use late::Late;
pub use wire::Wire;
pub use write::{Afterwards, BodyLength, Date, Encoder, WrongLength, request_head_of, response_head_of};

/// What was read is not HTTP/1.1 as it has to be; in words for whoever runs the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);
