//! The output of a job, as much of it as an outcome holds: its head and its tail. The middle of a long output
//! is never fetched: it stays on the host.

use crate::exec::calls::words;
use crate::exec::waiting::Backoff;
use crate::model::run::instant::Mono;
use crate::model::span::Span;
use crate::world::request::ReadOutput;
use crate::world::{JobId, Link, Stopped, Stream, Trouble, Try};

/// The most of a job's output that an outcome holds, in bytes.
pub(super) const OUTPUT_MAX: u64 = 8 * 1024;
/// For how long output is asked for again that cannot be had.
pub(super) const OUTPUT_PATIENCE: Span = Span::secs(5);
/// How often a part of it is asked for when the link breaks: it stays on the host, and reading it twice harms nobody.
const TRIES: u32 = 5;

/// The longest output whose end is looked for, in bytes: who tells of more does not tell the truth.
const LONGEST: u64 = 1 << 50;

/// What a job wrote to a stream, at most `max` bytes of it: all, or its beginning and its end. What cannot be had is
/// not asked for again after `give_up`.
pub(super) fn fetch(
    link: &dyn Link,
    host: &str,
    job: &JobId,
    stream: Stream,
    max: u64,
    give_up: Mono,
) -> Result<Vec<u8>, Stopped> {
    let read = |from, max| read_part(link, (host, job, stream), (from, max), give_up);
    Ok(match head_and_tail(&read, max)? {
        Ok(output) => output,
        Err(trouble) => format!("(the output could not be fetched: {})", words(&trouble)).into_bytes(),
    })
}

/// Bytes of what a job wrote to a stream, from an offset on and at most so many. When the link breaks it is asked for
/// again, until `give_up`.
pub(super) fn read_part(
    link: &dyn Link,
    (host, job, stream): (&str, &JobId, Stream),
    (from, max): (u64, u64),
    give_up: Mono,
) -> Try<Vec<u8>> {
    let mut pace = Backoff::patient();
    let ask = || link.ask(ReadOutput { host: host.to_owned(), job: job.clone(), stream, from, max });
    for _ in 1..TRIES {
        match ask()? {
            Err(Trouble::Lost(_)) if link.now().mono < give_up => link.wait_until(link.now().mono + pace.step())?,
            other => return Ok(other),
        };
    }
    ask()
}

fn head_and_tail(read: &dyn Fn(u64, u64) -> Try<Vec<u8>>, max: u64) -> Try<Vec<u8>> {
    let mut head = match read(0, max)? {
        Ok(head) => head,
        Err(trouble) => return Ok(Err(trouble)),
    };
    if (head.len() as u64) < max {
        return Ok(Ok(head));
    }
    // Nothing tells the length of an output, so its end is found by asking for single bytes.
    let half = (max / 2).max(1);
    let (mut inside, mut beyond) = (max - 1, 2 * max);
    let is_behind_it = |at| -> Try<bool> { Ok(read(at, 1)?.map(|byte| byte.is_empty())) };
    // It may grow and shrink meanwhile: all that is certain is what is in hand.
    while beyond < LONGEST {
        match is_behind_it(beyond)? {
            Ok(true) => break,
            Ok(false) => (inside, beyond) = (beyond, 2 * beyond),
            Err(trouble) => return Ok(Err(trouble)),
        }
    }
    while beyond - inside > half {
        let middle = inside + (beyond - inside) / 2;
        match is_behind_it(middle)? {
            Ok(true) => beyond = middle,
            Ok(false) => inside = middle,
            Err(trouble) => return Ok(Err(trouble)),
        }
    }
    let from = inside - half.min(inside);
    let end = match read(from, max + half)? {
        Ok(end) => end,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let length = from + end.len() as u64;
    if length <= max {
        return Ok(Ok(head));
    }
    head.truncate(half as usize);
    let end = &end[end.len().saturating_sub(half as usize)..];
    let left_out = length - (head.len() + end.len()) as u64;
    head.extend_from_slice(format!("\n… ({left_out} bytes left out) …\n").as_bytes());
    head.extend_from_slice(end);
    Ok(Ok(head))
}

#[cfg(test)]
mod tests {
    use super::head_and_tail;

    #[test]
    fn a_single_byte_of_a_long_output_is_found_as_well() {
        let read =
            |from: u64, max: u64| Ok(Ok(b"abc".iter().skip(from as usize).take(max as usize).copied().collect()));
        let kept = head_and_tail(&read, 1).expect("not stopped").expect("no trouble");
        assert!(kept.starts_with(b"a"), "{kept:?}");
    }

    #[test]
    fn an_output_that_grows_and_shrinks_while_it_is_read_is_some_output() {
        // Every length that a look can find, at every look: by a number that counts the looks.
        for seed in 1..2_000_u64 {
            let looks = std::cell::Cell::new(seed);
            let read = |from: u64, max: u64| {
                looks.set(looks.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
                let length = [0, 1, 49, 50, 99, 100, 101, 151, 5_000, 123_457][(looks.get() >> 33) as usize % 10];
                Ok(Ok(vec![b'x'; length.clamp(from, from + max).saturating_sub(from) as usize]))
            };
            let kept = head_and_tail(&read, 100).expect("not stopped").expect("no trouble");
            assert!(kept.len() < 160, "{} bytes are kept", kept.len());
        }
    }

    #[test]
    fn a_host_that_always_has_more_is_not_asked_for_ever() {
        let asked = std::cell::Cell::new(0);
        let read = |_: u64, max: u64| {
            asked.set(asked.get() + 1);
            Ok(Ok(vec![b'x'; max as usize]))
        };
        let kept = head_and_tail(&read, 100).expect("not stopped").expect("no trouble");
        assert!(kept.len() < 200 && asked.get() < 200, "{} bytes after {} requests", kept.len(), asked.get());
    }

    #[test]
    fn a_long_output_keeps_its_head_and_its_tail_whatever_its_length() {
        for length in [0_usize, 5, 99, 100, 101, 150, 199, 200, 201, 5_000, 123_457] {
            let all: Vec<u8> = (0..length).map(|i| b'a' + (i % 23) as u8).collect();
            let read = |from: u64, max: u64| {
                let from = (from as usize).min(all.len());
                Ok(Ok(all[from..(from + max as usize).min(all.len())].to_vec()))
            };
            let kept = head_and_tail(&read, 100).expect("not stopped").expect("no trouble");
            if length <= 100 {
                assert_eq!(kept, all);
            } else {
                assert!(kept.starts_with(&all[..50]) && kept.ends_with(&all[length - 50..]), "{length}");
                let note = format!("\n… ({} bytes left out) …\n", length - 100);
                assert_eq!(kept.len(), 100 + note.len(), "{length}");
            }
        }
    }
}
