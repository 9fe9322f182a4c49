//! A multiset that says how many of its keys are smaller: sorted blocks with a Fenwick tree of their
//! sizes, so that wide frames cost little more than narrow ones.

/// Blocks split at this many keys.
const LARGEST: usize = 128;

/// Blocks below this size join a neighbour.
const SMALLEST: usize = 16;

/// Where a key stands among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How many are smaller.
    pub below: u64,
    /// How many different ones are smaller.
    pub distinct_below: u64,
    /// How many are equal.
    pub equal: u64,
}

/// Keys in order, each with how often it is there.
#[derive(Debug)]
struct Block<K> {
    keys: Vec<K>,
    counts: Vec<u64>,
    total: u64,
}

/// A multiset of keys.
#[derive(Debug)]
pub struct OrderStatistics<K> {
    /// Blocks in order, none empty.
    blocks: Vec<Block<K>>,
    /// The first key of each block.
    firsts: Vec<K>,
    /// A Fenwick tree over the blocks: (all keys, different keys).
    sums: Vec<(u64, u64)>,
    total: u64,
}

impl<K> Default for OrderStatistics<K> {
    fn default() -> Self {
        Self {
            blocks: Vec::new(),
            firsts: Vec::new(),
            sums: Vec::new(),
            total: 0,
        }
    }
}

impl<K: Copy + Ord> OrderStatistics<K> {
    /// Returns how many keys are there, repeated ones included.
    pub fn len(&self) -> u64 {
        self.total
    }

    /// Says whether there is none.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Adds a key.
    pub fn insert(&mut self, key: K) {
        self.total += 1;
        if self.blocks.is_empty() {
            self.blocks.push(Block {
                keys: vec![key],
                counts: vec![1],
                total: 1,
            });
            self.rebuild();
            return;
        }
        let place = self.block_of(key);
        let block = &mut self.blocks[place];
        block.total += 1;
        match block.keys.binary_search(&key) {
            Ok(found) => {
                block.counts[found] += 1;
                self.count(place, 1, 0);
            }
            Err(gap) => {
                block.keys.insert(gap, key);
                block.counts.insert(gap, 1);
                self.firsts[place] = block.keys[0];
                if block.keys.len() > LARGEST {
                    self.split(place);
                } else {
                    self.count(place, 1, 1);
                }
            }
        }
    }

    /// Takes a key away that is there.
    pub fn remove(&mut self, key: K) {
        if self.blocks.is_empty() {
            return;
        }
        let place = self.block_of(key);
        let block = &mut self.blocks[place];
        let Ok(found) = block.keys.binary_search(&key) else {
            return;
        };
        self.total -= 1;
        block.total -= 1;
        if block.counts[found] > 1 {
            block.counts[found] -= 1;
            self.count(place, -1, 0);
            return;
        }
        block.keys.remove(found);
        block.counts.remove(found);
        if block.keys.len() < SMALLEST && self.shrink(place) {
            return;
        }
        self.firsts[place] = self.blocks[place].keys[0];
        self.count(place, -1, -1);
    }

    /// Returns where a key stands.
    pub fn standing(&self, key: K) -> Standing {
        if self.blocks.is_empty() {
            return Standing {
                below: 0,
                distinct_below: 0,
                equal: 0,
            };
        }
        let place = self.block_of(key);
        let (mut below, mut distinct_below) = self.before(place);
        let block = &self.blocks[place];
        let (inside, equal) = match block.keys.binary_search(&key) {
            Ok(found) => (found, block.counts[found]),
            Err(gap) => (gap, 0),
        };
        distinct_below += inside as u64;
        below += match block.total == block.keys.len() as u64 {
            true => inside as u64,
            false => block.counts[..inside].iter().sum(),
        };
        Standing {
            below,
            distinct_below,
            equal,
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.blocks.clear();
        self.total = 0;
        self.rebuild();
    }

    /// How many bytes are held.
    pub fn size(&self) -> usize {
        let block = size_of::<Block<K>>() + size_of::<K>() + size_of::<(u64, u64)>();
        let key = size_of::<K>() + size_of::<u64>();
        self.blocks.len() * (block + (LARGEST + 1) * key)
    }

    fn block_of(&self, key: K) -> usize {
        self.firsts
            .partition_point(|first| *first <= key)
            .saturating_sub(1)
    }

    fn split(&mut self, place: usize) {
        let block = &mut self.blocks[place];
        let middle = block.keys.len() / 2;
        let keys = block.keys.split_off(middle);
        let counts = block.counts.split_off(middle);
        let total = counts.iter().sum();
        block.total -= total;
        let upper = Block {
            keys,
            counts,
            total,
        };
        self.blocks.insert(place + 1, upper);
        self.rebuild();
    }

    /// Removes an empty block, or joins a small one with a neighbour that has room.
    fn shrink(&mut self, place: usize) -> bool {
        if self.blocks[place].keys.is_empty() {
            self.blocks.remove(place);
            self.rebuild();
            return true;
        }
        let size = |place: usize| self.blocks.get(place).map(|block| block.keys.len());
        let lower = match (place.checked_sub(1).and_then(size), size(place + 1)) {
            (Some(left), _) if left < LARGEST / 2 => place - 1,
            (_, Some(right)) if right < LARGEST / 2 => place,
            _ => return false,
        };
        let upper = self.blocks.remove(lower + 1);
        let block = &mut self.blocks[lower];
        block.keys.extend(upper.keys);
        block.counts.extend(upper.counts);
        block.total += upper.total;
        self.rebuild();
        true
    }

    fn rebuild(&mut self) {
        self.firsts.clear();
        self.sums.clear();
        for block in &self.blocks {
            self.firsts.push(block.keys[0]);
            self.sums.push((block.total, block.keys.len() as u64));
        }
        for place in 0..self.sums.len() {
            let parent = place | (place + 1);
            let (total, distinct) = self.sums[place];
            if let Some(sum) = self.sums.get_mut(parent) {
                sum.0 += total;
                sum.1 += distinct;
            }
        }
    }

    fn count(&mut self, mut place: usize, keys: i64, distinct: i64) {
        while let Some(sum) = self.sums.get_mut(place) {
            sum.0 = sum.0.wrapping_add_signed(keys);
            sum.1 = sum.1.wrapping_add_signed(distinct);
            place |= place + 1;
        }
    }

    /// How many keys the blocks before one hold.
    fn before(&self, place: usize) -> (u64, u64) {
        let (mut keys, mut distinct) = (0, 0);
        let mut place = place;
        while place > 0 {
            let sum = self.sums[place - 1];
            keys += sum.0;
            distinct += sum.1;
            place &= place - 1;
        }
        (keys, distinct)
    }
}
