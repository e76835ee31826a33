//! What the words say of members: who may answer, at what weight, and whom it sends away.

use crate::draw::Candidate;
use crate::pool::Family;
use crate::pools::Pools;
use crate::rendezvous::is_sent_away;
use crate::words::{Said, Words};

const FAMILIES: [Family; 3] = [Family::V4, Family::V6, Family::Name];

/// Members of pools under the words of the moment.
pub(crate) struct Members<'g, 'a, W: ?Sized> {
    pub(crate) pools: &'g Pools<'a>,
    pub(crate) words: &'g W,
}

/// What is asked of members.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) family: Family,
    /// By what a user's loads are drawn; None: nobody sends anybody away.
    pub(crate) load: Option<u64>,
    /// Whether verdicts are passed over; overrides never are.
    pub(crate) ignore: bool,
}

impl Asked {
    pub(crate) fn whatever_load(self) -> Self {
        Self { load: None, ..self }
    }
}

/// A member that sends away `share` users of 65,536.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shed {
    key: u64,
    share: u64,
}

impl Shed {
    pub(crate) fn sends_away(&self, load: u64) -> bool {
        is_sent_away(load, self.key, self.share)
    }
}

impl<W: Words + ?Sized> Members<'_, '_, W> {
    /// Add those that may answer. Weight 0 answers only where nothing of positive weight does.
    pub(crate) fn candidates(
        &self,
        members: impl Iterator<Item = u32>,
        asked: Asked,
        into: &mut Vec<Candidate>,
    ) {
        let start = into.len();
        into.extend(members.filter_map(|member| self.candidate(member, asked)));
        let Some(fresh) = into.get_mut(start..) else {
            return;
        };
        if fresh.iter().all(|candidate| candidate.weight == 0) {
            for candidate in fresh {
                candidate.weight = 1;
            }
            return;
        }
        let mut kept = 0;
        for at in 0..fresh.len() {
            if fresh.get(at).is_some_and(|candidate| candidate.weight > 0) {
                fresh.swap(kept, at);
                kept += 1;
            }
        }
        into.truncate(start + kept);
    }

    pub(crate) fn candidate(&self, member: u32, asked: Asked) -> Option<Candidate> {
        let (mut usable, mut factor) = (0_u64, 0);
        let words = self.pools.words(member, asked.family, self.words);
        for (position, word) in words.enumerate() {
            let said = Said(word);
            if said.is_usable(asked.ignore) {
                usable |= 1 << position;
                factor = said.weight_factor().max(factor);
            }
        }
        if usable == 0 || asked.load.is_some_and(|load| self.sends_away(member, load)) {
            return None;
        }
        let weight = u64::from(self.pools.weight(member)) * factor;
        Some(Candidate {
            member,
            slot: self
                .pools
                .slot(member, asked.family, usable.trailing_zeros()),
            usable,
            weight,
        })
    }

    fn sends_away(&self, member: u32, load: u64) -> bool {
        self.shed(member).is_some_and(|shed| shed.sends_away(load))
    }

    /// Whom a member sends away: of all its usable targets the most. None: nobody.
    pub(crate) fn shed(&self, member: u32) -> Option<Shed> {
        let key = self.pools.shed_key(member)?;
        let usable = self.all(member).filter(|said| said.is_usable(false));
        let share = usable.map(Said::shed_share).max().unwrap_or(0);
        (share > 0).then_some(Shed { key, share })
    }

    /// Whether any target of a member may answer.
    pub(crate) fn is_up(&self, member: u32) -> bool {
        self.all(member).any(|said| said.is_usable(false))
    }

    pub(crate) fn is_settled(&self, member: u32) -> bool {
        self.all(member).all(Said::is_settled)
    }

    fn all(&self, member: u32) -> impl Iterator<Item = Said> {
        let words = move |family| self.pools.words(member, family, self.words);
        FAMILIES.into_iter().flat_map(words).map(Said)
    }
}
