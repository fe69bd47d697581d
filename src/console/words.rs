//! Values in words, as pages show them.

use crate::domain::grant::Action;
use crate::domain::resource::ResourcePattern;
use crate::domain::role::{Role, RoleId};
use std::time::Duration;

/// A duration in its largest whole unit.
pub(crate) fn duration(length: Duration) -> String {
    let seconds = length.as_secs();
    let (count, unit) = match seconds {
        _ if seconds.is_multiple_of(3600) => (seconds / 3600, "hour"),
        _ if seconds.is_multiple_of(60) => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

/// A duration in one unit, rounded down: how long ago something was, or how long it still takes.
pub(crate) fn rough(length: Duration) -> String {
    // From how many of a unit on it is used: two years say more as 2 years, two months more as 60 days.
    const UNITS: [(u64, u64, &str); 5] = [
        (365 * 86_400, 2, "year"),
        (30 * 86_400, 4, "month"),
        (86_400, 2, "day"),
        (3_600, 1, "hour"),
        (60, 1, "minute"),
    ];
    let seconds = length.as_secs();
    let unit = UNITS.iter().find(|(size, least, _)| seconds >= least * size);
    match unit {
        None => "less than a minute".to_owned(),
        Some((size, _, name)) if seconds / size == 1 => format!("1 {name}"),
        Some((size, _, name)) => format!("{} {name}s", seconds / size),
    }
}

/// How many applications; from `limit` on that there are more.
pub(crate) fn applications(count: u64, limit: u64) -> String {
    match count {
        0 => "no application".to_owned(),
        1 => "1 application".to_owned(),
        _ if count >= limit => format!("{limit} applications or more"),
        _ => format!("{count} applications"),
    }
}

/// What a role is for, in a line.
pub(crate) fn about(role: &Role) -> String {
    match role.id.as_str() {
        RoleId::ADMINISTRATOR => "View and edit on everything.".to_owned(),
        RoleId::OPERATOR => "View and edit on all data, view on security resources.".to_owned(),
        _ => {
            let lines: Vec<String> =
                grant_lines(role).into_iter().map(|line| format!("{} {}", line.actions, line.resource)).collect();
            // No full stop after a filter: it would look like a part of it.
            let rows = role.filter.as_ref().map(|filter| format!(" Only rows where {filter}")).unwrap_or_default();
            format!("{}{rows}", sentence(&lines.join(", ")))
        }
    }
}

/// What applications with these roles may do, a sentence for each thing, each said once.
pub(crate) fn may<'a>(roles: impl IntoIterator<Item = &'a Role>) -> Vec<String> {
    let mut sentences = Vec::new();
    for role in roles {
        let own = match role.id.as_str() {
            RoleId::ADMINISTRATOR | RoleId::OPERATOR => vec![about(role)],
            _ => {
                let rows = role.filter.as_ref().map(|filter| format!(", only rows where {filter}")).unwrap_or_default();
                let line = |line: GrantLine| sentence(&format!("{} {}{rows}", line.actions, line.resource));
                grant_lines(role).into_iter().map(line).collect()
            }
        };
        for one in own {
            if !sentences.contains(&one) {
                sentences.push(one);
            }
        }
    }
    sentences
}

/// What a role allows on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrantLine {
    pub(crate) resource: String,
    /// `view`, `edit` or `view and edit`.
    pub(crate) actions: &'static str,
}

/// A line per resource, in the order of the grants.
pub(crate) fn grant_lines(role: &Role) -> Vec<GrantLine> {
    let mut resources: Vec<&ResourcePattern> = Vec::new();
    for grant in &role.grants {
        if !resources.contains(&&grant.resource) {
            resources.push(&grant.resource);
        }
    }
    let has = |resource: &ResourcePattern, action| {
        role.grants.iter().any(|grant| grant.action == action && grant.resource == *resource)
    };
    let line = |resource: &ResourcePattern| GrantLine {
        resource: resource.to_string(),
        actions: match (has(resource, Action::View), has(resource, Action::Edit)) {
            (true, true) => "view and edit",
            (false, true) => "edit",
            _ => "view",
        },
    };
    resources.into_iter().map(line).collect()
}

/// A message of the layers below as a sentence: a capital at its beginning, a full stop at its end.
pub(crate) fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let mut text: String = characters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    text.push_str(characters.as_str());
    if !text.ends_with(['.', '?', '!']) {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_well() {
        assert_eq!(duration(Duration::from_mins(10)), "10 minutes");
        assert_eq!(duration(Duration::from_hours(1)), "1 hour");
        assert_eq!(duration(Duration::from_secs(90)), "90 seconds");
        for (seconds, words) in [
            (0, "less than a minute"),
            (60, "1 minute"),
            (7_199, "1 hour"),
            (90_000, "25 hours"),
            (30 * 86_400, "30 days"),
            (365 * 86_400, "12 months"),
            (800 * 86_400, "2 years"),
        ] {
            assert_eq!(rough(Duration::from_secs(seconds)), words);
        }
        assert_eq!(sentence("enter a name"), "Enter a name.");
        let [administrator, _] = Role::built_in();
        assert_eq!(about(&administrator), "View and edit on everything.");
    }
}
