//! Questions that are asked on several cores, as far as nobody has to be waited for.
//!
//! 1. Questions go out in batches, in order, to the thread that has the task and to helpers, which
//!    live no longer than the call.
//! 2. Each is polled once. Whoever answers at once has answered; at the first that does not, all
//!    stop: so no more calls are under way than there are threads.
//! 3. The thread that has the task hands over the answers, in the order of the questions, and asks
//!    itself while none is due. Helpers do not run far ahead of it.
//!
//! A panic of a question goes on in the thread that has the task, as if it had asked itself.

use crate::events;
use futures::task::noop_waker_ref;
use std::{
    collections::BTreeMap,
    future::poll_fn,
    num::NonZeroUsize,
    pin::{Pin, pin},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    thread,
    vec::IntoIter,
};
use weir_core::event::{Event, EventSink};

/// So many questions go out together.
const BATCH: usize = 32;

/// So few questions are not worth another thread.
const FEW: usize = 256;

/// More threads than that have nothing to do: handing over is one thread's.
const MOST: usize = 8;

/// How many batches may be asked before the one that is due is handed over, for each thread.
const AHEAD: usize = 4;

/// So many instances are worth a thread to be given back on.
const MANY: usize = 1024;

/// Gives back the memory of what was made of so many instances, beside what goes on.
pub(crate) fn give_back<T: Send + 'static>(value: T, instances: usize) {
    if instances >= MANY {
        // Where there is no thread to be had, the value goes with the question for one.
        let _ = thread::Builder::new().spawn(move || drop(value));
    }
}

/// How far a question has come.
pub(crate) enum Begun<Q, F, T> {
    Answered(T),
    /// It was polled, and waits.
    Waiting(Pin<Box<F>>),
    Unasked(Q),
}

/// What became of a batch.
struct Batch<Q, F, T> {
    begun: Vec<Begun<Q, F, T>>,
    /// Whether all have answered.
    answered: bool,
    events: Vec<Event>,
}

/// What the threads share.
struct Board<Q, F, T> {
    left: IntoIter<Q>,
    /// The number of the next batch to go out.
    next: usize,
    /// The number of the batch that is to be handed over next.
    due: usize,
    asked: BTreeMap<usize, Batch<Q, F, T>>,
    /// Nothing goes out any more.
    over: bool,
}

struct Shared<Q, F, T> {
    board: Mutex<Board<Q, F, T>>,
    changed: Condvar,
    /// How many batches may be out or waiting to be handed over.
    room: usize,
}

/// What the thread that has the task does next.
enum Turn<Q, F, T> {
    HandOver(Batch<Q, F, T>),
    Ask(usize, Vec<Q>),
    Over,
}

/// Asks as far as nobody has to be waited for, and hands over the answers. What is left is
/// returned in order, from the first that waits; empty where all have answered. Where there are few
/// questions, or one call at a time is allowed, none is asked.
pub(crate) fn begin<Q, F, T>(
    questions: Vec<Q>,
    ask: &(impl Fn(Q) -> F + Sync),
    limit: NonZeroUsize,
    events: &dyn EventSink,
    answer: &mut impl FnMut(T),
) -> Vec<Begun<Q, F, T>>
where
    Q: Send,
    F: Future<Output = T> + Send,
    T: Send,
{
    // How many cores there are is a question to the system: small waves, which may be many, do not
    // ask it.
    let threads = match questions.len() < FEW || limit.get() == 1 {
        true => 1,
        false => thread::available_parallelism().map_or(1, NonZeroUsize::get),
    };
    let threads = threads.min(limit.get()).min(MOST);
    if threads == 1 {
        return questions.into_iter().map(Begun::Unasked).collect();
    }
    let shared = Shared {
        board: Mutex::new(Board {
            left: questions.into_iter(),
            next: 0,
            due: 0,
            asked: BTreeMap::new(),
            over: false,
        }),
        changed: Condvar::new(),
        room: threads * AHEAD,
    };
    let runtime = tokio::runtime::Handle::try_current().ok();
    thread::scope(|scope| {
        let help = || {
            let _inside = runtime.as_ref().map(|r| r.enter());
            shared.help(ask);
        };
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, help).ok();
        let helpers: Vec<_> = (1..threads).filter_map(spawn).collect();
        shared.lead(ask, events, answer);
        for helper in helpers {
            if let Err(panic) = helper.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    shared.rest(events)
}

impl<Q, F: Future<Output = T>, T> Shared<Q, F, T> {
    fn board(&self) -> MutexGuard<'_, Board<Q, F, T>> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks until nothing is left to ask.
    fn help(&self, ask: &impl Fn(Q) -> F) {
        let _over = OverOnPanic(self);
        loop {
            let mut board = self.board();
            while !board.over && board.next >= board.due + self.room {
                let woken = self.changed.wait(board);
                board = woken.unwrap_or_else(PoisonError::into_inner);
            }
            let Some((number, questions)) = board.take() else {
                return;
            };
            drop(board);
            self.put(number, self.ask(questions, ask));
        }
    }

    /// Hands over what is due and asks itself, until all is handed over or something waits.
    fn lead(&self, ask: &impl Fn(Q) -> F, events: &dyn EventSink, answer: &mut impl FnMut(T)) {
        let _over = OverOnPanic(self);
        loop {
            match self.turn() {
                Turn::Over => return self.end(),
                Turn::Ask(number, questions) => self.put(number, self.ask(questions, ask)),
                Turn::HandOver(batch) => {
                    batch.events.into_iter().for_each(|e| events.event(e));
                    let answers = batch.begun.into_iter().filter_map(|b| match b {
                        Begun::Answered(answer) => Some(answer),
                        // It is complete.
                        Begun::Waiting(_) | Begun::Unasked(_) => None,
                    });
                    answers.for_each(&mut *answer);
                }
            }
        }
    }

    fn turn(&self) -> Turn<Q, F, T> {
        let mut board = self.board();
        loop {
            let due = board.due;
            match board.asked.get(&due).map(|b| b.answered) {
                Some(false) => return Turn::Over,
                Some(true) => {
                    board.due += 1;
                    self.changed.notify_all();
                    if let Some(batch) = board.asked.remove(&due) {
                        return Turn::HandOver(batch);
                    }
                }
                None => {
                    if let Some((number, questions)) = board.take() {
                        return Turn::Ask(number, questions);
                    }
                    if board.over || board.due == board.next {
                        return Turn::Over;
                    }
                    let woken = self.changed.wait(board);
                    board = woken.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Lets nothing go out any more.
    fn end(&self) {
        self.board().over = true;
        self.changed.notify_all();
    }

    fn put(&self, number: usize, batch: Batch<Q, F, T>) {
        let mut board = self.board();
        board.over |= !batch.answered;
        board.asked.insert(number, batch);
        self.changed.notify_all();
    }

    /// Polls each question of a batch once, up to the first that waits.
    fn ask(&self, questions: Vec<Q>, ask: &impl Fn(Q) -> F) -> Batch<Q, F, T> {
        let mut begun = Vec::with_capacity(questions.len());
        let mut answered = true;
        // One place for all of them: it is large, and most need it for a moment.
        let mut place: Option<Pin<Box<F>>> = None;
        let ((), events) = events::held(|| {
            for question in questions {
                if !answered {
                    begun.push(Begun::Unasked(question));
                    continue;
                }
                let mut asked = match place.take() {
                    Some(mut place) => {
                        place.set(ask(question));
                        place
                    }
                    None => Box::pin(ask(question)),
                };
                match poll_once(asked.as_mut()) {
                    Poll::Ready(answer) => {
                        begun.push(Begun::Answered(answer));
                        place = Some(asked);
                    }
                    Poll::Pending => {
                        begun.push(Begun::Waiting(asked));
                        answered = false;
                    }
                }
            }
        });
        Batch {
            begun,
            answered,
            events,
        }
    }

    /// What was not handed over.
    fn rest(self, events: &dyn EventSink) -> Vec<Begun<Q, F, T>> {
        let board = self.board.into_inner();
        let board = board.unwrap_or_else(PoisonError::into_inner);
        let mut rest = Vec::with_capacity(board.left.len());
        for batch in board.asked.into_values() {
            batch.events.into_iter().for_each(|e| events.event(e));
            rest.extend(batch.begun);
        }
        rest.extend(board.left.map(Begun::Unasked));
        rest
    }
}

/// Whether the answer is at hand. Whoever goes on with it polls it at once, with a waker of its
/// own. It is one poll of the task's many: the runtime's turns are not counted.
fn poll_once<F: Future>(mut asked: Pin<&mut F>) -> Poll<F::Output> {
    let once = poll_fn(|context| Poll::Ready(asked.as_mut().poll(context)));
    let mut context = Context::from_waker(noop_waker_ref());
    match pin!(tokio::task::unconstrained(once)).poll(&mut context) {
        Poll::Ready(polled) => polled,
        Poll::Pending => Poll::Pending,
    }
}

/// Who waits for a batch of a thread that panics waits no longer.
struct OverOnPanic<'a, Q, F: Future<Output = T>, T>(&'a Shared<Q, F, T>);

impl<Q, F: Future<Output = T>, T> Drop for OverOnPanic<'_, Q, F, T> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end();
        }
    }
}

impl<Q, F, T> Board<Q, F, T> {
    /// The next batch, if one goes out.
    fn take(&mut self) -> Option<(usize, Vec<Q>)> {
        if self.over {
            return None;
        }
        let questions: Vec<Q> = self.left.by_ref().take(BATCH).collect();
        if questions.is_empty() {
            return None;
        }
        let number = self.next;
        self.next += 1;
        Some((number, questions))
    }
}
