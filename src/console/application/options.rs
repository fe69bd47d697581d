//! More options of the New API Key window. They travel from step to step as they were typed.

use super::entry::{Fault, end_of, networks};
use super::list_query::Choice;
use crate::console::form::{Fields, FromFields};
use crate::domain::console_user::ConsoleUser;
use crate::domain::time::Timestamp;
use ipnet::IpNet;
use std::time::Duration;

/// The fields, by name.
const NAMES: [&str; 6] = ["description", "owner", "expires", "expires_on", "networks", "allow_basic"];

/// The days after which a key may expire.
const DAYS: [(u32, &str); 3] = [(30, "In 30 days"), (90, "In 90 days"), (365, "In 365 days")];

/// The options as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) description: String,
    /// A console user's id; empty for nobody.
    pub(crate) owner: String,
    /// A number of days, `date`, or empty for never.
    pub(crate) expires: String,
    /// The last day on which the key works, in UTC.
    pub(crate) expires_on: String,
    /// Networks, separated by white space or commas; empty for any.
    pub(crate) networks: String,
    pub(crate) allow_basic: bool,
}

/// The options as values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chosen {
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) networks: Vec<IpNet>,
}

impl FromFields for Options {
    fn from_fields(fields: &Fields) -> Self {
        Self {
            // Browsers send line ends as CR LF.
            description: fields.one("description").replace("\r\n", "\n"),
            owner: fields.one("owner"),
            expires: fields.one("expires"),
            expires_on: fields.one("expires_on"),
            networks: fields.one("networks"),
            allow_basic: !fields.one("allow_basic").is_empty(),
        }
    }
}

impl Options {
    /// Reads what was typed.
    ///
    /// # Errors
    /// [`Fault`] names the field.
    pub(crate) fn read(&self, now: Timestamp) -> Result<Chosen, Fault> {
        let fault = |message: &str| Fault::new("expires", message);
        let expires_at = match (self.expires.as_str(), self.expires_on.is_empty()) {
            ("", true) => None,
            ("" | "date", false) => Some(end_of(&self.expires_on)?),
            ("date", true) => return Err(fault("Choose the last day on which the key works.")),
            (_, false) => return Err(fault("Choose a number of days or a date, not both.")),
            (days, true) => {
                let known = DAYS.iter().find(|(known, _)| known.to_string() == days);
                let (days, _) = known.ok_or_else(|| fault("Choose one of the list."))?;
                Some(now.plus(Duration::from_hours(24 * u64::from(*days))))
            }
        };
        if expires_at.is_some_and(|end| end <= now) {
            return Err(fault("This day is over. Choose a later one."));
        }
        Ok(Chosen { expires_at, networks: networks(&self.networks)? })
    }

    /// The id of the owner, if there is one.
    pub(crate) fn owner_id(&self) -> Option<String> {
        Some(self.owner.clone()).filter(|owner| !owner.is_empty())
    }

    /// Whether anything was typed or chosen.
    pub(crate) fn any(&self) -> bool {
        *self != Self::default()
    }

    /// Names and values of the fields that hold something, as forms hand them on.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, &str)> {
        let values = [
            self.description.as_str(),
            &self.owner,
            &self.expires,
            &self.expires_on,
            &self.networks,
            if self.allow_basic { "on" } else { "" },
        ];
        NAMES.into_iter().zip(values).filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The choices of when the key expires, besides never.
    pub(crate) fn expiries(&self) -> Vec<Choice> {
        let days = DAYS.iter().map(|(days, label)| (days.to_string(), *label));
        let all = days.chain([("date".to_owned(), "On a date")]);
        let chosen = |value: &str| self.expires == value;
        all.map(|(value, label)| Choice { chosen: chosen(&value), value, label: label.to_owned() }).collect()
    }

    /// The choices of who answers for the application, besides nobody.
    pub(crate) fn owners(&self, users: &[ConsoleUser]) -> Vec<Choice> {
        let choice = |user: &ConsoleUser| Choice {
            value: user.id.clone(),
            label: user.name.to_string(),
            chosen: self.owner == user.id,
        };
        users.iter().map(choice).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Options {
        Options::from_fields(&Fields::parse(query.as_bytes()))
    }

    #[test]
    fn options_travel_as_typed() {
        let query = "description=a%0Ab&owner=user_1&expires=date&expires_on=2027-01-01&networks=office&allow_basic=on";
        let typed = read(query);
        let again = form_urlencoded::Serializer::new(String::new()).extend_pairs(typed.pairs()).finish();
        assert_eq!(again, query);
        assert!(typed.any() && read("").pairs().is_empty() && !read("").any());
    }

    #[test]
    fn an_expiry_is_days_or_a_date() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let end = |query: &str| read(query).read(now).map(|chosen| chosen.expires_at.map(|end| end.to_string()));
        assert_eq!(end(""), Ok(None));
        assert_eq!(end("expires=30"), Ok(Some(now.plus(Duration::from_hours(720)).to_string())));
        for date in ["expires=date&expires_on=2027-01-31", "expires_on=2027-01-31"] {
            assert_eq!(end(date), Ok(Some("2027-02-01T00:00:00Z".to_owned())), "{date}");
        }
        // 1 800 000 000 is 2027-01-15: that day still works, the one before is over.
        assert!(end("expires_on=2027-01-15").is_ok());
        for wrong in
            ["expires=date", "expires=30&expires_on=2027-01-31", "expires=31", "expires_on=2027-01-14", "expires_on=x"]
        {
            assert_eq!(end(wrong).expect_err(wrong).field, "expires", "{wrong}");
        }
        assert_eq!(end("networks=office").expect_err("no network").field, "networks");
    }
}
