//! The workers: which of them sends the next request.

use std::ops::Range;
use std::time::Duration;

use rand::RngExt;

use crate::plan::{LoadModel, Plan};
use crate::seeds::Random;

/// A worker sends one request at a time, to one node.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) node: usize,
    pub(crate) process: u64,
    /// Its client, which leaves only when the next one comes.
    pub(crate) client: Option<u64>,
    /// Whether its last request ended badly. Then the next one gets a new client.
    pub(crate) is_crashed: bool,
    pub(crate) next_msg_id: u64,
    pub(crate) pending: Option<Pending>,
    /// The number of its last operation, if it had one.
    pub(crate) last_operation: Option<usize>,
    /// How many requests of the end of the run it has asked for.
    pub(crate) last_requests: u32,
}

/// A request that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) operation: usize,
    pub(crate) msg_id: u64,
    pub(crate) invoked: Duration,
}

/// All workers. Under a [closed load](LoadModel::Closed) there are as many as the plan says. Under an [open](LoadModel::Open) one
/// more join while those of a node all wait.
#[derive(Debug)]
pub(crate) struct Workers {
    all: Vec<Worker>,
    /// The free workers, by node.
    free: Vec<Vec<usize>>,
    first_node: usize,
    /// How many workers there are at the beginning, and at most.
    planned: usize,
    most: usize,
}

impl Workers {
    pub(crate) fn new(plan: &Plan) -> Self {
        let planned = plan.workers();
        let most = match plan.load {
            LoadModel::Closed => planned,
            LoadModel::Open => plan.most_workers(),
        };
        let mut workers = Self {
            all: Vec::new(),
            free: vec![Vec::new(); plan.nodes().end],
            first_node: plan.first_node,
            planned,
            most,
        };
        for index in 0..planned {
            workers.add(plan.first_node + index % plan.node_count.max(1));
        }
        workers
    }

    fn add(&mut self, node: usize) {
        let index = self.all.len();
        self.all.push(Worker {
            node,
            process: index as u64,
            client: None,
            is_crashed: false,
            next_msg_id: 1,
            pending: None,
            last_operation: None,
            last_requests: 0,
        });
        self.free.get_mut(node).into_iter().for_each(|free| free.push(index));
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Worker> {
        self.all.get(index)
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut Worker> {
        self.all.get_mut(index)
    }

    /// The number of workers, with those that joined.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// How much a worker's process number grows when one of its operations crashes. So no two ever have the same number.
    pub(crate) fn stride(&self) -> u64 {
        self.most as u64
    }

    /// Whether a request could be sent now.
    pub(crate) fn can_send(&self) -> bool {
        self.all.len() < self.most || self.free.iter().any(|free| !free.is_empty())
    }

    pub(crate) fn all_are_free(&self) -> bool {
        self.free.iter().map(Vec::len).sum::<usize>() == self.all.len()
    }

    /// Draws the worker for the next request. It is busy until it is [freed](Self::freed).
    pub(crate) fn draw(&mut self, random: &mut Random) -> Option<usize> {
        if self.most == self.planned {
            return self.draw_free(random);
        }
        // Each node gets its share of the requests, whether it answers or not.
        let count = self.free.len() - self.first_node;
        let node = self.first_node + random.random_range(0..self.planned) % count;
        let has_free = self.free.get(node).is_some_and(|free| !free.is_empty());
        if !has_free && self.all.len() < self.most {
            self.add(node);
        }
        self.draw_of(node, random).or_else(|| self.draw_free(random))
    }

    /// Draws one of all free workers.
    fn draw_free(&mut self, random: &mut Random) -> Option<usize> {
        let count: usize = self.free.iter().map(Vec::len).sum();
        let mut place = (count > 0).then(|| random.random_range(0..count))?;
        let free = self.free.iter_mut().find(|free| {
            let is_here = place < free.len();
            place = if is_here { place } else { place - free.len() };
            is_here
        })?;
        Some(free.swap_remove(place))
    }

    fn draw_of(&mut self, node: usize, random: &mut Random) -> Option<usize> {
        let free = self.free.get_mut(node).filter(|free| !free.is_empty())?;
        let place = random.random_range(0..free.len());
        Some(free.swap_remove(place))
    }

    /// Makes all workers of the plan busy, and returns them.
    pub(crate) fn take_planned(&mut self) -> Range<usize> {
        let planned = 0..self.planned;
        self.free.iter_mut().for_each(|free| free.retain(|index| !planned.contains(index)));
        planned
    }

    /// Makes that worker free.
    pub(crate) fn freed(&mut self, index: usize) {
        let node = self.all.get(index).map_or(0, |worker| worker.node);
        self.free.get_mut(node).into_iter().for_each(|free| free.push(index));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::plan::Concurrency;
    use crate::seeds::Seeds;
    use crate::workload::Counter;

    fn workers(load: LoadModel) -> (Workers, Random) {
        let plan =
            Plan { load, rate: 10.0, concurrency: Concurrency::PerNode(2), ..Plan::new(&Counter::G, 1) };
        (Workers::new(&plan), Seeds::new(1).generator())
    }

    #[test]
    fn a_closed_load_ends_with_the_workers() {
        let (mut workers, mut random) = workers(LoadModel::Closed);
        let drawn: BTreeSet<usize> = std::iter::from_fn(|| workers.draw(&mut random)).collect();
        assert_eq!(drawn, (0..6).collect());
        assert!(!workers.can_send());
        workers.freed(4);
        assert_eq!(workers.draw(&mut random), Some(4));
    }

    #[test]
    fn an_open_load_goes_on_up_to_its_bound_and_spares_no_node() {
        let (mut workers, mut random) = workers(LoadModel::Open);
        let drawn: Vec<usize> = std::iter::from_fn(|| workers.draw(&mut random)).collect();
        assert_eq!(drawn.len(), 6 + 60, "six seconds of ten requests");
        assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), drawn.len());
        let of =
            |node: usize| drawn.iter().filter(|index| workers.get(**index).unwrap().node == node).count();
        assert!((0..3).all(|node| of(node) > 10), "{drawn:?}");
        assert!(!workers.can_send() && !workers.all_are_free());
        for index in drawn {
            workers.freed(index);
        }
        assert!(workers.all_are_free());
    }

    #[test]
    fn while_nodes_answer_nobody_joins() {
        let (mut workers, mut random) = workers(LoadModel::Open);
        for _ in 0..1000 {
            let drawn = workers.draw(&mut random).unwrap();
            workers.freed(drawn);
        }
        assert_eq!(workers.count(), 6);
    }
}
