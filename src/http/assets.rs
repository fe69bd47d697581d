//! The console's style sheet, scripts and icon, served from the program itself.
//!
//! One hash over all of them stands in their paths, so that browsers may keep them for ever and a new version of the
//! program is seen at once. The scripts import each other by relative paths, which keeps them under the same hash.

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::fmt::Write as _;
use std::sync::LazyLock;

/// The route that serves them.
pub const ROUTE: &str = "/console/assets/{build}/{name}";

struct Asset {
    name: &'static str,
    content_type: &'static str,
    text: &'static str,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

const ASSETS: &[Asset] = &[
    Asset {
        name: "console.css",
        content_type: "text/css; charset=utf-8",
        text: include_str!("../../assets/console.css"),
    },
    Asset { name: "console.js", content_type: SCRIPT, text: include_str!("../../assets/console.js") },
    Asset { name: "copy.js", content_type: SCRIPT, text: include_str!("../../assets/copy.js") },
    Asset { name: "effect.js", content_type: SCRIPT, text: include_str!("../../assets/effect.js") },
    Asset { name: "first-run.js", content_type: SCRIPT, text: include_str!("../../assets/first-run.js") },
    Asset { name: "gateway.js", content_type: SCRIPT, text: include_str!("../../assets/gateway.js") },
    Asset { name: "new-key.js", content_type: SCRIPT, text: include_str!("../../assets/new-key.js") },
    Asset { name: "list.js", content_type: SCRIPT, text: include_str!("../../assets/list.js") },
    Asset { name: "role-editor.js", content_type: SCRIPT, text: include_str!("../../assets/role-editor.js") },
    Asset { name: "send-once.js", content_type: SCRIPT, text: include_str!("../../assets/send-once.js") },
    Asset { name: "tabs.js", content_type: SCRIPT, text: include_str!("../../assets/tabs.js") },
    Asset { name: "times.js", content_type: SCRIPT, text: include_str!("../../assets/times.js") },
    Asset { name: "window.js", content_type: SCRIPT, text: include_str!("../../assets/window.js") },
    Asset { name: "wizard.js", content_type: SCRIPT, text: include_str!("../../assets/wizard.js") },
    Asset { name: "favicon.svg", content_type: "image/svg+xml", text: include_str!("../../assets/favicon.svg") },
];

static BUILD: LazyLock<String> = LazyLock::new(|| {
    let mut all = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for asset in ASSETS {
        all.update(asset.name.as_bytes());
        all.update(asset.text.as_bytes());
    }
    all.finish().as_ref()[..8].iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
});

/// The address of an asset, as pages link it.
#[must_use]
pub fn path(name: &str) -> String {
    format!("/console/assets/{}/{name}", *BUILD)
}

/// `GET /console/assets/{build}/{name}`.
///
/// A page of another version may ask for its own hash while nodes are being renewed: it gets this version's file, which
/// nobody may keep.
pub async fn show(Path((build, name)): Path<(String, String)>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let keep = if build == *BUILD { "public, max-age=31536000, immutable" } else { "no-store" };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static(keep)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, asset.text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_kept_address_is_kept_for_ever_and_another_never() {
        let cache = async |build: &str, name: &str| {
            let answer = show(Path((build.to_owned(), name.to_owned()))).await;
            (answer.status(), answer.headers().get(header::CACHE_CONTROL).cloned())
        };
        let for_ever = HeaderValue::from_static("public, max-age=31536000, immutable");
        assert_eq!(cache(&BUILD, "console.css").await, (StatusCode::OK, Some(for_ever)));
        assert_eq!(cache("older", "console.css").await, (StatusCode::OK, Some(HeaderValue::from_static("no-store"))));
        assert_eq!(cache(&BUILD, "../hub.key").await.0, StatusCode::NOT_FOUND);
    }

    #[test]
    fn scripts_and_styles_load_nothing_from_elsewhere() {
        for asset in ASSETS {
            let text = asset.text.replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains("://"), "{} names a foreign address", asset.name);
        }
    }
}
