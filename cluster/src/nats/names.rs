//! The names of the stream and of the subjects.

use replica::NodeId;

use crate::journal::Kept;

/// The names that a cluster has in NATS, as one node uses them.
///
/// ```
/// let names = cluster::nats::Names::new("shop", "n1".into());
/// assert_eq!(names.stream(), "COUNTERD_shop");
/// assert_eq!(names.to(&"n2".into()), "counterd.shop.to.n2.n1");
/// ```
#[derive(Debug, Clone)]
pub struct Names {
    cluster: String,
    me: NodeId,
}

impl Names {
    /// The names of this cluster, for this node.
    pub fn new(cluster: &str, me: NodeId) -> Self {
        Self { cluster: cluster.into(), me }
    }

    /// This node.
    pub fn me(&self) -> &NodeId {
        &self.me
    }

    /// The stream with the records of all nodes.
    pub fn stream(&self) -> String {
        format!("COUNTERD_{}", self.cluster)
    }

    /// All subjects of the stream.
    pub fn stored(&self) -> String {
        format!("counterd.{}.store.>", self.cluster)
    }

    /// All that the stream has of a node.
    pub fn stored_of(&self, node: &NodeId) -> String {
        format!("counterd.{}.store.{node}.>", self.cluster)
    }

    /// The log of a node.
    pub fn log(&self, node: &NodeId) -> String {
        format!("counterd.{}.store.{node}.log", self.cluster)
    }

    /// The logs of all nodes.
    pub fn logs(&self) -> String {
        format!("counterd.{}.store.*.log", self.cluster)
    }

    /// A piece of an entry in the log of a node.
    pub fn piece(&self, node: &NodeId, id: u64, place: u32) -> String {
        format!("counterd.{}.store.{node}.piece.{id:016x}.{place}", self.cluster)
    }

    /// The pieces of all entries in the log of this node.
    pub fn pieces(&self) -> String {
        format!("counterd.{}.store.{}.piece.>", self.cluster, self.me)
    }

    /// A piece of a snapshot of this node's log up to a message.
    pub fn snapshot(&self, upto: u64, id: u64, place: u32, of: u32) -> String {
        format!("counterd.{}.store.{}.snapshot.{upto}.{id:016x}.{place}.{of}", self.cluster, self.me)
    }

    /// The pieces of all snapshots of this node's log up to a message.
    pub fn snapshots(&self, upto: u64) -> String {
        format!("counterd.{}.store.{}.snapshot.{upto}.>", self.cluster, self.me)
    }

    /// Where this node writes to learn how far a server has come.
    pub fn fence(&self) -> String {
        format!("counterd.{}.store.{}.fence", self.cluster, self.me)
    }

    /// Where a peer hears from this node.
    pub fn to(&self, peer: &NodeId) -> String {
        format!("counterd.{}.to.{peer}.{}", self.cluster, self.me)
    }

    /// Where this node hears from its peers.
    pub fn inbox(&self) -> String {
        format!("counterd.{}.to.{}.*", self.cluster, self.me)
    }

    /// Where this node says hello.
    pub fn hello(&self) -> String {
        format!("counterd.{}.hello.{}", self.cluster, self.me)
    }

    /// Where all nodes say hello.
    pub fn hellos(&self) -> String {
        format!("counterd.{}.hello.*", self.cluster)
    }

    /// Where this node asks another one to make a change.
    pub fn ask(&self, node: &NodeId) -> String {
        format!("counterd.{}.ask.{node}.{}", self.cluster, self.me)
    }

    /// Where this node is asked.
    pub fn asks(&self) -> String {
        format!("counterd.{}.ask.{}.*", self.cluster, self.me)
    }

    /// Where this node hears the answer of another one to its request of this number.
    pub fn answer_of(&self, node: &NodeId, id: u64) -> String {
        format!("counterd.{}.answer.{}.{node}.{id:016x}", self.cluster, self.me)
    }

    /// Where this node answers the request of this number of another one.
    pub fn answer_to(&self, node: &NodeId, id: u64) -> String {
        format!("counterd.{}.answer.{node}.{}.{id:016x}", self.cluster, self.me)
    }

    /// Who has sent a message on [`inbox`](Self::inbox), [`hellos`](Self::hellos) or [`asks`](Self::asks): the last token, which the server lets nobody else
    /// use. `None`: no node has such a name.
    pub fn sender(subject: &str) -> Option<NodeId> {
        let (_, name) = subject.rsplit_once('.')?;
        embedded::is_node_name(name).then(|| NodeId::from(name))
    }

    /// The node of a stored message, and what the message is. `None`: it is nothing of a record.
    pub fn kept(subject: &str) -> Option<(NodeId, Kept)> {
        let tokens: Vec<&str> = subject.split('.').skip(3).collect();
        let (node, kept) = match tokens[..] {
            [node, "log"] => (node, Kept::Log),
            [node, "piece", id, place] => {
                (node, Kept::Piece { id: u64::from_str_radix(id, 16).ok()?, place: place.parse().ok()? })
            }
            [node, "snapshot", upto, id, place, of] => {
                let id = u64::from_str_radix(id, 16).ok()?;
                let (upto, place, of) = (upto.parse().ok()?, place.parse().ok()?, of.parse().ok()?);
                (node, Kept::Snapshot { upto, id, place, of })
            }
            _ => return None,
        };
        embedded::is_node_name(node).then(|| (node.into(), kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_say_what_is_kept() {
        let names = Names::new("shop", "n1".into());
        let n2 = NodeId::from("n2");
        let kept = [
            (names.log(&n2), Some((n2.clone(), Kept::Log))),
            (names.piece(&n2, 255, 3), Some((n2, Kept::Piece { id: 255, place: 3 }))),
            (
                names.snapshot(u64::MAX, 9, 1, 2),
                Some(("n1".into(), Kept::Snapshot { upto: u64::MAX, id: 9, place: 1, of: 2 })),
            ),
            (names.fence(), None),
            ("counterd.shop.store.n1.log.x".into(), None),
            ("counterd.shop.store".into(), None),
        ];
        for (subject, expected) in kept {
            assert_eq!(Names::kept(&subject), expected, "{subject}");
        }
    }

    #[test]
    fn the_last_token_is_the_sender() {
        assert_eq!(Names::sender("counterd.shop.to.n1.n2"), Some("n2".into()));
        assert_eq!(Names::sender("counterd.shop.to.n1.n#2"), None);
    }
}
