//! Large request bodies: kept whole until they are read, within a bound for all of them together.

use std::{sync::Arc, time::Duration};

use axum::body::{Body, HttpBody as _};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::{kind, problem::Problem};

/// A whole body, and its share of the memory that all bodies of this kind may take together.
#[derive(Debug)]
pub struct Spooled {
    /// The body.
    pub text: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
}

/// How `room` is counted: bytes of body for each permit.
pub const ROOM_UNIT: usize = 64 * 1024;

/// Reads a large body of at most `limit` bytes within `arrival`. It takes its share of `room` as it arrives, so that many
/// large bodies at once are refused rather than kept.
///
/// # Errors
/// `body-too-large` (413), `request-timeout` (408), `unavailable` (503) if there is no room now, or `bad-request` when the
/// connection broke off.
pub async fn spool(body: Body, limit: usize, arrival: Duration, room: &Arc<Semaphore>) -> Result<Spooled, Problem> {
    let too_large = || Problem::new(&kind::BODY_TOO_LARGE, format!("The body may have at most {limit} bytes."));
    let announced = body.size_hint().lower();
    if announced > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    let mut body = Limited::new(body, limit);
    let collected = tokio::time::timeout(arrival, async {
        let mut spooled = Spooled { text: Vec::new(), room: None };
        let mut taken = 0;
        while let Some(frame) = body.frame().await {
            let frame = match frame {
                Ok(frame) => frame,
                Err(fault) if fault.is::<LengthLimitError>() => return Err(too_large()),
                Err(_) => return Err(Problem::bad_request("The body ended before it was complete.")),
            };
            let Ok(data) = frame.into_data() else { continue };
            spooled.text.extend_from_slice(&data);
            let wanted = spooled.text.len().div_ceil(ROOM_UNIT);
            if wanted > taken {
                let more = u32::try_from(wanted - taken).unwrap_or(u32::MAX);
                let share = Arc::clone(room).try_acquire_many_owned(more).map_err(|_| {
                    Problem::unavailable("This node has as many large bodies in hand as it keeps. Send it again.")
                })?;
                taken = wanted;
                match &mut spooled.room {
                    Some(room) => room.merge(share),
                    none => *none = Some(share),
                }
            }
        }
        Ok(spooled)
    });
    collected.await.unwrap_or_else(|_| {
        let seconds = arrival.as_secs();
        Err(Problem::new(&kind::REQUEST_TIMEOUT, format!("The body did not arrive within {seconds} seconds.")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bodies_are_bounded_each_and_together() {
        let room = Arc::new(Semaphore::new(2));
        let read = async |body: Body| spool(body, 3 * ROOM_UNIT, Duration::from_secs(1), &room).await;
        let first = read(Body::from(vec![b'x'; ROOM_UNIT + 1])).await.expect("there is room");
        assert_eq!((first.text.len(), room.available_permits()), (ROOM_UNIT + 1, 0));
        assert_eq!(read(Body::from("x")).await.expect_err("no room").kind(), &kind::UNAVAILABLE);
        drop(first);
        assert_eq!(room.available_permits(), 2, "it is given back");
        let long = read(Body::from(vec![b'x'; 3 * ROOM_UNIT + 1])).await.expect_err("too long");
        assert_eq!(long.kind(), &kind::BODY_TOO_LARGE);
        read(Body::empty()).await.expect("an empty one takes no room");
        assert_eq!(room.available_permits(), 2);
    }
}
