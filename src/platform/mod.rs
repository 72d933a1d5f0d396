//! The machine that baton is started on: its accounts, locks and folders, the texts a person keeps there, the processes
//! of a lab. What lies here is not behind [`World`](crate::world::World): no step of a run comes this way.

mod accounts;
pub mod beneath;
pub mod desk;
pub mod editor;
pub mod events_file;
pub mod folders;
pub mod lab_link;
pub mod processes;
pub mod real_folders;
pub mod runner_lock;
pub(crate) mod trust;
