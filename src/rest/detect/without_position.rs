use super::{
    ends::{flag, larger_total},
    found::{Code, Found, Rank},
    seen::Seen,
};

/// What fits an answer that does not say where the next page begins.
pub(super) fn without_position(seen: &Seen<'_>) -> Vec<Found> {
    let at = seen.records_at();
    let found = |rank, style, reason: String, code: Code| Found {
        rank,
        style,
        reason,
        records: at.clone(),
        code: code.records(seen),
    };
    let flag = flag(seen, seen.around_records(), true).filter(|_| seen.has_records());
    let have_ids = seen.records.as_ref().is_some_and(|records| records.have_ids);
    if let Some(flag) = &flag
        && have_ids
    {
        let reason = format!(
            "{} says whether there is more, the records have an \"id\", and there is no cursor",
            flag.place.name()
        );
        let code = Code::get("Keyset::query(\"starting_after\").key(\"/id\")")
            .guessed("starting_after")
            .check("the service sorts the records by their \"id\"")
            .end(Some(flag));
        return vec![found(Rank::Keyset, "Keyset", reason, code)];
    }
    let total = larger_total(seen);
    let reason = match (&flag, &total) {
        (Some(flag), _) => format!("{} says whether there is more", flag.place.name()),
        (None, Some(total)) => format!("{} is more than this page has", total.name()),
        (None, None) => return vec![single_page(seen)],
    };
    let styles = [("PageNumber", "page"), ("Offset", "offset")].into_iter();
    let guesses = styles.map(|(style, name)| {
        let code = Code::get(format!("{style}::query({name:?})"))
            .check(format!("how a page is asked for is a guess, and so is {name:?}"));
        let code = match (&flag, &total) {
            (None, Some(total)) => code.total(total),
            _ => code.end(flag.as_ref()),
        };
        found(Rank::Guess, style, reason.clone(), code)
    });
    guesses.collect()
}

fn single_page(seen: &Seen<'_>) -> Found {
    let nothing_more = "and nothing says that there is more";
    let records = seen.records.as_ref().filter(|records| records.are_sure);
    let (reason, code) = match records {
        Some(records) if records.at.is_empty() => {
            (format!("the answer is a list, {nothing_more}"), Code::get("SinglePage").records(seen))
        }
        Some(records) => (
            format!("{:?} is a list, {nothing_more}", records.at),
            Code::get("SinglePage")
                .check("if the answer is one record, call `one_record`, and not `records_at`")
                .records(seen),
        ),
        None => (
            format!("the answer is one object, {nothing_more}"),
            Code::get("SinglePage").then(".one_record()"),
        ),
    };
    let records = records.map(|records| records.at.clone());
    Found { rank: Rank::SinglePage, style: "SinglePage", reason, records, code }
}
