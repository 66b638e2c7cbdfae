//! The processes of a node, and the memory and CPU time that they use.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpgrp, kill_process_group};

/// A process as the system lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    id: u32,
    parent: u32,
    group: u32,
    /// CPU time of the process and of the children it has waited for, in clock ticks.
    ticks: u64,
}

/// Every process of the machine, from `/proc`. None if the system has no `/proc`. Costs some 10 µs a process.
pub(super) fn list() -> Vec<Listed> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(Listed::read).collect()
}

impl Listed {
    /// `None` if the process has ended meanwhile.
    fn read(id: u32) -> Option<Self> {
        Self::parse(id, &fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
    }

    fn parse(id: u32, stat: &str) -> Option<Self> {
        // The name, in brackets, may hold anything: what follows the last bracket starts with the third field.
        let (_, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        let [parent, group] = [4, 5].map(|field| number(field)?.try_into().ok());
        // 14 to 17: user and system time, of the process and of its children.
        let ticks = (14..=17).map(number).sum::<Option<u64>>()?;
        Some(Self { id, parent: parent?, group: group?, ticks })
    }
}

/// The processes of a node: those in the process group that it was started in, their descendants, and all processes in a
/// process group with one of them.
///
/// So a script that runs the node counts with the node. So does a process that `timeout` or a shell with job control puts
/// into a group of its own. A process is lost if it leaves the group, and its parent ends before [`update`](Self::update)
/// has seen it.
#[derive(Debug)]
pub(super) struct Tree {
    root: u32,
    /// The process groups, the root's own among them.
    groups: BTreeSet<u32>,
    members: BTreeSet<u32>,
}

impl Tree {
    /// A process that leads a group.
    pub(super) fn new(root: u32) -> Self {
        Self { root, groups: [root].into(), members: [root].into() }
    }

    /// Finds the processes that belong to the node now.
    pub(super) fn update(&mut self, processes: &[Listed]) {
        let bench = getpgrp().as_raw_nonzero().get().unsigned_abs();
        self.members = [self.root].into();
        let mut known = 0;
        // Repeat until a pass finds no new process, for a child may be listed before its parent.
        while known < self.members.len() {
            known = self.members.len();
            for process in processes {
                if self.groups.contains(&process.group) || self.members.contains(&process.parent) {
                    self.members.insert(process.id);
                    self.groups.insert(process.group);
                    // A process that has joined the bench's own group must not make the bench a part of the node.
                    self.groups.remove(&bench);
                }
            }
        }
        let is_alive = |group| processes.iter().any(|process| process.group == group);
        self.groups.retain(|group| *group == self.root || is_alive(*group));
    }

    /// Sends a signal to every process group of the node.
    pub(super) fn signal(&self, signal: Signal) {
        for group in &self.groups {
            if let Some(group) = i32::try_from(*group).ok().and_then(Pid::from_raw) {
                // It fails only if the group is empty.
                let _ = kill_process_group(group, signal);
            }
        }
    }

    /// Whether none of the members runs any more.
    pub(super) fn has_ended(&self) -> bool {
        !self.members.iter().any(|id| is_running(*id))
    }

    /// The sum of the members' peaks of resident memory, in KiB; `None` where the system does not tell.
    pub(super) fn memory_kb(&self) -> Option<u64> {
        let peaks = self.members.iter().filter_map(|id| peak_memory_kb(*id));
        peaks.fold(None, |sum, peak| Some(sum.unwrap_or(0) + peak))
    }

    /// CPU time, user and system, of the members in that list and of the children they have waited for; `None` where the
    /// system does not tell.
    pub(super) fn cpu_time(&self, processes: &[Listed]) -> Option<Duration> {
        let members = processes.iter().filter(|process| self.members.contains(&process.id));
        let ticks = members.fold(None, |sum, process| Some(sum.unwrap_or(0) + process.ticks))?;
        Some(Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second()))
    }
}

/// Whether a process runs. After its end it stays listed until its parent (or init, for an orphan) has asked for its
/// status.
fn is_running(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, fields)| !fields.starts_with(['Z', 'X']))
}

fn peak_memory_kb(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(id: u32, parent: u32, group: u32) -> Listed {
        Listed { id, parent, group, ticks: 100 }
    }

    fn members(tree: &Tree) -> Vec<u32> {
        tree.members.iter().copied().collect()
    }

    #[test]
    fn a_name_may_hold_brackets_and_blanks() {
        let stat = "7 (a) S 1 (b) S 3 5 5 0 -1 0 0 0 0 0 1 2 30 400 20 0 1 0";
        assert_eq!(Listed::parse(7, stat), Some(Listed { id: 7, parent: 3, group: 5, ticks: 433 }));
        assert_eq!(Listed::parse(7, "7 (a) S 3 5"), None);
    }

    #[test]
    fn descendants_count_whatever_their_group_and_order() {
        let mut tree = Tree::new(10);
        let all = [process(3, 12, 12), process(10, 1, 10), process(11, 10, 10), process(12, 11, 12)];
        tree.update(&[&all[..], &[process(20, 1, 20)]].concat());
        assert_eq!((members(&tree), tree.groups.len()), (vec![3, 10, 11, 12], 2));
        assert!(tree.cpu_time(&all).unwrap() > tree.cpu_time(&all[..1]).unwrap());
    }

    #[test]
    fn orphans_are_known_by_their_group() {
        let mut tree = Tree::new(10);
        tree.update(&[process(10, 1, 10), process(11, 10, 10), process(12, 11, 12)]);
        tree.update(&[process(11, 1, 10), process(12, 1, 12), process(13, 1, 12)]);
        assert_eq!(members(&tree), [10, 11, 12, 13]);
        // A group that has become empty may be a stranger's next time.
        tree.update(&[process(10, 1, 10)]);
        tree.update(&[process(10, 1, 10), process(30, 1, 12)]);
        assert_eq!(members(&tree), [10]);
    }

    #[test]
    fn the_benchs_own_group_is_no_part_of_a_node() {
        let bench = getpgrp().as_raw_nonzero().get().unsigned_abs();
        let mut tree = Tree::new(10);
        tree.update(&[process(10, 1, 10), process(11, 10, bench), process(bench, 1, bench)]);
        assert_eq!((members(&tree), tree.groups.len()), (vec![10, 11], 1));
    }

    #[test]
    fn this_process_is_listed_and_has_memory() {
        let listed = list();
        assert!(listed.iter().any(|process| process.id == std::process::id()));
        assert!(peak_memory_kb(std::process::id()).unwrap() > 100);
        assert!(is_running(std::process::id()) && !is_running(u32::MAX));
    }
}
