//! Median, least and most of repeated measurements.

/// Summary of repeated runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Middle value; of an even number, the mean of the two in the middle.
    pub median: f64,
    /// Least value.
    pub least: f64,
    /// Greatest value.
    pub most: f64,
}

impl Spread {
    /// Returns the summary of the values; `None` if there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            0 => f64::midpoint(values[middle - 1], values[middle]),
            _ => values[middle],
        };
        Some(Self {
            median,
            least,
            most,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_odd_and_even_numbers_of_values() {
        let spread = Spread {
            median: 2.0,
            least: 1.0,
            most: 9.0,
        };
        assert_eq!(Spread::of([9.0, 1.0, 2.0]), Some(spread));
        assert_eq!(
            Spread::of([1.0, 3.0]).map(|spread| spread.median),
            Some(2.0)
        );
        assert_eq!(Spread::of([]), None);
    }
}
