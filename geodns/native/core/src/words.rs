//! The status words of the moment, and what their bits mean (FORMAT.md, "Status table").

/// Where the words come from: shared memory, or the hands of a test.
pub trait Words {
    /// The word of a slot; 0, which is nobody's, where there is no such slot.
    fn word(&self, slot: u32) -> u64;

    /// A number that goes up after every change; None where nobody counts.
    fn epoch(&self) -> Option<u64>;
}

impl Words for [u64] {
    fn word(&self, slot: u32) -> u64 {
        self.get(slot as usize).copied().unwrap_or(0)
    }

    fn epoch(&self) -> Option<u64> {
        None
    }
}

const VERDICT_DOWN: u64 = 2;
const UNSETTLED: u64 = 4;
const OVERRIDE_UP: u64 = 1;
const OVERRIDE_DOWN: u64 = 2;
const FULL_WEIGHT: u64 = 255;

/// What a word says of its target; None is unknown, which counts as up at full weight.
#[derive(Clone, Copy)]
pub(crate) struct Said(pub(crate) Option<u64>);

impl Said {
    /// Whether a target may answer; `ignore` passes over verdicts, never over overrides.
    pub(crate) fn is_usable(self, ignore: bool) -> bool {
        let word = self.0.unwrap_or(0);
        match word >> 4 & 3 {
            OVERRIDE_DOWN => false,
            OVERRIDE_UP => true,
            _ => ignore || word & 3 != VERDICT_DOWN,
        }
    }

    pub(crate) fn weight_factor(self) -> u64 {
        self.0.map_or(FULL_WEIGHT, |word| word >> 8 & 255)
    }

    /// Users of 65,536 that are to be sent away.
    pub(crate) fn shed_share(self) -> u64 {
        self.0.map_or(0, |word| word >> 16 & 0xFFFF)
    }

    pub(crate) fn is_settled(self) -> bool {
        self.0.is_none_or(|word| word & UNSETTLED == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::Said;

    #[test]
    fn an_override_stands_above_a_verdict_and_what_ignores_it() {
        let down_but_forced_up = Said(Some(2 | 1 << 4));
        let up_but_forced_down = Said(Some(1 | 2 << 4));
        assert!(down_but_forced_up.is_usable(false));
        assert!(!up_but_forced_down.is_usable(true));
    }

    #[test]
    fn an_unknown_target_is_up_at_full_weight_and_settled() {
        let unknown = Said(None);
        assert!(unknown.is_usable(false));
        assert_eq!(unknown.weight_factor(), 255);
        assert_eq!(unknown.shed_share(), 0);
        assert!(unknown.is_settled());
    }
}
