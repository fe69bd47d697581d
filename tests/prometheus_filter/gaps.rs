//! The one difference that `VictoriaMetrics` 1.79 makes by itself. Inside of a query it carries series along that have gaps
//! only, no value at all: those of `absent()` where nothing is absent, and those with samples around but not at the moment.
//! `or` and `and` leave them out, other operators keep them, and `sgn` and comparisons with `bool` make a number of each gap.
//! So two queries that mean the same differ, and with them the rewritten query from the original one: it has these numbers
//! less, as Prometheus has. Comparisons were mended later (<https://github.com/VictoriaMetrics/VictoriaMetrics/pull/11100>).

use super::data::{START, series};
use super::difference::Moment;
use super::store::{Kind, Store};

/// Whether the query makes numbers of gaps.
pub fn makes_numbers_of_gaps(query: &str) -> bool {
    query.contains("sgn(") || query.contains(" bool ")
}

/// Queries, and others that mean the same: no filter is involved.
const PAIRS: [(&str, &str); 3] = [
    ("sgn(absent(up))", "sgn(absent(up) and absent(up))"),
    ("sgn(sum by (department, os) (sparse_value))", "sgn(sum by (department, os) ((sparse_value or sparse_value)))"),
    (
        "up != bool on (instance) group_left () (sum by (instance) (sparse_value))",
        "up != bool on (instance) group_left () (sum by (instance) ((sparse_value or sparse_value)))",
    ),
];

#[test]
fn victoriametrics_makes_numbers_of_gaps_without_any_filter() {
    let all = series();
    let stores = [Kind::Prometheus, Kind::VictoriaMetrics].map(|kind| Store::start(kind, all.iter()));
    for (query, same) in PAIRS {
        let moment = Moment::at(START + 3000);
        let [[wanted, wanted_of_same], [found, found_of_same]] =
            stores.each_ref().map(|store| [query, same].map(|query| moment.ask(&store.api, query, true)));
        assert!(wanted.equals(&wanted_of_same), "{query}: {}", wanted.unlike(&wanted_of_same));
        assert!(found_of_same.is_within(&found) && !found.equals(&found_of_same), "{query}: {found:?}");
        assert!(makes_numbers_of_gaps(query));
    }
}
