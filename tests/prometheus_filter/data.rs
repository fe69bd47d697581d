//! Series of a small data centre, the same at every run.

use std::collections::BTreeMap;
use std::fmt::Write;

/// The first sample, in seconds: a round two hours, so that all fits in one block.
pub const START: i64 = 1_700_006_400;
/// Seconds between samples.
const STEP: i64 = 15;
/// Samples of each series.
const SAMPLES: i64 = 320;

pub type Labels = BTreeMap<String, String>;

/// Labels, the metric name as `__name__`, and values by time.
pub struct Series {
    pub labels: Labels,
    pub samples: Vec<(i64, f64)>,
}

/// Hosts that differ in department, region, operating system, environment and job; some lack a label.
fn hosts() -> Vec<Labels> {
    let departments = ["fx", "it", "hr", "r&d", ""];
    let regions = ["eu", "us", "", "ap"];
    let systems = ["Linux", "Windows", "AIX"];
    let environments = ["prod", "dev", "pre\nprod", "a|b", "prod"];
    let jobs = ["node", "db", "web"];
    let host = |n: usize| {
        let pairs = [
            ("instance", format!("host-{n}")),
            ("department", departments[n % departments.len()].to_owned()),
            ("region", regions[(n / 2) % regions.len()].to_owned()),
            ("os", systems[(n / 3) % systems.len()].to_owned()),
            ("env", environments[(n / 2) % environments.len()].to_owned()),
            ("job", jobs[n % jobs.len()].to_owned()),
        ];
        let named = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        named.map(|(name, value)| (name.to_owned(), value)).collect()
    };
    (0..24).map(host).collect()
}

/// A number that looks random and is none.
fn noise(a: usize, b: i64) -> f64 {
    let mut hash = (a as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (b as u64).wrapping_mul(0xD1B5_4A32_D192_ED03);
    hash ^= hash >> 31;
    hash = hash.wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^= hash >> 29;
    (hash % 10_000) as f64 / 10_000.0
}

pub fn series() -> Vec<Series> {
    let mut all = Vec::new();
    for (n, host) in hosts().iter().enumerate() {
        let mut add = |name: &str, more: &[(&str, &str)], value: &dyn Fn(i64) -> Option<f64>| {
            let mut labels = host.clone();
            labels.insert("__name__".to_owned(), name.to_owned());
            labels.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            let samples = (0..SAMPLES).filter_map(|at| Some((START + at * STEP, value(at)?))).collect();
            all.push(Series { labels, samples });
        };
        let salt = n * 100;
        add("up", &[], &|at| Some(f64::from(u8::from(noise(salt, at / 20) > 0.1))));
        // Counters that start anew now and then.
        for (m, mode) in ["user", "system", "idle"].iter().enumerate() {
            let slope = 1.0 + noise(salt + m, 0) * 4.0;
            let life = 120 + (n as i64 * 7) % 90;
            add("cpu_seconds_total", &[("mode", mode)], &|at| Some((at % life) as f64 * slope + noise(salt + m, at)));
        }
        add("memory_bytes", &[], &|at| Some((1e9 * (1.0 + noise(salt + 10, at)) + n as f64).round()));
        add("temperature_celsius", &[], &|at| {
            Some(((at as f64 / 20.0 + n as f64).sin() * 30.0 + noise(salt + 11, at)) * 100.0 / 64.0)
        });
        // Gaps longer than the look-back of five minutes.
        add("sparse_value", &[], &|at| ((at / 30 + n as i64) % 3 != 0).then(|| n as f64 + at as f64 / 7.0));
        // Some begin late, some end early.
        add("late_value", &[], &|at| (at > n as i64 * 10).then_some(at as f64 + n as f64));
        add("boot_time_seconds", &[], &|_| Some(1_500_000_000.0 + 86_400.0 * 13.0 * n as f64 + 3_600.0 * n as f64));
        add("build_info", &[("version", ["1.0", "1.1", "2.0"][n % 3])], &|_| Some(1.0));
        add("ratio", &[], &|at| Some((noise(salt + 12, at) - 0.5) * 1.9));
        if n % 2 == 0 {
            add("secret", &[], &|at| Some(40.0 + n as f64 + noise(salt + 13, at)));
            for (m, code) in ["200", "404", "500"].iter().enumerate() {
                let slope = (m + 1) as f64 + noise(salt + 20 + m, 0);
                add("requests_total", &[("code", code), ("handler", "/api")], &|at| Some((at as f64 * slope).floor()));
            }
            let buckets = [("0.1", 1.0), ("0.5", 3.0), ("1", 4.5), ("+Inf", 5.0)];
            for (le, share) in buckets {
                add("latency_seconds_bucket", &[("le", le)], &|at| {
                    Some((at as f64 * share * (1.0 + n as f64 / 50.0)).floor())
                });
            }
            add("latency_seconds_count", &[], &|at| Some((at as f64 * 5.0 * (1.0 + n as f64 / 50.0)).floor()));
            add("latency_seconds_sum", &[], &|at| Some(at as f64 * (1.3 + noise(salt + 30, 0))));
        }
    }
    all
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}

/// In the text format; `scale` is what times are multiplied by: `OpenMetrics` has seconds, others milliseconds.
pub fn text<'a>(series: impl Iterator<Item = &'a Series>, scale: i64) -> String {
    let mut text = String::new();
    for Series { labels, samples } in series {
        let named = labels.iter().filter(|(name, _)| *name != "__name__");
        let pairs: Vec<String> = named.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        for (time, value) in samples {
            let _ = writeln!(text, "{}{{{}}} {value} {}", labels["__name__"], pairs.join(","), time * scale);
        }
    }
    text
}
