//! Figures as Markdown tables.

use std::fmt::Write;

use crate::figures::Figure;

/// Tables, rows and columns, in the order in which they first come.
#[must_use]
pub fn render(figures: &[Figure]) -> String {
    let mut text = String::new();
    for table in distinct(figures.iter().map(|figure| &figure.table)) {
        let figures = figures.iter().filter(|figure| figure.table == *table);
        let figures = figures.collect::<Vec<_>>();
        let columns = distinct(figures.iter().map(|figure| &figure.column));
        let _ = write!(text, "\n{table}\n\n| |");
        for column in &columns {
            text.extend([" ", column, " |"]);
        }
        let _ = write!(text, "\n|---|{}", "--:|".repeat(columns.len()));
        for row in distinct(figures.iter().map(|figure| &figure.row)) {
            let _ = write!(text, "\n| {row} |");
            for column in &columns {
                let cell =
                    figures.iter().find(|figure| figure.row == *row && figure.column == **column);
                let _ = match cell {
                    Some(figure) => write!(text, " {} |", figure.measure),
                    None => write!(text, " |"),
                };
            }
        }
        text.push('\n');
    }
    text
}

fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<&'a String> {
    let mut all = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

/// Puts a text between two markers, each on a line of its own.
#[must_use]
pub fn between_markers(document: &str, text: &str) -> Option<String> {
    const BEGIN: &str = "<!-- bench:begin -->\n";
    const END: &str = "<!-- bench:end -->";
    let (before, remaining) = document.split_once(BEGIN)?;
    let (_, after) = remaining.split_once(END)?;
    Some(format!("{before}{BEGIN}{text}{END}{after}"))
}
