//! Whole configurations through `load` and `Evaluator`, with schemas and a driver that stand in
//! for providers and the engine.

mod apply;
mod blocks;
mod errors;
mod examples;
mod inputs;
mod json;
mod kinds;
mod kit;
mod modules;
mod partly;
mod resources;
mod robust;
mod scale;
mod services;
mod terraform;
mod unreadable;
