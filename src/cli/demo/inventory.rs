//! A believable inventory: the machines, databases and applications of a bank's trading floor and what is around it.

use std::collections::BTreeMap;

use crate::{
    cli::failure::Failure,
    domain::entity::{Attributes, EntityId},
};

/// An id such as `host/fx-ldn-pricing-01`, and its attributes.
type Sample = (String, BTreeMap<String, String>);

struct System {
    department: &'static str,
    name: &'static str,
    owner: &'static str,
    /// Machines per region in production; the other environments have fewer.
    hosts: usize,
    os: (&'static str, &'static str),
    database: Option<(&'static str, &'static str)>,
    regions: &'static [Region],
}

#[derive(Clone, Copy)]
struct Region {
    name: &'static str,
    code: &'static str,
    data_center: &'static str,
}

const LONDON: Region = Region { name: "london", code: "ldn", data_center: "LD4" };
const NEW_YORK: Region = Region { name: "new-york", code: "nyc", data_center: "NY5" };
const SINGAPORE: Region = Region { name: "singapore", code: "sgp", data_center: "SG1" };
const FRANKFURT: Region = Region { name: "frankfurt", code: "fra", data_center: "FR2" };

const ALL: &[Region] = &[LONDON, NEW_YORK, SINGAPORE, FRANKFURT];
const TRADING: &[Region] = &[LONDON, NEW_YORK, SINGAPORE];
const HEADQUARTERS: &[Region] = &[LONDON, FRANKFURT];

const RHEL: (&str, &str) = ("Linux", "RHEL 9.4");
const UBUNTU: (&str, &str) = ("Linux", "Ubuntu 24.04");
const WINDOWS: (&str, &str) = ("Windows", "Server 2022");
const SOLARIS: (&str, &str) = ("Solaris", "11.4");
const ORACLE: (&str, &str) = ("Oracle", "19c");
const POSTGRESQL: (&str, &str) = ("PostgreSQL", "16");
const SQL_SERVER: (&str, &str) = ("SQL Server", "2022");

const SYSTEMS: &[System] = &[
    system("fx", "pricing", "fx-quant", 6, RHEL, Some(POSTGRESQL), TRADING),
    system("fx", "order-router", "fx-trading", 5, RHEL, None, TRADING),
    system("equities", "matching", "eq-core", 6, RHEL, Some(ORACLE), TRADING),
    system("equities", "market-data", "eq-data", 5, UBUNTU, None, TRADING),
    system("rates", "curve-builder", "rates-quant", 4, UBUNTU, Some(POSTGRESQL), TRADING),
    system("risk", "var-engine", "risk-tech", 6, RHEL, Some(ORACLE), HEADQUARTERS),
    system("risk", "limits", "risk-tech", 3, WINDOWS, Some(SQL_SERVER), HEADQUARTERS),
    system("payments", "swift-gateway", "payments-ops", 4, SOLARIS, Some(ORACLE), HEADQUARTERS),
    system("payments", "instant", "payments-core", 4, UBUNTU, Some(POSTGRESQL), HEADQUARTERS),
    system("retail", "web-bank", "retail-web", 6, UBUNTU, Some(POSTGRESQL), HEADQUARTERS),
    system("retail", "branch-desktop", "retail-it", 3, WINDOWS, Some(SQL_SERVER), HEADQUARTERS),
    system("platform", "monitoring", "platform-sre", 3, UBUNTU, Some(POSTGRESQL), ALL),
    system("platform", "build", "platform-dev", 4, UBUNTU, None, HEADQUARTERS),
];

const fn system(
    department: &'static str,
    name: &'static str,
    owner: &'static str,
    hosts: usize,
    os: (&'static str, &'static str),
    database: Option<(&'static str, &'static str)>,
    regions: &'static [Region],
) -> System {
    System { department, name, owner, hosts, os, database, regions }
}

/// The whole inventory, the same at each call.
///
/// # Errors
/// None: the samples keep the rules of entities, as a test sees.
pub(super) fn inventory() -> Result<Vec<(EntityId, Attributes)>, Failure> {
    let checked = |(id, attributes)| {
        let id = EntityId::parse(id).map_err(Failure::refused)?;
        Ok((id, Attributes::new(attributes).map_err(Failure::refused)?))
    };
    samples().into_iter().map(checked).collect()
}

fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for system in SYSTEMS {
        for (index, region) in system.regions.iter().enumerate() {
            add(&mut samples, system, *region, "production", "", system.hosts);
            if index == 0 {
                add(&mut samples, system, *region, "uat", "u", system.hosts.div_ceil(2));
                add(&mut samples, system, *region, "development", "d", 1);
            }
        }
    }
    samples
}

/// One system in one place: its machines, its application and its database.
fn add(samples: &mut Vec<Sample>, system: &System, region: Region, environment: &str, mark: &str, hosts: usize) {
    let place = format!("{}-{}-{}{mark}", system.department, region.code, system.name);
    let common = |kind: &str, more: &[(&str, &str)]| {
        let shared = [
            ("itrs.type", kind),
            ("user.department", system.department),
            ("user.region", region.name),
            ("user.system", system.name),
            ("user.environment", environment),
            ("user.owner", system.owner),
        ];
        shared.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let (os, version) = system.os;
    let on_host = [("itrs.os-type", os), ("itrs.os-version", version), ("itrs.data-center", region.data_center)];
    for number in 1..=hosts {
        samples.push((format!("host/{place}-{number:02}"), common("host", &on_host)));
    }
    samples.push((format!("application/{place}"), common("application", &[])));
    if let Some((engine, version)) = system.database {
        let of_database = [("itrs.database-type", engine), ("itrs.database-version", version)];
        samples.push((format!("database/{place}"), common("database", &of_database)));
    }
}

#[cfg(test)]
mod tests {
    use super::{inventory, samples};
    use std::collections::BTreeSet;

    #[test]
    fn some_three_hundred_good_entities_each_once() {
        let samples = samples();
        let ids: BTreeSet<&str> = samples.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids.len(), samples.len());
        assert_eq!(inventory().expect("good entities").len(), samples.len());
        assert!((290..=310).contains(&samples.len()), "{}", samples.len());
        for key in ["user.department", "user.region", "user.system"] {
            let values: BTreeSet<&String> = samples.iter().map(|(_, attributes)| &attributes[key]).collect();
            assert!(values.len() >= 4, "{key}: {values:?}");
        }
    }
}
