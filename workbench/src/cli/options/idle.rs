//! Flags of Maelstrom that are accepted and have no effect.

use clap::Args;

use crate::cli::values::count;

/// Flags of Maelstrom that change nothing here. The bench always does what they ask for, or has no such workload.
#[derive(Args, Clone, Debug, Default)]
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

    /// Accepted and without effect: for workloads of transactions
    #[arg(long, value_name = "MODELS")]
    pub consistency_models: Option<String>,

    /// Accepted and without effect: for workloads of transactions
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub key_count: Option<u32>,

    /// Accepted and without effect: for workloads of transactions
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub max_txn_length: Option<u32>,

    /// Accepted and without effect: for workloads of transactions
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub max_writes_per_key: Option<u32>,
}

impl IdleOptions {
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let log = "what nodes write to standard error is in the record, n0.log and so on";
        let messages = "every message is in the record, messages.jsonl";
        let transactions = "it is for workloads of transactions, which are not here";
        [
            (self.log_stderr, "log-stderr", log),
            (self.log_net_send, "log-net-send", messages),
            (self.log_net_recv, "log-net-recv", messages),
            (self.consistency_models.is_some(), "consistency-models", transactions),
            (self.key_count.is_some(), "key-count", transactions),
            (self.max_txn_length.is_some(), "max-txn-length", transactions),
            (self.max_writes_per_key.is_some(), "max-writes-per-key", transactions),
        ]
        .into_iter()
        .filter(|(is_given, _, _)| *is_given)
        .map(|(_, flag, why)| format!("--{flag} has no effect: {why}"))
    }
}
