use std::collections::BTreeSet;

/// Selects which positions from 0 to `total` are tried: the first `most`, then a
/// quarter as many that are evenly spread, as many of the `borders` with the positions
/// next to them, and the last.
pub(super) fn positions(total: usize, most: usize, borders: &[usize]) -> BTreeSet<usize> {
    let mut positions = (0..=total.min(most)).collect::<BTreeSet<_>>();
    positions.insert(total);
    let some = most.div_ceil(4).max(1);
    positions.extend((1..some).map(|part| most + total.saturating_sub(most) / some * part));
    let later = borders.iter().filter(|border| **border > most).collect::<Vec<_>>();
    for border in later.iter().step_by(later.len().div_ceil(some).max(1)) {
        positions.extend([border.saturating_sub(1), **border, **border + 1]);
    }
    positions.retain(|position| *position <= total);
    positions
}

#[cfg(test)]
mod tests {
    use super::positions;

    #[test]
    fn every_position_of_a_short_reading_is_tried() {
        assert!(positions(200, 200, &[10, 200]).into_iter().eq(0..=200));
        assert!(positions(0, 200, &[]).into_iter().eq([0]));
    }

    #[test]
    fn of_a_long_reading_the_first_positions_the_borders_the_last_and_some_between_are_tried() {
        let tried = positions(1_000_000, 200, &[100_000, 900_000]);
        assert!((0..=200).all(|position| tried.contains(&position)));
        assert!(
            [99_999, 100_000, 100_001, 899_999].iter().all(|position| tried.contains(position))
        );
        assert!(tried.contains(&1_000_000) && tried.range(400_000..600_000).count() > 5);
        assert!(tried.len() < 300);
    }

    #[test]
    fn the_number_of_positions_is_bounded_whatever_the_number_of_borders() {
        let borders = (0..100_000).collect::<Vec<_>>();
        assert!(positions(100_000, 20, &borders).len() <= 20 + 5 + 3 * 5 + 2);
    }
}
