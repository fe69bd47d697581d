# The recipes that developers and continuous integration use. `just` without a name lists them.

_list:
    @just --list

# Starts a demonstration on http://127.0.0.1:8080: sample entities, roles, applications, and commands to paste
demo:
    cargo run --release -- serve --demo --data-dir "$(mktemp -d)"

# Everything that must hold: format, lints, tests on both databases, in a real browser and with real clients
test: format lint
    cargo test --locked --no-fail-fast

# The code is formatted
format:
    cargo fmt --check

# Clippy, pedantic, warnings as errors
lint:
    cargo clippy --locked --all-targets -- --deny warnings

# A hundred rounds of killing the program in the middle of writes
kill-nine rounds="100":
    KILL_NINE_ROUNDS={{rounds}} cargo test --locked --test cli kill_nine -- --nocapture

# Three nodes on one PostgreSQL at length: 2,000 changes in each story, and how long they take to be in effect elsewhere
nodes changes="2000":
    NODES_CHANGES={{changes}} cargo test --locked --test nodes -- --nocapture --test-threads 1

# 100,000 changes by concurrent writers at three nodes: none is missed
hundred-thousand-changes count="100000":
    NODES_MANY_CHANGES={{count}} cargo test --locked --test nodes many_changes -- --nocapture

# Breaks each security line in a scratch copy and shows that its test then fails
mutants *names:
    bash tests/mutants/run {{names}}

# Many more queries than in the tests, at more times: answers under a filter against stores of permitted series
prometheus-differential:
    PROMETHEUS_DIFFERENTIAL=long cargo test --locked --test prometheus_filter -- --nocapture --test-threads 1

# Looks for queries that escape a data filter; what it has learnt stays in fuzz/corpus
fuzz seconds="60":
    mkdir -p fuzz/corpus fuzz/artifacts
    cp Cargo.lock fuzz/Cargo.lock
    cd fuzz && RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares" \
        cargo run --release --target "$(rustc --print host-tuple)" -- corpus -artifact_prefix=artifacts/ -max_total_time={{seconds}} -timeout=20 -max_len=2000 -dict=promql.dict

# Takes the pictures of the Web Console again (docs/images)
pictures:
    cargo test --locked --test e2e pictures -- --ignored --nocapture

# The store behind the hub is away for so many seconds while Prometheus writes to it: nothing is lost
prometheus-away seconds="60":
    PROMETHEUS_AWAY_SECONDS={{seconds}} cargo test --locked --test api prometheus_writes -- --nocapture

# Fills a scratch hub (a folder, or an empty PostgreSQL) with applications and roles and measures it: see docs/sizing.md
fill-keys count="1000000" place="target/sizing" roles="10000":
    cargo run --release --locked --example fill_keys -- {{count}} {{place}} {{roles}}

# Fills a hub's inventory with so many entities, as a file of NDJSON and then by loading it, and times pages of it
fill-entities count="1000000" place="target/sizing":
    python3 examples/entities.py {{count}} > target/entities.ndjson
    cargo run --release --locked -- {{ if place =~ '^postgres' { "--data-dir target/sizing-postgres --database-url" } else { "--data-dir" } }} {{place}} entities load target/entities.ndjson
    cargo run --release --locked --example entity_pages -- {{place}}

# A million applications against ten: start, memory, and CPU time of tokens and requests, on a hub that fill-keys filled
million place="target/sizing":
    bench/million {{place}}

# How many instructions the steps of a request take, under valgrind
instructions step="":
    cargo bench --locked --bench instructions -- {{step}}

# A gibibyte through a gateway, each way: the program's memory stays flat
stream-gigabyte:
    GATEWAY_STREAM_MIB=1024 cargo test --locked --test cli memory_stays_flat -- --nocapture

# A build by what the hub was seen doing, measured beside the plain one: see docs/performance.md
pgo:
    bench/pgo

# Measures the hub against other programs in one run; without a group it writes docs/performance.md and its charts
bench *arguments:
    bench/run {{arguments}}
