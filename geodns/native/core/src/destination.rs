//! What one rule leads to: one chain of pools, or the arms of a split (FORMAT.md, "Kind 3: VIEW").

use std::ops::Range;

use crate::fault::LoadFault;
use crate::pools::Pools;
use crate::rendezvous::winner;
use crate::section::Section;

/// One arm of a destination.
#[derive(Debug, Clone)]
pub(crate) struct Arm {
    key: u64,
    weight: u64,
    /// Its pools, among those of all arms.
    pub(crate) steps: Range<usize>,
    /// Where its rows begin in the record of a class.
    pub(crate) offset: usize,
}

/// What one rule, or the catch-all, leads to.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    arms: Vec<Arm>,
    /// The arm that is taken without a draw; None where there are several to draw from.
    only: Option<usize>,
    /// Leading bits of a subject's address that its draws depend on beyond its class.
    pub(crate) bits4: u8,
    pub(crate) bits6: u8,
}

impl Destination {
    /// The arm of a user, drawn by what `base` gives; health has no part in it, for each arm has
    /// a chain of its own.
    pub(crate) fn arm(&self, base: impl FnOnce() -> u64) -> Option<&Arm> {
        if self.only.is_some() {
            return self.only();
        }
        let drawn = self.arms.iter().filter(|arm| arm.weight > 0);
        let first = winner(base(), drawn.clone().map(|arm| (arm.key, arm.weight)));
        drawn.clone().nth(first as usize)
    }

    /// The arm that all users have.
    pub(crate) fn only(&self) -> Option<&Arm> {
        self.arms.get(self.only?)
    }

    pub(crate) fn arms(&self) -> &[Arm] {
        &self.arms
    }

    /// Rows in a record of this destination.
    pub(crate) fn width(&self) -> usize {
        self.arms.iter().map(|arm| arm.steps.len()).sum()
    }
}

/// The destinations of a view, and the pools of all steps by their number.
pub(crate) fn destinations(
    section: &Section<'_>,
    pools: &Pools<'_>,
) -> Result<(Vec<Destination>, Vec<u32>), LoadFault> {
    let (keys, step) = (
        section.column::<u64>("arm_key")?,
        section.column::<u32>("step")?,
    );
    let weights: &[u32] = section.column_of("arm_weight", keys.len())?;
    let count = section.column::<u32>("arm_at")?.len().saturating_sub(1);
    let arm_at = section.bounds("arm_at", count, keys.len())?;
    let step_at = section.bounds("step_at", keys.len(), step.len())?;
    let bits4: &[u32] = section.column_of("bits4", count)?;
    let bits6: &[u32] = section.column_of("bits6", count)?;
    let mut made = Vec::with_capacity(count);
    let mut arms = keys.iter().zip(weights).zip(ranges(step_at));
    for (range, (bits4, bits6)) in ranges(arm_at).zip(bits4.iter().zip(bits6)) {
        let arms: Vec<_> = arms.by_ref().take(range.len()).collect();
        made.push(destination(&arms, *bits4, *bits6)?);
    }
    Ok((made, numbers(section, step, pools)?))
}

fn destination(
    columns: &[((&u64, &u32), Range<usize>)],
    bits4: u32,
    bits6: u32,
) -> Result<Destination, LoadFault> {
    let mut offset = 0;
    let mut arms = Vec::with_capacity(columns.len());
    for ((key, weight), steps) in columns {
        let (key, weight, steps) = (**key, u64::from(**weight), steps.clone());
        let width = steps.len();
        arms.push(Arm {
            key,
            weight,
            steps,
            offset,
        });
        offset += width;
    }
    if arms.is_empty() || arms.iter().any(|arm| arm.steps.is_empty()) {
        return Err(LoadFault::Contradiction(
            "a view leads somewhere where there is no pool",
        ));
    }
    let mut drawn = (0..arms.len()).filter(|at| arms.get(*at).is_some_and(|arm| arm.weight > 0));
    let first = drawn.next().unwrap_or(0);
    let only = drawn.next().is_none().then_some(first);
    let bits = |bits: u32, most: u8| u8::try_from(bits).unwrap_or(most).min(most);
    Ok(Destination {
        arms,
        only,
        bits4: bits(bits4, 32),
        bits6: bits(bits6, 64),
    })
}

/// The numbers of the pools that steps go to.
fn numbers(section: &Section<'_>, step: &[u32], pools: &Pools<'_>) -> Result<Vec<u32>, LoadFault> {
    let missing = LoadFault::Contradiction("a view names a pool that there is not");
    let keys = section.column::<u64>("pool")?.iter();
    let numbers: Option<Vec<u32>> = keys.map(|key| pools.number(*key)).collect();
    let numbers = numbers.ok_or(missing)?;
    let number = |at: &u32| numbers.get(*at as usize).copied();
    let astray = LoadFault::Contradiction("a view's chain leads to a pool that it does not name");
    step.iter().map(number).collect::<Option<_>>().ok_or(astray)
}

fn ranges(bounds: &[u32]) -> impl Iterator<Item = Range<usize>> {
    let pairs = bounds.iter().zip(bounds.iter().skip(1));
    pairs.map(|(from, to)| *from as usize..*to as usize)
}
