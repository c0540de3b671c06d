//! HCL text to evaluated instances.

pub mod constraint;
pub mod eval;
pub mod files;
pub mod functions;
pub mod instance;
pub mod ir;
pub mod parse;
pub mod sources;
