//! Answers of the query API, as far as they can be compared.

use std::collections::BTreeMap;

use serde_json::Value;

/// Adding in another order rounds in another way.
const TOLERANCE: f64 = 1e-9;

/// What a store said to a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It refused.
    Refused(String),
    /// Values by time for each series, which are named by their labels.
    Series(BTreeMap<String, Vec<(String, f64)>>),
}

impl Answer {
    /// Times are kept as text; a scalar is a series without labels.
    pub fn of(answer: &Value) -> Self {
        if answer["status"] != "success" {
            return Self::Refused(answer["error"].as_str().unwrap_or_default().to_owned());
        }
        let data = &answer["data"];
        let point = |point: &Value| (point[0].to_string(), value(&point[1]));
        let mut series: BTreeMap<String, Vec<(String, f64)>> = BTreeMap::new();
        match data["resultType"].as_str() {
            Some("scalar" | "string") => {
                series.insert(String::new(), vec![point(&data["result"])]);
            }
            _ => {
                for own in data["result"].as_array().into_iter().flatten() {
                    let points = match own.get("values") {
                        Some(values) => values.as_array().into_iter().flatten().map(point).collect(),
                        None => vec![point(&own["value"])],
                    };
                    series.entry(own["metric"].to_string()).or_default().extend(points);
                }
            }
        }
        Self::Series(series)
    }

    pub fn is_filled(&self) -> bool {
        matches!(self, Self::Series(series) if !series.is_empty())
    }

    /// What is not in the other, in short.
    pub fn unlike(&self, other: &Self) -> String {
        let text = match (self, other) {
            (Self::Series(own), Self::Series(more)) => {
                let differing = own.iter().filter(|(name, values)| more.get(*name) != Some(values));
                format!("{} series, {:?}", own.len(), differing.collect::<Vec<_>>())
            }
            _ => format!("{self:?}"),
        };
        text.chars().take(300).collect()
    }

    /// Both refused, or the same values for the same series at the same times.
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Refused(_), Self::Refused(_)) => true,
            (Self::Series(own), Self::Series(more)) => {
                own.len() == more.len()
                    && own.iter().zip(more).all(|((name, values), (other, more))| {
                        name == other
                            && values.len() == more.len()
                            && values.iter().zip(more).all(|(own, more)| own.0 == more.0 && close(own.1, more.1))
                    })
            }
            _ => false,
        }
    }

    /// Whether everything in it is in the other one too.
    pub fn is_within(&self, other: &Self) -> bool {
        let (Self::Series(own), Self::Series(more)) = (self, other) else { return false };
        own.iter().all(|(name, values)| {
            more.get(name).is_some_and(|more| {
                values.iter().all(|own| more.iter().any(|more| own.0 == more.0 && close(own.1, more.1)))
            })
        })
    }

    /// The same values at the same times, whatever the series: what holds when several series tie for a place.
    pub fn equals_but_for_ties(&self, other: &Self) -> bool {
        let (Self::Series(own), Self::Series(more)) = (self, other) else { return false };
        let sorted = |series: &BTreeMap<String, Vec<(String, f64)>>| {
            let mut points: Vec<(String, f64)> = series.values().flatten().cloned().collect();
            points.sort_by(|left, right| left.0.cmp(&right.0).then(left.1.total_cmp(&right.1)));
            points
        };
        let (own, more) = (sorted(own), sorted(more));
        own.len() == more.len() && own.iter().zip(&more).all(|(own, more)| own.0 == more.0 && close(own.1, more.1))
    }
}

fn value(text: &Value) -> f64 {
    match text.as_str() {
        Some("+Inf") => f64::INFINITY,
        Some("-Inf") => f64::NEG_INFINITY,
        Some(number) => number.parse().unwrap_or(f64::NAN),
        None => text.as_f64().unwrap_or(f64::NAN),
    }
}

fn close(own: f64, other: f64) -> bool {
    own == other
        || own.is_nan() && other.is_nan()
        || (own - other).abs() <= TOLERANCE * own.abs().max(other.abs()).max(1.0)
}
