use std::{mem, ops::Range};

use super::options::ChangedPage;
use crate::{
    error::{Error, ErrorKind},
    keys::Keys,
    page::{Page, Unit},
    replay::{Now, Remainder, Replay, UnitReplay},
};

/// Takes out of a page that is read again what is delivered already, and what lies beyond
/// the place where it goes on. Next cursors that the checkpoint holds are taken out, too.
/// Says so where it has changed. `ids` names the ids of a unit, and `narrow` the cursor of
/// some units.
///
/// It drops records, which is the code of a user, so nothing is locked meanwhile.
///
/// # Errors
///
/// The page has changed so much that the place is not known, and `meaning` is an error; and
/// one that breaks the contract.
pub(super) fn trim<R, C>(
    mut page: Page<R, C>,
    replay: &Replay,
    meaning: ChangedPage,
    ids: impl Fn(usize) -> Vec<String>,
    narrow: impl Fn(&C, &[usize]) -> C,
) -> Result<Page<R, C>, Error> {
    let (records, goes_on) = (page.records.len(), !page.next.is_empty());
    let details = page.details_mut();
    let delivered = replay.failures.min(details.failures.len());
    details.failures.drain(..delivered);
    if replay.units.is_empty() {
        details.failures.retain(|failure| failure.unit.is_none());
    }
    let has_units = !details.units.is_empty();
    let mut units = details.units.clone();
    if !has_units {
        units.push(Unit { records, goes_on });
    }
    let mut known = replay.units.clone();
    if known.is_empty() {
        known.resize_with(units.len(), || UnitReplay {
            delivered: usize::MAX,
            ..Default::default()
        });
    }
    if known.len() != units.len() || units.iter().map(|unit| unit.records).sum::<usize>() != records
    {
        return Err(Error::new(
            ErrorKind::Contract,
            "a page that is read again has other units than before: `narrow` leads to exactly \
             the units that it is given",
        ));
    }
    let keys = details.keys.as_ref().map(Keys::get).filter(|keys| keys.len() == records);
    let mut kept = Vec::with_capacity(units.len());
    let mut is_whole = true;
    let mut begin = 0;
    for (index, (unit, known)) in units.iter_mut().zip(&mut known).enumerate() {
        let all = begin..begin + unit.records;
        begin = all.end;
        let keys = keys.as_ref().and_then(|keys| keys.get(all.clone()));
        let most = known.goes_on.then(|| replay.positions.unwrap_or(known.records));
        let unit_index = has_units.then_some(index);
        let failed = page.has_failed(unit_index);
        let now = Now { records: unit.records, goes_on: unit.goes_on, keys };
        let remaining = match known.remaining(now, most) {
            Some(Remainder { records, may_lack }) => {
                let now = known.delivered.saturating_add(records.len());
                if (may_lack || now < known.records) && !failed {
                    page.fail(unit_index, shrunk(now, known.records, ids(index)));
                }
                records
            }
            // Its failure says already that not all of it comes.
            None if failed => 0..0,
            None if has_units => {
                page.fail(Some(index), changed("", ids(index)));
                0..0
            }
            None => match meaning {
                ChangedPage::Error => return Err(changed(HOW_TO_GO_ON, Vec::new())),
                ChangedPage::Skip => {
                    page.fail(None, changed("; its records are left out", Vec::new()));
                    0..0
                }
                ChangedPage::Repeat => {
                    page.fail(None, changed("; it is delivered again", Vec::new()));
                    0..unit.records
                }
            },
        };
        if let Some(passed_over) = keys.and_then(|keys| keys.get(..remaining.start)) {
            known.pass_over(passed_over);
        }
        is_whole &= remaining.end == unit.records;
        unit.records = remaining.len();
        kept.push(all.start + remaining.start..all.start + remaining.end);
    }
    if has_units {
        keep_next_of_units(&mut page, &mut units, &known, ids, narrow);
    } else if known[0].goes_on {
        page.next.clear();
    }
    keep(&mut page.records, &kept);
    let passed_over = records - page.records.len();
    let details = page.details_mut();
    details.keys =
        keys.map(|keys| kept.iter().flat_map(|range| &keys[range.clone()]).copied().collect());
    details.passed_over += passed_over;
    if !is_whole {
        // What is left out may come with another cursor: that is no page that came before.
        details.digest = None;
    }
    if has_units {
        details.units = units;
    }
    if !replay.units.is_empty() {
        details.resumed = known;
    }
    Ok(page)
}

/// Keeps the next cursors of the units whose next cursor is not known yet.
fn keep_next_of_units<R, C>(
    page: &mut Page<R, C>,
    units: &mut [Unit],
    known: &[UnitReplay],
    ids: impl Fn(usize) -> Vec<String>,
    narrow: impl Fn(&C, &[usize]) -> C,
) {
    let next = mem::take(&mut page.next);
    let going_on = units.iter().enumerate().filter(|(_, unit)| unit.goes_on);
    let going_on = going_on.map(|(index, _)| index).collect::<Vec<_>>();
    let is_new = |index: usize| !known[index].goes_on;
    let new = (0..going_on.len()).filter(|it| is_new(going_on[*it])).collect::<Vec<_>>();
    if new.len() == going_on.len() {
        page.next = next;
    } else if new.is_empty() {
        // It is mostly so: the checkpoint holds all of them.
    } else if let [next] = &next[..] {
        // Its units are those that go on.
        page.next.push(narrow(next, &new));
    } else if next.len() == going_on.len() {
        let mut index = 0;
        page.next.extend(next.into_iter().filter(|_| {
            index += 1;
            new.contains(&(index - 1))
        }));
    } else {
        for unit in new.into_iter().map(|new| going_on[new]) {
            page.fail(Some(unit), changed(NOT_FOLLOWED, ids(unit)));
        }
    }
    for (unit, known) in units.iter_mut().zip(known) {
        unit.goes_on |= known.goes_on;
    }
}

const NOT_FOLLOWED: &str = "; it goes on now, and which of the next cursors is its own is unknown";

/// Keeps the records in these ranges.
fn keep<R>(records: &mut Vec<R>, kept: &[Range<usize>]) {
    let mut ranges = kept.iter().peekable();
    let mut index = 0;
    records.retain(|_| {
        while ranges.next_if(|range| range.end <= index).is_some() {}
        let is_kept = ranges.peek().is_some_and(|range| range.contains(&index));
        index += 1;
        is_kept
    });
}

const HOW_TO_GO_ON: &str =
    "; to go on all the same, choose a `changed_page` that skips or repeats it";

fn changed(how_to_go_on: &str, ids: Vec<String>) -> Error {
    let message = format!(
        "what is read again has changed meanwhile, so that nobody can say which of its records \
         were delivered{how_to_go_on}"
    );
    Error::new(ErrorKind::Changed, message).with_ids(ids)
}

fn shrunk(now: usize, before: usize, ids: Vec<String>) -> Error {
    let message = format!(
        "what is read again holds {now} records and held {before}: some may be missing, or were \
         deleted"
    );
    Error::new(ErrorKind::Changed, message).with_ids(ids)
}
