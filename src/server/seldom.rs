//! A future that is polled only when it was itself woken: for what seldom happens beside something that is polled often.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// Wraps a future. What was polled beside it costs one look at a flag.
pub(super) struct Seldom<F> {
    future: Pin<Box<F>>,
    bell: Arc<Bell>,
    /// The same as a waker, and whose task it wakes.
    ring: Waker,
    task: Option<Waker>,
}

struct Bell {
    rung: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.task.wake();
    }
}

impl<F: Future> Seldom<F> {
    pub(super) fn new(future: F) -> Self {
        let bell = Arc::new(Bell { rung: AtomicBool::new(true), task: AtomicWaker::new() });
        Self { future: Box::pin(future), ring: Waker::from(Arc::clone(&bell)), bell, task: None }
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<F::Output> {
        if !self.task.as_ref().is_some_and(|task| task.will_wake(context.waker())) {
            self.bell.task.register(context.waker());
            self.task = Some(context.waker().clone());
        }
        if !self.bell.rung.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        self.bell.rung.store(false, Ordering::Release);
        self.future.as_mut().poll(&mut Context::from_waker(&self.ring))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::AtomicU32;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn it_is_polled_when_it_was_woken_and_not_otherwise() {
        let (notify, polls) = (Arc::new(Notify::new()), AtomicU32::new(0));
        let mut waits = {
            let notify = Arc::clone(&notify);
            Box::pin(async move { notify.notified().await })
        };
        let mut seldom = Seldom::new(poll_fn(|context| {
            polls.fetch_add(1, Ordering::Relaxed);
            waits.as_mut().poll(context)
        }));
        let idle = &mut Context::from_waker(Waker::noop());
        for _ in 0..5 {
            assert!(seldom.poll(idle).is_pending());
        }
        assert_eq!(polls.load(Ordering::Relaxed), 1);
        tokio::spawn(async move { notify.notify_one() });
        // On another task than before: that one is woken.
        poll_fn(|context| seldom.poll(context)).await;
        assert_eq!(polls.load(Ordering::Relaxed), 2);
    }
}
