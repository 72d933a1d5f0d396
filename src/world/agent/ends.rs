//! The end of a job as an agent tells it: how it ended, and the beginning of what it wrote. Pure. It must not guess:
//! what is not told whole is no end.

use super::frames::bytes_of;

/// The most of a job's output that comes along with its end, in bytes, as in `jobs.sh`.
const ALONG: usize = 8_192;

/// How a job ended and what it wrote.
#[derive(Debug, Clone)]
pub(super) struct JobEnd {
    pub(super) code: i32,
    /// Not known when the host could not read them.
    pub(super) out: Option<Captured>,
    pub(super) err: Option<Captured>,
}

/// The beginning of an output, and how long it was when the job ended.
#[derive(Debug, Clone)]
pub(super) struct Captured {
    head: Vec<u8>,
    length: u64,
}

impl Captured {
    /// Bytes from an offset on, if they are known here.
    pub(super) fn part(&self, from: u64, max: u64) -> Option<Vec<u8>> {
        let until = from.saturating_add(max).min(self.length);
        let (from, until) = (usize::try_from(from).ok()?, usize::try_from(until).ok()?);
        if from >= until {
            return Some(Vec::new());
        }
        self.head.get(from..until).map(<[u8]>::to_vec)
    }
}

/// What an agent tells of the end of a job.
#[derive(Debug)]
pub(super) enum EndReport {
    Ended(JobEnd),
    Lost(String),
}

/// The end of a job as the agent tells it; nothing when it tells something else.
pub(super) fn end_of(word: &str) -> Option<EndReport> {
    let (state, rest) = word.split_once(" ; ")?;
    let (out, rest) = captured(rest)?;
    let (err, rest) = captured(rest?)?;
    if rest.is_some() {
        return None;
    }
    if let Some(why) = state.strip_prefix("lost ") {
        return Some(EndReport::Lost(why.to_owned()));
    }
    let code = state.strip_prefix("exited ")?.trim().parse().ok()?;
    Some(EndReport::Ended(JobEnd { code, out, err }))
}

/// What a job wrote to a stream, and what stands behind it: all of it as it is, behind its length; or its length, or
/// `-` where all of it follows, and its beginning in hexadecimal; `?` when the host cannot read it. Nothing when it is
/// none of these.
fn captured(part: &str) -> Option<(Option<Captured>, Option<&str>)> {
    if let Some(plain) = part.strip_prefix('=') {
        let (length, text) = plain.split_once(':')?;
        let (text, rest) = text.split_at_checked(length.parse().ok()?)?;
        let rest = if rest.is_empty() { None } else { Some(rest.strip_prefix(" ; ")?) };
        let length = u64::try_from(text.len()).ok()?;
        return Some((Some(Captured { head: text.as_bytes().to_vec(), length }), rest));
    }
    let (part, rest) = part.split_once(" ; ").map_or((part, None), |(part, rest)| (part, Some(rest)));
    let (length, words) = part.split_once([' ', '\n']).unwrap_or((part, ""));
    if length == "?" {
        return Some((None, rest));
    }
    let head = bytes_of(words, ALONG)?;
    let all = u64::try_from(head.len()).ok()?;
    let length = if length == "-" { all } else { length.parse::<u64>().ok()?.max(all) };
    Some((Some(Captured { head, length }), rest))
}

#[cfg(test)]
mod tests {
    use super::{EndReport, end_of};

    #[test]
    fn the_end_of_a_job_is_read_whole_or_not_at_all() {
        let Some(EndReport::Ended(end)) = end_of("exited 3 ; -  6f 6b\n 0a ; 9000  78") else { panic!("no end") };
        let (out, err) = (end.out.expect("an output"), end.err.expect("an output"));
        assert_eq!((end.code, out.head.as_slice(), out.length, err.length), (3, &b"ok\n"[..], 3, 9000));
        assert!(matches!(end_of("exited 0 ; ? ; -"), Some(EndReport::Ended(end)) if end.out.is_none()));
        assert!(matches!(end_of("lost it is gone ; - ; ?"), Some(EndReport::Lost(why)) if why == "it is gone"));
        let Some(EndReport::Ended(plain)) = end_of("exited 0 ; =7:a ; b\n; ; =0:") else { panic!("no end") };
        assert_eq!(plain.out.expect("an output").head, b"a ; b\n;");
        for odd in [
            "exited 0 ; =3:ab ; -",
            "exited 0 ; =1:ab ; -",
            "exited 0 ; =1:a",
            "exited 0 ; =x:a ; -",
            "exited 0",
            "exited ; - ; -",
            "exited 0 ; - 6 ; -",
            "exited 0 ; x ; -",
            "exited 0 ; - ; - ; -",
            "",
        ] {
            assert!(end_of(odd).is_none(), "{odd}");
        }
    }
}
