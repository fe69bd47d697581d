//! The nodes of a store, and on which of them a change is in effect.

use super::time::Timestamp;
use std::fmt;
use std::time::Duration;

/// How often a node reports itself when nothing changes.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// A node that has not reported itself for so long is taken to be gone or cut off.
const SILENT_AFTER: Duration = Duration::from_secs(15);

/// A running `serve`, as it last reported itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Random, made at each start.
    pub id: String,
    /// What people call it; two may have the same name.
    pub name: String,
    /// The version of its program.
    pub version: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// The number of the last change that is in effect there.
    pub applied: u64,
    /// Since when that is so.
    pub applied_at: Timestamp,
    /// When its last good poll of the store began; `None` before the first.
    pub polled_at: Option<Timestamp>,
    /// After how long without a good poll it refuses everything.
    pub staleness_limit: Duration,
    /// When it reported this.
    pub seen_at: Timestamp,
}

/// What is known of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It decides requests.
    Serving,
    /// It reads the store for the first time and decides nothing yet.
    Starting,
    /// It has not reported itself lately; it refuses everything from this instant on at the latest.
    Silent(Timestamp),
    /// It refuses everything since then.
    Refusing(Timestamp),
}

impl Node {
    /// What is known of it at `now`. The clocks of all hosts are taken to agree.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        // While it can reach the store it polls and reports; so its last good poll began soon after its last report.
        if now.since(self.seen_at) > SILENT_AFTER {
            let refuses = self.seen_at.plus(REPORT_INTERVAL).plus(self.staleness_limit);
            return if now < refuses { Standing::Silent(refuses) } else { Standing::Refusing(refuses) };
        }
        match self.polled_at.map(|polled| polled.plus(self.staleness_limit)) {
            None => Standing::Starting,
            Some(refuses) if self.seen_at > refuses => Standing::Refusing(refuses),
            Some(_) => Standing::Serving,
        }
    }

    /// Whether it may answer requests, for all that is known of it.
    #[must_use]
    pub fn may_decide(&self, now: Timestamp) -> bool {
        !matches!(self.standing(now), Standing::Refusing(_))
    }

    /// Whether it can be expected to say soon that it has read a change: it follows the store, or begins to.
    #[must_use]
    pub fn will_confirm(&self, now: Timestamp) -> bool {
        matches!(self.standing(now), Standing::Serving | Standing::Starting)
    }
}

/// On which nodes a change is in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// On so many.
    pub confirmed: usize,
    /// Of so many.
    pub nodes: usize,
    /// From the change to its effect on the last of those nodes; `None` if that is not known.
    pub took: Option<Took>,
    /// The nodes that have not confirmed it.
    pub waiting: Vec<Waiting>,
}

/// How long a change took to be in effect everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Took {
    /// So long.
    Exactly(Duration),
    /// At most so long: a node went on to later changes before it was looked at.
    AtMost(Duration),
}

/// A node that has not confirmed a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its name.
    pub name: String,
    /// It obeys or refuses everything from then on at the latest: a poll that began before the change keeps it going no
    /// longer than the staleness limit.
    pub by: Timestamp,
    /// Whether that instant has passed, so that it refuses everything.
    pub refuses: bool,
}

impl Effect {
    /// Where the change of number `seq` is in effect. It was made at `made` and was in the store at `committed` at the
    /// latest.
    #[must_use]
    pub fn of(seq: u64, made: Timestamp, committed: Timestamp, nodes: &[Node], now: Timestamp) -> Self {
        let (confirmed, late): (Vec<_>, Vec<_>) = nodes.iter().partition(|node| node.applied >= seq);
        let waiting: Vec<Waiting> = late
            .into_iter()
            .map(|node| {
                let by = committed.plus(node.staleness_limit);
                Waiting { name: node.name.clone(), by, refuses: now > by }
            })
            .collect();
        let took = confirmed.iter().map(|node| node.applied_at.since(made)).max().filter(|_| waiting.is_empty());
        let exact = confirmed.iter().all(|node| node.applied == seq);
        // A node that took longer than its staleness limit refused in between: such a figure is about later changes.
        let told = confirmed.iter().map(|node| node.staleness_limit).min().unwrap_or_default();
        let took = match took {
            Some(took) if exact => Some(Took::Exactly(took)),
            Some(took) if took < told => Some(Took::AtMost(took)),
            _ => None,
        };
        Self { confirmed: confirmed.len(), nodes: nodes.len(), took, waiting }
    }

    /// Whether nothing more will happen: every node has confirmed the change or refuses everything.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.waiting.iter().all(|node| node.refuses)
    }
}

impl fmt::Display for Effect {
    /// In words, as the Web Console and the command line say it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { confirmed, nodes, took, waiting } = self;
        if (*confirmed, *nodes) == (1, 1) {
            return f.write_str("In effect on the only node.");
        }
        write!(f, "In effect on {confirmed} of {nodes} nodes")?;
        match took {
            Some(Took::Exactly(took)) => write!(f, " after {} ms", took.as_millis())?,
            Some(Took::AtMost(took)) => write!(f, " within {} ms", took.as_millis())?,
            None => {}
        }
        for (at, node) in waiting.iter().enumerate() {
            write!(f, "{} {node}", if at == 0 { ";" } else { "," })?;
        }
        f.write_str(".")
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, by, refuses } = self;
        let by = by.time_of_day();
        if *refuses {
            write!(f, "{name} was not heard of and has refused everything since {by} at the latest")
        } else {
            write!(f, "{name} by {by}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_000_000);

    fn after(milliseconds: u64) -> Timestamp {
        START.plus(Duration::from_millis(milliseconds))
    }

    fn node(name: &str, applied: u64, applied_at: Timestamp) -> Node {
        Node {
            id: format!("node_{name}"),
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            started_at: START,
            applied,
            applied_at,
            polled_at: Some(applied_at),
            staleness_limit: Duration::from_secs(30),
            seen_at: applied_at,
        }
    }

    #[test]
    fn a_change_is_in_effect_once_every_node_has_confirmed_it() {
        let nodes = [node("a", 7, after(10)), node("b", 7, after(42)), node("c", 6, after(0))];
        let effect = Effect::of(7, after(5), after(10), &nodes, after(100));
        assert_eq!((effect.confirmed, effect.nodes, effect.took, effect.is_final()), (2, 3, None, false));
        let c = Waiting { name: "c".to_owned(), by: after(30_010), refuses: false };
        assert_eq!(effect.waiting, [c], "30 s after the commit, whenever it polled last");
        let effect = Effect::of(7, after(5), after(10), &nodes, after(30_011));
        assert!(effect.is_final() && effect.waiting[0].refuses, "it never answered, and refuses");
        let nodes = [node("a", 7, after(10)), node("b", 7, after(42)), node("c", 7, after(47))];
        let effect = Effect::of(7, after(5), after(10), &nodes, after(100));
        assert_eq!(effect.took, Some(Took::Exactly(Duration::from_millis(42))));
        assert!(effect.is_final());
    }

    #[test]
    fn it_says_how_far_a_change_has_come() {
        let by = Timestamp::from_seconds(1_795_003_230);
        let waits = |name: &str, refuses| Waiting { name: name.to_owned(), by, refuses };
        let words = |confirmed, nodes, took, waiting| Effect { confirmed, nodes, took, waiting }.to_string();
        let told = words(2, 3, None, vec![waits("node-c", false)]);
        assert_eq!(told, "In effect on 2 of 3 nodes; node-c by 12:00:30 UTC.");
        let took = Duration::from_micros(42_900);
        assert_eq!(words(3, 3, Some(Took::Exactly(took)), vec![]), "In effect on 3 of 3 nodes after 42 ms.");
        assert_eq!(words(3, 3, Some(Took::AtMost(took)), vec![]), "In effect on 3 of 3 nodes within 42 ms.");
        assert_eq!(words(3, 3, None, vec![]), "In effect on 3 of 3 nodes.");
        assert_eq!(words(1, 1, Some(Took::Exactly(took)), vec![]), "In effect on the only node.");
        assert_eq!(
            words(1, 3, None, vec![waits("node-b", true), waits("node-c", false)]),
            "In effect on 1 of 3 nodes; node-b was not heard of and has refused everything since 12:00:30 UTC at the \
             latest, node-c by 12:00:30 UTC."
        );
    }

    #[test]
    fn later_changes_make_the_figure_a_limit() {
        let nodes = [node("a", 7, after(10)), node("b", 9, after(900))];
        let effect = Effect::of(7, START, after(10), &nodes, after(1_000));
        assert_eq!(effect.took, Some(Took::AtMost(Duration::from_millis(900))));
        let nodes = [node("a", 7, after(10)), node("b", 9, after(60_000))];
        assert_eq!(Effect::of(7, START, after(10), &nodes, after(60_001)).took, None);
    }

    #[test]
    fn a_clock_that_is_behind_makes_nothing_negative() {
        let effect = Effect::of(7, after(50), after(60), &[node("a", 7, after(10))], after(100));
        assert_eq!(effect.took, Some(Took::Exactly(Duration::ZERO)));
    }

    #[test]
    fn a_node_that_is_not_heard_of_refuses_in_the_end() {
        let node = node("a", 7, START);
        assert_eq!(node.standing(after(15_000)), Standing::Serving);
        assert_eq!(node.standing(after(15_001)), Standing::Silent(after(35_000)));
        assert_eq!(node.standing(after(35_000)), Standing::Refusing(after(35_000)));
        let reporting = Node { polled_at: Some(START.minus(Duration::from_secs(31))), ..node.clone() };
        assert_eq!(reporting.standing(after(1)), Standing::Refusing(START.minus(Duration::from_secs(1))));
        assert_eq!(Node { polled_at: None, ..node.clone() }.standing(after(1)), Standing::Starting);
        let confirms = |milliseconds| node.will_confirm(after(milliseconds));
        assert!(confirms(15_000) && !confirms(15_001), "nobody waits for a node that is not heard of");
        assert!(node.may_decide(after(34_999)) && !node.may_decide(after(35_000)), "but it may still be cut off");
        assert!(Node { polled_at: None, ..node.clone() }.will_confirm(after(1)), "it reads the store just now");
    }
}
