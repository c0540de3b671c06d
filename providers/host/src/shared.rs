//! A value that is made at most once at a time and shared by all who want it.

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use tokio::sync::OnceCell;

type Cell<T, E> = Arc<OnceCell<Result<T, E>>>;

/// A value that is made when it is first wanted. All who wait share one
/// attempt, its failure too; who asks after a failure tries anew.
#[derive(Debug)]
pub(crate) struct Shared<T, E> {
    cell: Mutex<Cell<T, E>>,
}

impl<T, E> Default for Shared<T, E> {
    fn default() -> Self {
        Self {
            cell: Mutex::default(),
        }
    }
}

impl<T: Clone, E: Clone> Shared<T, E> {
    /// The value: as it is while `good` holds for it, made anew otherwise.
    pub(crate) async fn get<'f>(
        &self,
        good: impl Fn(&T) -> bool + Send,
        make: impl Fn() -> BoxFuture<'f, Result<T, E>> + Send,
    ) -> Result<T, E> {
        loop {
            let cell = Arc::clone(&self.cell());
            let mut made = false;
            let result = cell
                .get_or_init(|| {
                    made = true;
                    make()
                })
                .await
                .clone();
            let lasting = result.as_ref().is_ok_and(&good);
            if !lasting {
                let mut current = self.cell();
                if Arc::ptr_eq(&current, &cell) {
                    *current = Cell::default();
                }
            }
            // A value that has gone bad since it was made is worth one more.
            if lasting || made || result.is_err() {
                return result;
            }
        }
    }

    /// The value, where it is made already.
    pub(crate) fn peek(&self) -> Option<T> {
        let cell = Arc::clone(&self.cell());
        cell.get().and_then(|result| result.as_ref().ok().cloned())
    }

    /// Puts a value that was made elsewhere.
    pub(crate) fn put(&self, value: T) {
        *self.cell() = Arc::new(OnceCell::new_with(Some(Ok(value))));
    }

    fn cell(&self) -> std::sync::MutexGuard<'_, Cell<T, E>> {
        // The cell is replaced whole, so it is sound whatever panicked.
        self.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
