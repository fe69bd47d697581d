//! The watch over answers that take long: it cuts them when the key dies, and when nothing moves any more.
//!
//! A body is only asked for more when its reader takes some, so it can't watch itself: a caller that stalls would hold it open.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use super::outgoing::Upload;

/// What an exchange hangs on: the caller's key, token and roles.
pub trait Tether: Send + Sync {
    /// Whether it may go on.
    fn holds(&self) -> bool;

    /// Closes the caller's connection: the exchange may not go on, and the caller does not take what is sent.
    fn cut(&self);
}

/// Why an exchange is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The key, the token or the role ended.
    Dead = 1,
    /// Nothing moved for as long as the gateway allows.
    Idle = 2,
}

/// An exchange that is being watched.
pub(super) struct Watched {
    tether: Arc<dyn Tether>,
    upload: Option<Arc<Upload>>,
    patience: u32,
    still: AtomicU32,
    moved: AtomicBool,
    done: AtomicBool,
    verdict: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

impl Watched {
    /// Something moved.
    pub(super) fn moved(&self) {
        self.moved.store(true, Ordering::Relaxed);
    }

    /// It is over.
    pub(super) fn done(&self) {
        self.done.store(true, Ordering::Relaxed);
    }

    /// The verdict, if it has fallen; otherwise `waker` is woken when it falls.
    pub(super) fn verdict(&self, waker: &Waker) -> Option<Verdict> {
        {
            let mut known = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
            match known.as_mut() {
                Some(known) => known.clone_from(waker),
                None => *known = Some(waker.clone()),
            }
        }
        match self.verdict.load(Ordering::Acquire) {
            1 => Some(Verdict::Dead),
            2 => Some(Verdict::Idle),
            _ => None,
        }
    }

    fn condemn(&self, verdict: Verdict) {
        self.verdict.store(verdict as u8, Ordering::Release);
        if let Some(waker) = self.waker.lock().unwrap_or_else(PoisonError::into_inner).take() {
            waker.wake();
        }
    }

    fn look(&self) {
        if self.verdict.load(Ordering::Acquire) != 0 {
            // It was told a tick ago and is still here: its reader takes nothing.
            self.tether.cut();
        } else if !self.tether.holds() {
            self.condemn(Verdict::Dead);
        } else if self.moved.swap(false, Ordering::Relaxed) || self.upload.as_ref().is_some_and(|upload| upload.moved())
        {
            self.still.store(0, Ordering::Relaxed);
        } else if self.still.fetch_add(1, Ordering::Relaxed) + 1 >= self.patience {
            self.condemn(Verdict::Idle);
        }
    }
}

/// All exchanges that are being watched.
#[derive(Default)]
pub(super) struct Watch(Mutex<Vec<Arc<Watched>>>);

impl Watch {
    /// Watches an exchange; `patience` is in ticks.
    pub(super) fn over(&self, tether: Arc<dyn Tether>, upload: Option<Arc<Upload>>, patience: u32) -> Arc<Watched> {
        let watched = Arc::new(Watched {
            tether,
            upload,
            patience,
            still: AtomicU32::new(0),
            moved: AtomicBool::new(true),
            done: AtomicBool::new(false),
            verdict: AtomicU8::new(0),
            waker: Mutex::new(None),
        });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&watched));
        watched
    }

    /// Looks at each of them.
    pub(super) fn look(&self) {
        let open: Vec<Arc<Watched>> = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|watched| !watched.done.load(Ordering::Relaxed));
            all.clone()
        };
        for watched in open {
            watched.look();
        }
    }
}
