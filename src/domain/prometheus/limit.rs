//! What a permit leaves of a gateway's series, with the work that can be remembered: compiled filters and rewritten queries.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::Equivalent;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::{Enforcement, LabelMap, QueryFault, Unenforceable, rewrite};
use crate::domain::access::{Permit, Reach};
use crate::domain::data_filter::DataFilter;

/// How many compiled filters are remembered.
const COMPILED: usize = 1_024;
/// Bytes of queries, as asked and as rewritten, that are remembered.
const QUERY_BYTES: u64 = 8 * 1024 * 1024;
/// About how many queries these are.
const QUERIES: usize = 8_192;

/// What may be done with a gateway's series: made from a permit only.
#[derive(Clone, Debug)]
pub struct Limit {
    permit: Permit,
    filter: Option<Arc<Filter>>,
}

/// A compiled filter with a number of its own, by which rewritten queries are remembered.
#[derive(Debug)]
pub(super) struct Filter {
    number: u64,
    pub(super) enforcement: Enforcement,
}

impl Limit {
    /// The permit that it was made from.
    #[must_use]
    pub const fn permit(&self) -> &Permit {
        &self.permit
    }

    /// Whether there is a filter.
    #[must_use]
    pub const fn is_filtered(&self) -> bool {
        self.filter.is_some()
    }

    pub(super) const fn filter(&self) -> Option<&Arc<Filter>> {
        self.filter.as_ref()
    }
}

/// A version of a gateway, and so its label map, with filters.
type FilterKey = (u64, Vec<Arc<DataFilter>>);

/// Remembers compiled filters and rewritten queries, within bounds. One serves all gateways.
pub struct Memory {
    next: AtomicU64,
    compiled: Cache<FilterKey, Arc<Filter>>,
    queries: Cache<QueryKey, Arc<str>, QueryWeight>,
}

impl Memory {
    /// Nothing remembered yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            next: AtomicU64::new(0),
            compiled: Cache::new(COMPILED),
            queries: Cache::with_weighter(QUERIES, QUERY_BYTES, QueryWeight),
        }
    }

    /// What a permit leaves of the series of a gateway with this label map. `version` is a number that no other label map
    /// ever has, so that the map need not be compared.
    ///
    /// # Errors
    /// [`Unenforceable`], if matchers can't say one of the filters.
    pub fn limit(&self, permit: &Permit, version: u64, labels: &LabelMap) -> Result<Limit, Unenforceable> {
        let filter = match permit.reach() {
            Reach::All => None,
            Reach::Filtered(filters) => Some(self.compiled(version, labels, filters)?),
        };
        Ok(Limit { permit: permit.clone(), filter })
    }

    fn compiled(
        &self,
        version: u64,
        labels: &LabelMap,
        filters: &[Arc<DataFilter>],
    ) -> Result<Arc<Filter>, Unenforceable> {
        let key = (version, filters.to_vec());
        if let Some(known) = self.compiled.get(&key) {
            return Ok(known);
        }
        let enforcement = Enforcement::compile(filters, labels)?;
        // A number is never given twice, so that a filter which was forgotten and compiled again starts anew.
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let filter = Arc::new(Filter { number, enforcement });
        self.compiled.insert(key, Arc::clone(&filter));
        Ok(filter)
    }

    /// The query rewritten for this filter.
    ///
    /// # Errors
    /// [`QueryFault`]. A fault is not remembered.
    pub(super) fn rewritten(&self, query: &str, filter: &Filter) -> Result<Arc<str>, QueryFault> {
        if let Some(known) = self.queries.get(&Asked { filter: filter.number, query }) {
            return Ok(known);
        }
        let rewritten: Arc<str> = rewrite(query, &filter.enforcement)?.into();
        self.queries.insert(QueryKey { filter: filter.number, query: query.into() }, Arc::clone(&rewritten));
        Ok(rewritten)
    }

    /// How many queries are remembered.
    #[must_use]
    pub fn queries(&self) -> usize {
        self.queries.len()
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} filters, {} queries)", self.compiled.len(), self.queries.len())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct QueryKey {
    filter: u64,
    query: Box<str>,
}

/// A key that needs no copy of the query.
struct Asked<'a> {
    filter: u64,
    query: &'a str,
}

impl Hash for QueryKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.filter, &*self.query).hash(state);
    }
}

impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.filter, self.query).hash(state);
    }
}

impl Equivalent<QueryKey> for Asked<'_> {
    fn equivalent(&self, key: &QueryKey) -> bool {
        (self.filter, self.query) == (key.filter, &*key.query)
    }
}

#[derive(Clone, Copy, Debug)]
struct QueryWeight;

impl Weighter<QueryKey, Arc<str>> for QueryWeight {
    fn weight(&self, key: &QueryKey, value: &Arc<str>) -> u64 {
        // What an entry takes beside its texts, about.
        const OWN: usize = 100;
        (key.query.len() + value.len() + OWN) as u64
    }
}
