//! The names of all nodes that were ever listed, as they stand in the store: `["n0","n1"]`.

use std::collections::BTreeSet;
use std::sync::Arc;

use replica::NodeId;
use serde_json::value::RawValue;

use crate::codec::cut;
use crate::config::MAX_RECORD;
use crate::node::check_node_name;

/// Where they stand. No node is called so: its name has no slash.
pub(super) const KEY: &str = "/nodes";

/// Reads the names.
///
/// # Errors
///
/// Why these are no names of nodes.
pub(super) fn parse(value: &RawValue) -> Result<BTreeSet<NodeId>, String> {
    if value.get().len() > MAX_RECORD {
        return Err("it is too long".into());
    }
    let names: Vec<String> =
        serde_json::from_str(value.get()).map_err(|e| cut(&e.to_string()).into_owned())?;
    names.iter().try_for_each(|name| check_node_name(name))?;
    Ok(names.iter().map(|name| NodeId::from(name.as_str())).collect())
}

/// Writes the names.
///
/// # Errors
///
/// If they can't be written.
pub(super) fn write(names: &BTreeSet<NodeId>) -> serde_json::Result<Arc<RawValue>> {
    let names: Vec<&str> = names.iter().map(NodeId::as_str).collect();
    serde_json::value::to_raw_value(&names).map(Arc::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<BTreeSet<NodeId>, String> {
        parse(&RawValue::from_string(text.into()).unwrap())
    }

    #[test]
    fn is_read_as_it_was_written() {
        for text in ["[]", r#"["n0"]"#, r#"["n0","n1","ü"]"#] {
            assert_eq!(write(&read(text).unwrap()).unwrap().get(), text);
        }
    }

    #[test]
    fn what_is_no_list_of_names_is_refused() {
        for text in ["null", "3", "{}", r#""n0""#, "[3]", r#"[""]"#, r#"["n0/barrier"]"#, r#"["/nodes"]"#] {
            assert!(read(text).is_err(), "{text} was read as names");
        }
        assert!(read(&format!("[{}]", " ".repeat(MAX_RECORD))).is_err());
    }
}
