//! Signals by which somebody wants the program to stop: the first is told, the second ends it. It must not decide what
//! stopping means.

use super::line_mode;
use crate::world::Completion;
use std::sync::mpsc::Sender;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

/// The exit code of a process that was interrupted.
const INTERRUPTED: i32 = 130;

/// Tells of signals. Who interrupts a second time does not want to wait: baton exits at once, which loses nothing, and
/// jobs go on. A terminal that goes away may tell so several times; that is no hurry.
pub(in crate::world) fn report(runtime: &Handle, outbox: &Sender<Completion>) -> std::io::Result<()> {
    let _inside = runtime.enter();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let (mut signals, outbox) = (signal(kind)?, outbox.clone());
        runtime.spawn(async move {
            let mut before = false;
            while signals.recv().await.is_some() {
                if before && kind != SignalKind::hangup() {
                    line_mode::restore();
                    std::process::exit(INTERRUPTED);
                }
                before = true;
                // Nobody listens any more when the world is being dropped.
                let _ = outbox.send(Completion::Interrupted);
            }
        });
    }
    Ok(())
}
