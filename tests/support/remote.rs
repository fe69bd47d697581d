//! Messages of Prometheus' remote write and remote read, as a client makes them.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub series: Vec<Series>,
    #[prost(message, repeated, tag = "3")]
    pub metadata: Vec<Metadata>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Series {
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Sample>,
    #[prost(message, repeated, tag = "3")]
    pub exemplars: Vec<Exemplar>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct Label {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Sample {
    #[prost(double, tag = "1")]
    pub value: f64,
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
}

#[derive(Clone, PartialEq, Message)]
pub struct Exemplar {
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<Label>,
    #[prost(double, tag = "2")]
    pub value: f64,
    #[prost(int64, tag = "3")]
    pub timestamp: i64,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct Metadata {
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(string, tag = "2")]
    pub family: String,
    #[prost(string, tag = "4")]
    pub help: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct ReadRequest {
    #[prost(message, repeated, tag = "1")]
    pub queries: Vec<ReadQuery>,
    #[prost(int32, repeated, tag = "2")]
    pub accepted: Vec<i32>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct ReadQuery {
    #[prost(int64, tag = "1")]
    pub start: i64,
    #[prost(int64, tag = "2")]
    pub end: i64,
    #[prost(message, repeated, tag = "3")]
    pub matchers: Vec<Matcher>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct Matcher {
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub value: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct ReadResponse {
    #[prost(message, repeated, tag = "1")]
    pub results: Vec<ReadResult>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ReadResult {
    #[prost(message, repeated, tag = "1")]
    pub series: Vec<Series>,
}

/// A series as it is written in `PromQL`, such as `up{team="a"}`, with one sample.
#[track_caller]
pub fn series(text: &str, value: f64, timestamp: i64) -> Series {
    let (name, rest) = text.split_once('{').unwrap_or((text, "}"));
    let label = |name: &str, value: &str| Label { name: name.to_owned(), value: value.to_owned() };
    let mut labels = vec![label("__name__", name)];
    for pair in rest.trim_end_matches('}').split(',').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').expect("name=\"value\"");
        labels.push(label(name.trim(), value.trim().trim_matches('"')));
    }
    labels.sort_by(|left, right| left.name.cmp(&right.name));
    Series { labels, samples: vec![Sample { value, timestamp }], exemplars: Vec::new() }
}

/// The text of a series, as [`series`] reads it.
pub fn text(series: &Series) -> String {
    let name = series.labels.iter().find(|label| label.name == "__name__").map_or("", |label| &label.value);
    let rest = series.labels.iter().filter(|label| label.name != "__name__");
    let rest: Vec<String> = rest.map(|Label { name, value }| format!("{name}={value:?}")).collect();
    format!("{name}{{{}}}", rest.join(","))
}

/// A message as it is sent.
pub fn block(message: &impl Message) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(&message.encode_to_vec()).expect("a block")
}

/// A message as it came.
#[track_caller]
pub fn opened<M: Message + Default>(block: &[u8]) -> M {
    M::decode(&*snap::raw::Decoder::new().decompress_vec(block).expect("a block")).expect("a message")
}
