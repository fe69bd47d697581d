//! The one place that turns what the proxy refuses into a problem. Callers learn the gateway's name, never its address.

use crate::domain::gateway::PathFault;
use crate::http::kind;
use crate::http::problem::Problem;
use crate::http::refusal;
use crate::upstream::ForwardFault;

/// A path that can be read in two ways.
pub(super) fn path(fault: PathFault) -> Problem {
    Problem::bad_request(format!("The path can't be forwarded: {fault}."))
}

/// There is no such gateway; told only to those whose roles would let them use it.
pub(super) fn unknown(name: &str) -> Problem {
    Problem::not_found(format!("There is no gateway {name}. An administrator creates gateways in the Web Console."))
        .with("gateway", name)
}

/// A rule of the gateway refuses this for everybody.
pub(super) fn refused_by_rule(name: &str) -> Problem {
    Problem::new(&kind::PATH_REFUSED, format!("The rules of gateway {name} refuse this method at this path."))
        .with("gateway", name)
}

/// The data filter of the caller's role can't be enforced.
pub(super) fn unenforceable(name: &str) -> Problem {
    let detail = format!(
        "A role of this application has a data filter, and gateway {name} has no means to enforce it. Ask an administrator for a \
         role without a filter on gateway/{name}."
    );
    Problem::new(&kind::FILTER_UNENFORCEABLE, detail).with("gateway", name)
}

/// The upstream did not answer, or not as it should.
pub(super) fn forward(fault: &ForwardFault, name: &str) -> Problem {
    let fault_of = |detail: &str| Problem::new(&kind::GATEWAY_FAULT, format!("{detail} {name}."));
    let problem = match fault {
        ForwardFault::Busy => {
            let detail = format!("As many requests as gateway {name} allows are under way. Try again in a moment.");
            Problem::new(&kind::GATEWAY_BUSY, detail).retry_after(1)
        }
        ForwardFault::Resting(seconds) => {
            let detail =
                format!("The service behind gateway {name} can't be reached and is left alone for {seconds} s.");
            Problem::new(&kind::GATEWAY_BUSY, detail).retry_after(*seconds)
        }
        ForwardFault::Unreachable(_) => fault_of("No connection could be made to the service behind gateway"),
        ForwardFault::Broken(_) => fault_of("The answer can't be used that came from the service behind gateway"),
        ForwardFault::Credentials(_) => {
            fault_of("The hub's own credentials are not accepted by the service behind gateway")
        }
        ForwardFault::Slow => {
            let detail = format!("The service behind gateway {name} did not answer in time.");
            Problem::new(&kind::GATEWAY_TIMEOUT, detail)
        }
        ForwardFault::TooLarge(limit) => {
            Problem::new(&kind::BODY_TOO_LARGE, format!("Gateway {name} accepts bodies of at most {limit} bytes."))
        }
        ForwardFault::CallerStalled => {
            Problem::new(&kind::REQUEST_TIMEOUT, "The body stopped arriving for longer than the gateway waits.")
        }
        ForwardFault::CallerBroke => Problem::bad_request("The body ended before it was complete."),
        ForwardFault::Dead => {
            return refusal::invalid_token("it ended while the request was under way");
        }
        ForwardFault::Misdirected => return Problem::internal(),
    };
    problem.with("gateway", name)
}
