//! The whole table, with every method.

use super::*;
use std::collections::BTreeSet;

const METHODS: [&str; 11] =
    ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND"];

/// SECURITY 23: deny by default, by route and method.
#[test]
fn sec_23_every_endpoint_takes_its_methods_and_no_other() {
    for row in ENDPOINTS {
        let path = row.path.replace("{name}", "job");
        for method in METHODS {
            let listed = row.methods.iter().any(|known| known.as_str() == method);
            match Endpoint::find(method, &path) {
                Ok(found) => {
                    assert!(listed, "{method} {path}");
                    assert_eq!((found.path(), found.method().as_str()), (path.as_str(), method));
                }
                Err(fault) => {
                    assert!(!listed, "{method} {path}");
                    assert_eq!(fault, NoEndpoint::Method { allowed: row.allowed() });
                }
            }
        }
    }
}

#[test]
fn sec_23_what_is_not_listed_is_never_forwarded() {
    let never = [
        "",
        "api/v1",
        "api/v1/",
        "api/v1/query/",
        "api/v1//query",
        "/api/v1/query",
        "API/v1/query",
        "api/v1/Query",
        "api/v1/%71uery",
        "api/v1/./query",
        "api/v1/query/../admin/tsdb/snapshot",
        "api/v1/query\0",
        "api/v1/query?",
        "api/v1/query;x",
        "api/v1/label/{name}/values/",
        "api/v1/label/job",
        "api/v1/admin/tsdb/delete_series",
        "api/v1/admin/tsdb/snapshot",
        "api/v1/admin/tsdb/clean_tombstones",
        "api/v1/otlp/v1/metrics",
        "api/v1/notifications",
        "api/v1/export",
        "api/v1/import",
        "-/reload",
        "-/quit",
        "-/healthy",
        "-/ready",
        "debug/pprof/heap",
        "consoles/index.html",
        "graph",
        "classic/graph",
        "static/main.js",
        "version",
    ];
    for path in never {
        for method in METHODS {
            assert_eq!(Endpoint::find(method, path).unwrap_err(), NoEndpoint::Unlisted, "{method} {path}");
        }
    }
}

#[test]
fn a_label_in_the_path_is_a_name() {
    assert_eq!(Endpoint::find("GET", "api/v1/label/__name__/values").unwrap().path(), "api/v1/label/__name__/values");
    for bad in ["", "a/b", "..", "a-b", "{name}", "a%2fb", "ü", "a b", "1a"] {
        let path = format!("api/v1/label/{bad}/values");
        assert_eq!(Endpoint::find("GET", &path).unwrap_err(), NoEndpoint::Label, "{bad}");
    }
}

#[test]
fn only_writing_takes_edit() {
    for row in ENDPOINTS {
        assert_eq!(row.action == Action::Edit, row.under_filter == UnderFilter::Write, "{}", row.path);
    }
}

#[test]
fn the_table_names_nothing_twice() {
    let paths: BTreeSet<_> = ENDPOINTS.iter().map(|row| row.path).collect();
    assert_eq!(paths.len(), ENDPOINTS.len());
    for row in ENDPOINTS {
        let names: BTreeSet<_> = row.parameters.iter().map(|parameter| parameter.name).collect();
        assert_eq!(names.len(), row.parameters.len(), "{}", row.path);
        let limited = |name: &str| row.parameters.iter().any(|parameter| parameter.name == name);
        match row.under_filter {
            UnderFilter::Query => assert!(limited("query") && !limited("match[]"), "{}", row.path),
            UnderFilter::Selectors => assert!(limited("match[]") && !limited("query"), "{}", row.path),
            UnderFilter::Read | UnderFilter::Write => assert!(row.parameters.is_empty(), "{}", row.path),
            UnderFilter::Refused | UnderFilter::Harmless => {}
        }
    }
}
