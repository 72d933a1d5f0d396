//! Work that is done on several cores at once: each worker has a thread and a state of its own, gets the same news in
//! the same order, and hands back plain results, which come in the order of the tasks whoever did them. It must not
//! know what is worked on.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The stack of a worker, in bytes: what it works on may be deep. Only what is used takes memory.
const STACK_BYTES: usize = 64 << 20;

/// One of a crew. It lives on its thread and need not leave it.
pub trait Worker {
    /// What all are told before a batch.
    type News: Send + Sync;
    /// What is to be done.
    type Task: Send;
    /// What comes of it.
    type Yield: Send;

    /// Hears what is new.
    fn hear(&mut self, news: &Self::News);
    /// Does one task.
    fn work(&mut self, task: Self::Task) -> Self::Yield;
}

/// Tasks that all take from, each with its place in the order.
type Queue<W> = Arc<Mutex<VecDeque<(usize, <W as Worker>::Task)>>>;

/// What one worker is handed.
struct Batch<W: Worker> {
    news: Arc<W::News>,
    tasks: Queue<W>,
    done: Sender<(usize, W::Yield)>,
}

/// Has a batch of tasks done, and gives what came of them in their order.
pub type Employ<'a, W> = dyn FnMut(<W as Worker>::News, Vec<<W as Worker>::Task>) -> Vec<<W as Worker>::Yield> + 'a;

/// How many cores this machine gives.
#[must_use]
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Lets `drive` employ a crew of this size; `hire` makes each of its workers, on its thread.
///
/// # Errors
/// When the machine gives no thread.
pub fn employ<W: Worker, T>(
    size: usize,
    hire: impl Fn() -> W + Sync,
    drive: impl FnOnce(&mut Employ<'_, W>) -> T,
) -> std::io::Result<T> {
    thread::scope(|scope| {
        let mut crew: Vec<Sender<Batch<W>>> = Vec::new();
        for _ in 0..size.max(1) {
            let (orders, inbox) = channel();
            let hire = &hire;
            thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, move || serve(hire(), &inbox))?;
            crew.push(orders);
        }
        Ok(drive(&mut |news, tasks| {
            let (news, count) = (Arc::new(news), tasks.len());
            let tasks = Arc::new(Mutex::new(tasks.into_iter().enumerate().collect()));
            let (done, results) = channel();
            for orders in &crew {
                let (news, tasks, done) = (Arc::clone(&news), Arc::clone(&tasks), done.clone());
                // A worker that is gone has panicked, which the scope tells at its end.
                let _gone = orders.send(Batch { news, tasks, done });
            }
            drop(done);
            let mut in_order: Vec<Option<W::Yield>> = (0..count).map(|_| None).collect();
            for (index, result) in results {
                if let Some(slot) = in_order.get_mut(index) {
                    *slot = Some(result);
                }
            }
            in_order.into_iter().flatten().collect()
        }))
    })
}

fn serve<W: Worker>(mut worker: W, inbox: &Receiver<Batch<W>>) {
    for Batch { news, tasks, done } in inbox {
        worker.hear(&news);
        loop {
            let next = tasks.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some((index, task)) = next else { break };
            let _nobody_waits = done.send((index, worker.work(task)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Worker, employ};

    struct Adder(u64);

    impl Worker for Adder {
        type News = u64;
        type Task = u64;
        type Yield = u64;

        fn hear(&mut self, news: &u64) {
            self.0 += news;
        }

        fn work(&mut self, task: u64) -> u64 {
            self.0 + task
        }
    }

    #[test]
    fn results_come_in_the_order_of_the_tasks_and_every_worker_hears_all_news() {
        for size in [1, 2, 5] {
            let sums = employ(
                size,
                || Adder(0),
                |work| {
                    let first = work(10, (0..100).collect());
                    first.into_iter().chain(work(1, vec![0])).collect::<Vec<_>>()
                },
            );
            assert_eq!(sums.unwrap(), (10..110).chain([11]).collect::<Vec<_>>());
        }
    }
}
