//! Queries over all functions, aggregations, modifiers, subqueries, joins and set operators.

/// Functions of an instant vector that say something about these values.
const PLAIN: [(&str, &str); 31] = [
    ("abs", "temperature_celsius"),
    ("acos", "ratio"),
    ("acosh", "memory_bytes"),
    ("asin", "ratio"),
    ("asinh", "temperature_celsius"),
    ("atan", "temperature_celsius"),
    ("atanh", "ratio"),
    ("ceil", "temperature_celsius"),
    ("cos", "temperature_celsius"),
    ("cosh", "ratio"),
    ("day_of_month", "boot_time_seconds"),
    ("day_of_week", "boot_time_seconds"),
    ("day_of_year", "boot_time_seconds"),
    ("days_in_month", "boot_time_seconds"),
    ("deg", "ratio"),
    ("exp", "ratio"),
    ("floor", "temperature_celsius"),
    ("hour", "boot_time_seconds"),
    ("ln", "memory_bytes"),
    ("log10", "memory_bytes"),
    ("log2", "memory_bytes"),
    ("minute", "boot_time_seconds"),
    ("month", "boot_time_seconds"),
    ("rad", "temperature_celsius"),
    ("round", "temperature_celsius"),
    ("sgn", "temperature_celsius"),
    ("sin", "temperature_celsius"),
    ("sinh", "ratio"),
    ("sqrt", "memory_bytes"),
    ("tanh", "ratio"),
    ("year", "boot_time_seconds"),
];

/// Functions of a range vector.
const RANGED: [(&str, &str); 17] = [
    ("avg_over_time", "temperature_celsius"),
    ("changes", "up"),
    ("count_over_time", "sparse_value"),
    ("delta", "temperature_celsius"),
    ("deriv", "temperature_celsius"),
    ("idelta", "temperature_celsius"),
    ("increase", "cpu_seconds_total"),
    ("irate", "cpu_seconds_total"),
    ("last_over_time", "late_value"),
    ("max_over_time", "memory_bytes"),
    ("min_over_time", "memory_bytes"),
    ("present_over_time", "sparse_value"),
    ("rate", "requests_total"),
    ("resets", "cpu_seconds_total"),
    ("stddev_over_time", "ratio"),
    ("stdvar_over_time", "ratio"),
    ("sum_over_time", "up"),
];

const AGGREGATIONS: [&str; 8] = ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"];

pub fn queries() -> Vec<String> {
    let mut all: Vec<String> = EACH.iter().map(|query| (*query).to_owned()).collect();
    for (name, metric) in PLAIN {
        all.push(format!("{name}({metric})"));
    }
    for (name, metric) in RANGED {
        all.push(format!("{name}({metric}[5m])"));
        all.push(format!("{name}({metric}[10m:1m])"));
        all.push(format!("sum by (department) ({name}(({metric}[7m] offset 3m)))"));
    }
    for name in AGGREGATIONS {
        all.push(format!("{name}(memory_bytes)"));
        all.push(format!("{name} by (department, region) (temperature_celsius)"));
        all.push(format!("{name} without (instance, env) (late_value)"));
        all.push(format!("{name}(rate(cpu_seconds_total{{mode!=\"idle\"}}[5m])) by (mode)"));
    }
    for operator in
        ["+", "-", "*", "/", "%", "^", "atan2", "==", "!=", ">", "<", ">=", "<=", "> bool", "== bool", "< bool"]
    {
        all.push(format!("temperature_celsius {operator} ratio"));
        all.push(format!("temperature_celsius {operator} 3"));
    }
    for operator in ["and", "or", "unless"] {
        all.push(format!("up {operator} secret"));
        all.push(format!("up {operator} on (instance) (secret > 45)"));
        all.push(format!("memory_bytes {operator} ignoring (mode, code) temperature_celsius"));
        all.push(format!("requests_total {operator} on (job, department) late_value"));
    }
    all
}

const EACH: &[&str] = &[
    // Selectors.
    "up",
    "up{}",
    "{__name__=\"up\"}",
    "{__name__=~\"up|secret\"}",
    "{job=\"node\"}",
    "{instance=~\"host-1.*\",__name__!~\"cpu.*|latency.*\"}",
    "up{department=\"fx\"}",
    "up{department=\"it\"}",
    "up{department=~\".*\"}",
    "up{department!=\"fx\"}",
    "up{department=\"\"}",
    "up{region=\"\"}",
    "up{region!=\"\"}",
    "up{region=~\"eu|us\"}",
    "up{region!~\"eu|\"}",
    "up{env=\"pre\\nprod\"}",
    "up{env=~\"pre.prod\"}",
    "up{env=`a|b`}",
    "up{env!~\"a.b\"}",
    "up{department=\"fx\",region=\"eu\"}",
    "up{nothing=\"there\"}",
    "secret",
    "sparse_value",
    "late_value > 100",
    // Time.
    "up offset 5m",
    "up offset -5m",
    "up @ 1700008000",
    "memory_bytes @ start()",
    "memory_bytes @ end() offset 10m",
    "memory_bytes offset 10m @ end()",
    "up @ -100",
    "rate(cpu_seconds_total[5m] offset 10m)",
    "rate(cpu_seconds_total[5m] @ end())",
    "rate(cpu_seconds_total[5m] offset -2m)",
    "sum_over_time(up[1h])",
    "sum_over_time(up[30m:2m] offset 5m)",
    "max_over_time(rate(requests_total[5m])[20m:1m])",
    "max_over_time((temperature_celsius - ratio)[20m:1m] @ end())",
    "avg_over_time(sum by (department) (memory_bytes)[15m:3m])",
    "last_over_time(timestamp(late_value)[10m:1m])",
    "min_over_time(min_over_time(memory_bytes[10m:1m])[10m:2m])",
    "count_over_time((up == 1)[20m:30s])",
    "deriv(max_over_time(temperature_celsius[5m])[20m:1m])",
    "absent_over_time(secret{department=\"it\"}[20m:1m])",
    // Ranges with parameters.
    "quantile_over_time(0.9, memory_bytes[10m])",
    "quantile_over_time(scalar(sum(up)) / 100, memory_bytes[10m])",
    "quantile_over_time(0.5, memory_bytes[10m:1m])",
    "predict_linear(temperature_celsius[10m], 600)",
    "predict_linear(temperature_celsius[10m], scalar(sum(up)))",
    "holt_winters(temperature_celsius[10m], 0.5, 0.4)",
    "holt_winters(temperature_celsius[10m:1m], 0.5, 0.4)",
    // Absence.
    "absent(up)",
    "absent(nothing_there)",
    "absent(nothing_there{department=\"fx\"})",
    "absent(nothing_there{department=\"it\",region=\"eu\",mode=\"x\"})",
    "absent(up{department=\"it\"})",
    "absent(up{department=\"fx\"})",
    "absent(up{region=\"eu\"})",
    "absent(up{region=\"us\",job=\"db\"})",
    "absent(secret{job=\"node\",department=\"hr\"})",
    "absent(up{department=\"fx\",department=\"it\"})",
    "absent(up{department=\"fx\",department=~\"f.*\"})",
    "absent(up{department=~\"fx\"})",
    "absent(up{department!=\"\",os=\"AIX\",region=\"eu\"})",
    "absent({__name__=\"up\",job=\"web\",env=\"dev\"})",
    "absent(sum(up{department=\"it\"}))",
    "absent((up{department=\"it\"}))",
    "absent(-up{department=\"it\"})",
    "absent(up{department=\"it\"} offset 5m)",
    "absent(sparse_value{instance=\"host-3\"})",
    "absent_over_time(up{department=\"it\"}[5m])",
    "absent_over_time(up{department=\"hr\",region=\"ap\"}[5m])",
    "absent_over_time(nothing_there{job=\"db\"}[5m])",
    "absent_over_time(sparse_value{instance=\"host-4\"}[2m])",
    "absent(absent(up{department=\"it\"}))",
    "sum(absent(up{department=\"r&d\"})) or vector(0)",
    // Sample times.
    "timestamp(up)",
    "timestamp(sparse_value)",
    "timestamp((late_value))",
    "timestamp(late_value offset 5m)",
    "timestamp(up @ 1700008007)",
    "timestamp(-late_value)",
    "timestamp(timestamp(late_value))",
    "time() - timestamp(sparse_value)",
    "timestamp(up and secret)",
    // Parameters of aggregations.
    "topk(3, memory_bytes)",
    "bottomk(2, memory_bytes) by (department)",
    "topk by (region) (1, temperature_celsius)",
    "topk(scalar(sum(up)) / 4, memory_bytes)",
    "topk(scalar(count(secret)), memory_bytes)",
    "bottomk(scalar(min(temperature_celsius)) + 40, memory_bytes)",
    "topk(2, up)",
    "quantile(0.9, memory_bytes)",
    "quantile by (job) (0.25, temperature_celsius)",
    "quantile(scalar(max(secret)) / 100, memory_bytes)",
    "quantile(scalar(secret) / 100, memory_bytes)",
    "quantile(scalar(secret{instance=\"host-2\"}) / 100, memory_bytes)",
    "count_values(\"value\", up)",
    "count_values by (department) (\"boot\", round(boot_time_seconds, 1e7))",
    "count_values without (instance) (\"value\", build_info)",
    // Scalars and constants.
    "scalar(secret)",
    "scalar(secret{instance=\"host-4\"})",
    "scalar(sum(memory_bytes))",
    "vector(scalar(count(up)))",
    "vector(1) + on () group_right () up",
    "sum(up) / scalar(count(up))",
    "up * scalar(max(temperature_celsius))",
    "1 + 2 * 3 ^ 2 ^ -1",
    "-2 ^ 2",
    "time() > bool 5",
    "pi() * time()",
    "Inf - up",
    "NaN + up",
    "0x1F + 010 + 1e-3 + .5 + 5. + up",
    "\"text\"",
    // Precedence.
    "-up ^ 2",
    "-up + 2 * 3",
    "2 ^ -up",
    "-temperature_celsius * ratio",
    "+temperature_celsius",
    "- - temperature_celsius",
    "temperature_celsius - ratio - up",
    "temperature_celsius - (ratio - up)",
    "temperature_celsius / ratio / 2",
    "temperature_celsius ^ 2 ^ up",
    "up or secret and temperature_celsius unless ratio",
    "up == 1 and temperature_celsius > 0 or ratio < 0",
    "(up == 1) * 2 + ratio % 3 > 1",
    "temperature_celsius atan2 ratio * 2",
    // Joins.
    "memory_bytes * on (instance) temperature_celsius",
    "memory_bytes * ignoring (mode) temperature_celsius",
    "cpu_seconds_total * on (instance) group_left (version) build_info",
    "cpu_seconds_total * ignoring (mode, version) group_left build_info",
    "cpu_seconds_total / ignoring (mode) group_left () memory_bytes",
    "build_info * on (instance) group_right (version) cpu_seconds_total",
    "requests_total / on (instance) group_left () sum by (instance) (requests_total)",
    "sum by (job) (up) / on (job) count by (job) (up)",
    "up * on (department) group_left () sum by (department) (secret)",
    "up + on () group_left () sum(secret)",
    "up == on (instance) group_right () build_info",
    "cpu_seconds_total > bool on (instance) group_left () memory_bytes",
    "memory_bytes + on (job) memory_bytes",
    "secret unless on (instance) up{department=\"it\"}",
    "secret or ignoring (job) up",
    "up and on () (sum(secret) > 100)",
    "up or on (department) secret",
    "up unless up{region=\"eu\"}",
    "{__name__=\"up\",job=\"db\"} or {__name__=\"secret\"}",
    "cpu_seconds_total{mode=\"user\"} or cpu_seconds_total{mode=\"idle\"}",
    "sum(up) or sum(secret)",
    "vector(0) or up",
    "sum by (nothing) (up) or vector(7)",
    "up or {job=\"web\",__name__=~\"secret|ratio\"}",
    // Labels.
    "label_replace(up, \"host\", \"$1\", \"instance\", \"host-(.*)\")",
    "label_replace(up, \"department\", \"none\", \"department\", \"\")",
    "label_replace(up, \"region\", \"\", \"region\", \"eu\")",
    "label_replace(up, \"department\", \"fx\", \"\", \"\")",
    "label_join(up, \"place\", \"/\", \"region\", \"env\", \"nothing\")",
    "sum by (place) (label_join(up, \"place\", \"-\", \"region\", \"os\"))",
    "label_replace(rate(requests_total[5m]), \"x\", \"{$1}\", \"code\", \"(.).*\")",
    // Order.
    "sort(memory_bytes)",
    "sort_desc(sum by (department) (memory_bytes))",
    // Histograms of buckets.
    "histogram_quantile(0.9, latency_seconds_bucket)",
    "histogram_quantile(0.5, rate(latency_seconds_bucket[5m]))",
    "histogram_quantile(0.9, sum by (le) (rate(latency_seconds_bucket[10m])))",
    "histogram_quantile(0.9, sum by (le, department) (rate(latency_seconds_bucket[10m])))",
    "histogram_quantile(scalar(sum(up)) / 30, sum by (le) (latency_seconds_bucket))",
    "sum(rate(latency_seconds_sum[5m])) / sum(rate(latency_seconds_count[5m]))",
    "latency_seconds_bucket{le=\"+Inf\"} - ignoring (le) latency_seconds_count",
    // Numbers as parameters.
    "clamp(temperature_celsius, -10, 10)",
    "clamp_min(temperature_celsius, scalar(min(secret)) - 40)",
    "clamp_max(temperature_celsius, 5)",
    "round(temperature_celsius, 0.5)",
    "round(memory_bytes, scalar(sum(up)))",
    "hour()",
    "day_of_week(vector(time()))",
    "minute(timestamp(up))",
    // Dashboards.
    "sum(rate(cpu_seconds_total{mode!=\"idle\"}[5m])) by (instance) / ignoring (mode) sum(rate(cpu_seconds_total[5m])) by (instance)",
    "100 - avg by (department) (rate(cpu_seconds_total{mode=\"idle\"}[5m])) * 100",
    "topk(5, sum by (instance) (increase(requests_total{code=~\"5..\"}[10m])))",
    "sum by (code) (rate(requests_total[5m])) / on () group_left () sum(rate(requests_total[5m]))",
    "count(up == 0) or vector(0)",
    "avg_over_time(up[30m]) < 0.95",
    "max by (department) (memory_bytes) - min by (department) (memory_bytes)",
    "count by (os, region) (build_info{version=~\"1.*\"})",
    "sum(up) by (department) > bool 2 and on (department) count by (department) (secret)",
    "(up == 0) + on (instance) group_left (version) (0 * build_info)",
    "changes(up[20m]) > 2 unless on (instance) resets(cpu_seconds_total{mode=\"user\"}[20m]) > 0",
    // A bare range.
    "memory_bytes[1m]",
    // Duplicates, which every store refuses.
    "rate({instance=~\"host-1.*\"}[5m])",
    "up + on (department) secret",
];
