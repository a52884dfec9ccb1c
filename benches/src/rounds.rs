//! Variants that take turns, so that a machine that slows down slows all of them.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::contacts::Tally;

/// How often each variant runs.
const ROUNDS: usize = 3;

/// A variant that took this long runs once: its hundreds of requests are a mean
/// already.
const LONG: Duration = Duration::from_secs(4);

/// What one variant took.
#[derive(Clone, Debug)]
pub struct Taken {
    times: Vec<Duration>,
    /// The most requests of a round.
    pub requests: u64,
    /// What was read.
    pub tally: Tally,
}

impl Taken {
    /// The median of the rounds, in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64()
    }
}

/// Runs all variants in turn, round by round. A round gives its time, the requests
/// that it made and what it read; each round of a variant has to read the same.
pub async fn in_turn<V: Copy>(
    variants: &[V],
    run: impl AsyncFn(V) -> Result<(Duration, u64, Tally)>,
) -> Result<Vec<Taken>> {
    let mut all = Vec::<Taken>::new();
    for variant in variants {
        let (time, requests, tally) = run(*variant).await?;
        all.push(Taken { times: vec![time], requests, tally });
    }
    for _ in 1..ROUNDS {
        for (variant, taken) in variants.iter().zip(&mut all) {
            if taken.times[0] < LONG {
                let (time, requests, tally) = run(*variant).await?;
                ensure!(tally == taken.tally, "two rounds read something else");
                taken.times.push(time);
                taken.requests = taken.requests.max(requests);
            }
        }
    }
    Ok(all)
}

/// How long something takes, and what it gives.
pub async fn timed<T>(run: impl Future<Output = Result<T>>) -> Result<(Duration, T)> {
    let begin = Instant::now();
    let value = run.await?;
    Ok((begin.elapsed(), value))
}

/// How many times as long one thing takes as another: the median of rounds in which
/// both are done in turn.
pub fn ratio(
    rounds: usize,
    mut one: impl FnMut() -> Result<()>,
    mut other: impl FnMut() -> Result<()>,
) -> Result<f64> {
    let mut ratios = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let begin = Instant::now();
        other()?;
        let by_other = begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        one()?;
        ratios.push(begin.elapsed().as_secs_f64() / by_other);
    }
    ratios.sort_unstable_by(f64::total_cmp);
    Ok(ratios[ratios.len() / 2])
}
