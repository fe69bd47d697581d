//! What the documentation promises of the code: directions of imports, one place for routes, one for ambient calls;
//! and what the documents name exists.

#![allow(clippy::format_push_string, reason = "in tests the shorter way is the better one")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use gateway_hub::{http::counters::Counters, server};
use regex::Regex;

/// Each module may use those before it; the surfaces, which share a rank, not each other (`docs/architecture.md`).
const RANKS: [&[&str]; 13] = [
    &["domain"],
    &["ambient"],
    &["http1"],
    &["config"],
    &["crypto"],
    &["store"],
    &["app"],
    &["actions"],
    &["upstream"],
    &["http"],
    &["oauth", "api", "proxy", "console", "jobs"],
    &["server"],
    &["cli"],
];

/// Where a file asks to be divided along a noun.
const MOST_LINES: usize = 400;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder whose name ends so, relative to the package.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path.strip_prefix(root()).expect("below").to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).expect("text")));
            }
        }
    }
    found.sort();
    found
}

/// The code without comments: what stands in them binds nobody.
fn without_comments(text: &str) -> String {
    let code = text.lines().map(|line| match line.find("//") {
        Some(at) if line[..at].matches('"').count() % 2 == 0 => &line[..at],
        _ => line,
    });
    code.collect::<Vec<_>>().join("\n")
}

fn rank(module: &str) -> Option<usize> {
    RANKS.iter().position(|rank| rank.contains(&module))
}

/// The top-level modules that this code names: `crate::x`, and each of `crate::{x, y::{…}}`.
fn named_modules(code: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            for character in group.chars() {
                match character {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => named.extend(first_word(&std::mem::take(&mut word))),
                    _ => {}
                }
                if depth == 0 && character != ',' {
                    word.push(character);
                }
            }
            named.extend(first_word(&word));
        } else {
            named.extend(first_word(rest));
        }
    }
    named
}

fn first_word(text: &str) -> Option<String> {
    let word: String = text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!word.is_empty()).then_some(word)
}

#[test]
fn imports_go_one_way() {
    let mut wrong = Vec::new();
    for (name, text) in files("src", ".rs") {
        let module = name.trim_start_matches("src/").split(['/', '.']).next().unwrap_or_default().to_owned();
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let own = rank(&module).unwrap_or_else(|| panic!("{name}: the architecture knows no module {module}"));
        // Tests of a module may put whole servers together.
        if name.ends_with("/tests.rs") || name.contains("/tests/") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for used in named_modules(&without_comments(code)) {
            if let Some(other) = rank(&used)
                && used != module
                && other >= own
            {
                wrong.push(format!("{name} uses crate::{used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_check_of_imports_sees_groups() {
    let code = "use crate::{\n    app::App,\n    http::{gate::Caller, route::{get, post}},\n    server,\n};\nlet a = crate::cli::run();";
    let named: Vec<_> = named_modules(code).into_iter().collect();
    assert_eq!(named, ["app", "cli", "http", "server"]);
}

#[test]
fn routes_are_mounted_in_one_place() {
    let mounting =
        Regex::new(r"\.(route|route_service|nest|nest_service|fallback|fallback_service)\(").expect("a pattern");
    for (name, text) in files("src", ".rs") {
        if name != "src/http/route.rs" {
            let found = mounting.find(&without_comments(&text)).map(|found| found.as_str().to_owned());
            assert_eq!(found, None, "{name} mounts a route beside the route tables");
        }
    }
}

#[test]
fn time_and_randomness_come_from_one_file() {
    let ambient = Regex::new(
        r"SystemTime::now|Timestamp::now|Zoned::now|(std::time::|\b)Instant::now|clock_gettime|SystemRandom|OsRng|thread_rng|getrandom|rand::fill",
    )
    .expect("a pattern");
    for (name, text) in files("src", ".rs") {
        if name != "src/ambient.rs" {
            let found = ambient.find(&without_comments(&text)).map(|found| found.as_str().to_owned());
            assert_eq!(found, None, "{name} asks the system beside src/ambient.rs");
        }
    }
}

#[test]
fn sql_stands_in_the_store() {
    let sql = Regex::new(r#"(?m)"(SELECT|INSERT INTO|UPDATE|DELETE FROM) [a-z*]"#).expect("a pattern");
    for (name, text) in files("src", ".rs") {
        if !name.starts_with("src/store/") && !name.starts_with("src/domain/data_filter/") {
            assert!(!sql.is_match(&without_comments(&text)), "{name} holds SQL");
        }
    }
}

#[test]
fn files_are_short() {
    for (name, text) in files("src", ".rs") {
        let lines = text.lines().count();
        if lines > MOST_LINES * 3 / 4 {
            println!("{name}: {lines} lines");
        }
        assert!(lines <= MOST_LINES, "{name} has {lines} lines: divide it along a noun");
    }
}

// What the documents name.

/// README and everything below docs.
fn documents() -> Vec<(String, String)> {
    let mut found = files("docs", ".md");
    if let Ok(text) = fs::read_to_string(root().join("README.md")) {
        found.push(("README.md".to_owned(), text));
    }
    found
}

#[test]
fn every_path_that_a_document_names_exists() {
    let link = Regex::new(r"\]\(([^)#\s]+)[^)]*\)").expect("a pattern");
    let quoted = Regex::new(r"`((?:src|tests|docs|assets|templates|migrations|examples|benches|fuzz|deploy|\.ci)/[^`\s]*|[A-Za-z_]+\.(?:rs|md|toml))`")
        .expect("a pattern");
    let exists = |path: &Path| path.exists() || path.with_extension("rs").exists();
    for (name, text) in documents() {
        let folder = root().join(&name).parent().expect("a folder").to_owned();
        for found in link.captures_iter(&text).map(|found| found[1].to_owned()) {
            if !found.contains("://") && !found.starts_with("mailto:") {
                assert!(exists(&folder.join(&found)), "{name} links {found}");
            }
        }
        for found in quoted.captures_iter(&text).map(|found| found[1].to_owned()) {
            // `tests/mutants/NN_name.patch` and `src/*.rs` stand for many.
            if found.contains(['*', '<', '{']) || found.contains("NN") || found.contains("NAME") {
                continue;
            }
            let path = found.trim_end_matches('/').split("::").next().unwrap_or_default().to_owned();
            let beside =
                exists(&folder.join(&path)) || exists(&root().join(&path)) || exists(&root().join("src").join(&path));
            let bare =
                !path.contains('/') && files("src", &path).iter().any(|(file, _)| file.ends_with(&format!("/{path}")));
            assert!(beside || bare, "{name} names {found}");
        }
    }
}

/// The help of the program and of all its commands, whatever their depth.
fn help() -> String {
    fn collect(words: &[String], all: &mut String, depth: usize) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway-hub"));
        let output = command.args(words).arg("--help").output().expect("the program runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let commands = text.split("Commands:").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
        let names: Vec<String> = commands
            .lines()
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
            .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
            .filter(|name| name != "help")
            .collect();
        *all += &format!("COMMAND {}\n{text}\n", words.join(" "));
        if depth < 3 {
            for name in names {
                let mut deeper = words.to_vec();
                deeper.push(name);
                collect(&deeper, all, depth + 1);
            }
        }
    }
    let mut all = String::new();
    collect(&[], &mut all, 0);
    all
}

#[test]
fn every_flag_and_command_that_a_document_names_exists() {
    let help = help();
    let flag = Regex::new(r"(?:^|[\s`\[(])(--[a-z][a-z-]+)").expect("a pattern");
    let command = Regex::new(r"gateway-hub ([a-z][a-z-]+(?: [a-z][a-z-]+)?)").expect("a pattern");
    let known = |flag: &str| Regex::new(&format!(r"{flag}([^a-z-]|$)")).expect("a pattern").is_match(&help);
    for (name, text) in documents() {
        for line in text.lines().filter(|line| !is_another_programs(line)) {
            for found in flag.captures_iter(line) {
                assert!(known(&found[1]), "{name} names the flag {}, which no --help does", &found[1]);
            }
            for found in command.captures_iter(line) {
                let first = found[1].split(' ').next().unwrap_or_default();
                let exists = help
                    .lines()
                    .any(|line| line == format!("COMMAND {first}") || line == format!("COMMAND {}", &found[1]));
                // In prose the name may be followed by any word.
                assert!(
                    exists || !line.contains('`') && !line.trim_start().starts_with("gateway-hub"),
                    "{name}: {line}"
                );
            }
        }
    }
}

/// Lines that give flags to cargo, git, curl and the like.
fn is_another_programs(line: &str) -> bool {
    let others = [
        "cargo",
        "git ",
        "curl",
        "python3",
        "just ",
        "docker",
        "apt",
        "valgrind",
        "openssl",
        "run-peers",
        "nginx",
        "psql",
        "systemctl",
        "kubectl",
        "--own",
    ];
    others.iter().any(|other| line.contains(other)) && !line.contains("gateway-hub ")
}

#[test]
fn every_recipe_that_a_document_names_exists() {
    let justfile = fs::read_to_string(root().join("justfile")).expect("a justfile");
    let recipe = Regex::new(r"`just ([a-z][a-z-]+)").expect("a pattern");
    for (name, text) in documents() {
        for found in recipe.captures_iter(&text) {
            let head = Regex::new(&format!(r"(?m)^{}( [^:]*)?:", &found[1])).expect("a pattern");
            assert!(head.is_match(&justfile), "{name} names `just {}`", &found[1]);
        }
    }
}

#[test]
fn every_address_that_a_document_names_is_routed() {
    let tables = server::route_tables(&Arc::new(Counters::default()), &Arc::default());
    let pattern = |path: &str| {
        let parameters = Regex::new(r"\\\{(\\\*)?[a-z_]+\\\}").expect("a pattern");
        let escaped = regex::escape(path);
        let any = parameters
            .replace_all(&escaped, |found: &regex::Captures<'_>| if found.get(1).is_some() { ".+" } else { "[^/]+" });
        Regex::new(&format!("^{any}$")).expect("a pattern")
    };
    let routed: Vec<Regex> = tables.iter().flat_map(|table| &table.routes).map(|route| pattern(route.path)).collect();
    let address = Regex::new(r"(?:[`\s(]|(?:GET|POST|PUT|PATCH|DELETE) |127\.0\.0\.1:8080|\$HUB)(/(?:oauth2|api/v1|console|\.well-known|problems|healthz|readyz|metrics)[A-Za-z0-9/_.%-]*)")
        .expect("a pattern");
    for (name, text) in documents() {
        for found in address.captures_iter(&text).map(|found| found[1].to_owned()) {
            let path = found.trim_end_matches(['.', '/']).to_owned();
            let prefix = routed.iter().any(|route| route.as_str().starts_with(&format!("^{}", regex::escape(&path))));
            assert!(prefix || routed.iter().any(|route| route.is_match(&path)), "{name} names {found}");
        }
    }
}

#[test]
fn the_repository_names_no_place_of_its_making() {
    // Split, so that this file does not name them either.
    let places = [concat!("/wo", "rk/"), concat!("/tmp/", "wt"), concat!("/tmp/", "plan")];
    for folder in ["src", "tests", "docs", "templates", "assets", "migrations", "examples", ".ci"] {
        for ending in [".rs", ".md", ".html", ".sql", ".py", ".js", ".css", "run", ".patch"] {
            for (name, text) in files(folder, ending) {
                for place in places {
                    assert!(!text.contains(place), "{name} names {place}");
                }
            }
        }
    }
}

/// A patch that no longer applies proves nothing; `just mutants` shows that each of them is caught.
#[test]
fn every_mutant_still_applies_and_names_its_test() {
    let tests: String = files("tests", "rs").into_iter().chain(files("src", "rs")).map(|(_, text)| text).collect();
    let mut count = 0;
    for (path, text) in files("tests/mutants", "patch") {
        let check = ["apply", "--check", "--recount", "--whitespace=nowarn", path.as_str()];
        let done = Command::new("git").args(check).current_dir(root()).output().expect("git");
        assert!(done.status.success(), "{path}: {}", String::from_utf8_lossy(&done.stderr));
        let line =
            text.lines().find_map(|line| line.strip_prefix("Test: ")).unwrap_or_else(|| panic!("{path}: no test"));
        let filter = line.split_whitespace().nth(1).unwrap_or_else(|| panic!("{path}: no filter"));
        let name = filter.rsplit("::").next().unwrap_or(filter);
        assert!(tests.contains(name), "{path}: there is no test {filter}");
        count += 1;
    }
    assert!(count >= 30, "{count} mutants");
}
