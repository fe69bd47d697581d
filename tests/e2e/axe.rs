//! axe-core, the accessibility rules, goes into each page by `WebDriver`: never by a script tag, which the content
//! security policy would refuse.

use super::browser::Browser;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// WCAG 2.2, levels A and AA, as axe-core names them.
const RULES: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"];

/// A small desktop with a scroll bar, a telephone, and a width at which tables become cards.
const WIDTHS: [u32; 3] = [1264, 390, 768];

fn script() -> String {
    let tools = std::env::var_os("TEST_TOOLS").map(PathBuf::from);
    let tools = tools.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools"));
    let path = tools.join("axe-core/axe.min.js");
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; `bash tests/install` fetches axe-core", path.display()))
}

impl Browser {
    /// The page breaks no rule of WCAG 2.2 A or AA, in light and dark, at each width.
    pub(crate) async fn is_accessible(&self, what: &str) {
        let axe = script();
        let mut found = String::new();
        for scheme in ["light", "dark"] {
            for width in WIDTHS {
                self.looks(width, scheme).await;
                self.driver.execute(axe.as_str(), Vec::new()).await.expect("axe-core goes into the page");
                let run = "const done = arguments[arguments.length - 1]; \
                           axe.run(document, { runOnly: arguments[0], resultTypes: ['violations'] }) \
                           .then(found => done(found.violations), error => done(String(error)))";
                let answer = self.driver.execute_async(run, vec![json!(RULES)]).await.expect("axe-core runs");
                let violations = answer.json().as_array().unwrap_or_else(|| panic!("{what}: {}", answer.json()));
                for violation in violations {
                    let _ = writeln!(found, "{scheme}, {width} px: {}", said(violation));
                }
                let overflow = "return document.documentElement.scrollWidth - innerWidth";
                let overflow = self.driver.execute(overflow, Vec::new()).await.expect("a script");
                if overflow.json().as_i64().is_some_and(|pixels| pixels > 0) {
                    let _ = writeln!(found, "{scheme}, {width} px: the page is wider than the window");
                }
            }
        }
        self.looks_as_ever().await;
        assert!(found.is_empty(), "{what}:\n{found}");
    }

    /// Takes on a width and a colour scheme, and stops all movement.
    pub(crate) async fn looks(&self, width: u32, scheme: &str) {
        let cdp = self.driver.cdp();
        let media = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        cdp.send_raw("Emulation.setEmulatedMedia", media).await.expect("a colour scheme");
        let size = json!({ "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": false });
        cdp.send_raw("Emulation.setDeviceMetricsOverride", size).await.expect("a size");
        // Two frames later everything has its new colours and its new place.
        let frames = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(0)))";
        self.driver.execute_async(frames, Vec::new()).await.expect("a script");
    }

    /// Gives the width and the scheme back.
    pub(crate) async fn looks_as_ever(&self) {
        let cdp = self.driver.cdp();
        cdp.send_raw("Emulation.setEmulatedMedia", json!({ "features": [] })).await.expect("the old scheme");
        cdp.send_raw("Emulation.clearDeviceMetricsOverride", json!({})).await.expect("the old size");
    }
}

/// A violation in words: the rule, and each element with what is wrong.
fn said(violation: &Value) -> String {
    let mut text = format!("{}: {}", violation["id"], violation["help"]);
    for node in violation["nodes"].as_array().into_iter().flatten() {
        let _ = write!(text, "\n    {} {}", node["html"], node["failureSummary"]);
    }
    text
}
