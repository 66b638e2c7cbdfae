//! Flags of Maelstrom that are accepted and have no effect.

use clap::Args;

/// Flags of Maelstrom that change nothing here. The bench always does what they ask for.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
#[expect(clippy::struct_excessive_bools, reason = "flags are independent of each other")]
pub struct IdleOptions {
    /// Accepted and without effect: what nodes write to standard error is in the record, n0.log and so on
    #[arg(long)]
    pub log_stderr: bool,

    /// Accepted and without effect: every message is in the record, messages.jsonl
    #[arg(long)]
    pub log_net_send: bool,

    /// Accepted and without effect: every message is in the record, messages.jsonl
    #[arg(long)]
    pub log_net_recv: bool,

    /// Accepted and without effect: nodes are processes of this machine
    #[arg(long, hide = true)]
    pub no_ssh: bool,
}

impl IdleOptions {
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let log = "what nodes write to standard error is in the record, n0.log and so on";
        let messages = "every message is in the record, messages.jsonl";
        [
            (self.log_stderr, "log-stderr", log),
            (self.log_net_send, "log-net-send", messages),
            (self.log_net_recv, "log-net-recv", messages),
            (self.no_ssh, "no-ssh", "nodes are processes of this machine"),
        ]
        .into_iter()
        .filter(|(is_given, _, _)| *is_given)
        .map(|(_, flag, why)| format!("--{flag} has no effect: {why}"))
    }
}
