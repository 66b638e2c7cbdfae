//! Flags of the workloads of transactions.

use clap::Args;

use crate::check::txn::Model;
use crate::cli::values::{count, length, models};
use crate::workload::TransactionOptions;

/// Flags of the workloads of transactions. Others ignore them.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Transactions")]
pub struct TransactionFlags {
    /// The consistency models that must hold, separated by commas [default: strict-serializable]
    #[arg(long, value_name = "MODELS", value_parser = models)]
    pub consistency_models: Option<Box<[Model]>>,

    /// How many keys are in use at a time [default: 10]
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub key_count: Option<u32>,

    /// The most operations of a transaction [default: 4]
    #[arg(long, value_name = "N", value_parser = length, allow_negative_numbers = true)]
    pub max_txn_length: Option<u32>,

    /// How many writes a key gets [default: 16]
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub max_writes_per_key: Option<u32>,
}

impl TransactionFlags {
    pub(super) fn options(&self) -> TransactionOptions {
        let default = TransactionOptions::default();
        TransactionOptions {
            key_count: self.key_count.unwrap_or(default.key_count),
            max_length: self.max_txn_length.unwrap_or(default.max_length),
            max_writes_per_key: self.max_writes_per_key.unwrap_or(default.max_writes_per_key),
            models: self.consistency_models.clone().map_or(default.models, Vec::from),
        }
    }

    /// The flags that are given.
    pub(super) fn given(&self) -> impl Iterator<Item = &'static str> {
        [
            (self.consistency_models.is_some(), "consistency-models"),
            (self.key_count.is_some(), "key-count"),
            (self.max_txn_length.is_some(), "max-txn-length"),
            (self.max_writes_per_key.is_some(), "max-writes-per-key"),
        ]
        .into_iter()
        .filter_map(|(is_given, flag)| is_given.then_some(flag))
    }
}
