//! The `weir` that has AWS, beside Terraform with hashicorp/aws 5.100 and against errors of EC2.
//! Skipped, said aloud, where `moto_server` is not on the path.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)] // helpers of tests

mod answer;
mod moto;
mod provider_block;
mod stacks;
mod tool;
