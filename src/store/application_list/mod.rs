//! The list of applications as people search it: by the beginning of a name or `client_id`, by role, by standing, in
//! several orders, a page at a time.
//!
//! However many applications there are, a page costs a bounded amount of work. If one of the filters selects few
//! applications, these are read through its index and sorted. Otherwise the list is walked in its order, where what
//! the filters select is met often, and no further than [`WINDOW`] applications at a time.

mod asked;
mod bound;

use super::{StoreError, Tx};
use crate::domain::application::{Application, ClientId, StoredSecret};
use crate::domain::role::RoleId;
use crate::domain::time::Timestamp;
use asked::Asked;
pub(super) use bound::complete;
use std::time::Duration;

/// Up to so many applications are sorted for a page.
const FEW: i64 = 5_000;
/// So many applications are looked at for a page, in their order.
const WINDOW: i64 = 10_000;
/// What expires within this time counts as expiring.
pub const SOON: Duration = Duration::from_hours(30 * 24);

/// By what the list is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By name, case-folded.
    #[default]
    Name,
    /// By the instant of creation.
    Created,
    /// By the last use; what was never used comes first.
    LastUsed,
}

/// How an application stands, as a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its key works now; overlaps and keys that expire some day are among these.
    Active,
    /// Its key works, and so does the one before it.
    Overlap,
    /// Its key works, and expires within [`SOON`].
    Expiring,
    /// Its expiry has passed.
    Expired,
    /// Switched off.
    Disabled,
}

/// A place between two applications of the list, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Whether the page ends here rather than begins.
    pub backwards: bool,
    /// The neighbour's value of the order: a name key, or microseconds.
    pub value: String,
    /// The neighbour's `client_id`.
    pub client_id: ClientId,
}

/// What is asked of the list.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// The beginning of a name or a `client_id`, as typed; empty for all.
    pub words: String,
    /// Only applications that have this role.
    pub role: Option<RoleId>,
    /// Only applications that stand so.
    pub standing: Option<Standing>,
    /// By what it is ordered.
    pub order: Order,
    /// Last ones first.
    pub descending: bool,
    /// Where the page begins, or ends; `None` for the first page.
    pub from: Option<Position>,
}

/// An application of the list.
#[derive(Clone, Debug)]
pub struct Item {
    /// It, with its roles and secrets.
    pub application: Application,
    /// When it was last used, to the minute; `None` for never.
    pub last_used_at: Option<Timestamp>,
    /// The older secret of a running overlap.
    pub overlap: Option<Overlap>,
}

/// An overlap that is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// When it ends by itself.
    pub ends_at: Timestamp,
    /// When the older secret was last used, to the minute; `None` for never.
    pub last_used_at: Option<Timestamp>,
}

/// A page of the list.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Its applications.
    pub items: Vec<Item>,
    /// Where the page before it ends; `None` on the first one.
    pub previous: Option<Position>,
    /// Where the page after it begins; `None` on the last one.
    pub next: Option<Position>,
    /// The page is not full because the filters select few of the many applications looked at; more may follow.
    pub partial: bool,
}

/// A page of at most `limit` applications. Applications that stay as they are while somebody turns pages are never left
/// out and never shown twice (by last use: that are not used meanwhile).
///
/// # Errors
/// [`StoreError`].
pub async fn page(tx: &mut Tx, search: &Search, limit: usize, now: Timestamp) -> Result<Page, StoreError> {
    let page = turn(tx, search, limit, now).await?;
    if search.from.as_ref().is_some_and(|from| from.backwards) && page.previous.is_none() && !page.partial {
        // The beginning: a full page from there.
        return turn(tx, &Search { from: None, ..search.clone() }, limit, now).await;
    }
    Ok(page)
}

async fn turn(tx: &mut Tx, search: &Search, limit: usize, now: Timestamp) -> Result<Page, StoreError> {
    let asked = Asked::new(search, now);
    let (mut rows, end) = match asked.few(tx).await? {
        Some(source) => (asked.sorted(tx, source, limit).await?, None),
        None => asked.walked(tx, limit).await?,
    };
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last_uses: Vec<Option<i64>> = rows.iter().map(|row| row.last_used_at).collect();
    let applications = complete(tx, rows.into_iter().map(|row| row.row).collect()).await?;
    let old_secrets: Vec<Option<StoredSecret>> = applications.iter().map(|one| one.old_secret(now).cloned()).collect();
    let old_uses = bound::last_uses(tx, old_secrets.iter().flatten().map(|secret| secret.id)).await?;
    let overlap = |secret: StoredSecret| {
        Some(Overlap { ends_at: secret.ends_at?, last_used_at: old_uses.get(&secret.id).copied() })
    };
    let mut items: Vec<Item> = applications
        .into_iter()
        .zip(last_uses)
        .zip(old_secrets)
        .map(|((application, at), old)| Item {
            application,
            last_used_at: at.map(Timestamp::from_micros),
            overlap: old.and_then(overlap),
        })
        .collect();
    let partial = !more && end.is_some();
    let backwards = asked.backwards();
    let place = |item: &Item, backwards: bool| Position {
        backwards,
        value: match search.order {
            Order::Name => item.application.name.key(),
            Order::Created => item.application.created_at.micros().to_string(),
            Order::LastUsed => item.last_used_at.map_or(0, Timestamp::micros).to_string(),
        },
        client_id: item.application.client_id.clone(),
    };
    // In the direction of turning: beyond the last one that is shown, or beyond all that was looked at.
    let beyond = match end {
        Some(end) if partial => Some(end),
        _ => items.last().filter(|_| more).map(|last| place(last, backwards)),
    };
    // And back where it came from.
    let back = search.from.as_ref().map(|from| match items.first() {
        Some(first) => place(first, !backwards),
        None => Position { backwards: !backwards, ..from.clone() },
    });
    if backwards {
        items.reverse();
    }
    let (previous, next) = if backwards { (beyond, back) } else { (back, beyond) };
    Ok(Page { items, previous, next, partial })
}
