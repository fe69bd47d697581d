//! The form of a role: what it sends, and how it stands on the page.

use crate::actions::role::seen;
use crate::actions::seen::Seen;
use crate::app::{App, LiveGateway};
use crate::console::form::{Fields, FromFields};
use crate::domain::grant::{Action, Grant};
use crate::domain::resource::{GatewayName, Resource, ResourcePattern, SecurityResource};
use crate::domain::role::Role;
use std::sync::Arc;

/// The most rows of gateways that are read.
const ROWS: usize = 200;

/// What an administrator says of a role, as typed.
#[derive(Clone, Debug, Default)]
pub(crate) struct RoleForm {
    pub(crate) name: String,
    /// The ticked boxes, each a grant.
    pub(crate) ticked: Vec<String>,
    pub(crate) gateways: Vec<GatewayRow>,
    pub(crate) filter: String,
    /// Names the role that the form was filled with.
    pub(crate) seen: Seen,
}

/// A row of the matrix that names gateways.
#[derive(Clone, Debug, Default)]
pub(crate) struct GatewayRow {
    /// A name, or a beginning with `*`.
    pub(crate) pattern: String,
    pub(crate) view: bool,
    pub(crate) edit: bool,
}

/// A row of the matrix with a fixed resource.
#[derive(Clone, Debug)]
pub(crate) struct ResourceRow {
    pub(crate) resource: String,
    pub(crate) about: String,
    pub(crate) view: bool,
    /// `None` where there is nothing to edit.
    pub(crate) edit: Option<bool>,
}

/// A gateway that exists, which has a row of its own.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    pub(crate) name: String,
    pub(crate) about: String,
}

impl Offered {
    /// All gateways, by name.
    pub(crate) fn all(app: &App) -> Vec<Self> {
        let offered = |live: Arc<LiveGateway>| {
            let gateway = &live.gateway;
            let said = gateway.description.lines().next().unwrap_or_default();
            let about = if said.is_empty() { format!("A gateway of kind {}", gateway.kind) } else { said.to_owned() };
            Self { name: gateway.name.as_str().to_owned(), about }
        };
        let mut all: Vec<Self> = app.snapshot.all_gateways().into_iter().map(offered).collect();
        all.sort_unstable_by(|left, right| left.name.cmp(&right.name));
        all
    }
}

impl FromFields for RoleForm {
    fn from_fields(fields: &Fields) -> Self {
        let row = |index: usize| {
            let pattern = fields.all(&format!("gateway-{index}")).into_iter().next()?;
            let is = |action: Action| fields.some(&format!("gateway-{index}-{action}")).is_some();
            Some(GatewayRow { pattern: pattern.trim().to_owned(), view: is(Action::View), edit: is(Action::Edit) })
        };
        let rows = (0..ROWS).map_while(row);
        Self {
            name: fields.one("name"),
            ticked: fields.all("grant"),
            gateways: rows.filter(|row| !row.is_empty()).collect(),
            filter: fields.one("filter").replace("\r\n", "\n"),
            seen: Seen::named(fields.one("seen")),
        }
    }
}

impl GatewayRow {
    const fn is_empty(&self) -> bool {
        self.pattern.is_empty() && !self.view && !self.edit
    }
}

impl RoleForm {
    /// The form of a role as it is.
    pub(crate) fn of(role: &Role) -> Self {
        let mut form = Self {
            name: role.name.to_string(),
            filter: role.filter.as_ref().map(ToString::to_string).unwrap_or_default(),
            seen: seen(role),
            ..Self::default()
        };
        for grant in &role.grants {
            match grant.resource.to_string().strip_prefix("gateway/") {
                None => form.ticked.push(grant.to_string()),
                Some(pattern) => form.tick_gateway(pattern, grant.action),
            }
        }
        form
    }

    fn tick_gateway(&mut self, pattern: &str, action: Action) {
        let at = self.gateways.iter().position(|row| row.pattern == pattern).unwrap_or_else(|| {
            self.gateways.push(GatewayRow { pattern: pattern.to_owned(), ..GatewayRow::default() });
            self.gateways.len() - 1
        });
        match action {
            Action::View => self.gateways[at].view = true,
            Action::Edit => self.gateways[at].edit = true,
        }
    }

    /// Whether nothing was sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.name.is_empty() && self.ticked.is_empty() && self.gateways.is_empty() && self.filter.is_empty()
    }

    /// The grants, as typed.
    ///
    /// # Errors
    /// A row of gateways that is not complete.
    pub(crate) fn grants(&self) -> Result<Vec<String>, String> {
        let mut grants = self.ticked.clone();
        for row in &self.gateways {
            let pattern = row.pattern.strip_prefix("gateway/").unwrap_or(&row.pattern);
            if pattern.is_empty() {
                return Err("Name the gateways that the ticked boxes of an empty row are for, or untick them.".into());
            }
            if !row.view && !row.edit {
                return Err(format!("Tick what the role may do on the gateways “{pattern}”, or empty that row."));
            }
            let chosen = [(row.view, Action::View), (row.edit, Action::Edit)].into_iter().filter(|(is, _)| *is);
            let written = chosen.map(|(_, action)| format!("gateway/{pattern}:{action}"));
            for grant in written {
                if grant.parse::<Grant>().is_err() {
                    return Err(format!(
                        "“{pattern}” names no gateways: write a gateway's name in small letters, digits and hyphens, or a \
                         beginning with * after it."
                    ));
                }
                grants.push(grant);
            }
        }
        Ok(grants)
    }

    /// Gateways that exist have rows of their own: what names one of them exactly moves there.
    pub(crate) fn place(&mut self, offered: &[Offered]) {
        for row in std::mem::take(&mut self.gateways) {
            if !offered.iter().any(|gateway| gateway.name == row.pattern) {
                self.gateways.push(row);
                continue;
            }
            for (_, action) in [(row.view, Action::View), (row.edit, Action::Edit)].into_iter().filter(|(is, _)| *is) {
                self.ticked.push(format!("gateway/{}:{action}", row.pattern));
            }
        }
    }

    /// The rows of the matrix with fixed resources: data first.
    pub(crate) fn resources(&self, offered: &[Offered]) -> Vec<ResourceRow> {
        let row = |resource: Resource, about: &str| {
            let pattern = ResourcePattern::One(resource.clone());
            let is = |action| self.ticked.contains(&Grant { resource: pattern.clone(), action }.to_string());
            let view_only = matches!(resource, Resource::Security(security) if security.is_view_only());
            ResourceRow {
                resource: resource.to_string(),
                about: about.to_owned(),
                view: is(Action::View),
                edit: (!view_only).then(|| is(Action::Edit)),
            }
        };
        let security = SecurityResource::ALL.map(|security| row(Resource::Security(security), about(security)));
        let entities = row(Resource::Entities, "The inventory, in the rows that the filter selects");
        let gateway =
            |offered: &Offered| Some(row(Resource::Gateway(GatewayName::parse(&offered.name)?), &offered.about));
        std::iter::once(entities).chain(offered.iter().filter_map(gateway)).chain(security).collect()
    }
}

const fn about(security: SecurityResource) -> &'static str {
    match security {
        SecurityResource::Applications => "Which applications have keys",
        SecurityResource::Roles => "Roles and what they allow",
        SecurityResource::Users => "People who sign in to this console",
        SecurityResource::Gateways => "How connected services are reached",
        SecurityResource::Settings => "The hub's own settings",
        SecurityResource::Audit => "Who changed what, and when",
        SecurityResource::Metrics => "The hub's own metrics",
        SecurityResource::Introspection => "Asking about other applications' tokens",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_role_grants_comes_back_from_its_form() {
        for role in Role::built_in() {
            let mut sent: Vec<Grant> = RoleForm::of(&role)
                .grants()
                .expect("complete")
                .iter()
                .map(|grant| grant.parse().expect("one"))
                .collect();
            sent.sort_unstable();
            let mut grants = role.grants.clone();
            grants.sort_unstable();
            assert_eq!(sent, grants, "{}", role.name);
        }
    }

    #[test]
    fn a_row_of_gateways_is_complete() {
        let with = |pattern: &str, view| {
            let row = GatewayRow { pattern: pattern.into(), view, edit: false };
            RoleForm { gateways: vec![row], ..RoleForm::default() }.grants()
        };
        assert_eq!(with("prom-*", true), Ok(vec!["gateway/prom-*:view".into()]));
        assert_eq!(with("gateway/a", true), Ok(vec!["gateway/a:view".into()]));
        assert!(with("a", false).is_err());
        assert!(with("", true).is_err());
        assert!(with("A b", true).is_err_and(|message| message.contains("A b")));
    }
}
