//! Who is whose neighbour, for the broadcast workload.

use serde_json::{Map, Value};

/// Maelstrom's default: a grid as square as can be, each node with at most four neighbours. As the `topology` field.
pub(crate) fn grid(count: usize) -> Value {
    let side = (1..=count).find(|side| side * side >= count).unwrap_or(1);
    let name = |index: usize| format!("n{index}");
    let neighbours = |index: usize| {
        let (row, column) = (index / side, index % side);
        let below = Some(index + side);
        let above = row.checked_sub(1).map(|row| row * side + column);
        let right = Some(index + 1).filter(|_| column + 1 < side);
        let left = column.checked_sub(1).map(|column| row * side + column);
        let all = [below, above, right, left].into_iter().flatten().filter(|other| *other < count);
        all.map(name).collect::<Vec<_>>()
    };
    Value::Object((0..count).map(|index| (name(index), neighbours(index).into())).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_grid_of_five_is_three_wide() {
        let expected = json!({
            "n0": ["n3", "n1"], "n1": ["n4", "n2", "n0"], "n2": ["n1"], "n3": ["n0", "n4"], "n4": ["n1", "n3"]
        });
        assert_eq!(grid(5), expected);
        assert_eq!(grid(1), json!({"n0": []}));
    }
}
