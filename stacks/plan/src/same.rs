//! Whether two values are the same to a provider.

use weir_core::{Kind, Value};

/// Whether two values say the same: marks, the type of a null and the element type of an empty
/// collection make no difference. An unknown is the same as nothing, also not as itself.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a.kind(), b.kind()) {
        (Kind::Unknown(..), _) | (_, Kind::Unknown(..)) => false,
        (Kind::Null(_), Kind::Null(_)) => true,
        (Kind::List(_, x), Kind::List(_, y)) | (Kind::Tuple(x), Kind::Tuple(y)) => {
            x.len() == y.len() && x.iter().zip(y.iter()).all(|(a, b)| same(a, b))
        }
        (Kind::Set(_, x), Kind::Set(_, y)) => {
            x.len() == y.len() && x.iter().zip(y.iter()).all(|(a, b)| same(a, b))
        }
        (Kind::Map(_, x), Kind::Map(_, y)) | (Kind::Object(x), Kind::Object(y)) => {
            x.len() == y.len()
                && x.iter()
                    .zip(y.iter())
                    .all(|((i, a), (j, b))| i == j && same(a, b))
        }
        (a, b) => a == b,
    }
}
