//! The type of every expression. Besides a better message than the upstream's, which can't be shown, this keeps the
//! dialects apart: VictoriaMetrics takes `rate(x)` without a range, and would read `rate((x or y))` in another way.

use super::Fault;
use super::expression::Expression;
use super::function::AGGREGATIONS;

/// What an expression gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Type {
    Scalar,
    Vector,
    Matrix,
    Text,
}

impl Type {
    const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "a scalar",
            Self::Vector => "an instant vector",
            Self::Matrix => "a range vector",
            Self::Text => "a string",
        }
    }
}

fn expect(wanted: Type, found: Type, place: &str) -> Result<(), Fault> {
    if wanted == found {
        return Ok(());
    }
    Err(Fault(format!("expected {} {place}, found {}", wanted.name(), found.name())))
}

/// The type, once all parts have theirs; called from the leaves up, as they are parsed.
pub(super) fn check(expression: &Expression) -> Result<(), Fault> {
    match expression {
        Expression::Number(_)
        | Expression::Text(_)
        | Expression::Selector(_)
        | Expression::Range { .. }
        | Expression::Parentheses(_) => Ok(()),
        Expression::Subquery { inner, .. } => expect(Type::Vector, of(inner), "before the range of a subquery"),
        Expression::Unary { operand, .. } => match of(operand) {
            Type::Scalar | Type::Vector => Ok(()),
            other => Err(Fault(format!("a sign can't stand before {}", other.name()))),
        },
        Expression::Binary { operator, matching, left, right } => {
            let sides = [of(left), of(right)];
            if let Some(other) = sides.iter().find(|side| !matches!(side, Type::Scalar | Type::Vector)) {
                return Err(Fault(format!("`{}` can't take {}", operator.text, other.name())));
            }
            let vectors = sides == [Type::Vector; 2];
            if operator.is_set_operator() && !vectors {
                return Err(Fault(format!("`{}` takes instant vectors on both sides", operator.text)));
            }
            if operator.is_set_operator() && matching.many.is_some() {
                return Err(Fault(format!("`{}` takes no group_left or group_right", operator.text)));
            }
            if matching.bool && !operator.is_comparison() {
                return Err(Fault("`bool` stands only after comparisons".to_owned()));
            }
            if operator.is_comparison() && !matching.bool && sides == [Type::Scalar; 2] {
                return Err(Fault("a comparison of scalars needs `bool`".to_owned()));
            }
            if matching.labels.as_ref().is_some_and(|labels| !labels.labels.is_empty()) && !vectors {
                return Err(Fault("`on` and `ignoring` stand only between instant vectors".to_owned()));
            }
            Ok(())
        }
        Expression::Aggregation { operator, parameter, operand, .. } => {
            let place = format!("in {operator}(…)");
            expect(Type::Vector, of(operand), &place)?;
            let wanted = AGGREGATIONS.iter().find(|(name, _)| name == operator).and_then(|(_, wanted)| *wanted);
            match (wanted, parameter) {
                (Some(wanted), Some(parameter)) => expect(wanted, of(parameter), &place),
                (None, None) => Ok(()),
                _ => Err(Fault(format!("wrong number of arguments {place}"))),
            }
        }
        Expression::Call { function, arguments } => {
            let most = if function.repeats { usize::MAX } else { function.parameters.len() };
            let fewest = function.parameters.len() - function.optional;
            if arguments.len() < fewest || arguments.len() > most {
                return Err(Fault(format!("wrong number of arguments in {}(…)", function.name)));
            }
            for (at, argument) in arguments.iter().enumerate() {
                if let Some(wanted) = function.parameters.get(at).or(function.parameters.last()) {
                    expect(*wanted, of(argument), &format!("in {}(…)", function.name))?;
                }
            }
            Ok(())
        }
    }
}

/// The type of a checked expression.
fn of(expression: &Expression) -> Type {
    match expression {
        Expression::Number(_) => Type::Scalar,
        Expression::Text(_) => Type::Text,
        Expression::Selector(_) | Expression::Aggregation { .. } => Type::Vector,
        Expression::Range { .. } | Expression::Subquery { .. } => Type::Matrix,
        Expression::Parentheses(inner) => of(inner),
        Expression::Unary { operand, .. } => of(operand),
        Expression::Binary { left, right, .. } => {
            if of(left) == Type::Scalar && of(right) == Type::Scalar {
                Type::Scalar
            } else {
                Type::Vector
            }
        }
        Expression::Call { function, .. } => function.returns,
    }
}
