//! The output of a job, as much of it as an outcome holds: its head and its tail. The middle of a long output
//! is never fetched: it stays on the host.

use crate::exec::calls::{Try, bytes, words};
use crate::exec::waiting::Pace;
use crate::world::{JobId, Link, Request, Stopped, Stream, Trouble};

/// The most of a job's output that an outcome holds, in bytes.
pub(super) const OUTPUT_MAX: u64 = 8 * 1024;
/// How often a part of it is asked for when the link breaks: it stays on the host, and reading it twice harms nobody.
const TRIES: u32 = 5;

/// What a job wrote to a stream, at most `max` bytes of it: all, or its beginning and its end.
pub(super) fn fetch(link: &dyn Link, host: &str, job: &JobId, stream: Stream, max: u64) -> Result<String, Stopped> {
    let read = |from, max| {
        let mut pace = Pace::patient();
        let ask = || bytes(link, Request::JobOutput { host: host.to_owned(), job: job.clone(), stream, from, max });
        for _ in 1..TRIES {
            match ask()? {
                Err(Trouble::Lost(_)) => link.call(Request::WaitUntil { until: link.now().mono + pace.step() })?,
                other => return Ok(other),
            };
        }
        ask()
    };
    Ok(match head_and_tail(&read, max)? {
        Ok(output) => String::from_utf8_lossy(&output).trim_end().to_owned(),
        Err(trouble) => format!("(the output could not be fetched: {})", words(&trouble)),
    })
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
    loop {
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
    head.extend_from_slice(format!("\n… ({} bytes left out) …\n", length - max).as_bytes());
    head.extend_from_slice(&end[end.len() - half as usize..]);
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
