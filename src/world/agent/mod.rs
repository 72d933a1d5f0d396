//! The one way to act on a host, whatever that is: an agent at the other end of a channel, in POSIX shell, which starts
//! jobs at most once, writes down how they end, keeps the host's lease and works on files. The way to it is a
//! [`transport`]: pipes on this machine, a connection to another one. What is only read of this machine needs none.
//!
//! On a host live some agents ([`resident`], [`pool`]) that start jobs and hear of their end ([`jobs`]) under
//! what the run may do there ([`acting`]), and write files ([`transfer`]); what only reads are scripts on channels of
//! their own ([`script`]). Values travel as data to fixed texts, never as part of a shell line. Whatever breaks is
//! reported as what it is; nothing is sent twice from here.
//!
//! # What a step costs there
//! One line is read, and one answer or two are written. The claim, the two files of the output and the blank record of
//! the end are made, and the record is filled, all by the shell itself; one process is forked, which becomes `setsid`
//! and then the command. An output that is short and plain is read by the shell as well. Nothing is made durable for a
//! step: what a power cut takes is told by the boots of the host, which are durable before the first.
//!
//! Before the first step of a run `mkdir` makes its folder, where there is none, and one `sync` makes durable at once
//! what was noted of the run, its lease and their folders; giving the host back costs another one.

mod acting;
mod answers;
mod ends;
mod fields;
mod frames;
mod jobs;
mod place;
mod pool;
mod resident;
pub(in crate::world) mod script;
mod table;
pub(in crate::world) mod transfer;
pub(in crate::world) mod transport;

pub(in crate::world) use fields::{field, quoted};
pub(in crate::world) use jobs::Jobs;
pub(in crate::world) use place::RecordPlace;
