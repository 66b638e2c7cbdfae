//! The names of the stream and of the subjects.

use std::fmt;

use replica::NodeId;

/// So many places of a log are a group.
const GROUP: u32 = 256;

/// The names that a cluster has in NATS, as one node uses them.
///
/// ```
/// let names = cluster::Names::new("shop", "n1".into());
/// assert_eq!(names.stream(), "COUNTERD_shop");
/// assert_eq!(names.to(&"n2".into()), "counterd.shop.to.n2.n1");
/// ```
#[derive(Debug, Clone)]
pub struct Names {
    cluster: String,
    site: Option<String>,
    me: NodeId,
}

/// The subjects that a node needs the right to use. All others the servers may refuse it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// Where it publishes.
    pub publish: Vec<String>,
    /// Where it subscribes.
    pub subscribe: Vec<String>,
}

impl Names {
    /// The names of this cluster, for this node.
    pub fn new(cluster: &str, me: NodeId) -> Self {
        Self { cluster: cluster.into(), site: None, me }
    }

    /// With records in the stream of this site.
    ///
    /// ```
    /// let names = cluster::Names::new("shop", "n1".into()).at(Some("eu".into()));
    /// assert_eq!(names.stream(), "COUNTERD_shop_eu");
    /// assert_eq!(names.log(names.me(), 7), "counterd.shop.store.eu.n1.log.0.7");
    /// ```
    #[must_use]
    pub fn at(mut self, site: Option<String>) -> Self {
        self.site = site;
        self
    }

    /// The site of this node.
    pub fn site(&self) -> Option<&String> {
        self.site.as_ref()
    }

    /// This node.
    pub fn me(&self) -> &NodeId {
        &self.me
    }

    /// The stream with the records of all nodes.
    pub fn stream(&self) -> String {
        match &self.site {
            Some(site) => format!("COUNTERD_{}_{site}", self.cluster),
            None => format!("COUNTERD_{}", self.cluster),
        }
    }

    /// A subject of the stream.
    fn in_store(&self, rest: fmt::Arguments<'_>) -> String {
        match &self.site {
            Some(site) => format!("counterd.{}.store.{site}.{rest}", self.cluster),
            None => format!("counterd.{}.store.{rest}", self.cluster),
        }
    }

    /// All subjects of the stream.
    pub fn stored(&self) -> String {
        self.in_store(format_args!(">"))
    }

    /// A place of a node's log. The stream keeps the last message of each.
    pub fn log(&self, node: &NodeId, place: u32) -> String {
        self.in_store(format_args!("{node}.log.{}.{}", place / GROUP, place % GROUP))
    }

    /// All places of a node's log.
    pub fn whole_log(&self, node: &NodeId) -> String {
        self.in_store(format_args!("{node}.log.*.*"))
    }

    /// Places of a node's log among which these two are: their group, or all. A server looks through all of them.
    pub fn places(&self, node: &NodeId, from: Option<u32>, to: u32) -> String {
        match from.filter(|from| from / GROUP == to / GROUP) {
            Some(_) => self.in_store(format_args!("{node}.log.{}.*", to / GROUP)),
            None => self.whole_log(node),
        }
    }

    /// Where the name of a node stands once it may have a log.
    pub fn name(&self, node: &NodeId) -> String {
        self.in_store(format_args!("{node}.name"))
    }

    /// Where the names of all nodes stand.
    pub fn all_names(&self) -> String {
        self.in_store(format_args!("*.name"))
    }

    /// The node whose name stands there. `None`: it is no [`name`](Self::name).
    pub fn named(subject: &str) -> Option<NodeId> {
        let (node, _) = subject.rsplit_once('.').filter(|(_, last)| *last == "name")?;
        let (_, node) = node.rsplit_once('.')?;
        embedded::is_node_name(node).then(|| NodeId::from(node))
    }

    /// Where this node writes to learn how far a server has come.
    pub fn fence(&self) -> String {
        self.in_store(format_args!("{}.fence", self.me))
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

    /// The prefix of the subjects on which answers come.
    pub fn answers(&self) -> String {
        format!("_INBOX_{}", self.me)
    }

    /// What this node needs, and nothing else.
    pub fn rights(&self) -> Rights {
        let Self { cluster, me, .. } = self;
        let stream = self.stream();
        let api = |request: &str| format!("$JS.API.{request}");
        Rights {
            publish: vec![
                self.to(&"*".into()),
                self.hello(),
                self.ask(&"*".into()),
                format!("counterd.{cluster}.answer.*.{me}.*"),
                self.in_store(format_args!("{me}.>")),
                api(&format!("STREAM.INFO.{stream}")),
                api(&format!("STREAM.CREATE.{stream}")),
                api(&format!("CONSUMER.CREATE.{stream}")),
                api(&format!("CONSUMER.MSG.NEXT.{stream}.>")),
                api(&format!("CONSUMER.DELETE.{stream}.>")),
            ],
            subscribe: vec![
                self.inbox(),
                self.hellos(),
                self.asks(),
                format!("counterd.{cluster}.answer.{me}.*.*"),
                format!("{}.>", self.answers()),
            ],
        }
    }

    /// Where else a node publishes that may forget others: it writes to their logs.
    pub fn right_to_forget(&self) -> Vec<String> {
        ["*.log.*.*", "*.name"].map(|rest| self.in_store(format_args!("{rest}"))).into()
    }

    /// Who has sent a message on [`inbox`](Self::inbox), [`hellos`](Self::hellos) or [`asks`](Self::asks): the last token, which the server lets nobody else
    /// use. `None`: nobody, or no node.
    ///
    /// The stream can be made to send its messages to any subject. They name their own subject then, so they have no sender.
    pub fn sender(subject: &str) -> Option<NodeId> {
        let tokens: Vec<&str> = subject.split('.').collect();
        let (["counterd", _, "to" | "ask", _, name] | ["counterd", _, "hello", name]) = tokens[..] else {
            return None;
        };
        embedded::is_node_name(name).then(|| NodeId::from(name))
    }

    /// The node whose log has this place, and the place. `None`: it is no [`log`](Self::log).
    pub fn logged(subject: &str) -> Option<(NodeId, u32)> {
        let [number, group, "log", node, ..] = subject.rsplit('.').collect::<Vec<_>>()[..] else {
            return None;
        };
        let number: u32 = number.parse().ok().filter(|number| *number < GROUP)?;
        let place = group.parse::<u32>().ok()?.checked_mul(GROUP)?.checked_add(number)?;
        embedded::is_node_name(node).then(|| (node.into(), place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_logs_are_told_from_the_rest() {
        for site in [None, Some("eu".to_owned()), Some("log".into())] {
            let names = Names::new("shop", "n1".into()).at(site);
            for node in ["n2", "log"].map(NodeId::from) {
                for place in [0, GROUP - 1, GROUP, u32::MAX] {
                    let subject = names.log(&node, place);
                    assert_eq!(Names::logged(&subject), Some((node.clone(), place)), "{subject}");
                }
                for other in [names.fence(), names.name(&node), names.whole_log(&node)] {
                    assert_eq!(Names::logged(&other), None, "{other}");
                }
            }
        }
        assert_eq!(Names::logged("counterd.shop.store"), None);
    }

    #[test]
    fn the_last_message_is_among_the_places_that_a_condition_is_about() {
        let (names, node) = (Names::new("shop", "n1".into()), NodeId::from("n2"));
        let all = names.whole_log(&node);
        assert_eq!(names.places(&node, None, 0), all);
        assert_eq!(names.places(&node, Some(GROUP - 1), GROUP), all);
        assert_eq!(names.places(&node, Some(GROUP), GROUP + 1), "counterd.shop.store.n2.log.1.*");
    }

    #[test]
    fn names_are_listed() {
        let names = Names::new("shop", "n1".into());
        assert_eq!(Names::named(&names.name(&"n2".into())), Some("n2".into()));
        assert_eq!(Names::named(&names.fence()), None);
    }

    #[test]
    fn the_last_token_is_the_sender() {
        assert_eq!(Names::sender("counterd.shop.to.n1.n2"), Some("n2".into()));
        assert_eq!(Names::sender("counterd.shop.hello.n2"), Some("n2".into()));
        assert_eq!(Names::sender("counterd.shop.to.n1.n#2"), None);
        assert_eq!(Names::sender("counterd.shop.store.n2.n1"), None);
    }
}
