//! `migrate`: brings the database to this program's schema, as every start does.

use clap::Args;
use serde::Serialize;
use tokio::runtime::Builder;

use super::{failure::Failure, global::Global, hub, output::Output};
use crate::actions::hub as actions;

/// Bring the database to this program's schema
///
/// `serve` and all commands do this by themselves; this command does it alone, for example before the first node of a new
/// version is started. Several at once do no harm. An empty database is prepared, key included.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gateway-hub migrate
  GATEWAY_HUB_DATABASE_URL=postgres://hub@db.internal/hub gateway-hub migrate --json")]
pub(super) struct Migrate {}

#[derive(Serialize)]
struct Applied {
    security_migrations: usize,
    entity_migrations: usize,
}

impl Migrate {
    #[expect(clippy::unused_self, reason = "all commands run alike")]
    pub(super) fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        let config = global.config(|_| {})?;
        let report = hub::runtime(Builder::new_current_thread())?.block_on(async {
            let report = actions::migrate(&config).await.map_err(|error| hub::explain(&config.database, &error))?;
            // Checks the key, and makes it for an empty database.
            let app = hub::open(config).await?;
            app.store.close().await;
            Ok::<_, Failure>(report)
        })?;
        let applied = Applied { security_migrations: report.security, entity_migrations: report.entities };
        output
            .answer(&applied, || match report.security + report.entities {
                0 => "The schema is up to date.\n".to_owned(),
                count => format!("The schema is up to date: {count} migrations applied.\n"),
            })?
            .write()
    }
}
