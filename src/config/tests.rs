use std::{path::Path, time::Duration};

use super::{
    Config, ConfigError, Database, DatabaseUrl, KeySource, PublicUrl, Setting, SigningAlgorithm, Sources, Span,
};

fn parse(flags: &[(Setting, &str)], variables: &[(&str, &str)], file: &str) -> Result<Config, ConfigError> {
    let mut sources = Sources::default();
    for (setting, value) in flags {
        sources.add_flag(*setting, *value);
    }
    sources.set_variables(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    sources.add_file(Path::new("hub.toml"), file)?;
    Config::parse(&sources)
}

fn refusal(flags: &[(Setting, &str)], variables: &[(&str, &str)], file: &str) -> String {
    parse(flags, variables, file).expect_err("refused").to_string()
}

#[test]
fn nothing_given_is_a_good_configuration() {
    let config = parse(&[], &[], "").expect("good");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.public_url.as_str(), "http://127.0.0.1:8080");
    assert_eq!(config.data_dir, Path::new("gateway-hub-data"));
    assert_eq!(config.database, Database::Sqlite);
    assert_eq!(config.key, KeySource::DataDir);
    assert_eq!(config.token.algorithm, SigningAlgorithm::Es256);
    assert_eq!(config.token.lifetime, Duration::from_mins(10));
    assert_eq!(config.timing.poll_interval, Duration::from_millis(250));
    assert_eq!(config.timing.staleness_limit, Duration::from_secs(30));
    config.check_serving().expect("may serve");
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file() {
    let file = "listen = \"127.0.0.1:1\"\ntoken_lifetime = \"1m\"\ndata_dir = \"from-file\"";
    let variables = [("GATEWAY_HUB_LISTEN", "127.0.0.1:2"), ("GATEWAY_HUB_TOKEN_LIFETIME", "2m")];
    let config = parse(&[(Setting::Listen, "127.0.0.1:3")], &variables, file).expect("good");
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.token.lifetime, Duration::from_mins(2));
    assert_eq!(config.data_dir, Path::new("from-file"));
}

#[test]
fn an_empty_variable_is_absent() {
    assert_eq!(parse(&[], &[("GATEWAY_HUB_LISTEN", "")], "").expect("good").listen.port(), 8080);
}

#[test]
fn a_list_is_repeated_as_a_flag_separated_by_commas_in_the_environment_and_an_array_in_the_file() {
    let expected = ["10.0.0.0/8", "192.0.2.7/32"];
    for config in [
        parse(&[(Setting::BehindProxy, "10.1.2.3/8"), (Setting::BehindProxy, "192.0.2.7")], &[], ""),
        parse(&[], &[("GATEWAY_HUB_BEHIND_PROXY", "10.0.0.0/8, 192.0.2.7")], ""),
        parse(&[], &[], "behind_proxy = [\"10.0.0.0/8\", \"192.0.2.7/32\"]"),
    ] {
        let networks: Vec<String> = config.expect("good").behind_proxy.iter().map(ToString::to_string).collect();
        assert_eq!(networks, expected);
    }
}

#[test]
fn a_bad_value_names_its_key_as_given_its_value_and_what_would_be_right() {
    let flag = refusal(&[(Setting::Listen, "8080")], &[], "");
    assert!(flag.starts_with("--listen: \"8080\"") && flag.contains("127.0.0.1:8080"), "{flag}");
    let variable = refusal(&[], &[("GATEWAY_HUB_SIGNING_ALGORITHM", "HS256")], "");
    assert!(variable.starts_with("GATEWAY_HUB_SIGNING_ALGORITHM: \"HS256\""), "{variable}");
    assert!(variable.contains("ES256, EdDSA or RS256"), "{variable}");
    let file = refusal(&[], &[], "token_lifetime = 600");
    assert!(file.starts_with("`token_lifetime` in hub.toml: \"600\""), "{file}");
    assert!(file.contains("from 30s to 1d"), "{file}");
}

#[test]
fn all_bad_values_are_reported_at_once() {
    let message =
        refusal(&[(Setting::Listen, "x")], &[("GATEWAY_HUB_PUBLIC_URL", "y")], "poll_interval = \"1h\"\ntypo = 1");
    assert_eq!(message.lines().count(), 4, "{message}");
}

#[test]
fn an_unknown_key_is_refused_with_a_suggestion() {
    assert!(refusal(&[], &[], "databse-url = \"x\"").contains("did you mean `database_url`?"));
    assert!(refusal(&[], &[], "colour = \"red\"").contains("the keys are listen, "));
    assert!(refusal(&[], &[], "key = \"s3cret\"").contains("GATEWAY_HUB_KEY"));
    assert!(!refusal(&[], &[], "key = \"s3cret\"").contains("s3cret"));
    assert!(refusal(&[], &[], "[listen]\nport = 1").contains("`listen` in hub.toml"));
}

#[test]
fn broken_toml_names_the_line_and_shows_no_value() {
    let message = refusal(&[], &[], "listen = \"127.0.0.1:1\"\ndatabase_url = \"postgres://u:hunter2@h/d");
    assert!(message.contains("hub.toml: line 2"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn the_password_of_the_database_is_never_shown() {
    let url = DatabaseUrl::parse("postgres://hub:hunter2@db.internal/hub?password=hunter3").expect("good");
    assert_eq!(url.to_string(), "postgres://hub:…@db.internal/hub?…");
    assert_eq!(format!("{url:?}"), "DatabaseUrl(postgres://hub:…@db.internal/hub?…)");
    for bad in ["mysql://root:hunter2@h/d", "hunter2", "postgres://u:hun@ter2@ h/d", "postgres://u:hunter2 @h"] {
        let message = refusal(&[(Setting::DatabaseUrl, bad)], &[], "");
        assert!(!message.contains("ter2"), "{message}");
        assert!(message.contains("postgres://USER:PASSWORD@HOST:5432/DATABASE"), "{message}");
    }
    let config = parse(&[(Setting::DatabaseUrl, "postgres://hub:hunter2@h/d")], &[], "").expect("good");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn the_hubs_key_is_never_shown_and_has_one_source() {
    let config = parse(&[], &[("GATEWAY_HUB_KEY", "hunter2")], "").expect("checked when opened");
    assert!(!format!("{config:?}").contains("hunter2"));
    let message = refusal(&[], &[("GATEWAY_HUB_KEY", "hunter2"), ("GATEWAY_HUB_KEY_FILE", "k")], "");
    assert!(message.contains("GATEWAY_HUB_KEY_FILE") && !message.contains("hunter2"), "{message}");
}

#[test]
fn public_urls() {
    for (given, kept) in [
        ("https://Hub.Example.com/", "https://hub.example.com"),
        ("https://hub.example.com:443", "https://hub.example.com"),
        ("https://hub.example.com:8443", "https://hub.example.com:8443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://127.0.0.2", "http://127.0.0.2"),
    ] {
        assert_eq!(PublicUrl::parse(given).expect(given).as_str(), kept);
    }
    for bad in [
        "",
        "hub.example.com",
        "ftp://hub.example.com",
        "http://hub.example.com",
        "http://localhost.example.com",
        "https://hub.example.com/path",
        "https://hub.example.com//",
        "https://u@hub.example.com",
        "https://hub.example.com/?a",
        "https://hub.example.com/#a",
        "https://hub.example.com:99999",
        "https://",
        "https://hub example",
    ] {
        assert!(PublicUrl::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn spans() {
    for (text, seconds) in [("90d", 90 * 86_400), ("24h", 86_400), ("10m", 600), ("1h30m", 5_400), ("2w", 1_209_600)] {
        assert_eq!(text.parse::<Span>().expect(text).duration(), Duration::from_secs(seconds));
    }
    for bad in
        ["", "0s", "10", "m", "10 m", "-1d", "1.5h", "1m1h", "1h1h", "10M", "99999999999999999999d", "1000000w", "٣d"]
    {
        assert!(bad.parse::<Span>().is_err(), "{bad}");
    }
    for text in ["90d", "1h30m", "250ms", "1d", "30s"] {
        assert_eq!(text.parse::<Span>().expect(text).to_string(), text);
    }
}

#[test]
fn beyond_loopback_needs_tls_or_a_proxy_and_a_public_url() {
    let open = parse(&[(Setting::Listen, "0.0.0.0:8080")], &[], "").expect("parses");
    let message = open.check_serving().expect_err("refused").to_string();
    assert!(message.contains("--tls-cert") && message.contains("--behind-proxy") && message.contains("--public-url"));
    let url = (Setting::PublicUrl, "https://hub.example.com");
    let listen = (Setting::Listen, "0.0.0.0:8080");
    for good in [
        vec![listen, url, (Setting::BehindProxy, "10.0.0.0/8")],
        vec![listen, url, (Setting::TlsCert, "c.pem"), (Setting::TlsKey, "k.pem")],
    ] {
        parse(&good, &[], "").expect("parses").check_serving().expect("may serve");
    }
    let demo = [listen, url, (Setting::BehindProxy, "10.0.0.0/8"), (Setting::Demo, "true")];
    assert!(parse(&demo, &[], "").expect("parses").check_serving().is_err());
    assert!(refusal(&[(Setting::TlsCert, "c.pem")], &[], "").contains("--tls-key"));
    assert!(refusal(&[], &[], "tls_key = \"k.pem\"").contains("`tls_key` in hub.toml"));
}

#[test]
fn a_default_public_url_follows_the_bound_port() {
    let bound = "127.0.0.1:4711".parse().expect("an address");
    let config = parse(&[(Setting::Listen, "127.0.0.1:0")], &[], "").expect("good").bound_to(bound);
    assert_eq!(config.public_url.as_str(), "http://127.0.0.1:4711");
    let given = [(Setting::Listen, "127.0.0.1:0"), (Setting::PublicUrl, "https://hub.example.com")];
    assert_eq!(parse(&given, &[], "").expect("good").bound_to(bound).public_url.as_str(), "https://hub.example.com");
}

#[test]
fn nodes_have_names_and_may_do_without_notifications() {
    let config = parse(&[(Setting::NodeName, "node-a"), (Setting::DatabaseNotify, "false")], &[], "").expect("good");
    assert_eq!((config.node_name.as_deref(), config.database_notify), (Some("node-a"), false));
    let default = parse(&[], &[], "").expect("good");
    assert_eq!((default.node_name, default.database_notify), (None, true));
    for bad in ["\n", &"x".repeat(101)] {
        assert!(refusal(&[(Setting::NodeName, bad)], &[], "").contains("--node-name"), "{bad:?}");
    }
    let pooled = |url: &str| DatabaseUrl::parse(url).expect(url).may_prepare();
    assert!(pooled("postgres://h/d") && pooled("postgres://h/d?statement-cache-capacity=10"));
    assert!(!pooled("postgres://h/d?sslmode=require&statement-cache-capacity=0"));
}
