use std::fmt::{self, Display, Formatter};

use datafusion::{
    common::ScalarValue,
    logical_expr::{BinaryExpr, Expr, Operator, expr::InList},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A condition on one column, as far as a service may know it: `amount >= 500`.
///
/// It is a value to keep and to send. A filter of a query that is no such condition is never
/// shown to a connector, and the engine applies it.
///
/// As in SQL, no comparison holds for a null: `city != 'Oslo'` leaves out the rows without a
/// city.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Condition {
    /// The name of the column.
    pub column: String,
    /// How it is compared.
    pub comparison: Comparison,
    /// What it is compared with: any number of values for [`In`](Comparison::In), none for
    /// [`IsNull`](Comparison::IsNull) and [`IsNotNull`](Comparison::IsNotNull), one for all
    /// others. A value is a boolean, a number or a string. A date or a time is a string in
    /// ISO 8601.
    pub values: Vec<Value>,
}

/// How a column is compared: [`Condition::comparison`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `IN (...)`
    In,
    /// `IS NULL`
    IsNull,
    /// `IS NOT NULL`
    IsNotNull,
}

impl Comparison {
    fn of(operator: Operator) -> Option<Self> {
        Some(match operator {
            Operator::Eq => Self::Equal,
            Operator::NotEq => Self::NotEqual,
            Operator::Lt => Self::Less,
            Operator::LtEq => Self::LessOrEqual,
            Operator::Gt => Self::Greater,
            Operator::GtEq => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "IN",
            Self::IsNull => "IS NULL",
            Self::IsNotNull => "IS NOT NULL",
        }
    }
}

impl Condition {
    /// The first of the values: the one that a column is compared with.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        self.values.first()
    }

    /// The condition that a filter of a query is, if it is one.
    pub(crate) fn of(filter: &Expr) -> Option<Self> {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (&**left, &**right) {
                (Expr::Column(column), Expr::Literal(literal, _)) => {
                    Self::new(&column.name, Comparison::of(*op)?, [literal])
                }
                (Expr::Literal(literal, _), Expr::Column(column)) => {
                    Self::new(&column.name, Comparison::of(op.swap()?)?, [literal])
                }
                _ => None,
            },
            Expr::InList(InList { expr, list, negated: false }) => {
                let literals = list.iter().map(|it| match it {
                    Expr::Literal(literal, _) => Some(literal),
                    _ => None,
                });
                let literals = literals.collect::<Option<Vec<_>>>()?;
                Self::new(column(expr)?, Comparison::In, literals)
            }
            Expr::IsNull(expr) => Self::new(column(expr)?, Comparison::IsNull, []),
            Expr::IsNotNull(expr) => Self::new(column(expr)?, Comparison::IsNotNull, []),
            Expr::Column(column) => Some(Self::is(&column.name, true)),
            Expr::Not(expr) => Some(Self::is(column(expr)?, false)),
            _ => None,
        }
    }

    fn is(column: &str, value: bool) -> Self {
        let (column, values) = (column.to_owned(), vec![value.into()]);
        Self { column, comparison: Comparison::Equal, values }
    }

    fn new<'a>(
        column: &str,
        comparison: Comparison,
        literals: impl IntoIterator<Item = &'a ScalarValue>,
    ) -> Option<Self> {
        let values = literals.into_iter().map(value).collect::<Option<_>>()?;
        Some(Self { column: column.to_owned(), comparison, values })
    }
}

fn column(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Column(column) => Some(&column.name),
        _ => None,
    }
}

/// A literal as JSON. `None` for a null, and for what has no form that every service knows.
fn value(literal: &ScalarValue) -> Option<Value> {
    Some(match literal {
        ScalarValue::Boolean(value) => (*value)?.into(),
        ScalarValue::Int8(value) => (*value)?.into(),
        ScalarValue::Int16(value) => (*value)?.into(),
        ScalarValue::Int32(value) => (*value)?.into(),
        ScalarValue::Int64(value) => (*value)?.into(),
        ScalarValue::UInt8(value) => (*value)?.into(),
        ScalarValue::UInt16(value) => (*value)?.into(),
        ScalarValue::UInt32(value) => (*value)?.into(),
        ScalarValue::UInt64(value) => (*value)?.into(),
        // Not the nearest `f64`, whose digits are others.
        ScalarValue::Float32(value) => {
            (*value)?.to_string().parse::<serde_json::Number>().ok()?.into()
        }
        ScalarValue::Float64(value) => serde_json::Number::from_f64((*value)?)?.into(),
        ScalarValue::Utf8(value) | ScalarValue::LargeUtf8(value) | ScalarValue::Utf8View(value) => {
            value.clone()?.into()
        }
        ScalarValue::Date32(Some(_))
        | ScalarValue::TimestampSecond(Some(_), _)
        | ScalarValue::TimestampMillisecond(Some(_), _)
        | ScalarValue::TimestampMicrosecond(Some(_), _)
        | ScalarValue::TimestampNanosecond(Some(_), _) => {
            let array = literal.to_array().ok()?;
            let text = datafusion::arrow::util::display::array_value_to_string(&array, 0);
            text.ok()?.into()
        }
        _ => return None,
    })
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.column, self.comparison.sign())?;
        match (self.comparison, &self.values[..]) {
            (Comparison::In, values) => {
                let values = values.iter().map(Value::to_string).collect::<Vec<_>>();
                write!(f, " ({})", values.join(", "))
            }
            (_, [value]) => write!(f, " {value}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::{
        common::ScalarValue,
        logical_expr::{Expr, col, lit},
    };

    use super::Condition;

    fn shown(filter: &Expr) -> Option<String> {
        Condition::of(filter).map(|condition| condition.to_string())
    }

    #[test]
    fn a_comparison_with_a_literal_is_a_condition_from_either_side() {
        assert_eq!(shown(&col("amount").gt(lit(5))).as_deref(), Some("amount > 5"));
        assert_eq!(shown(&lit(5).gt(col("amount"))).as_deref(), Some("amount < 5"));
        assert_eq!(shown(&col("city").not_eq(lit("Oslo"))).as_deref(), Some("city != \"Oslo\""));
        let list = col("id").in_list(vec![lit(1), lit(2)], false);
        assert_eq!(shown(&list).as_deref(), Some("id IN (1, 2)"));
        assert_eq!(shown(&col("city").is_null()).as_deref(), Some("city IS NULL"));
        assert_eq!(shown(&col("open")).as_deref(), Some("open = true"));
        assert_eq!(shown(&!col("open")).as_deref(), Some("open = false"));
    }

    #[test]
    fn a_time_is_text_in_iso_8601() {
        let time = ScalarValue::TimestampMillisecond(Some(1_767_225_600_000), Some("UTC".into()));
        let filter = col("changed").gt_eq(Expr::Literal(time, None));
        assert_eq!(shown(&filter).as_deref(), Some("changed >= \"2026-01-01T00:00:00Z\""));
    }

    #[test]
    fn what_compares_no_column_with_literals_is_none() {
        let with_null = Expr::Literal(ScalarValue::Int64(None), None);
        for filter in [
            col("a").eq(col("b")),
            col("a").eq(with_null.clone()),
            (col("a") + lit(1)).eq(lit(2)),
            col("a").eq(lit(1)).or(col("b").eq(lit(2))),
            col("a").in_list(vec![lit(1), with_null], false),
            col("a").in_list(vec![lit(1)], true),
        ] {
            assert_eq!(shown(&filter), None, "{filter}");
        }
    }
}
