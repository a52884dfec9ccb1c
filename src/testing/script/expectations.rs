//! What is expected, what of it came, and what else.

use std::{
    error::Error as StdError,
    fmt::{self, Debug, Display, Formatter},
};

use super::{
    difference::Line,
    expectation::{Expectation, target},
    received::Received,
    reply::Reply,
};
use crate::error::{Error, ErrorKind};

/// How often an expectation answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::testing) enum Uses {
    Times(usize),
    /// However often, behind those that are counted.
    Always,
    /// Once, and again when nothing else fits.
    Repeated,
}

/// Which expectations a request may meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::testing) enum Order {
    /// Any that is not used up. The first that fits answers.
    Any,
    /// The first that is not used up.
    Strict,
}

/// The expectations of a script, or the entries of a recording.
#[derive(Clone)]
pub(in crate::testing) struct Expectations {
    /// What all of it is called, and one of them.
    names: (&'static str, &'static str),
    order: Order,
    all: Vec<Expected>,
    requests: usize,
    unexpected: Vec<String>,
}

#[derive(Clone)]
struct Expected {
    number: usize,
    expectation: Expectation,
    reply: Reply,
    uses: Uses,
    used: usize,
}

impl Expected {
    fn is_left(&self) -> bool {
        match self.uses {
            Uses::Times(times) => self.used < times,
            Uses::Repeated => self.used == 0,
            Uses::Always => false,
        }
    }
}

impl Expectations {
    pub(in crate::testing) fn new(names: (&'static str, &'static str), order: Order) -> Self {
        Self { names, order, all: Vec::new(), requests: 0, unexpected: Vec::new() }
    }

    pub(in crate::testing) fn add(&mut self, expectation: Expectation, reply: Reply, uses: Uses) {
        self.add_numbered(self.all.len() + 1, expectation, reply, uses);
    }

    pub(in crate::testing) fn add_numbered(
        &mut self,
        number: usize,
        expectation: Expectation,
        reply: Reply,
        uses: Uses,
    ) {
        self.all.push(Expected { number, expectation, reply, uses, used: 0 });
    }

    /// The reply to a request, or the error that it is unexpected.
    pub(in crate::testing) fn answer(&mut self, received: &Received) -> Result<Reply, Error> {
        self.requests += 1;
        if let Some(index) = self.find(received)
            && let Some(expected) = self.all.get_mut(index)
        {
            expected.used += 1;
            return Ok(expected.reply.clone());
        }
        let (whole, _) = self.names;
        let asked = format!("{} {}", received.method, target(&received.path, &received.query));
        let difference = self.difference(received);
        self.unexpected.push(format!(
            "unexpected: request {}, {asked}\n{}",
            self.requests,
            difference.lines().map(|line| format!("  {line}\n")).collect::<Vec<_>>().concat()
        ));
        let message = format!("unexpected request: {asked}; {whole} expects another");
        let error = Error::new(ErrorKind::Other, message).with_retryable(false);
        Err(error.with_source(Difference(difference)))
    }

    fn find(&self, received: &Received) -> Option<usize> {
        let fits = |expected: &&(usize, &Expected)| expected.1.expectation.fits(received);
        let all = || self.all.iter().enumerate();
        let left = || all().filter(|(_, expected)| expected.is_left());
        let found = match self.order {
            Order::Any => left().find(|expected| fits(&expected)),
            Order::Strict => left().next().filter(|expected| fits(&expected)),
        };
        let found = found
            .or_else(|| all().find(|expected| expected.1.uses == Uses::Always && fits(&expected)));
        // The latest of those that were used, as a service would answer the same again.
        let found = found.or_else(|| {
            all().rfind(|expected| {
                expected.1.uses == Uses::Repeated && expected.1.used > 0 && fits(&expected)
            })
        });
        found.map(|(index, _)| index)
    }

    /// What the nearest expectation is, and in which lines it differs.
    fn difference(&self, received: &Received) -> String {
        let (whole, one) = self.names;
        let all = || self.all.iter();
        let next = match self.order {
            Order::Any => all().min_by_key(|expected| {
                (expected.expectation.distance(received), !expected.is_left())
            }),
            Order::Strict => all().find(|expected| expected.is_left()),
        };
        let Some(nearest) = next else {
            let left = if self.all.is_empty() { "has no" } else { "has no more" };
            return format!("{whole} {left} {one}\n");
        };
        let number = nearest.number;
        let lines = nearest.expectation.lines(received);
        if lines.iter().all(Line::is_same) {
            let times = nearest.used;
            return format!("{one} {number} fits, and was used already, {}\n", counted(times));
        }
        let lines = lines.iter().map(Line::signed).flat_map(|line| [line, "\n".to_owned()]);
        let lines = lines.collect::<String>();
        if self.order == Order::Any {
            return format!("the nearest is {one} {number}:\n{lines}");
        }
        let later = all().find(|it| it.is_left() && it.expectation.fits(received));
        let hint = later.map_or_else(String::new, |later| {
            format!("{one} {} would fit, and is not next\n", later.number)
        });
        format!("{one} {number} is next:\n{lines}{hint}")
    }

    /// What was not used and what was not expected; `None` if there is neither.
    pub(in crate::testing) fn report(&self) -> Option<String> {
        let (whole, one) = self.names;
        let unused = self.all.iter().filter(|expected| expected.is_left());
        let unused = unused.map(|expected| {
            let times = match expected.uses {
                Uses::Times(times) => times,
                Uses::Always | Uses::Repeated => 1,
            };
            let used = match (expected.used, times) {
                (_, 1) => String::new(),
                (used, times) => format!(" ({used} of {times} times)"),
            };
            format!("unused: {one} {}, {}{used}\n", expected.number, expected.expectation)
        });
        let told = unused.chain(self.unexpected.iter().cloned()).collect::<String>();
        (!told.is_empty()).then(|| format!("{whole} was not followed\n{told}"))
    }

    pub(in crate::testing) fn len(&self) -> usize {
        self.all.len()
    }
}

fn counted(times: usize) -> String {
    if times == 1 { "once".to_owned() } else { format!("{times} times") }
}

/// What is different about an unexpected request, in several lines. It is the source of an
/// error, and `unwrap` shows the `Debug` of it.
struct Difference(String);

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.trim_end())
    }
}

impl Debug for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}\n")
    }
}

impl StdError for Difference {}

impl Debug for Expectations {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expectations")
            .field("order", &self.order)
            .field("all", &self.all.len())
            .field("left", &self.all.iter().filter(|it| it.is_left()).count())
            .field("requests", &self.requests)
            .field("unexpected", &self.unexpected.len())
            .finish_non_exhaustive()
    }
}
