//! One application as a row of the table.

use crate::console::when::When;
use crate::console::words;
use crate::domain::application::Application;
use crate::domain::role::Role;
use crate::domain::time::Timestamp;
use crate::store::application_list::{Item, SOON};

/// One application in the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) roles: Vec<String>,
    pub(crate) marks: Vec<Mark>,
    /// When it was last used, and how long ago in words; `None` for never.
    pub(crate) last_used: Option<(When, String)>,
    /// The overlap that is running.
    pub(crate) overlap: Option<OverlapNote>,
    pub(crate) created: When,
    pub(crate) created_by: String,
}

/// An overlap that is running.
#[derive(Clone, Debug)]
pub(crate) struct OverlapNote {
    /// When it ends by itself.
    pub(crate) ends: When,
    /// When the older secret was last used, and how long ago in words; `None` for never.
    pub(crate) last_used: Option<(When, String)>,
}

/// A word about how an application stands, with its style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) style: &'static str,
    pub(crate) words: String,
    /// The exact instant that the words are about.
    pub(crate) at: Option<When>,
    /// Whether the instant itself follows the words.
    pub(crate) in_full: bool,
}

impl Row {
    pub(crate) fn new(item: &Item, roles: &[Role], now: Timestamp) -> Self {
        let application = &item.application;
        let ago = |at: Timestamp| (When::new(at), format!("{} ago", words::rough(now.since(at))));
        Self {
            name: application.name.to_string(),
            client_id: application.client_id.to_string(),
            roles: role_names(application, roles),
            // The overlap has a note of its own, with its button.
            marks: marks(application, now).into_iter().filter(|mark| !mark.in_full).collect(),
            last_used: item.last_used_at.map(ago),
            overlap: item.overlap.map(|overlap| OverlapNote {
                ends: When::new(overlap.ends_at),
                last_used: overlap.last_used_at.map(ago),
            }),
            created: When::new(application.created_at),
            created_by: application.created_by.clone(),
        }
    }
}

/// How an application stands, in words: one for whether it works, and one for each thing that will change by itself.
pub(crate) fn marks(application: &Application, now: Timestamp) -> Vec<Mark> {
    let mark = |style, words: &str, at: Option<Timestamp>| Mark {
        style,
        words: words.to_owned(),
        at: at.map(When::new),
        in_full: false,
    };
    if !application.enabled {
        return vec![mark("off", "disabled", None)];
    }
    if application.is_expired(now) {
        return vec![mark("ended", "expired", application.expires_at)];
    }
    let mut marks = Vec::new();
    if let Some(end) = application.expires_at {
        let left = end.since(now);
        let style = if left <= SOON { "off" } else { "good" };
        marks.push(mark(style, &format!("expires in {}", words::rough(left)), Some(end)));
    } else {
        marks.push(mark("good", "active", None));
    }
    if let Some(end) = application.old_secret(now).and_then(|secret| secret.ends_at) {
        marks.push(Mark { in_full: true, ..mark("accent", "overlap until", Some(end)) });
    }
    marks
}

/// The names of an application's roles.
pub(crate) fn role_names(application: &Application, roles: &[Role]) -> Vec<String> {
    let own = roles.iter().filter(|role| application.roles.contains(&role.id));
    own.map(|role| role.name.to_string()).collect()
}
