use std::collections::BTreeSet;

/// Which of the places from 0 to `total` are tried: the first `most`, and behind
/// them a quarter as many evenly spread, as many of the `borders` among them and
/// the places beside these, and the last.
pub(super) fn places(total: usize, most: usize, borders: &[usize]) -> BTreeSet<usize> {
    let mut places = (0..=total.min(most)).collect::<BTreeSet<_>>();
    places.insert(total);
    let some = most.div_ceil(4).max(1);
    places.extend((1..some).map(|part| most + total.saturating_sub(most) / some * part));
    let behind = borders.iter().filter(|border| **border > most).collect::<Vec<_>>();
    for border in behind.iter().step_by(behind.len().div_ceil(some).max(1)) {
        places.extend([border.saturating_sub(1), **border, **border + 1]);
    }
    places.retain(|place| *place <= total);
    places
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn every_place_of_a_short_reading_is_tried() {
        assert!(places(200, 200, &[10, 200]).into_iter().eq(0..=200));
        assert!(places(0, 200, &[]).into_iter().eq([0]));
    }

    #[test]
    fn of_a_long_reading_the_first_places_the_borders_the_last_and_some_between_are_tried() {
        let tried = places(1_000_000, 200, &[100_000, 900_000]);
        assert!((0..=200).all(|place| tried.contains(&place)));
        assert!([99_999, 100_000, 100_001, 899_999].iter().all(|place| tried.contains(place)));
        assert!(tried.contains(&1_000_000) && tried.range(400_000..600_000).count() > 5);
        assert!(tried.len() < 300);
    }

    #[test]
    fn the_number_of_places_is_bounded_whatever_the_number_of_borders() {
        let borders = (0..100_000).collect::<Vec<_>>();
        assert!(places(100_000, 20, &borders).len() <= 20 + 5 + 3 * 5 + 2);
    }
}
