//! A query in which every selector reaches permitted series only.

use super::Enforcement;

/// Why a query can't be answered under a filter: it does not parse, is too large, or reads what can't be limited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QueryFault(String);

/// Rewrites a whole expression so that its answer is that of a store which holds only permitted series.
///
/// # Errors
/// [`QueryFault`] says what is not possible; the caller's mistake (400).
pub fn rewrite(query: &str, enforcement: &Enforcement) -> Result<String, QueryFault> {
    let _ = (query, enforcement);
    Err(QueryFault("queries under a filter are not supported yet".to_owned()))
}

/// Rewrites one `match[]`: a selector for each conjunction.
///
/// # Errors
/// [`QueryFault`], as [`rewrite`].
pub fn rewrite_selectors(selector: &str, enforcement: &Enforcement) -> Result<Vec<String>, QueryFault> {
    let _ = (selector, enforcement);
    Err(QueryFault("selectors under a filter are not supported yet".to_owned()))
}

/// The selectors of everything that is permitted, for requests without `match[]`.
#[must_use]
pub fn all_selectors(enforcement: &Enforcement) -> Vec<String> {
    let _ = enforcement;
    vec!["{__name__=\"-none-\"}".to_owned()]
}
