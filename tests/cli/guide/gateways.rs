//! `docs/gateways.md`: its commands, run as they stand.

use super::{Here, Terminal, blocks};
use crate::support::{Installation, process::free_port};

#[test]
fn the_guides_commands_do_what_it_says() {
    let installation = Installation::new();
    let hub = installation.serve(&[]);
    let port = free_port().to_string();
    let service = format!("127.0.0.1:{port}");
    let here = Here::new(&[
        ("http://127.0.0.1:8080", &hub.site.issuer),
        ("http.server 9000", &format!("http.server {port}")),
        ("127.0.0.1:9000", &service),
    ]);
    let mut terminal = Terminal::open(&installation, here);
    let [serve, create, key, read, refused, basic, end] = blocks("gateways.md", "sh");
    terminal.paste(&serve);
    terminal.paste(&format!("until curl -s -o /dev/null http://{service}/; do sleep 0.1; done"));
    terminal.paste(&create);
    terminal.paste(&key);
    let seen = terminal.paste(&read);
    assert!(seen.contains("{\"pears\": 7}"), "{seen}");
    let seen = terminal.paste(&refused);
    assert!(seen.contains("insufficient-scope") && seen.contains("gateway/shop:edit"), "{seen}");
    let seen = terminal.paste(&basic);
    assert!(seen.contains("{\"pears\": 7}"), "{seen}");
    let seen = terminal.paste(&end);
    assert!(seen.contains("invalid-token") && !seen.contains("pears"), "{seen}");
}
