use super::index::Index;
use alloc::vec::Vec;

/// Up to so many slots are searched one by one.
const FEW: usize = 8;
/// An array by name may have so many places for each slot.
const SPARSE: usize = 4;
/// The slot of a name that the row does not have.
const NONE: u32 = u32::MAX;

/// Finds the slot of a name in one row. The names of the row's slots, by slot, stand beside it.
///
/// A few slots take no memory, more of them 11 to 21 bytes each. If the row has a quarter of all names or more it is an array by
/// name: 4 bytes a name.
#[derive(Clone)]
pub(super) enum Directory {
    /// Slots by the hash of their name's id. Empty up to [`FEW`].
    Sparse(Index),
    /// Slots by their name's id.
    Dense(Vec<u32>),
}

impl Default for Directory {
    fn default() -> Self {
        Self::Sparse(Index::default())
    }
}

impl Directory {
    #[inline]
    pub(super) fn find(&self, names: &[u32], name: u32) -> Option<u32> {
        match self {
            Self::Dense(slots) => slots.get(name as usize).copied().filter(|&slot| slot != NONE),
            Self::Sparse(_) if names.len() <= FEW => {
                names.iter().position(|&known| known == name).and_then(|at| u32::try_from(at).ok())
            }
            Self::Sparse(slots) => slots.find(hash(name), |slot| names.get(slot as usize) == Some(&name)),
        }
    }

    /// Enters the last slot of `names`.
    pub(super) fn enter_last(&mut self, names: &[u32]) {
        let Some((&name, before)) = names.split_last() else { return };
        match self {
            Self::Sparse(_) if names.len() <= FEW => {}
            Self::Sparse(slots) if slots.room() == 0 => {
                // The table would grow now: the moment to see which of the two is smaller.
                *self = Self::of(names);
            }
            Self::Sparse(slots) => {
                let slot = u32::try_from(before.len()).unwrap_or(NONE);
                slots.insert(hash(name), slot);
            }
            Self::Dense(_) if name as usize >= SPARSE * names.len() => *self = Self::of(names),
            Self::Dense(slots) => enter(slots, name, before.len()),
        }
    }

    fn of(names: &[u32]) -> Self {
        let most = names.iter().max().map_or(0, |&name| name as usize);
        if most < SPARSE * names.len() {
            let mut slots = Vec::new();
            for (slot, &name) in names.iter().enumerate() {
                enter(&mut slots, name, slot);
            }
            return Self::Dense(slots);
        }
        let mut slots = Index::default();
        for (slot, &name) in (0..).zip(names) {
            slots.insert(hash(name), slot);
        }
        Self::Sparse(slots)
    }
}

fn enter(slots: &mut Vec<u32>, name: u32, slot: usize) {
    let at = name as usize;
    if slots.len() <= at {
        slots.resize(at + 1, NONE);
    }
    if let (Some(entry), Ok(slot)) = (slots.get_mut(at), u32::try_from(slot)) {
        *entry = slot;
    }
}

/// Ids are small numbers of our own, each once: to spread them is enough.
#[inline]
const fn hash(name: u32) -> u32 {
    name.wrapping_mul(0x9e37_79b9)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names in an order in which the directory has each of its forms, and goes from each to the other.
    #[test]
    fn each_form_finds_what_a_search_finds() {
        let far = (0..40).map(|n| 1_000_000 + n * 1_000);
        let orders = [
            (0..200).collect::<Vec<u32>>(),
            (0..40).chain(far).collect(),
            (0..90).map(|n| n * 7_919).collect(),
        ];
        for order in orders {
            let (mut directory, mut names) = (Directory::default(), Vec::new());
            for name in order {
                assert_eq!(directory.find(&names, name), None);
                names.push(name);
                directory.enter_last(&names);
                for (slot, &name) in (0..).zip(&names) {
                    assert_eq!(directory.find(&names, name), Some(slot), "{names:?}");
                }
            }
        }
    }
}
