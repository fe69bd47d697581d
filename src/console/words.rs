//! Values in words, as pages show them.

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

/// What a role is for, in a line.
pub(crate) fn about(role: &Role) -> String {
    match role.id.as_str() {
        RoleId::ADMINISTRATOR => "View and edit on everything.".to_owned(),
        RoleId::OPERATOR => "View and edit on all data, view on security resources.".to_owned(),
        _ => {
            let grants: Vec<String> = role.grants.iter().map(ToString::to_string).collect();
            let rows = role.filter.as_ref().map(|filter| format!(", where {filter}")).unwrap_or_default();
            format!("{}{rows}", grants.join(", "))
        }
    }
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
        assert_eq!(sentence("enter a name"), "Enter a name.");
        let [administrator, _] = Role::built_in();
        assert_eq!(about(&administrator), "View and edit on everything.");
    }
}
