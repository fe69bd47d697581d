//! Asking both stores the same, and counting.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use gateway_hub::domain::prometheus::rewrite;

use super::answer::Answer;
use super::api::Api;
use super::data::{START, Series, series};
use super::filters::Filter;
use super::gaps;
use super::generated::generated;
use super::limited::{HubInFront, Limited, Way};
use super::queries::queries;
use super::store::{Kind, Store};
use super::support::Installation;

/// How much is asked.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    generated: usize,
    /// Moments, in seconds from the first sample, for instant queries; each also ends a range.
    moments: &'static [i64],
    /// Each filter is asked one query of so many, another one each: all queries are asked.
    one_of: usize,
}

impl Length {
    /// As the recipe asks.
    pub const LONG: Self = Self { generated: 1500, moments: &[3000, 2400, 4790], one_of: 1 };

    pub fn of_environment() -> Self {
        match std::env::var("PROMETHEUS_DIFFERENTIAL").as_deref() {
            Ok("long") => Self::LONG,
            _ => Self { generated: 60, moments: &[3000], one_of: 1 },
        }
    }

    /// A quarter of that: what is rewritten how was seen before.
    pub const fn through_the_hub(self) -> Self {
        Self { one_of: 4, ..self }
    }
}

/// The unfiltered answers, which are the same for all filters.
type Everything = Mutex<HashMap<(String, String, bool), Answer>>;

#[derive(Default)]
struct Counts {
    asked: AtomicUsize,
    equal: AtomicUsize,
    ties: AtomicUsize,
    gaps: AtomicUsize,
    refused: AtomicUsize,
    errors: AtomicUsize,
    filled: AtomicUsize,
    differs_from_all: AtomicUsize,
    reasons: Mutex<BTreeMap<String, usize>>,
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// When a query is asked.
pub struct Moment {
    at: String,
    start: String,
}

impl Moment {
    pub fn at(seconds: i64) -> Self {
        Self { at: seconds.to_string(), start: (seconds - 1800).to_string() }
    }

    pub fn ask(&self, store: &Api, query: &str, instant: bool) -> Answer {
        let answer = if instant {
            store.ask("/api/v1/query", &[("query", query), ("time", &self.at)])
        } else {
            let range = [("query", query), ("start", self.start.as_str()), ("end", self.at.as_str()), ("step", "60")];
            store.ask("/api/v1/query_range", &range)
        };
        Answer::of(&answer)
    }
}

/// What came of asking.
pub struct Outcome {
    counts: Counts,
    /// What no reason is known for.
    pub wrong: Vec<String>,
}

impl Outcome {
    /// Answers that differ by gaps.
    pub fn gaps(&self) -> usize {
        self.counts.gaps.load(Ordering::Relaxed)
    }
}

/// Asks all, prints what came of it, and demands that enough of it tells something.
pub fn differences(kind: Kind, way: Way, length: Length) {
    let mut asked = queries();
    let fixed = asked.len();
    asked.extend(generated(length.generated));
    let Outcome { counts, wrong } = ask_all(kind, way, length, &asked);
    let number = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let (asked, equal, gaps) = (number(&counts.asked), number(&counts.equal), number(&counts.gaps));
    let (filled, differs) = (number(&counts.filled), number(&counts.differs_from_all));
    let filters = Filter::all().len();
    println!(
        "{kind:?}, {way:?}: {fixed} queries and {} generated, {filters} filters: {asked} answers compared, {equal} equal, of \
         them {} but for ties and {} refused by both; {gaps} but for gaps; {filled} not empty, {differs} unlike the \
         unfiltered answer; {} queries refused by the hub",
        length.generated,
        number(&counts.ties),
        number(&counts.errors),
        number(&counts.refused),
    );
    for (reason, count) in counts.reasons.into_inner().expect("no panic") {
        println!("refused by the hub {count} times: {reason}");
    }
    for found in wrong.iter().take(20) {
        println!("{found}\n");
    }
    assert!(fixed >= 250 && filters >= 6, "{fixed} queries, {filters} filters");
    assert!(wrong.is_empty(), "{} answers differ", wrong.len());
    assert_eq!(equal + gaps, asked);
    assert!(gaps * 500 <= asked, "{gaps} of {asked} differ by gaps");
    assert!(filled * 10 >= asked * 8, "{filled} of {asked} are not empty");
    assert!(differs * 2 >= asked, "{differs} of {asked} are unlike the unfiltered answer");
}

/// Asks these queries under every filter.
pub fn ask_all(kind: Kind, way: Way, length: Length, asked: &[String]) -> Outcome {
    let all = series();
    let filters = Filter::all();
    let full = Store::start(kind, all.iter());
    let installation = Installation::new();
    let hub = (way == Way::Hub).then(|| HubInFront::start(&installation, &full, &filters));
    let counts = Counts::default();
    let wrong = Mutex::new(Vec::new());
    let everything = Everything::default();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(filter) = filters.get(at) else { return };
                    let permitted: Vec<&Series> = all.iter().filter(|own| filter.permits(&own.labels)).collect();
                    println!("{:?}: {} of {} series", filter.texts, permitted.len(), all.len());
                    let part = Store::start(kind, permitted.into_iter());
                    let limited = hub
                        .as_ref()
                        .map_or_else(|| Limited::Rewriting(full.api.clone()), |hub| Limited::Hub(hub.of(at)));
                    let stores = Stores { kind, full: &full.api, part: &part.api, limited, everything: &everything };
                    for query in asked.iter().skip(at % length.one_of).step_by(length.one_of) {
                        for moment in length.moments {
                            let moment = Moment::at(START + moment);
                            for instant in [true, false] {
                                let found = stores.compare(filter, query, &moment, instant, &counts);
                                if let Err(found) = found {
                                    wrong.lock().expect("no panic").push(found);
                                }
                            }
                        }
                    }
                    wrong.lock().expect("no panic").extend(stores.compare_names(filter));
                }
            });
        }
    });
    Outcome { counts, wrong: wrong.into_inner().expect("no panic") }
}

/// The stores of one filter.
struct Stores<'a> {
    kind: Kind,
    full: &'a Api,
    part: &'a Api,
    limited: Limited,
    everything: &'a Everything,
}

impl Stores<'_> {
    fn everything(&self, query: &str, moment: &Moment, instant: bool) -> Answer {
        let key = (query.to_owned(), moment.at.clone(), instant);
        if let Some(known) = self.everything.lock().expect("no panic").get(&key) {
            return known.clone();
        }
        let answer = moment.ask(self.full, query, instant);
        self.everything.lock().expect("no panic").insert(key, answer.clone());
        answer
    }

    fn compare(
        &self,
        filter: &Filter,
        query: &str,
        moment: &Moment,
        instant: bool,
        counts: &Counts,
    ) -> Result<(), String> {
        let wanted = moment.ask(self.part, query, instant);
        let found = match self.limited.ask(filter, query, moment, instant) {
            Ok(answered) => answered,
            Err(fault) => {
                // What the store itself refuses may be refused by the hub.
                let bare_range =
                    query.ends_with(']') && fault.contains("a range selector can only stand in a function");
                let allowed = !filter.all_possible || matches!(wanted, Answer::Refused(_)) || bare_range;
                count(&counts.refused);
                *counts.reasons.lock().expect("no panic").entry(fault.clone()).or_default() += 1;
                return if allowed { Ok(()) } else { Err(format!("{query} is refused: {fault}")) };
            }
        };
        let telling = filter.is_telling();
        if telling {
            count(&counts.asked);
            if found.is_filled() {
                count(&counts.filled);
            }
            if !self.everything(query, moment, instant).equals(&wanted) {
                count(&counts.differs_from_all);
            }
        }
        let equal = found.equals(&wanted);
        let ties = !equal
            && ["topk", "bottomk", "limitk"].iter().any(|own| query.contains(own))
            && found.equals_but_for_ties(&wanted);
        let gaps = !equal && !ties && self.differs_by_gaps(filter, query, moment, instant, &found, &wanted);
        if !(equal || ties || gaps) {
            let way = if instant { "instant" } else { "range" };
            let (found, wanted) = (found.unlike(&wanted), wanted.unlike(&found));
            let (texts, sent) = (filter.texts, rewrite(query, &filter.enforcement));
            return Err(format!("{texts:?}, {way}: {query}\nsent: {sent:?}\nfound: {found}\nwanted: {wanted}"));
        }
        if telling {
            count(if gaps { &counts.gaps } else { &counts.equal });
            if ties {
                count(&counts.ties);
            }
            if matches!(found, Answer::Refused(_)) {
                count(&counts.errors);
            }
        }
        Ok(())
    }

    /// Whether the difference is one that `VictoriaMetrics` makes by itself (`gaps.rs`): a few numbers less, where a query makes
    /// numbers of gaps. What was asked answers the same from permitted series alone, so no other series has a part in it.
    fn differs_by_gaps(
        &self,
        filter: &Filter,
        query: &str,
        moment: &Moment,
        instant: bool,
        found: &Answer,
        wanted: &Answer,
    ) -> bool {
        self.kind == Kind::VictoriaMetrics
            && gaps::makes_numbers_of_gaps(query)
            && found.is_within(wanted)
            && rewrite(query, &filter.enforcement).is_ok_and(|sent| moment.ask(self.part, &sent, instant).equals(found))
    }

    /// Series, label names and label values, with and without `match[]`.
    fn compare_names(&self, filter: &Filter) -> Vec<String> {
        let mut wrong = Vec::new();
        for path in ["series", "labels", "label/department/values", "label/__name__/values", "label/instance/values"] {
            let path = format!("/api/v1/{path}");
            for asked in
                [vec![], vec!["up"], vec!["{job=~\"d.*\"}", "secret"], vec!["{department=\"it\",region!=\"\"}"]]
            {
                let own: Vec<String> = asked.iter().map(|selector| (*selector).to_owned()).collect();
                // Series can't be asked for without a selector.
                let any = vec!["{__name__!=\"\"}".to_owned()];
                let all_series = own.is_empty() && path.ends_with("series");
                let wanted = names(self.part, &path, if all_series { &any } else { &own });
                let found = self.limited.names(filter, &path, &own);
                // `VictoriaMetrics` names this label for selectors of nothing too.
                let of_nothing = wanted.is_empty() && found == ["\"__name__\""];
                if found != wanted && !of_nothing {
                    wrong.push(format!("{:?}: {path} {asked:?}\nfound {found:?}\nwanted {wanted:?}", filter.texts));
                }
            }
        }
        wrong
    }
}

/// What a list endpoint answers, sorted.
pub fn names(store: &Api, path: &str, selectors: &[String]) -> Vec<String> {
    let (start, end) = (START.to_string(), (START + 5000).to_string());
    let mut parameters = vec![("start", start.as_str()), ("end", end.as_str())];
    parameters.extend(selectors.iter().map(|selector| ("match[]", selector.as_str())));
    let answer = store.get(path, &parameters);
    let listed = answer["data"].as_array().unwrap_or_else(|| panic!("{path} {parameters:?}: {answer}"));
    let mut names: Vec<String> = listed.iter().map(ToString::to_string).collect();
    names.sort();
    names
}
