//! The lines in which two texts differ.

/// How many lines that are the same stand before and after one that differs.
const AROUND: usize = 2;

/// The largest table of lines by lines that is filled.
const LARGEST_TABLE: usize = 1_000_000;

/// How many lines are shown.
const SHOWN: usize = 60;

/// A line of what was expected, of what came, or of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::testing) enum Line {
    Same(String),
    Expected(String),
    Came(String),
}

impl Line {
    pub(in crate::testing) fn is_same(&self) -> bool {
        matches!(self, Self::Same(_))
    }

    /// With a sign before it.
    pub(in crate::testing) fn signed(&self) -> String {
        match self {
            Self::Same(text) => format!("    {text}"),
            Self::Expected(text) => format!("  - {text}"),
            Self::Came(text) => format!("  + {text}"),
        }
    }
}

/// The lines of two texts, with a few that are the same around those that differ.
pub(in crate::testing) fn differing(expected: &str, came: &str) -> Vec<Line> {
    let expected = expected.lines().collect::<Vec<_>>();
    let came = came.lines().collect::<Vec<_>>();
    shortened(&aligned(&expected, &came))
}

fn aligned(expected: &[&str], came: &[&str]) -> Vec<Line> {
    let is_same = |(a, b): &(&&str, &&str)| a == b;
    let begin = expected.iter().zip(came).take_while(is_same).count();
    let (head, expected) = expected.split_at(begin);
    let (_, came) = came.split_at(begin);
    let end = expected.iter().rev().zip(came.iter().rev()).take_while(is_same).count();
    let (expected, tail) = expected.split_at(expected.len() - end);
    let (came, _) = came.split_at(came.len() - end);

    let same = |lines: &[&str]| {
        lines.iter().map(|line| Line::Same((*line).to_owned())).collect::<Vec<_>>()
    };
    let mut lines = same(head);
    lines.extend(middle(expected, came));
    lines.extend(same(tail));
    lines
}

/// The shortest way from one list of lines to the other.
fn middle(expected: &[&str], came: &[&str]) -> Vec<Line> {
    let is_large = expected.len().saturating_mul(came.len()) > LARGEST_TABLE;
    // By the numbers of lines that are left of each: how many of them are common.
    let width = came.len() + 1;
    let mut common = vec![0_usize; if is_large { 0 } else { (expected.len() + 1) * width }];
    let at = |table: &[usize], row: usize, column: usize| {
        table.get(row * width + column).copied().unwrap_or(0)
    };
    if !is_large {
        for (row, a) in expected.iter().enumerate().rev() {
            for (column, b) in came.iter().enumerate().rev() {
                let best = if a == b {
                    at(&common, row + 1, column + 1) + 1
                } else {
                    at(&common, row + 1, column).max(at(&common, row, column + 1))
                };
                if let Some(cell) = common.get_mut(row * width + column) {
                    *cell = best;
                }
            }
        }
    }
    let (mut lines, mut row, mut column) = (Vec::new(), 0, 0);
    loop {
        match (expected.get(row), came.get(column)) {
            (Some(a), Some(b)) if a == b && !is_large => {
                lines.push(Line::Same((*a).to_owned()));
                (row, column) = (row + 1, column + 1);
            }
            (Some(a), b)
                if b.is_none() || at(&common, row + 1, column) >= at(&common, row, column + 1) =>
            {
                lines.push(Line::Expected((*a).to_owned()));
                row += 1;
            }
            (_, Some(b)) => {
                lines.push(Line::Came((*b).to_owned()));
                column += 1;
            }
            (_, None) => return lines,
        }
    }
}

/// Without the lines that are the same and far from those that differ.
fn shortened(lines: &[Line]) -> Vec<Line> {
    let is_near = |index: usize| {
        let around = index.saturating_sub(AROUND)..(index + AROUND + 1).min(lines.len());
        lines.get(around).is_some_and(|lines| lines.iter().any(|line| !line.is_same()))
    };
    let mut shown = Vec::new();
    let mut is_passing = false;
    for (index, line) in lines.iter().enumerate() {
        if shown.len() >= SHOWN {
            shown.push(Line::Same(format!("… {} more lines", lines.len() - index)));
            break;
        }
        if is_near(index) {
            shown.push(line.clone());
            is_passing = false;
        } else if !is_passing {
            shown.push(Line::Same("…".to_owned()));
            is_passing = true;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{Line, differing};

    fn signed(expected: &str, came: &str) -> String {
        let lines = differing(expected, came).iter().map(Line::signed).collect::<Vec<_>>();
        lines.join("\n")
    }

    #[test]
    fn a_line_that_differs_has_its_neighbours() {
        let text = signed("1\n2\n3\n4\n5\n6\n7", "1\n2\n3\nx\n5\n6\n7");
        assert_eq!(text, "    …\n    2\n    3\n  - 4\n  + x\n    5\n    6\n    …");
    }

    #[test]
    fn lines_that_are_missing_or_new_leave_the_others_the_same() {
        assert_eq!(signed("a\nb\nc", "a\nc"), "    a\n  - b\n    c");
        assert_eq!(signed("a\nc\ne", "a\nb\nc\nd\ne"), "    a\n  + b\n    c\n  + d\n    e");
        assert_eq!(signed("", "a"), "  + a");
        assert_eq!(signed("a", "a"), "    …");
    }

    #[test]
    fn a_large_difference_is_cut() {
        let numbers = |from: u32| {
            (from..from + 2_000).map(|it| it.to_string()).collect::<Vec<_>>().join("\n")
        };
        let text = signed(&numbers(0), &numbers(5_000));
        assert_eq!(text.lines().count(), 61);
        assert!(text.ends_with("… 3940 more lines"), "{text}");
    }
}
