//! Remote write, version 1: every series is looked at, and the message is made anew from what was read.

use bytes::Bytes;
use prost::Message as _;

use super::fault::RequestFault;
use super::wire::{self, Fields, Label, Malformed};
use super::{Enforcement, LabelName};

/// The most bytes of a compressed message.
pub(super) const MOST_BODY_BYTES: usize = 16 * 1024 * 1024;
/// The most bytes of a message: four times what vmagent sends at once by default, a hundred times what Prometheus sends.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// The most bytes of one series: in memory it takes up to fifty times as much.
const MOST_SERIES_BYTES: usize = 1024 * 1024;

const TIME_SERIES: u64 = 1;
const METADATA: u64 = 3;

/// Labels that choose the tenant where VictoriaMetrics takes writes for all of them: the gateway's to set.
const TENANT_LABELS: [&str; 2] = ["vm_account_id", "vm_project_id"];

#[derive(Clone, PartialEq, prost::Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
    #[prost(message, repeated, tag = "3")]
    exemplars: Vec<Exemplar>,
    /// Numbers only, in many shapes: carried as they are.
    #[prost(bytes = "bytes", repeated, tag = "4")]
    histograms: Vec<Bytes>,
}

/// The value is a double; its bits are carried, so that stale markers and negative zeros stay what they are.
#[derive(Clone, PartialEq, prost::Message)]
struct Sample {
    #[prost(fixed64, tag = "1")]
    value: u64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Exemplar {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(fixed64, tag = "2")]
    value: u64,
    #[prost(int64, tag = "3")]
    timestamp: i64,
}

/// Opens a message, checks every series, and closes what was read into a new one. Under a filter metadata is left out: it
/// belongs to metric names, whatever the labels.
///
/// # Errors
/// [`RequestFault::Outside`] names the first series that the filter does not permit; others what can't be read.
pub(super) fn checked(body: &[u8], enforcement: Option<&Enforcement>) -> Result<Bytes, RequestFault> {
    let message = wire::open(body, MOST_BYTES)?;
    let mut made = Vec::with_capacity(message.len());
    for field in Fields(&message) {
        match field? {
            (TIME_SERIES, Some(content)) => {
                let mut series = read(content)?;
                check(&mut series, enforcement)?;
                wire::put(1, &series.encode_to_vec(), &mut made);
            }
            (METADATA, Some(content)) if enforcement.is_none() => wire::put(3, content, &mut made),
            (TIME_SERIES, None) => return Err(Malformed.into()),
            _ => {}
        }
    }
    wire::close(&made)
}

fn read(content: &[u8]) -> Result<TimeSeries, RequestFault> {
    if content.len() > MOST_SERIES_BYTES {
        return Err(RequestFault::TooLarge(format!("one series has at most {MOST_SERIES_BYTES} bytes in a message")));
    }
    Ok(TimeSeries::decode(content).map_err(Malformed::from)?)
}

/// Sorts the labels and checks that they say one thing only.
fn check(series: &mut TimeSeries, enforcement: Option<&Enforcement>) -> Result<(), RequestFault> {
    let wrong = |labels: &[Label], what: &str| {
        Err(RequestFault::Malformed(format!("the series {} {what}; nothing was written", wire::text(labels))))
    };
    let labels = &mut series.labels;
    labels.sort();
    // Before labels without a value go: which of two counts would be the upstream's choice.
    if labels.windows(2).any(|pair| pair[0].name == pair[1].name) {
        return wrong(labels, "has a label twice");
    }
    labels.retain(|label| !label.value.is_empty());
    if labels.iter().any(|label| label.name.is_empty()) {
        return wrong(labels, "has a label without a name");
    }
    if wire::value(labels, LabelName::METRIC_NAME).is_none() {
        return wrong(labels, "has no metric name");
    }
    let Some(enforcement) = enforcement else { return Ok(()) };
    // Upstreams may turn other characters into underscores, and so one label into another after this check.
    if !labels.iter().all(|label| LabelName::parse(&label.name).is_ok() && is_plain_metric(label)) {
        return wrong(labels, "has a name with other characters than letters, digits and _");
    }
    if labels.iter().any(|label| TENANT_LABELS.contains(&label.name.as_str())) {
        return wrong(labels, "has a label that would choose a tenant");
    }
    if !enforcement.permits(&|name| wire::value(labels, name)) {
        return Err(RequestFault::Outside { series: wire::text(labels) });
    }
    Ok(())
}

/// Metric names may have colons besides.
fn is_plain_metric(label: &Label) -> bool {
    label.name != LabelName::METRIC_NAME || LabelName::parse(&label.value.replace(':', "_")).is_ok()
}

#[cfg(test)]
mod tests;
