//! Every route of the Web Console.

use super::guard::ConsoleGuard;
use super::{
    application, documentation, effect, entity, first_run, gateway, nodes, overview, paths, refusal, role, sign_in,
};
use crate::domain::resource::{Resource, SecurityResource};
use crate::http::assets;
use crate::http::gate::{Caller, Permission};
use crate::http::route::{RouteTable, get, post};
use crate::http::surface::Surface;
use crate::upstream::Upstreams;
use std::sync::Arc;

const ANYONE: Caller = Caller::Anyone;
const PERSON: Caller = Caller::ConsoleUser;

/// The console's route table. *Edit* also asks for a recent sign-in (see [`ConsoleGuard`]).
#[must_use]
pub fn table(upstreams: &Arc<Upstreams>) -> RouteTable {
    let routes = vec![
        // Before signing in.
        get(assets::ROUTE, ANYONE, Permission::None, assets::show),
        get(paths::SIGN_IN, ANYONE, Permission::None, sign_in::show),
        post(paths::SIGN_IN, ANYONE, Permission::None, sign_in::sign_in),
        get(paths::FIRST_RUN, ANYONE, Permission::None, first_run::show),
        post(paths::FIRST_RUN, ANYONE, Permission::None, first_run::create),
        // Every person.
        get(paths::ROOT, PERSON, Permission::None, overview::start),
        get(paths::CONSOLE, PERSON, Permission::None, overview::start),
        get(paths::CONSOLE_SLASH, PERSON, Permission::None, overview::start),
        get(paths::OVERVIEW, PERSON, Permission::None, overview::show),
        get(paths::DOCUMENTATION, PERSON, Permission::None, documentation::show),
        post(paths::SIGN_OUT, PERSON, Permission::None, sign_in::sign_out),
        get(paths::CHANGE, PERSON, Permission::None, effect::show),
        get(paths::NODES, PERSON, view(SecurityResource::Metrics), nodes::show),
        // The inventory.
        get(paths::ENTITIES, PERSON, Permission::View(Resource::Entities), entity::list),
        // Roles.
        get(paths::ROLES, PERSON, view(SecurityResource::Roles), role::list::page),
        get(paths::ROLE_NEW, PERSON, edit(SecurityResource::Roles), role::editor::new),
        post(paths::ROLES, PERSON, edit(SecurityResource::Roles), role::editor::make),
        // Only reads what was typed.
        post(paths::ROLE_FILTER, PERSON, view(SecurityResource::Roles), role::filter::read),
        get(paths::ROLE, PERSON, view(SecurityResource::Roles), role::editor::open),
        post(paths::ROLE, PERSON, edit(SecurityResource::Roles), role::editor::save),
        get(paths::ROLE_DELETE, PERSON, edit(SecurityResource::Roles), role::delete::ask),
        post(paths::ROLE_DELETE, PERSON, edit(SecurityResource::Roles), role::delete::confirm),
        // Gateways.
        get(paths::GATEWAYS, PERSON, view(SecurityResource::Gateways), gateway::list::page),
        get(paths::GATEWAY_NEW, PERSON, edit(SecurityResource::Gateways), gateway::new::open),
        post(paths::GATEWAYS, PERSON, edit(SecurityResource::Gateways), gateway::new::make),
        get(paths::GATEWAY, PERSON, view(SecurityResource::Gateways), gateway::page::open),
        post(paths::GATEWAY, PERSON, edit(SecurityResource::Gateways), gateway::page::save),
        post(paths::GATEWAY_TEST, PERSON, edit(SecurityResource::Gateways), gateway::test::run),
        // Whoever may view a gateway may look through it: the handler asks, for no table knows its name.
        get(paths::GATEWAY_TRY, PERSON, Permission::None, gateway::try_it::open),
        post(paths::GATEWAY_TRY, PERSON, Permission::None, gateway::try_it::run),
        get(paths::GATEWAY_DELETE, PERSON, edit(SecurityResource::Gateways), gateway::delete::ask),
        post(paths::GATEWAY_DELETE, PERSON, edit(SecurityResource::Gateways), gateway::delete::confirm),
        // Applications.
        get(paths::APPLICATIONS, PERSON, view(SecurityResource::Applications), application::list::show),
        get(paths::APPLICATION_FIND, PERSON, view(SecurityResource::Applications), application::find::ask),
        post(paths::APPLICATION_FIND, PERSON, view(SecurityResource::Applications), application::find::find),
        get(paths::APPLICATION_NEW, PERSON, edit(SecurityResource::Applications), application::new::ask_name),
        get(paths::APPLICATION_NEW_ROLES, PERSON, edit(SecurityResource::Applications), application::new::ask_roles),
        post(paths::APPLICATIONS, PERSON, edit(SecurityResource::Applications), application::new::generate),
        get(paths::APPLICATION, PERSON, view(SecurityResource::Applications), application::page::show),
        post(paths::APPLICATION, PERSON, edit(SecurityResource::Applications), application::settings::save),
        post(paths::APPLICATION_DISABLE, PERSON, edit(SecurityResource::Applications), application::switch::disable),
        post(paths::APPLICATION_ENABLE, PERSON, edit(SecurityResource::Applications), application::switch::enable),
        post(paths::APPLICATION_END_OVERLAP, PERSON, edit(SecurityResource::Applications), application::switch::end),
        get(paths::APPLICATION_REGENERATE, PERSON, edit(SecurityResource::Applications), application::regenerate::ask),
        post(
            paths::APPLICATION_REGENERATE,
            PERSON,
            edit(SecurityResource::Applications),
            application::regenerate::make,
        ),
        get(paths::APPLICATION_DELETE, PERSON, edit(SecurityResource::Applications), application::delete::ask),
        post(paths::APPLICATION_DELETE, PERSON, edit(SecurityResource::Applications), application::delete::confirm),
    ];
    RouteTable::new(Surface::Console, routes)
        .guarded_by(Arc::new(ConsoleGuard::new(Arc::clone(upstreams))))
        .rescued_by(refusal::rescue)
}

const fn view(resource: SecurityResource) -> Permission {
    Permission::View(Resource::Security(resource))
}

const fn edit(resource: SecurityResource) -> Permission {
    Permission::Edit(Resource::Security(resource))
}
