//! Until when an effect may go on, when its limit began under a runner that may have died since. Knows no clock:
//! moments come in, an instant of the present boot's clock goes out.

use crate::model::run::instant::Mono;
use crate::model::run::record::Moment;
use crate::model::span::Span;

/// When a limit that began at `since` is over, on the clock of `now`. `now` itself if it is over already.
pub(super) fn deadline(since: &Moment, limit: Span, now: &Moment) -> Mono {
    now.mono + Span(limit.0.saturating_sub(now.elapsed(since).0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::run::instant::Wall;

    fn moment(wall: i64, mono: u64, boot: &str) -> Moment {
        Moment { wall: Wall(wall), mono: Mono(mono), boot: boot.into() }
    }

    #[test]
    fn within_one_boot_a_set_wall_clock_changes_nothing() {
        let since = moment(1_000_000, 500, "a");
        for wall in [0, 1_000_000, 99_000_000] {
            assert_eq!(moment(wall, 2_500, "a").elapsed(&since), Span(2_000));
        }
    }

    #[test]
    fn after_a_reboot_the_wall_clock_counts_but_never_backwards() {
        let since = moment(1_000_000, 900_000, "a");
        assert_eq!(moment(1_003_000, 10, "b").elapsed(&since), Span(3_000));
        assert_eq!(moment(400_000, 10, "b").elapsed(&since), Span(0));
    }

    #[test]
    fn a_deadline_is_told_in_the_clock_of_the_present_boot() {
        let since = moment(1_000_000, 900_000, "a");
        assert_eq!(deadline(&since, Span(5_000), &moment(1_003_000, 10, "b")), Mono(2_010));
        assert_eq!(deadline(&since, Span(5_000), &moment(9_000_000, 10, "b")), Mono(10));
        assert_eq!(deadline(&since, Span(5_000), &moment(0, 901_000, "a")), Mono(905_000));
    }
}
