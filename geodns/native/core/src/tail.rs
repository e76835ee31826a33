//! The places behind a row, found by scans: no order of them is kept anywhere.

use crate::choose::Chain;
use crate::draw::Found;
use crate::link::{Away, Link, Tier};
use crate::member::Asked;
use crate::words::Words;

impl<'g, 'a, W: Words + ?Sized> Chain<'g, 'a, W> {
    /// The places behind the row, each a tier of its own. The nearest that has candidates is
    /// looked for among all at once: most of many may be down.
    pub(crate) fn in_tail(
        &self,
        (link, from): (&Link<'g, 'a>, u32),
        asked: Asked,
        settled: &mut bool,
        into: &mut Found,
    ) {
        let mut after = None;
        while !into.has(link.pool.min_answers) {
            let Some(next) = self.next((link, from), asked, after) else {
                return;
            };
            if *settled && into.tiers.is_empty() {
                *settled = self.tail_settled((link, from), next);
            }
            self.take(link, Tier::Tail(next.1), asked, into);
            after = Some(next);
        }
    }

    /// The nearest place of the tail that has candidates, behind one that has been taken.
    fn next(
        &self,
        (link, from): (&Link<'g, 'a>, u32),
        asked: Asked,
        after: Option<Away>,
    ) -> Option<Away> {
        let mut best = None;
        for here in self.pools.away(link.pool, from) {
            let is_nearer = best.is_none_or(|best| here < best);
            if is_nearer
                && after.is_none_or(|after| here > after)
                && self.can_answer(link, here.1, asked)
                && link.tail_has(here.1)
            {
                best = Some(here);
            }
        }
        best
    }

    /// Whether all places of the tail are settled, up to and with one. Places in the row were
    /// seen to be before, so they need not be told from them.
    fn tail_settled(&self, (link, from): (&Link<'g, 'a>, u32), last: Away) -> bool {
        let mut places = self.pools.away(link.pool, from);
        places.all(|here| {
            here > last || !link.serves(here.1) || {
                let members = self.pools.at_place(link.pool, here.1);
                self.all_settled(members)
            }
        })
    }

    fn can_answer(&self, link: &Link, place: u32, asked: Asked) -> bool {
        let mut members = self.pools.at_place(link.pool, place);
        members.any(|member| self.members().candidate(member, asked).is_some())
    }
}
