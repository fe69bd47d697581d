//! Queries put together by chance, the same at every run.

/// A small generator, so that a number names a query for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len())]
    }
}

pub fn generated(count: usize) -> Vec<String> {
    (0..count).map(|n| vector(&mut Dice(n as u64 * 7919 + 17), 3)).collect()
}

const METRICS: [&str; 9] = [
    "up",
    "memory_bytes",
    "temperature_celsius",
    "cpu_seconds_total",
    "late_value",
    "sparse_value",
    "build_info",
    "ratio",
    "boot_time_seconds",
];

fn selector(dice: &mut Dice) -> String {
    let metric = dice.pick(&METRICS);
    let matcher = dice.pick(&[
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "{}",
        "{job=\"db\"}",
        "{department=~\"f.|it\"}",
        "{region!=\"eu\"}",
        "{region=\"\"}",
        "{os=\"Linux\"}",
        "{env!~\"p.*\"}",
        "{department=\"fx\"}",
        "{region=~\"eu|us\",job!=\"web\"}",
        "{instance=~\"host-.*[0-5]\"}",
    ]);
    format!("{metric}{matcher}")
}

fn shifted(dice: &mut Dice) -> &'static str {
    dice.pick(&["", "", "", "", " offset 3m", " offset -1m", " @ end()", " @ start() offset 2m", " @ 1700008500"])
}

fn labels(dice: &mut Dice) -> &'static str {
    dice.pick(&["", "department", "region", "job", "instance", "department, os", "env, region, job"])
}

/// Something that gives an instant vector.
fn vector(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 {
        return format!("{}{}", selector(dice), shifted(dice));
    }
    match dice.roll(14) {
        0 => format!("{}{}", selector(dice), shifted(dice)),
        1 | 2 => {
            let name = dice.pick(&["sum", "avg", "min", "max", "count", "stddev", "group"]);
            let grouping = dice.pick(&["by", "without"]);
            format!("{name} {grouping} ({}) ({})", labels(dice), vector(dice, depth - 1))
        }
        3 | 4 => {
            let name = dice.pick(&[
                "rate",
                "increase",
                "delta",
                "avg_over_time",
                "max_over_time",
                "last_over_time",
                "count_over_time",
                "changes",
                "resets",
                "deriv",
                "stddev_over_time",
                "present_over_time",
            ]);
            format!("{name}({}[{}]{})", selector(dice), dice.pick(&["5m", "90s", "10m"]), shifted(dice))
        }
        5 => {
            let name =
                dice.pick(&["max_over_time", "sum_over_time", "avg_over_time", "last_over_time", "count_over_time"]);
            format!(
                "{name}(({})[{}]{})",
                vector(dice, depth - 1),
                dice.pick(&["10m:1m", "5m:30s", "7m:2m"]),
                shifted(dice)
            )
        }
        6 => format!(
            "{}({})",
            dice.pick(&["abs", "ceil", "sgn", "timestamp", "sort", "-", "hour", "exp"]),
            vector(dice, depth - 1)
        ),
        7 => {
            let operator = dice.pick(&["+", "-", "*", "/", "> bool", "<= bool", "%"]);
            let scalar = dice.pick(&["2", "-1.5", "scalar(sum(up))", "scalar(secret{instance=\"host-4\"})", "time()"]);
            format!("({}) {operator} {scalar}", vector(dice, depth - 1))
        }
        8 => {
            let operator = dice.pick(&["and", "or", "or", "unless"]);
            let on = dice.pick(&["", "on (instance)", "on (department, region)", "ignoring (mode, version)", "on ()"]);
            // `VictoriaMetrics` fills gaps of many series that match many in no fixed order.
            let on = if operator == "or" { "" } else { on };
            format!("({}) {operator} {on} ({})", vector(dice, depth - 1), vector(dice, depth - 1))
        }
        9 => {
            let operator = dice.pick(&["+", "-", "*", "/", "> bool", "!= bool"]);
            let label = dice.pick(&["instance", "job", "department"]);
            let side = format!("sum by ({label}) ({})", vector(dice, depth - 1));
            format!("({}) {operator} on ({label}) group_left () ({side})", vector(dice, depth - 1))
        }
        10 => format!("quantile({}, {})", dice.pick(&["0.9", "scalar(max(secret)) / 100"]), vector(dice, depth - 1)),
        11 => {
            let label = dice.pick(&["department", "region", "new"]);
            // Where the expression does not match, `VictoriaMetrics` 1.79 answers with any label's value.
            format!("label_replace({}, \"{label}\", \"x-$1\", \"instance\", \"(.*)\")", vector(dice, depth - 1))
        }
        12 => {
            // Most are there, so that nothing is absent; the other side then answers.
            let absent = format!("absent({}{})", selector(dice), shifted(dice));
            format!("{absent} or ({})", vector(dice, depth - 1))
        }
        _ => format!("({})", vector(dice, depth - 1)),
    }
}
