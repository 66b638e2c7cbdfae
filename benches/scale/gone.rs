//! A node that is gone: it answers `init`, so that the run begins, and nothing after that.

use std::time::Duration;

use serde_json::{Value, json};
use workbench::Machine;

use crate::push::say;

/// A node that hears nothing.
pub(crate) struct Gone;

impl Machine for Gone {
    fn looked(&mut self, _: Duration, _: usize) {}

    fn receive(&mut self, _: Duration, line: &[u8], out: &mut Vec<u8>) {
        let Ok(message) = serde_json::from_slice::<Value>(line) else { return };
        let body = &message["body"];
        if body["type"] == "init" {
            let answer = json!({"type": "init_ok", "in_reply_to": body["msg_id"]});
            say(out, &body["node_id"], &message["src"], &answer);
        }
    }
}
