//! The one difference that `VictoriaMetrics` 1.79 makes by itself. Inside of a query it carries series along that have gaps
//! only, no value at all: those of `absent()` where nothing is absent, and those with samples around but not at the moment.
//! `or` and `and` leave them out, other operators keep them, and `sgn` and comparisons with `bool` make a number of each gap.
//! So two queries that mean the same differ, and with them the rewritten query from the original one: it has these numbers
//! less, as Prometheus has. Comparisons were mended later (<https://github.com/VictoriaMetrics/VictoriaMetrics/pull/11100>).

use super::data::{START, series};
use super::difference::{Length, Moment, Outcome, ask_all};
use super::limited::Way;
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

/// All generated queries of the long run whose answers differed by gaps.
const FOUND: [&str; 7] = [
    "sgn(absent(sparse_value{instance=~\"host-.*[0-5]\"} @ start() offset 2m) or ((build_info offset 3m) % -1.5))",
    "(sgn(absent(late_value{os=\"Linux\"}) or (memory_bytes)))",
    "sgn(sum by (department, os) (sparse_value))",
    "label_replace(((cpu_seconds_total offset -1m) > bool on (instance) group_left () (sum by (instance) (sparse_value{department=~\"f.|it\"} @ start() offset 2m))) or  (quantile(0.9, ratio{instance=~\"host-.*[0-5]\"} offset -1m)), \"region\", \"x-$1\", \"instance\", \"(.*)\")",
    "max without () (last_over_time(((memory_bytes @ start() offset 2m) != bool on (department) group_left () (sum by (department) (sparse_value{region=~\"eu|us\",job!=\"web\"} @ end())))[5m:30s] offset 3m))",
    "absent(memory_bytes) or (sgn(min by (job) (sparse_value{department=\"fx\"} @ 1700008500)))",
    "(((boot_time_seconds) != bool on (instance) group_left () (sum by (instance) (sparse_value{}))) > bool on (instance) group_left () (sum by (instance) ((boot_time_seconds{region=\"\"}))))",
];

/// Under filters these answers have a few numbers less, and never one that the permitted series alone would not give.
#[test]
fn sec_25_numbers_of_gaps_come_from_permitted_series_alone() {
    let queries = FOUND.map(str::to_owned);
    let Outcome { wrong, .. } = ask_all(Kind::Prometheus, Way::Rewriting, Length::LONG, &queries);
    assert!(wrong.is_empty(), "{wrong:?}");
    let outcome = ask_all(Kind::VictoriaMetrics, Way::Rewriting, Length::LONG, &queries);
    assert!(outcome.wrong.is_empty(), "{:?}", outcome.wrong);
    println!("{} answers differ by gaps", outcome.gaps());
    assert!(outcome.gaps() > 50);
}

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
