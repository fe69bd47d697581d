//! Limits in time that are seldom reached.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::ambient::timer_now;

/// A limit for one wait after another. Beginning a new one sets no timer: the old one, when it goes off, is put off.
#[derive(Debug)]
pub struct Late {
    limit: Duration,
    due: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl Late {
    /// The first wait begins now; each may last so long.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        let due = timer_now() + limit;
        Self { limit, due, sleep: Box::pin(sleep_until(due)) }
    }

    /// A new wait begins.
    pub fn begin(&mut self) {
        self.due = timer_now() + self.limit;
    }

    /// Whether the wait has lasted too long; otherwise the task is woken when it may have.
    pub fn poll(&mut self, context: &mut Context<'_>) -> bool {
        while self.sleep.as_mut().poll(context).is_ready() {
            if timer_now() >= self.due {
                return true;
            }
            self.sleep.as_mut().reset(self.due);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use tokio::time::sleep;

    use super::*;

    #[tokio::test]
    async fn each_wait_has_its_own_end() {
        let began = timer_now();
        let mut late = Late::new(Duration::from_millis(60));
        sleep(Duration::from_millis(40)).await;
        late.begin();
        poll_fn(|context| if late.poll(context) { Poll::Ready(()) } else { Poll::Pending }).await;
        assert!(began.elapsed() >= Duration::from_millis(100), "{:?}", began.elapsed());
        late.begin();
        let late = poll_fn(|context| Poll::Ready(late.poll(context))).await;
        assert!(!late, "a new wait has just begun");
    }
}
